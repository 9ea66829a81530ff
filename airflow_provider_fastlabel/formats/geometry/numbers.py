"""Points are taken as numbers, or it is said why they are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_fastlabel.formats.geometry.shape import (
    FARTHEST,
    GeometryError,
    Ring,
)
from airflow_provider_fastlabel.words import shortened


def numbers_of(points: Any) -> Ring:
    """Check a flat list of coordinates.

    :returns: the list itself if it is one.
    :raises GeometryError: not a list of finite numbers, or an odd number of them.
    """
    if not isinstance(points, list):
        if not isinstance(points, tuple):
            raise GeometryError(explained(points, "points are a flat list of numbers"))
        points = list(points)
    ring: Ring = points
    try:
        total = sum(points)
    except TypeError:
        raise GeometryError(f"a coordinate is not a number: {shortened(points)}") from None
    # NaN is neither the least nor the largest, but the sum of all.
    if points and not (total == total and min(points) >= -FARTHEST and max(points) <= FARTHEST):
        raise GeometryError(too_far(points))
    if len(points) & 1:
        raise GeometryError(f"{len(points)} coordinates: x and y must come in pairs")
    return ring


def explained(points: Any, need: str) -> str:
    """Say what is wrong with points of the wrong kind."""
    if isinstance(points, Mapping):
        return "the points are keyed by frame (a video project): expand the frames before exporting"
    return f"{need}: {shortened(points)}"


def too_far(points: Any) -> str:
    """Say that a coordinate is too large, or not finite."""
    return f"a coordinate is not finite, or beyond {FARTHEST:.0f} pixels: {shortened(points)}"
