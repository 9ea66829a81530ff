"""Finds the DICOM series of a folder, one zip each, and checks them before the first is sent."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.checks.media import too_large
from airflow_provider_fastlabel.client.kinds import DICOM
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused, Problem, enumerate_problems
from airflow_provider_fastlabel.pipelines.files.sources import find_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.files.sources import Source


def find_zips(client: FastLabelClient, project: str, folder: Any, pattern: str) -> list[Source]:
    """Return the zip files of a folder, all checked.

    :param client: the client, for its limits and the project's kind.
    :param project: slug of a DICOM project.
    :param folder: a ``pathlib.Path``, or an object with its interface in an object store.
    :param pattern: glob that the path relative to ``folder`` must match.
    :raises ImportRefused: the project takes other tasks, a file is not right, or there is none.
    """
    if (kind := client.kind_of_project(project).name) != "dicom":
        raise ImportRefused(f"Project {project!r} takes {kind} tasks, not DICOM. Nothing was sent.")
    found = find_sources(folder, extensions=DICOM.extensions, pattern=pattern)
    problems = [*found.problems, *_problems(found.sources, client.limits.dicom)]
    if problems:
        raise ImportRefused(
            f"{len(problems)} file(s) in {folder} cannot be imported. Nothing was sent.\n"
            f"{enumerate_problems(problems)}",
            problems,
        )
    if not found.sources:
        raise ImportRefused(f"No file in {folder} matches pattern {pattern!r}. Nothing was sent.")
    return found.sources


def _problems(sources: Sequence[Source], largest: int) -> list[Problem]:
    """Return what is wrong with the files."""
    problems = []
    names = Counter(task_name(source.name) for source in sources)
    for source in sources:
        if source.size > largest:
            problems.append(Problem(source.name, too_large(source.size, DICOM.name, largest)))
            continue
        if names[task_name(source.name)] > 1:
            problems.append(Problem(source.name, "has the same file name as another; tasks are named after it"))
        try:
            with source.open() as file:
                if not zipfile.is_zipfile(file):
                    problems.append(Problem(source.name, "is not a readable zip file"))
        except OSError as error:
            problems.append(Problem(source.name, f"cannot be read ({error.strerror or error})"))
    return problems


def task_name(file_name: str) -> str:
    """Return a name by which a file and its task can be compared: FastLabel's examples keep the ``.zip``, or do not.

    :param file_name: path of the file, or name of the task.
    """
    name = PurePosixPath(file_name).name
    return name[:-4] if name.lower().endswith(".zip") else name
