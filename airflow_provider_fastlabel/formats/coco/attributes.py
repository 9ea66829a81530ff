"""Attributes of a COCO annotation -> FastLabel attributes."""

from __future__ import annotations

from typing import Any

from airflow_provider_fastlabel.formats.reading.imported import FORMAT_FLAGS, UnusableError

_FALSE = ("", "0", "0.0", "false")


def _take_rotation(entry: dict[str, Any], attributes: Any) -> None:
    """Put a box's rotation where the format's other writers have it: CVAT writes it among the attributes.

    CVAT is known by ``occluded``, which it gives to every object. An attribute of this name beside a field ``rotation``
    is the user's own and stays.
    """
    if type(attributes) is dict and "rotation" not in entry and "occluded" in attributes:
        rotation = attributes.get("rotation")
        if type(rotation) in (int, float):
            entry["rotation"] = attributes.pop("rotation")


def attributes_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an annotation's attributes as FastLabel has them.

    Null says nothing, and neither does a tool's own flag (:data:`~.imported.FORMAT_FLAGS`) that is false; a track's
    number says something whatever it is. The rotation of a box that CVAT writes among them moves to the annotation.

    :param entry: the annotation; its ``rotation`` may be set.
    :returns: a new list.
    :raises UnusableError: they are neither an object nor a list of key and value.
    """
    found = entry.get("attributes") or {}
    crowd = entry.get("iscrowd") == 1
    _take_rotation(entry, found)
    if isinstance(found, list) and all(
        isinstance(item, dict) and isinstance(item.get("key"), str) and "value" in item for item in found
    ):
        found = {item["key"]: item["value"] for item in found}
    if not isinstance(found, dict):
        raise UnusableError("its attributes are neither an object nor a list of key and value")
    if crowd:
        found = {**found, "iscrowd": True}
    return [
        {"key": key, "value": value}
        for key, value in found.items()
        if value is not None and (key not in FORMAT_FLAGS or key == "track_id" or str(value).lower() not in _FALSE)
    ]
