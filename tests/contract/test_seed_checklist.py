"""No item of the seed's checklist is left out."""

from __future__ import annotations

from . import test_checklist_definitions, test_checklist_formats, test_checklist_general, test_checklist_tasks
from .checklist import COVERED, ITEMS

MODULES = (test_checklist_definitions, test_checklist_formats, test_checklist_general, test_checklist_tasks)


def test_every_item_is_exercised_by_a_test():
    assert len(ITEMS) == 169
    assert [item for item in ITEMS if item not in COVERED] == []


def test_what_exercises_an_item_is_a_test_that_runs():
    names = {name for module in MODULES for name in vars(module) if name.startswith("test_")}
    assert set(COVERED.values()) <= names
