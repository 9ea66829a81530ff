"""YOLO: one text file an image, written by :func:`export_yolo` and read by :func:`read_yolo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats.yolo.read import read_yolo
    from airflow_provider_fastlabel.formats.yolo.write import export_yolo, image_paths

__all__ = ["export_yolo", "image_paths", "read_yolo"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(__name__, {"export_yolo": "write", "image_paths": "write", "read_yolo": "read"})
