"""What the parameters mean that the calls on tasks share, written once and put into the help of each call."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATUSES = (
    "``pending``, ``registered``, ``completed``, ``skipped``, ``reviewed``, ``sent_back``, ``approved``, ``declined``"
)

FIELDS = {
    "project": "slug of the project.",
    "task_id": "id of the task.",
    "name": "name of the task, unique in the project; may contain ``/``.",
    "status": f"{_STATUSES}.",
    "external_status": f"{_STATUSES}, ``customer_declined``.",
    "custom_task_status": "``registered``, ``pending``, or ``workflow_N_completed`` and ``workflow_N_declined``, "
    "N from 1 to 6.",
    "prefix": "what the names of the parts begin with.",
    "priority": "0 none, 10 low, 20 medium, 30 high.",
    "annotations": "dictionaries with ``type``, ``value`` (a class of the project), geometry and ``attributes``. "
    "They are copied, never changed; those read from a task may be sent back.",
    "attributes": '``{"key": ..., "value": ...}`` dictionaries, as the project\'s class defines them.',
    "metadatas": '``{"key": ..., "value": ...}`` dictionaries of the task itself.',
    "tags": "names of tags; unknown ones come into being.",
    "is_delete_exif": "whether FastLabel removes EXIF data from the image.",
    "users": "slugs of people: ``assignee``, ``reviewer``, ``approver``, ``external_assignee``, ``external_reviewer``, "
    "``external_approver``, ``workflow_1_user`` ... ``workflow_6_user``. ``None`` takes the task from them. Any other "
    "keyword is a ``TypeError``.",
}
"""Of calls that create and update. What is not given, or empty, stays as it is."""

FILTERS = FIELDS | {
    "task_name": "exact name of the task.",
    "status": f"keep tasks of this status: {FIELDS['status']}",
    "external_status": f"keep tasks of this external status: {FIELDS['external_status']}",
    "tags": "keep tasks with these tags, at most 10.",
    "offset": "position of the first task, from 0.",
    "limit": "tasks per page; ``None`` leaves it to FastLabel.",
}
"""Of calls that read."""

_READS = ("find_", "get_", "iter_", "count_", "task_ids_")


def describe(calls: Mapping[str, object]) -> None:
    """Put the shared parameters into the docstrings of a class's public calls.

    :param calls: what is in a class, by name.
    """
    for name, call in calls.items():
        if inspect.isfunction(call) and call.__doc__ and not name.startswith("_"):
            shared = FILTERS if name.startswith(_READS) else FIELDS
            parameters = list(inspect.signature(call).parameters)
            call.__doc__ = _with_parameters(inspect.cleandoc(call.__doc__), parameters, shared)


def _with_parameters(text: str, names: list[str], shared: dict[str, str]) -> str:
    """Return a docstring with all parameters in the order of the signature, its own descriptions first."""
    head, *fields = re.split(r"\n(?=:)", text)
    own = {match[1]: field for field in fields if (match := re.match(r":param (\w+):", field))}
    rest = [field for field in fields if field not in own.values()]
    described = [own.get(name) or f":param {name}: {shared[name]}" for name in names if name in own or name in shared]
    return "\n".join([head.rstrip(), "", *described, *rest]).rstrip()
