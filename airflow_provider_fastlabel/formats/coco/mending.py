"""Leaves out what cannot be used of an object, so that one bad part does not condemn it."""

from __future__ import annotations

from typing import Any

from airflow_provider_fastlabel.formats.coco.objects import Category, bbox_field, parts_of, regions_of
from airflow_provider_fastlabel.formats.reading.imported import UnusableError, finite
from airflow_provider_fastlabel.formats.reading.points import box, ring


def mended(entry: dict[str, Any], category: Category) -> tuple[dict[str, Any], list[str]]:
    """Leave out what cannot be used of an object's geometry: keypoints, the box, parts of the outline, the mask.

    :param entry: the annotation; not changed.
    :param category: its category.
    :returns: the annotation with what is left, and why each part was left out.
    """
    left = dict(entry)
    return left, [*_mend_keypoints(left, category), *_mend_bbox(left), *_mend_segmentation(left)]


def _mend_keypoints(entry: dict[str, Any], category: Category) -> list[str]:
    flat = entry.get("keypoints")
    if not isinstance(flat, list) or len(flat) != 3 * len(category.keypoints):
        return []
    mended_flat, faults = flat[:], []
    for start, name in zip(range(0, len(flat), 3), category.keypoints, strict=True):
        fault = _keypoint_fault(name, *flat[start : start + 3])
        if fault:
            faults.append(fault)
            mended_flat[start : start + 3] = 0, 0, 0
    entry["keypoints"] = mended_flat
    return faults


def _mend_bbox(entry: dict[str, Any]) -> list[str]:
    try:
        bbox_field(entry)
    except UnusableError as error:
        entry["bbox"] = None
        return [str(error)]
    return []


def _mend_segmentation(entry: dict[str, Any]) -> list[str]:
    segmentation = entry.get("segmentation")
    if isinstance(segmentation, list):
        several = any(isinstance(part, list) for part in segmentation)
        parts = segmentation if several else [segmentation] if segmentation else []
        faults = [_part_fault(part, alone=len(parts) == 1) for part in parts]
        entry["segmentation"] = [part for part, fault in zip(parts, faults, strict=True) if not fault]
        return [fault for fault in faults if fault]
    try:
        if isinstance(segmentation, dict):
            regions_of(entry)
        else:
            parts_of(entry)
    except UnusableError as error:
        entry["segmentation"] = None
        return [str(error)]
    return []


def _part_fault(part: Any, *, alone: bool) -> str:
    """Return why a part of an outline cannot be used, or nothing."""
    try:
        if not isinstance(part, list):
            raise UnusableError("a part of its segmentation is no list of numbers")
        if alone and len(part) == 4:
            box(*part)
        else:
            ring(part)
    except UnusableError as error:
        return str(error)
    return ""


def _keypoint_fault(name: str, x: Any, y: Any, visible: Any) -> str:
    """Return why a keypoint cannot be used, or nothing."""
    if not finite((x, y)):
        return f"keypoint {name!r} has a coordinate that is no number"
    if visible not in (0, 1, 2):
        return f"keypoint {name!r} has the visibility {visible!r}; COCO knows 0, 1 and 2"
    return ""
