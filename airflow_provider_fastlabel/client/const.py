"""Constants of the client: the address of the API, and the colours of index-colour masks (seed, L1865)."""

from __future__ import annotations

_COLOURS = (
    "000000 "  # background
    "e41a1c 377eb8 4daf4a 984ea3 ff7f00 ffff33 a65628 f781bf 999999 "  # Set1
    "66c2a5 fc8d62 8da0cb e78ac3 a6d854 ffd92f e5c494 b3b3b3 "  # Set2
    "8dd3c7 ffffb3 bebada fb8072 80b1d3 fdb462 b3de69 fccde5 d9d9d9 bc80bd ccebc5 ffed6f "  # Set3
    "a6cee3 1f78b4 b2df8a 33a02c fb9a99 e31a1c fdbf6f ff7f00 cab2d6 6a3d9a ffff99 b15928 "  # Paired
    "7fc97f beaed4 fdc086 ffff99 386cb0 f0027f bf5b16 666666 "  # Accent
    "1b9e77 d95f02 7570b3 e7298a 66a61e e6ab02 a6761d 666666 "  # Dark2
)

COLOR_PALETTE: list[int] = list(bytes.fromhex(_COLOURS.replace(" ", "")))
"""R, G, B, R, G, B, ...: black and 57 colours, six qualitative schemes of ColorBrewer (https://colorbrewer2.org) in a
row.

The seventh of Accent has blue 22, where ColorBrewer has 23, as in FastLabel's own palette.
"""

COLOR_PALLETE = COLOR_PALETTE
"""The same under the name the seed gives it."""

DEFAULT_API_URL = "https://api.fastlabel.ai/v1/"
"""Base URL of FastLabel's public API."""
