"""Imports whole folders: the engine behind the Airflow operator, usable without Airflow.

>>> from airflow_provider_fastlabel.client.bulk import find_sources, import_files
>>> found = find_sources("photos", extensions=["jpg", "png"])
>>> import_files(client, "cats", found.sources, manifest="import.jsonl", problems=found.problems)
"""

from __future__ import annotations

from airflow_provider_fastlabel.client.bulk.engine import import_files
from airflow_provider_fastlabel.client.bulk.preflight import resolve_kind
from airflow_provider_fastlabel.client.bulk.problems import ImportIncomplete, ImportRefused, ImportSummary, Problem
from airflow_provider_fastlabel.client.bulk.sources import Found, Source, find_sources

__all__ = [
    "Found",
    "ImportIncomplete",
    "ImportRefused",
    "ImportSummary",
    "Problem",
    "Source",
    "find_sources",
    "import_files",
    "resolve_kind",
]
