"""Pictures are opened by the readers of the formats that data sets have, whatever a file calls itself.

Pillow knows forty more. One is PostScript, for which it starts Ghostscript, and whose header of 20 MB takes it more
than ten minutes. Nobody imports such a picture, but a stranger may have named one ``a.jpg``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "MPO", "WEBP", "TIFF", "BMP", "DIB", "GIF", "JPEG2000", "AVIF", "HEIF")
"""Pillow's names of the formats whose endings are :data:`~.files.IMAGE_SUFFIXES`; the last needs a plugin."""


def open_picture(source: Any) -> Image:
    """Open a picture; nothing but its header is read yet.

    :param source: a path, or a file open for reading bytes.
    :returns: the picture, to be closed.
    :raises OSError: it is none of these formats, or cannot be read. A damaged one makes Pillow raise other things too.
    """
    from PIL import Image

    Image.init()
    return Image.open(source, formats=[name for name in FORMATS if name in Image.OPEN])
