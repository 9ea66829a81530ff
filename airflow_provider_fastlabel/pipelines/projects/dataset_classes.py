"""The classes and attributes that a project lacks for a data set to be imported: the difference, as data. No calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.problems import (
    SHOWN_OF_ONE,
    ImportRefused,
    count_items,
    enumerate_problems,
)
from airflow_provider_fastlabel.pipelines.imports.attributes import settle_attributes
from airflow_provider_fastlabel.pipelines.imports.class_rules import ClassRules, own_type
from airflow_provider_fastlabel.pipelines.projects.definition import ClassDefinition, as_class_value, is_class_value
from airflow_provider_fastlabel.pipelines.projects.plan import ClassChange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.formats.reading.imported import AnnotationList
    from airflow_provider_fastlabel.pipelines.imports import Destination
    from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations

    Class = Mapping[str, Any]

POSE = "pose_estimation"
_WHY = "its API cannot set keypoints"


@dataclass
class DatasetClasses:
    """What a data set needs of a project's classes.

    :param values: class values that the data set has.
    :param changes: classes to create, or to give attributes to.
    :param left_out: attribute key -> annotations that have it and whose class does not get it, because a format or
        tool notes it by itself.
    """

    values: list[str] = field(default_factory=list)
    changes: list[ClassChange] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def refuse_losses(read: PreAnnotations, max_failures: int | None) -> None:
    """Refuse a data set that an import would refuse for what cannot be read of it.

    :param read: the annotations as the import reads them.
    :param max_failures: how many pictures may have annotations that are lost; ``None`` for none.
    :raises ImportRefused: there are more, or no annotation is left.
    """
    failed = count_items(read.problems)
    if any(read.by_name.values()) and failed <= (max_failures or 0):
        return
    limit = "" if max_failures is None else f", {max_failures} are tolerated"
    raise ImportRefused(
        f"The annotations of {failed} pictures cannot all be read{limit}, so it is not certain which classes the data "
        f"set has. Nothing was created.\n{enumerate_problems(read.problems)}\n"
        "Correct them, or raise max_failures, and run again.",
        read.problems,
    )


def plan_dataset_classes(
    lists: Collection[AnnotationList], into: Destination, classes: Sequence[Class]
) -> DatasetClasses:
    """Compare a data set's annotations with a project's classes.

    :param lists: the annotations of each picture as the import would send them; their attributes are changed in place.
    :param into: the project.
    :param classes: its annotation classes.
    :returns: what is missing; nothing that exists is changed or taken away.
    :raises ImportRefused: listing everything that an import would refuse and no call can create.
    """
    present = {str(item["value"]): item for item in classes}
    types = _types(chain.from_iterable(lists))
    missing = {value: own for value, own in sorted(types.items()) if value not in present}
    problems = [problem for value, own in missing.items() for problem in _class_problems(value, own, into)]
    new = [{"type": max(own), "value": value} for value, own in missing.items()]
    wanted = [*classes, *new]
    # The first call leaves out what tools note by themselves, the second plans what is left.
    left_out = settle_attributes(lists, wanted, "fail").left_out
    settled = settle_attributes(lists, wanted, "create")
    problems += _complaints(chain.from_iterable(lists), settled.classes or (), missing)
    problems += _keypoint_problems(chain.from_iterable(lists), present)
    if problems:
        raise ImportRefused(
            f"The classes of the data set cannot be made in project {into.project!r}. Nothing was created.\n"
            f"{enumerate_problems(problems, SHOWN_OF_ONE)}"
        )
    by_value = {str(item["value"]): item for item in settled.classes or ()}
    written = [*(str(item["value"]) for item in settled.changed if "id" in item), *missing]
    return DatasetClasses(sorted(types), [_change(by_value[value]) for value in written], left_out)


def _types(annotations: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Return the types of each class value, with their number of annotations."""
    found: dict[str, Counter[str]] = {}
    for annotation in annotations:
        found.setdefault(str(annotation["value"]), Counter())[str(annotation["type"])] += 1
    return found


def _change(item: Class) -> ClassChange:
    value, attributes = str(item["value"]), list(item.get("attributes") or ())
    if "id" in item:
        definition = ClassDefinition(item["type"], value, str(item.get("title", value)))
        return ClassChange(definition, str(item["id"]), {"attributes": attributes})
    fields = {"title": value} | ({"attributes": attributes} if attributes else {})
    return ClassChange(ClassDefinition(item["type"], value, value), None, fields)


def _class_problems(value: str, types: Counter[str], into: Destination) -> Iterator[str]:
    """Say why a class that is missing cannot be created."""
    if not is_class_value(value):
        yield (
            f"class {value!r}: FastLabel takes letters a-z, A-Z, digits and underscores; rename it in the data set, "
            f"to {as_class_value(value)!r} for instance"
        )
    if len(types) > 1:
        listed = " and ".join(f"{count} of type {kind!r}" for kind, count in sorted(types.items()))
        yield (
            f"class {value!r} has annotations {listed}, and a class has one type; make them one type in the data set, "
            "or say what they become, where the format allows it: annotations_arguments={'annotation_type': ...}"
        )
    own = own_type(into.type)
    for kind in sorted(types):
        if own not in (None, kind):
            yield (
                f"class {value!r}: its annotations are {kind!r}, and a project of type {into.type!r} has {own!r}; "
                "give a project whose type fits, or one for all types"
            )


def _complaints(
    annotations: Iterable[Mapping[str, Any]], classes: Iterable[Class], missing: Mapping[str, Any]
) -> list[str]:
    """Return what the checks of the import would say, each once; of classes to be created only about attributes."""
    rules = ClassRules(classes)
    found: dict[str, None] = {}
    for annotation in annotations:
        new = str(annotation["value"]) in missing
        found |= dict.fromkeys((rules.attribute_complaints if new else rules.complaints)(annotation))
    return list(found)


def _keypoint_problems(annotations: Iterable[Mapping[str, Any]], present: Mapping[str, Class]) -> Iterator[str]:
    """Say which keypoints are missing: FastLabel's API cannot set them."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    for annotation in annotations:
        if annotation["type"] == POSE:
            keys = tuple(str(point["key"]) for point in annotation["keypoints"])
            seen.setdefault(str(annotation["value"]), set()).add(keys)
    for value, rows in sorted(seen.items()):
        item = present.get(value)
        has = {str(point["key"]) for point in (item or {}).get("keypoints") or ()}
        lacks = ", ".join(key for key in _in_order(rows) if key not in has)
        if item is None:
            yield f"pose class {value!r} is missing; make it on FastLabel's screens with the keypoints {lacks}: {_WHY}"
        elif lacks and item["type"] == POSE:
            yield f"pose class {value!r} lacks the keypoints {lacks}; add them on FastLabel's screens: {_WHY}"


def _in_order(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return all keys in an order that fits the rows; each row leaves out the keys that one object does not show."""
    order: list[str] = []
    for row in sorted(rows, key=lambda row: (-len(row), row)):
        at = 0
        for key in row:
            if key in order:
                at = order.index(key) + 1
            else:
                order.insert(at, key)
                at += 1
    return order
