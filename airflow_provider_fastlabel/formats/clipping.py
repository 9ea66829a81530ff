"""Rings cut at the image's border, by the even-odd rule: a ring that crosses itself has a defined inside."""

from __future__ import annotations

from airflow_provider_fastlabel.formats.bridge import bridged
from airflow_provider_fastlabel.formats.overlay import exact_area, resolved
from airflow_provider_fastlabel.formats.within import inside, lies_within

__all__ = ["clip_ring", "exact_area", "inside", "lies_within"]

Ring = list[float]


def clip_ring(ring: Ring, width: float, height: float) -> list[Ring]:
    """Cut a ring to the rectangle from (0, 0) to (width, height).

    :param ring: Flat coordinates of an open ring that reaches out of the rectangle.
    :param width: Right border.
    :param height: Lower border.
    :returns: Open rings that lie apart and do not cross themselves, and together cover what the ring covers of the
        rectangle; where it leaves a hole, that is joined by a bridge. Empty if nothing is inside.
    """
    return [bridged(region) for region in resolved([ring], width, height)]
