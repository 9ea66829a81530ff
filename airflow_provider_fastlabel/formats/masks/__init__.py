"""Masks: one picture of class indexes an image, written by :func:`export_masks` and read by :func:`read_masks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats.masks.dataset import read_masks
    from airflow_provider_fastlabel.formats.masks.read import mask_to_fastlabel_segmentation_points, read_mask
    from airflow_provider_fastlabel.formats.masks.write import export_masks

__all__ = ["export_masks", "mask_to_fastlabel_segmentation_points", "read_mask", "read_masks"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(
        __name__,
        {
            "export_masks": "write",
            "mask_to_fastlabel_segmentation_points": "read",
            "read_mask": "read",
            "read_masks": "dataset",
        },
    )
