"""Short texts that stand for ids and names where many are remembered in little room."""

from __future__ import annotations

import base64
import hashlib

MARK_BYTES = 6
"""Bytes of a mark. Among 100,000 things a new one is taken for a known one once in 2.8 billion times."""


def mark_of(ident: str) -> str:
    """Return the mark of an id or name.

    :param ident: the id or name.
    """
    return base64.urlsafe_b64encode(hashlib.sha256(ident.encode()).digest()[:MARK_BYTES]).decode()


MARK_LENGTH = len(mark_of(""))
"""Characters of a mark."""


def split_marks(marks: str) -> list[str]:
    """Return the marks of a text that holds them without blanks.

    :param marks: the text.
    """
    return [marks[start : start + MARK_LENGTH] for start in range(0, len(marks), MARK_LENGTH)]
