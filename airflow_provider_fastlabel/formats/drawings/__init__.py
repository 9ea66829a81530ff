"""Drawings: the images with their annotations drawn on them, written by :func:`export_drawings`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats.drawings.write import export_drawings

__all__ = ["export_drawings"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(__name__, {"export_drawings": "write"})
