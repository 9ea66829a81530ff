"""All checks that need no sending, made for all items before the first task is created."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client import media
from airflow_provider_fastlabel.client.bulk.annotations import ClassRules, geometry_complaints
from airflow_provider_fastlabel.client.bulk.imagesize import ImageSize, read_image_size
from airflow_provider_fastlabel.client.bulk.pool import run_bounded
from airflow_provider_fastlabel.client.bulk.problems import ImportRefused, Problem
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.kinds import kind_of_project_type

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.bulk.sources import Source
    from airflow_provider_fastlabel.client.kinds import Kind

    Annotations = Mapping[str, Sequence[Mapping[str, Any]]]

LONGEST_NAME = 1024
"""Characters of a task name we accept. FastLabel documents no limit; longer is a mistake (our choice)."""

_UNPRINTABLE = {"Cc": "a control character", "Cs": "bytes that are not UTF-8"}


def resolve_kind(client: FastLabelClient, project: str, kind: str | None = None) -> Kind:
    """Find out what kind of tasks a project takes.

    :param client: the client.
    :param project: the project's slug.
    :param kind: the kind the caller expects, if any.
    :returns: the kind.
    :raises ImportRefused: the project does not exist, or takes another kind.
    """
    found = client.find_project_by_slug(project)
    if found is None:
        raise ImportRefused(
            f"Project {project!r} does not exist, or the token may not see it. Nothing was created. "
            "Check `project` (the slug, as in the address of the project's page)."
        )
    resolved = kind_of_project_type(found["type"])
    if kind is not None and kind != resolved.name:
        raise ImportRefused(
            f"Project {project!r} is of type {found['type']} and takes {resolved.name} tasks, not {kind} tasks. "
            "Nothing was created. Leave out `kind`, or give another project."
        )
    return resolved
