"""The checklist of the seed document: its lines, and the tests that exercise them.

An item is named by its lines in the document. There are 169, in 139 groups of lines that belong together.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS = tuple((Path(__file__).parent / "data" / "checklist.txt").read_text(encoding="utf-8").split())
"""Every item, in the order of the document."""

COVERED: dict[str, str] = {}
"""Item to the test that exercises it, filled when the test modules are imported."""

Test = TypeVar("Test", bound="Callable[..., object]")


def covers(*items: str) -> Callable[[Test], Test]:
    """Say which items a test exercises.

    :raises ValueError: for an item the document does not have, or that another test exercises already
    """

    def note(test: Test) -> Test:
        for item in items:
            if item not in ITEMS:
                raise ValueError(f"the checklist has no item {item}")
            if COVERED.setdefault(item, test.__qualname__) != test.__qualname__:
                raise ValueError(f"{item} is exercised by {COVERED[item]} already")
        return test

    return note
