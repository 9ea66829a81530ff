"""Masks are read: pictures of class indexes become FastLabel segmentation points, exact to the pixel.

Rings run along pixel borders (FastLabel's rule), so a filled rectangle of columns 3-8 and rows 2-5 becomes the ring
(3,2) (9,2) (9,6) (3,6): painting it gives back the very same pixels. Only corners are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from airflow_provider_fastlabel.formats.geometry.trace import NoisyMaskError, label_points, mask_points
from airflow_provider_fastlabel.formats.picture_file import read_pixels
from airflow_provider_fastlabel.formats.reading.imported import Annotation, ImportedAnnotations
from airflow_provider_fastlabel.regular_files import open_regular

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    MaskSource = str | os.PathLike[str] | NDArray[Any]


def mask_to_fastlabel_segmentation_points(mask_image: MaskSource) -> list[list[list[float]]]:
    """Turn a mask into the ``points`` of a segmentation annotation.

    :param mask_image: path of a mask picture, or a two-dimensional array; everything that is not 0 is foreground.
    :returns: one region per connected area (diagonal neighbours are connected), each a list of closed flat rings: the
        outer one clockwise, then its holes counter-clockwise. Empty for an empty mask.
    :raises ValueError: the array is not two-dimensional, the picture cannot be read, or it is noise: its borders have
        more than a million corners.
    """
    return mask_points(load_mask(mask_image) != 0)


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
    :returns: the annotations; each index is an object, and one without a value, or of noise, is lost.
    :raises ValueError: the array is not two-dimensional, the picture cannot be read, or there are no indexes: a picture
        of colours, numbers with decimals.
    """
    file = "mask" if isinstance(mask_image, np.ndarray) else Path(mask_image).name
    pixels = load_mask(mask_image, indexes=True)
    result = ImportedAnnotations()
    key = image or file
    annotations: list[Annotation] = []
    result.describe(key, file, annotations)
    taken = []
    for index in indexes_in(pixels):
        if index == background:
            continue
        if index in values:
            taken.append(index)
        else:
            result.add_problem(file, f"index {index} has no annotation class; its area was left out", image=key)
    for index, points in zip(taken, label_points(pixels, taken), strict=True):
        if isinstance(points, NoisyMaskError):
            result.add_problem(file, f"index {index}: the mask cannot be traced: {points}", image=key)
        else:
            annotations.append({"type": "segmentation", "value": values[index], "points": points})
    if annotations:
        result.objects[key] = len(annotations)
    return result


def load_mask(mask_image: MaskSource, *, indexes: bool = False) -> NDArray[Any]:
    """Return a mask as a two-dimensional array.

    :param mask_image: path or array.
    :param indexes: whether values are told apart, rather than 0 and everything else.
    :returns: rows by columns.
    :raises ValueError: it cannot be read, or holds no such thing.
    """
    if isinstance(mask_image, np.ndarray):
        return _plane(mask_image, None, indexes=indexes)
    name = Path(mask_image).name
    try:
        with open_regular(mask_image) as file:
            return _plane(_opened(file, name)[0], name, indexes=indexes)
    except OSError as error:
        raise ValueError(f"{name!r} cannot be read as a mask: {error}") from error


def load_indexes(file: BinaryIO, name: str) -> NDArray[Any]:
    """Return the indexes of a mask.

    :param file: the mask, open for reading bytes.
    :param name: what messages call it.
    :returns: rows by columns.
    :raises ValueError: it cannot be read, or holds no such thing.
    """
    return _plane(_opened(file, Path(name).name)[0], Path(name).name, indexes=True)


def load_colours(file: BinaryIO, name: str) -> NDArray[Any] | None:
    """Return the colours of a mask as numbers, red first.

    :param file: the mask, open for reading bytes.
    :param name: what messages call it.
    :returns: rows by columns; None for a grey mask, which has indexes.
    :raises ValueError: it cannot be read.
    """
    pixels, mode = _opened(file, Path(name).name, colours=True)
    if mode not in ("P", "RGB", "RGBA"):
        return None
    wide = pixels.astype(np.int32)
    return np.asarray(wide[:, :, 0] << 16 | wide[:, :, 1] << 8 | wide[:, :, 2])


def _plane(pixels: NDArray[Any], name: str | None, *, indexes: bool) -> NDArray[Any]:
    """Return the one plane of a mask's pixels; parameters and errors are those of :func:`load_mask`."""
    if pixels.ndim == 3 and name is not None:  # an array has its indexes in two dimensions
        colours = pixels if pixels.shape[2] == 3 else pixels[:, :, :-1]
        if indexes and (colours != colours[:, :, :1]).any():
            raise ValueError(f"{name!r} is a picture of colours, not of indexes: save it as palette or grey image.")
        pixels = colours[:, :, 0] if indexes else np.asarray(colours.any(axis=2))
    if pixels.ndim != 2:
        raise ValueError(f"A mask has two dimensions, height and width; this one has the shape {pixels.shape}.")
    if indexes and pixels.dtype.kind not in "biu":
        raise ValueError(f"The indexes of a mask are whole numbers, not {pixels.dtype}.")
    return pixels


def indexes_in(pixels: NDArray[Any]) -> list[int]:
    """Return what occurs in a mask, sorted.

    :param pixels: rows by columns, of whole numbers.
    """
    if pixels.dtype.kind in ("u", "b") and pixels.dtype.itemsize <= 2:
        # To tick off what was seen costs one reading; to sort all pixels costs many.
        seen = np.zeros(1 << 16, bool)
        for row in pixels:
            seen[row.astype(np.uint16)] = True
        return [int(index) for index in np.flatnonzero(seen)]
    return [int(index) for index in np.unique(pixels)]


def _opened(file: BinaryIO, name: str, *, colours: bool = False) -> tuple[NDArray[Any], str]:
    """Return the pixels of a picture, and the mode it is stored in.

    :param colours: whether a palette's indexes are exchanged for its colours.
    """
    try:
        return read_pixels(file, colours=colours)
    except (OSError, ValueError) as error:
        raise ValueError(f"{name!r} cannot be read as a mask: {error}") from error
