"""Finds the DICOM series of a folder, one zip each, checks them before the first is sent, and starts their imports."""

from __future__ import annotations

import logging
import zipfile
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_fastlabel.client.checks.media import too_large
from airflow_provider_fastlabel.client.exceptions import NotFound, OutcomeUnknown, RateLimited
from airflow_provider_fastlabel.client.kinds import DICOM
from airflow_provider_fastlabel.pipelines.files.problems import (
    ImportRefused,
    Problem,
    RunIncomplete,
    enumerate_problems,
)
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from airflow_provider_fastlabel.pipelines.running.newcomers import Before
from airflow_provider_fastlabel.pipelines.running.run import HOPELESS, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.files.sources import Found

log: logging.Logger = logging.getLogger(__name__)


def find_zips(client: FastLabelClient, project: str, folder: Any, pattern: str, *, follow_links: bool = False) -> Found:
    """Find the zip files of a folder, and check all of them.

    :param client: the client, for its limits and the project's kind.
    :param project: slug of a DICOM project.
    :param folder: a ``pathlib.Path``, or an object with its interface in an object store.
    :param pattern: glob that the path relative to ``folder`` must match.
    :param follow_links: whether links that lead out of the folder are followed.
    :returns: the files, and links that were left out.
    :raises ImportRefused: the project takes other tasks, a file is not right, or there is none.
    """
    if (kind := client.kind_of_project(project).name) != "dicom":
        raise ImportRefused(f"Project {project!r} takes {kind} tasks, not DICOM. Nothing was sent.")
    found = find_sources(folder, extensions=DICOM.extensions, pattern=pattern, follow_links=follow_links)
    problems = [*found.problems, *_problems(found.sources, client.limits.dicom)]
    if problems:
        raise ImportRefused(
            f"{len(problems)} file(s) in {folder} cannot be imported. Nothing was sent.\n"
            f"{enumerate_problems(problems)}",
            problems,
        )
    if not found.sources:
        raise ImportRefused(
            f"No file in {folder} matches pattern {pattern!r}. Nothing was sent. {found.links_in_words()}".rstrip()
        )
    if found.links:
        log.warning("%s", found.links_in_words().rstrip())
    return found


def _problems(sources: Collection[Source], largest: int) -> list[Problem]:
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
                readable = _is_zip(file)
            if not readable:
                problems.append(Problem(source.name, "is not a readable zip file"))
        except OSError as error:
            problems.append(Problem(source.name, f"cannot be read ({error.strerror or error})"))
    return problems


def _is_zip(file: BinaryIO) -> bool:
    """Tell whether a file is a zip. Of one that spans several disks Python says neither yes nor no."""
    try:
        return zipfile.is_zipfile(file)
    except zipfile.BadZipFile:
        return False


def start_imports(
    client: FastLabelClient,
    project: str,
    sources: Sequence[Source],
    begun: dict[str, str],
    *,
    remember: Callable[..., object],
    **fields: Any,
) -> None:
    """Upload files one after the other; each starts an import of its own.

    :param client: the client.
    :param project: slug of the project.
    :param sources: the files.
    :param begun: file name to the id of its import's history, of earlier runs too; those that begin are added.
    :param remember: called with ``histories`` (``begun``) whenever it is settled, and before each start also with
        ``starting``, the name of the file, and the values of :class:`.Before`: which imports of the project there were.
    :param fields: what ``create_dicom_task`` takes beside project and file.
    :raises RunIncomplete: an import could not be started; the others were, unless FastLabel seems to be down.
    :raises OutcomeUnknown: nobody can tell whether the import of the file remembered last has begun.
    """
    if not sources:
        return
    earlier = Before.of(client.iter_histories(project))

    def start(source: Source) -> str:
        nonlocal earlier
        remember(histories=begun, starting=source.name, **earlier.values())
        try:
            with source.local() as path:
                history = client.create_dicom_task(project, path, **fields)
        except RateLimited:
            remember(histories=begun)  # nothing was started: what begins until the next try is another's
            raise
        begun[source.name] = str(history["id"])
        earlier = earlier.including([history])
        return "begun"

    def incomplete(why: str) -> RunIncomplete:
        remember(histories=begun)
        return _incomplete(why, project, run, len(sources) - run.counts.total(), len(begun))

    run: Run[Source] = Run(
        "import",
        "files",
        len(sources),
        name=lambda source: source.name,
        settle=start,
        incomplete=incomplete,
        hopeless=(*HOPELESS, NotFound, OutcomeUnknown),
        calls_left=client.quota.remaining,
    )
    # One at a time: were several being started at a kill, nobody could tell which import is whose.
    run.over(sources, workers=1)
    remember(histories=begun)


def _incomplete(why: str, project: str, run: Run[Source], left: int, begun: int) -> RunIncomplete:
    untried = f" {left} were not tried." if left else ""
    return RunIncomplete(
        f"{why}: {len(run.failures)} import(s) into project {project} could not be started.{untried} {begun} others "
        "have begun and go on; a retry waits for them and starts only what is missing.\n"
        f"{enumerate_problems(run.failures)}",
        dict(run.counts),
        run.failures,
    )


def task_name(file_name: str) -> str:
    """Return a name by which a file and its task can be compared: FastLabel's examples keep the ``.zip``, or do not.

    :param file_name: path of the file, or name of the task.
    """
    name = PurePosixPath(file_name).name
    return name[:-4] if name.lower().endswith(".zip") else name
