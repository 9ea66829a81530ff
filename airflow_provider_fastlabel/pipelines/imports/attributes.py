"""Settles what becomes of attributes that pre-annotations have and their classes in the project have not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.reading.imported import FORMAT_FLAGS
from airflow_provider_fastlabel.formats.reading.spool import change_each
from airflow_provider_fastlabel.pipelines.imports.attribute_values import fitted, says_nothing, value_complaint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.formats.reading.imported import AnnotationList
    from airflow_provider_fastlabel.pipelines.choices import UnknownAttributes


@dataclass
class SettledAttributes:
    """What was settled.

    :param left_out: attribute key -> how many annotations lost it, because their class does not have it or takes no
        such value.
    :param classes: the project's annotation classes, as they will be; ``None`` where they were not asked for.
    :param changed: those of them that get attributes.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    classes: list[dict[str, Any]] | None = None
    changed: list[dict[str, Any]] = field(default_factory=list)

    def create(self, client: FastLabelClient) -> None:
        """Give the classes their new attributes.

        :param client: the client.
        """
        for item in self.changed:
            client.update_annotation(item["id"], attributes=item["attributes"])


def settle_attributes(
    lists: Collection[AnnotationList], classes: Sequence[Mapping[str, Any]], unknown: UnknownAttributes
) -> SettledAttributes:
    """Take away, or plan to create, the attributes that classes do not have; make values fit those they have.

    What a format or tool notes about every object (``truncated``, ``iscrowd``, ``occluded`` ...) is no wish of the
    user's: it goes where the class does not ask for it, or not for such a value, unless unknown attributes are created.
    A value that says nothing is left out.

    :param lists: the pre-annotations of each picture; their attributes are changed in place.
    :param classes: the project's annotation classes, as the API returns them.
    :param unknown: ``fail`` leaves the attributes where they are, for the checks to complain; ``ignore`` takes them
        away, and those with a value that the class does not take; ``create`` plans them: as a switch if all values are
        true or false, as text otherwise.
    """
    copies = [dict(item) for item in classes]
    settled = SettledAttributes(classes=copies)
    by_value = {str(item["value"]): item for item in copies}
    known = {value: {str(a["key"]): a for a in item.get("attributes") or ()} for value, item in by_value.items()}
    wanted: dict[tuple[str, str], bool] = {}

    def settle(annotation: dict[str, Any]) -> bool:
        value = str(annotation.get("value"))
        if value not in known or not annotation.get("attributes"):
            return False
        kept = []
        for attribute in annotation["attributes"]:
            key = str(attribute["key"])
            definition = known[value].get(key)
            if says_nothing(definition, attribute["value"]):
                continue
            if definition is not None:
                attribute["value"] = fitted(definition, attribute["value"])
            if _is_left_out(attribute, definition, unknown):
                settled.left_out[key] += 1
                continue
            kept.append(attribute)
            if definition is None and unknown == "create" and key.strip():
                wanted[value, key] = wanted.get((value, key), True) and isinstance(attribute["value"], bool)
        annotation["attributes"] = kept
        return True

    change_each(lists, settle)
    _plan(settled, by_value, wanted)
    if wanted:
        _fit_new(lists, wanted)
    return settled


def _is_left_out(
    attribute: Mapping[str, Any], definition: Mapping[str, Any] | None, unknown: UnknownAttributes
) -> bool:
    """Tell whether an attribute is to be left out and counted, not kept for the checks to judge."""
    noted = attribute["key"] in FORMAT_FLAGS
    if definition is None:
        return unknown == "ignore" or (unknown == "fail" and noted)
    return (unknown == "ignore" or noted) and value_complaint(definition, attribute["value"]) is not None


def _plan(
    settled: SettledAttributes, by_value: Mapping[str, dict[str, Any]], wanted: Mapping[tuple[str, str], bool]
) -> None:
    changed: set[str] = set()
    for (value, key), switch in sorted(wanted.items()):
        item = by_value[value]
        if value not in changed:
            changed.add(value)
            settled.changed.append(item)
            item["attributes"] = [*(item.get("attributes") or ())]
        created: list[dict[str, Any]] = item["attributes"]
        created.append({"type": "switch" if switch else "text", "name": key, "key": key})


def _fit_new(lists: Iterable[AnnotationList], wanted: Mapping[tuple[str, str], bool]) -> None:
    """Make values fit the attributes that are still to be created."""

    def fit(annotation: dict[str, Any]) -> bool:
        attributes = annotation.get("attributes") or ()
        for attribute in attributes:
            switch = wanted.get((str(annotation.get("value")), str(attribute["key"])))
            if switch is False:
                attribute["value"] = fitted({"type": "text"}, attribute["value"])
        return bool(attributes)

    change_each(lists, fit)
