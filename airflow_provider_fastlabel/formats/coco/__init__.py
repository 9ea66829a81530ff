"""COCO: one JSON file, written by :func:`export_coco` and read by :func:`read_coco`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats.coco.read import read_coco
    from airflow_provider_fastlabel.formats.coco.write import export_coco

__all__ = ["export_coco", "read_coco"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(__name__, {"export_coco": "write", "read_coco": "read"})
