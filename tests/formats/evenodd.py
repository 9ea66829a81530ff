"""The even-odd rule, point by point: slow and plain, to check the quick ways against."""

from __future__ import annotations

import numpy as np


def inside(ring, width, height, fine):
    """Say which points of a fine grid over an image are inside a ring."""
    # Not in the middle, so that no point lies upon an edge between corners with few decimals.
    xs, ys = (np.arange(width * fine) + 0.4871) / fine, (np.arange(height * fine) + 0.5137) / fine
    image = np.zeros((height * fine, width * fine), bool)
    corners = list(zip(ring[::2], ring[1::2], strict=True))
    for n, (x1, y1) in enumerate(corners):
        x2, y2 = corners[n - 1]
        if y1 != y2:
            between = (ys > min(y1, y2)) & (ys <= max(y1, y2))
            image ^= between[:, None] & (xs[None, :] < (x1 + (ys - y1) / (y2 - y1) * (x2 - x1))[:, None])
    return image
