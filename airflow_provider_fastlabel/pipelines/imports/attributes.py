"""Settles what becomes of attributes that pre-annotations have and their classes in the project have not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.formats.reading.imported import FORMAT_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient

_TEXTS = ("text", "textarea")

UnknownAttributes = Literal["fail", "ignore", "create"]
"""What becomes of an attribute that the class does not have."""


@dataclass
class SettledAttributes:
    """What was settled.

    :param left_out: attribute key -> how many annotations lost it, because their class does not have it.
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
    annotations: Sequence[dict[str, Any]], classes: Sequence[Mapping[str, Any]], unknown: UnknownAttributes
) -> SettledAttributes:
    """Take away, or plan to create, the attributes that classes do not have.

    What a format or tool notes about every object (``truncated``, ``iscrowd``, ``occluded`` ...) is no wish of the
    user's: it goes where the class does not ask for it, unless unknown attributes are created. A value of ``None`` says
    nothing and is left out. Other values of an attribute that is text become text.

    :param annotations: the pre-annotations; their attributes are changed in place.
    :param classes: the project's annotation classes, as the API returns them.
    :param unknown: ``fail`` leaves the attributes where they are, for the checks to complain; ``ignore`` takes them
        away; ``create`` plans them: as a switch if all values are true or false, as text otherwise.
    """
    copies = [dict(item) for item in classes]
    settled = SettledAttributes(classes=copies)
    by_value = {str(item["value"]): item for item in copies}
    asked = {value: {str(a["key"]) for a in item.get("attributes") or ()} for value, item in by_value.items()}
    wanted: dict[tuple[str, str], bool] = {}
    for annotation in annotations:
        value = str(annotation.get("value"))
        if value not in asked or not annotation.get("attributes"):
            continue
        kept = []
        for attribute in annotation["attributes"]:
            key = str(attribute["key"])
            if attribute["value"] is None:
                continue
            if key in asked[value] or (unknown == "fail" and key not in FORMAT_FLAGS):
                kept.append(attribute)
            elif unknown == "create":
                kept.append(attribute)
                wanted[value, key] = wanted.get((value, key), True) and isinstance(attribute["value"], bool)
            else:
                settled.left_out[key] += 1
        annotation["attributes"] = kept
    _plan(settled, by_value, wanted)
    _make_text(annotations, by_value)
    return settled


def _plan(
    settled: SettledAttributes, by_value: Mapping[str, dict[str, Any]], wanted: Mapping[tuple[str, str], bool]
) -> None:
    for (value, key), switch in sorted(wanted.items()):
        item = by_value[value]
        if item not in settled.changed:
            settled.changed.append(item)
        new = {"type": "switch" if switch else "text", "name": key, "key": key}
        item["attributes"] = [*(item.get("attributes") or ()), new]


def _make_text(annotations: Iterable[dict[str, Any]], by_value: Mapping[str, Mapping[str, Any]]) -> None:
    """Make text of the values of attributes that are text: FastLabel takes no number there."""
    texts = {
        value: {str(attribute["key"]) for attribute in item.get("attributes") or () if attribute.get("type") in _TEXTS}
        for value, item in by_value.items()
    }
    for annotation in annotations:
        for attribute in annotation.get("attributes") or ():
            own = texts.get(str(annotation.get("value")), ())
            if str(attribute["key"]) in own and not isinstance(attribute["value"], str):
                attribute["value"] = str(attribute["value"])
