"""How arguments of task calls become keys of the request body (reference 2.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypedDict

from airflow_provider_fastlabel.client.arguments import items, optional, texts

_IF_FILLED = {
    "status": "status",
    "external_status": "externalStatus",
    "custom_task_status": "customTaskStatus",
    "tags": "tags",
    "attributes": "attributes",
    "relations": "relations",
    "metadatas": "metadatas",
    "is_delete_exif": "isDeleteExif",
}
_LISTS: dict[str, Callable[[str, Any], list[Any] | None]] = {
    "tags": texts,
    "attributes": items,
    "relations": items,
    "metadatas": items,
}
_TEXTS = ("status", "external_status", "custom_task_status")
_IF_GIVEN = {"priority": "priority", "operator": "operator"}
_USERS = {
    "assignee": "assignee",
    "reviewer": "reviewer",
    "approver": "approver",
    "external_assignee": "externalAssignee",
    "external_reviewer": "externalReviewer",
    "external_approver": "externalApprover",
    **{f"workflow_{step}_user": f"workflow{step}User" for step in range(1, 7)},
}

Items = Sequence[Mapping[str, Any]]
"""Annotations, attributes or metadata as dictionaries; never changed."""


class Users(TypedDict, total=False):
    """Slugs of the people a task is given to; ``None`` takes the task from them."""

    assignee: str | None
    reviewer: str | None
    approver: str | None
    external_assignee: str | None
    external_reviewer: str | None
    external_approver: str | None
    workflow_1_user: str | None
    workflow_2_user: str | None
    workflow_3_user: str | None
    workflow_4_user: str | None
    workflow_5_user: str | None
    workflow_6_user: str | None


def task_fields(users: Users, **values: Any) -> dict[str, Any]:
    """Return the body keys of the given arguments.

    Most are left out when they are empty, ``priority`` and ``operator`` only when they are ``None``, and people never.

    :raises TypeError: for a keyword that names nobody. (FastLabel's SDK drops it without a word.)
    :raises FastLabelInvalidException: (422) naming an argument that is of another type.
    """
    unknown = [key for key in users if key not in _USERS]
    if unknown:
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}; people are given as {', '.join(_USERS)}")
    people: dict[str, Any] = {**users}
    optional(**people, **{key: values.get(key) for key in _TEXTS})
    values = {key: _LISTS[key](key, value) if key in _LISTS else value for key, value in values.items()}
    body = {wire: values[key] for key, wire in _IF_FILLED.items() if values.get(key)}
    body |= {wire: values[key] for key, wire in _IF_GIVEN.items() if values.get(key) is not None}
    body |= {_USERS[key]: slug for key, slug in people.items()}
    return body


def clean_annotations(
    annotations: Iterable[Mapping[str, Any]] | None, content: str | None = None
) -> list[dict[str, Any]]:
    """Return copies of annotations as FastLabel accepts them, so that what was read can be sent back.

    What FastLabel keeps itself is left out: id, title and color, names and edges of keypoints, title, name and type of
    attributes.

    :param content: the ``content`` of each, ``None`` to leave it as it is.
    """
    found = items("annotations", annotations) or ()
    return [_clean(f"annotations[{index}]", annotation, content) for index, annotation in enumerate(found)]


def _clean(place: str, annotation: Mapping[str, Any], content: str | None) -> dict[str, Any]:
    clean = _without(annotation, "id", "title", "color")
    if content is not None:
        clean["content"] = content
    if "keypoints" in clean:
        keypoints = items(f"{place}.keypoints", clean["keypoints"]) or ()
        clean["keypoints"] = [_without(keypoint, "edges", "name") for keypoint in keypoints]
    attributes = items(f"{place}.attributes", clean.get("attributes")) or ()
    clean["attributes"] = [_without(each, "title", "name", "type") for each in attributes]
    return clean


def _without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}
