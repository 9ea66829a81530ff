"""Pascal VOC: one XML file an image, written by :func:`export_pascalvoc` and read by :func:`read_pascalvoc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats.pascalvoc.read import read_pascalvoc
    from airflow_provider_fastlabel.formats.pascalvoc.write import export_pascalvoc

__all__ = ["export_pascalvoc", "read_pascalvoc"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(__name__, {"export_pascalvoc": "write", "read_pascalvoc": "read"})
