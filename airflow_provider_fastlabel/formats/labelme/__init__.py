"""labelme: one JSON file an image, written by :func:`export_labelme` and read by :func:`read_labelme`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats.labelme.read import read_labelme
    from airflow_provider_fastlabel.formats.labelme.write import export_labelme

__all__ = ["export_labelme", "read_labelme"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(__name__, {"export_labelme": "write", "read_labelme": "read"})
