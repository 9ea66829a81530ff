"""Masks -> FastLabel segmentation points, exact to the pixel; COCO run lengths -> masks.

Rings run along pixel borders (FastLabel's rule), so a filled rectangle of columns 3-8 and rows 2-5 becomes the ring
(3,2) (9,2) (9,6) (3,6): painting it gives back the very same pixels. Only corners are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.formats.imported import ImportedAnnotations, UnusableError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    MaskSource = str | os.PathLike[str] | NDArray[Any]

MAX_PIXELS = 1 << 28
"""Largest mask that is unpacked (268 megapixels): a forged size must not fill the memory."""

# A corner of the border lies where four pixels meet: upper left = 1, upper right = 2, lower left = 4, lower right = 8.
# With the foreground on the right hand each pattern says where the border comes from and where it goes to. The two
# patterns of touching diagonals (6 and 9) hold two corners; they are joined so that diagonal neighbours are connected.
_EAST, _SOUTH, _WEST, _NORTH = range(4)
_TURNS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((_SOUTH, _WEST),),
    2: ((_WEST, _NORTH),),
    4: ((_EAST, _SOUTH),),
    8: ((_NORTH, _EAST),),
    7: ((_WEST, _SOUTH),),
    11: ((_NORTH, _WEST),),
    13: ((_SOUTH, _EAST),),
    14: ((_EAST, _NORTH),),
    6: ((_WEST, _SOUTH), (_EAST, _NORTH)),
    9: ((_SOUTH, _EAST), (_NORTH, _WEST)),
}


def mask_to_fastlabel_segmentation_points(mask_image: MaskSource) -> list[list[list[float]]]:
    """Turn a mask into the ``points`` of a segmentation annotation.

    :param mask_image: path of a mask picture, or a two-dimensional array; everything that is not 0 is foreground.
    :returns: one region per connected area (diagonal neighbours are connected), each a list of closed flat rings: the
        outer one clockwise, then its holes counter-clockwise. Empty for an empty mask.
    :raises ValueError: the array is not two-dimensional, or the picture cannot be read.
    """
    return mask_points(_load(mask_image) != 0)


def read_mask(
    mask_image: MaskSource,
    values: Mapping[int, str],
    *,
    image: str | None = None,
    background: int = 0,
) -> ImportedAnnotations:
    """Read an index mask: one segmentation annotation per index that occurs.

    :param mask_image: path of the mask picture (palette or 8/16-bit grey: the indexes count, not the colours; grey may
        be stored as equal red, green and blue), or a two-dimensional integer array.
    :param values: index -> annotation class value; for an instance mask several indexes have one value.
    :param image: the annotated image, as key of the result; default: the mask's file name.
    :param background: the index that is nothing.
    :returns: the annotations; an index without a value is a problem.
    :raises ValueError: as :func:`mask_to_fastlabel_segmentation_points`, and where there are no indexes: a picture of
        colours, numbers with decimals.
    """
    file = "mask" if isinstance(mask_image, np.ndarray) else Path(mask_image).name
    pixels = _load(mask_image, indexes=True)
    result = ImportedAnnotations()
    annotations = result.open_image(image or file, file)
    for index in (int(found) for found in np.unique(pixels)):
        if index == background:
            continue
        if index not in values:
            result.add_problem(file, f"index {index} has no annotation class; its area was left out")
            continue
        points = mask_points(pixels == index)
        annotations.append({"type": "segmentation", "value": values[index], "points": points})
    return result


def mask_points(mask: Mask, left: int = 0, top: int = 0) -> list[list[list[float]]]:
    """Trace the pixel borders of a mask.

    :param mask: two-dimensional boolean array.
    :param left: x of the mask's first column in the image.
    :param top: y of the mask's first row in the image.
    :returns: regions as in :func:`mask_to_fastlabel_segmentation_points`, in reading order.
    """
    import cv2

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return []
    y0, x0 = int(rows[0]), int(columns[0])
    padded = np.pad(mask[y0 : rows[-1] + 1, x0 : columns[-1] + 1].astype(np.uint8), 1)
    labels = cv2.connectedComponents(padded, connectivity=8)[1]
    regions: dict[int, list[list[float]]] = {}
    for corners, first_turn in _rings(padded):
        x, y = corners[0]
        # The pixel on the right hand of the border that leaves this corner belongs to the ring's own region.
        inside = {_EAST: (y + 1, x + 1), _SOUTH: (y + 1, x), _WEST: (y, x), _NORTH: (y, x + 1)}[first_turn]
        flat: list[float] = [value for cx, cy in (*corners, corners[0]) for value in (cx + x0 + left, cy + y0 + top)]
        # A ring met first in reading order is its region's outer one: its topmost corner lies above every hole's.
        regions.setdefault(int(labels[inside]), []).append(flat)
    return list(regions.values())


def _rings(padded: NDArray[np.uint8]) -> list[tuple[list[tuple[int, int]], int]]:
    """Follow the border corner by corner.

    :param padded: 0/1 pixels with an empty margin of one pixel.
    :returns: (corners as (x, y), direction in which the first corner is left), ring by ring,
        ordered by first corner in reading order.
    """
    code = padded[:-1, :-1] + 2 * padded[:-1, 1:] + 4 * padded[1:, :-1] + 8 * padded[1:, 1:]
    table = np.zeros((16, 2, 2), np.int64)
    count = np.zeros(16, np.int64)
    for pattern, turns in _TURNS.items():
        count[pattern] = len(turns)
        table[pattern, : len(turns)] = turns
    ys, xs = count[code].nonzero()
    codes = code[ys, xs]
    index = np.repeat(np.arange(len(codes)), count[codes])
    second = np.concatenate([[False], index[1:] == index[:-1]]).astype(np.int64)
    ys, xs = ys[index], xs[index]
    came, goes = table[codes[index], second].T
    # Every corner ends one horizontal and one vertical edge; sorted along its line, corners pair up two by two.
    right_end = np.where(came % 2 == 0, came == _EAST, goes == _WEST)
    bottom_end = np.where(came % 2 == 1, came == _SOUTH, goes == _NORTH)
    following = np.empty(len(ys), np.int64)
    for horizontal, order in (
        (True, np.lexsort((~right_end, xs, ys))),
        (False, np.lexsort((~bottom_end, ys, xs))),
    ):
        partner = np.empty(len(ys), np.int64)
        partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
        leaves = (goes % 2 == 0) == horizontal
        following[leaves] = partner[leaves]
    return _cycles(following.tolist(), xs.tolist(), ys.tolist(), goes.tolist())


def _cycles(
    following: list[int], xs: list[int], ys: list[int], goes: list[int]
) -> list[tuple[list[tuple[int, int]], int]]:
    """Collect the closed walks of a successor list."""
    rings = []
    seen = bytearray(len(following))
    for start in range(len(following)):
        if seen[start]:
            continue
        corners = []
        at = start
        while not seen[at]:
            seen[at] = 1
            corners.append((xs[at], ys[at]))
            at = following[at]
        rings.append((corners, goes[start]))
    return rings


def run_lengths_to_mask(segmentation: Mapping[str, Any]) -> Mask:
    """Unpack COCO's run length encoding (column by column, background first), plain or compressed.

    :param segmentation: ``{"size": [height, width], "counts": [int, …] or str}``. The compressed string is the one of
        the COCO API: groups of five bits, low first, each value from the third on as difference to the one two before.
    :returns: boolean array of the given size.
    :raises UnusableError: size and counts do not fit or are no run lengths at all.
    """
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(type(n) is int and n > 0 for n in size)):
        raise UnusableError("the run lengths have no size [height, width]")
    height, width = size
    if isinstance(counts, str):
        counts = _unpack_counts(counts)
    if not (isinstance(counts, list) and all(type(n) is int and n >= 0 for n in counts)):
        raise UnusableError("the run lengths are not counts")
    if sum(counts) != height * width or height * width > MAX_PIXELS:
        raise UnusableError(f"the run lengths do not fill {height} x {width} pixels")
    filled = np.arange(len(counts)) % 2 == 1
    return np.repeat(filled, counts).reshape(width, height).T


def _unpack_counts(text: str) -> list[int]:
    """Undo the compressed form of COCO's run lengths."""
    counts: list[int] = []
    value = shift = 0
    for symbol in text:
        bits = ord(symbol) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise UnusableError("the compressed run lengths hold a character that cannot be there")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise UnusableError("the compressed run lengths break off")
    return counts


def _load(mask_image: MaskSource, *, indexes: bool = False) -> NDArray[Any]:
    """Return a mask as a two-dimensional array.

    :param indexes: Whether values are told apart, rather than 0 and everything else.
    """
    if isinstance(mask_image, np.ndarray):
        pixels = mask_image
    else:
        from PIL import Image

        name = Path(mask_image).name
        try:
            with Image.open(mask_image) as picture:
                pixels = np.asarray(picture)
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"{name!r} cannot be read as a mask: {error}") from error
        if pixels.ndim == 3:
            colours = pixels if pixels.shape[2] == 3 else pixels[:, :, :-1]
            if indexes and (colours != colours[:, :, :1]).any():
                raise ValueError(f"{name!r} is a picture of colours, not of indexes: save it as palette or grey image.")
            pixels = colours[:, :, 0] if indexes else np.asarray(colours.any(axis=2))
    if pixels.ndim != 2:
        raise ValueError(f"A mask has two dimensions, height and width; this one has the shape {pixels.shape}.")
    if indexes and pixels.dtype.kind not in "biu":
        raise ValueError(f"The indexes of a mask are whole numbers, not {pixels.dtype}.")
    return pixels
