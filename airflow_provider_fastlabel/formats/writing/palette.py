"""Colours for index masks: always 256, however few the caller gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def whole_palette(palette: Sequence[int] | None = None) -> bytes:
    """Complete a palette to 256 colours, since a PNG with fewer holds fewer indexes.

    :param palette: R, G, B, R, G, B, … from index 0, each 0 to 255; None for the colour map of the Pascal VOC devkit,
        black and 255 colours that all differ.
    :returns: 768 bytes: the palette, then colours of the devkit's map that are not in it yet.
    :raises ValueError: not whole colours, more than 256 of them, or a number beyond a byte.
    """
    devkit = [_devkit_colour(index) for index in range(256)]
    if palette is None:
        return b"".join(devkit)
    if len(palette) % 3 or len(palette) > 768:
        raise ValueError(f"a palette has three numbers per colour and up to 256 colours, not {len(palette)} numbers")
    try:
        given = bytes(palette)
    except (TypeError, ValueError):
        raise ValueError("a palette's numbers are whole and between 0 and 255") from None
    colours = [given[at : at + 3] for at in range(0, len(given), 3)]
    known = set(colours)
    colours += [colour for colour in devkit if colour not in known]
    return b"".join(colours[:256])


def _devkit_colour(index: int) -> bytes:
    """Return a colour of the VOC devkit's map: bits 0, 3, 6 of the index make red, 1, 4, 7 green, 2, 5 blue."""
    channels = [0, 0, 0]
    for bit in range(8):
        channels[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
    return bytes(channels)
