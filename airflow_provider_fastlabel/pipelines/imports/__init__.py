"""Imports whole folders: the engine behind the Airflow operator, usable without Airflow.

>>> from airflow_provider_fastlabel.pipelines.imports import find_sources, import_files
>>> found = find_sources("photos", extensions=["jpg", "png"])
>>> import_files(client, "cats", found.sources, manifest="import.jsonl", problems=found.problems)
"""

from __future__ import annotations

from airflow_provider_fastlabel.pipelines.files.problems import ImportIncomplete, ImportRefused, ImportSummary, Problem
from airflow_provider_fastlabel.pipelines.files.sources import Found, Source, find_sources
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
