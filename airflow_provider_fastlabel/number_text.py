"""Whole numbers that strangers wrote as text are read here.

Python's ``int`` refuses a text of thousands of digits with words that name neither file nor place, and takes texts
that nobody means as numbers (``1_000``).
"""

from __future__ import annotations

_MOST_DIGITS = 18
"""As many as fit into 64 bits: no index, count, frame or size is larger."""


def whole_number(text: object) -> int | None:
    """Return the number that a text of decimal digits means.

    :param text: the text; spaces around it do not matter.
    :returns: the number, from 0 on; None for anything that is no text, has a sign or a decimal point, or more than 18
        digits.
    """
    if not isinstance(text, str):
        return None
    digits = text.strip()
    return int(digits) if len(digits) <= _MOST_DIGITS and digits.isdecimal() else None
