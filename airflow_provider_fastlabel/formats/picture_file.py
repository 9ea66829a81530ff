"""Pictures are opened by the readers of the formats that data sets have, whatever a file calls itself.

Pillow knows forty more. One is PostScript, which it hands to Ghostscript, a program of its own. Nobody imports such a
picture, but a stranger may have named one ``a.jpg``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "MPO", "WEBP", "TIFF", "BMP", "DIB", "GIF", "JPEG2000", "AVIF", "HEIF")
"""Pillow's names of the formats whose endings are :data:`~.files.IMAGE_SUFFIXES`; the last needs a plugin."""

# What deflate and LZW can make of a byte at most is a thousand bytes, eight pixels each.
_MOST_PIXELS_A_BYTE = 10_000
_PACKED = ("PNG", "GIF", "TIFF", "BMP", "DIB")


def open_picture(source: Any) -> Image:
    """Open a picture; nothing but its header is read yet.

    :param source: a path, or a file open for reading bytes.
    :returns: the picture, to be closed.
    :raises OSError: it is none of these formats, or cannot be read. A damaged one makes Pillow raise other things too.
    """
    from PIL import Image, UnidentifiedImageError

    Image.init()
    try:
        return Image.open(source, formats=[name for name in FORMATS if name in Image.OPEN])
    except UnidentifiedImageError:  # its text names an object of Python's, where `source` is an open file
        raise UnidentifiedImageError("it is damaged, or no picture of a format that is read") from None


def read_pixels(source: Any, *, colours: bool = False) -> tuple[NDArray[Any], str]:
    """Read a picture whose values count, not its looks.

    :param source: a path, or a file open for reading bytes.
    :param colours: whether a palette's indexes are exchanged for its colours.
    :returns: rows by columns, and the mode it is stored in.
    :raises ValueError: it cannot be read: no such picture, damaged, or too small a file for the size that it states.
    """
    import numpy as np

    try:
        with open_picture(source) as picture:
            check_size(picture)
            return np.asarray(picture.convert("RGB") if colours and picture.mode == "P" else picture), picture.mode
    except Exception as error:  # whatever a damaged picture makes a decoder raise
        raise ValueError(str(error) or "it is damaged") from error


def check_size(picture: Image) -> None:
    """Refuse a size that the file is too small for, before memory is taken for it.

    :param picture: as :func:`open_picture` returns it.
    :raises ValueError: no file of so few bytes can hold it.
    """
    file = getattr(picture, "fp", None)
    if picture.format not in _PACKED or file is None:
        return
    at = file.tell()
    length = file.seek(0, 2)
    file.seek(at)
    width, height = picture.size
    if width * height > _MOST_PIXELS_A_BYTE * length:
        raise ValueError(f"it states {width} x {height} pixels and has {length} bytes, which cannot hold them")
