"""The docstrings of the calls on tasks, which tools/task_docstrings.py writes."""

from __future__ import annotations

import inspect

import pytest

from airflow_provider_fastlabel.client.resources.tasks import Tasks
from tools.task_docstrings import FOLDER, renewed

CALLS = {
    name: call
    for name, call in inspect.getmembers(Tasks, inspect.isfunction)
    if not name.startswith("_") and ".tasks." in call.__module__
}
CALL = '''class Calls:
    def {name}(self, project, status=None):
        """Do it.

        :param status: {status}
        """
'''


@pytest.mark.parametrize("module", sorted(path.name for path in FOLDER.glob("*.py")))
def test_the_docstrings_are_current(module):
    source = (FOLDER / module).read_text(encoding="utf-8")
    assert renewed(source) == source, "run `.venv/bin/python -m tools.task_docstrings`"


@pytest.mark.parametrize("name", CALLS)
def test_every_parameter_is_described(name):
    parameters = [each for each in inspect.signature(CALLS[name]).parameters if each != "self"]
    described = [
        line.split()[1].rstrip(":")
        for line in (inspect.getdoc(CALLS[name]) or "").splitlines()
        if line.startswith(":param ")
    ]
    assert described == parameters


def test_a_description_that_was_changed_by_hand_is_set_right():
    found = renewed(CALL.format(name="count_things", status="whatever"))
    assert ":param project: slug of the project.\n        :param status: keep tasks of this" in found
    assert "whatever" not in found
    assert renewed(found) == found


def test_what_reads_and_what_writes_are_described_differently():
    assert ":param status: ``approved``" in renewed(CALL.format(name="update_thing", status="x"))
