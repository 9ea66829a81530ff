"""Imports whole folders: the engine behind the Airflow operator, usable without Airflow.

>>> from airflow_provider_fastlabel.pipelines.imports import find_sources, import_files
>>> found = find_sources("photos", extensions=["jpg", "png"])
>>> import_files(client, "cats", found.sources, manifest="import.jsonl", problems=found.problems)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.files.problems import (
        ImportIncomplete,
        ImportRefused,
        ImportSummary,
        Problem,
    )
    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.files.sources import Found, find_sources
    from airflow_provider_fastlabel.pipelines.imports.engine import import_files
    from airflow_provider_fastlabel.pipelines.imports.preflight import Destination, find_items, resolve_destination

__all__ = [
    "Destination",
    "Found",
    "ImportIncomplete",
    "ImportRefused",
    "ImportSummary",
    "Problem",
    "Source",
    "find_items",
    "find_sources",
    "import_files",
    "resolve_destination",
]

if not TYPE_CHECKING:
    # An operator that only asks for its turn must not load the whole engine when a DAG is parsed.
    __getattr__, __dir__ = loads(
        __name__,
        {
            **dict.fromkeys(("ImportIncomplete", "ImportRefused", "ImportSummary", "Problem"), ".files.problems"),
            "Source": ".files.source",
            **dict.fromkeys(("Found", "find_sources"), ".files.sources"),
            "import_files": "engine",
            **dict.fromkeys(("Destination", "find_items", "resolve_destination"), "preflight"),
        },
    )
