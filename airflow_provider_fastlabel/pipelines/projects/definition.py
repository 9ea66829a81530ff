"""A project as a file describes it: read, checked entry by entry, and put into one form. Pure, no calls.

.. code-block:: yaml

    type: image_bbox
    slug: photos
    name: Photos
    job_size: 20             # optional, as are workflow, external_workflow and is_pixel
    classes:
      - type: bbox
        value: cat
        title: Cat           # optional, the value if left out
        color: "#d9534f"     # optional
        order: 1             # optional
        attributes:          # optional
          - {type: text, name: Remark, key: remark}
          - type: radio
            name: Colour
            key: colour
            options:
              - {value: black, title: Black}
              - {value: white, title: White}

A classification project has one class, ``{type: classification, attributes: [...]}``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.kinds import kind_of_project_type
from airflow_provider_fastlabel.json_text import parse_json
from airflow_provider_fastlabel.pipelines.files.problems import SHOWN_OF_ONE, enumerate_problems
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLASS_TYPES = (
    "bbox", "polygon", "keypoint", "line", "segmentation", "circle", "pose_estimation", "classification", "ner",
    "cuboid", "sub_task",
)  # fmt: skip
ATTRIBUTE_TYPES = ("text", "textarea", "number", "switch", "frameSelect", "select", "radio", "checkbox")
WITH_OPTIONS = ("select", "radio", "checkbox")
MOST_BYTES = 4_000_000
"""Largest definition file that is read."""
WORKFLOWS = ("two_step", "three_step")
CLASSIFICATION = "classification"

_VALUE = re.compile(r"[A-Za-z0-9_]+")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_SLUG = re.compile(r"[^\s/?#]+")


class InvalidDefinitionError(FastLabelInvalidException):
    """The definition is not right; nothing was sent. The message lists every problem with its entry."""


@dataclass(frozen=True)
class ClassDefinition:
    """One annotation class; ``None`` where the definition says nothing and FastLabel's value stays."""

    type: str
    value: str
    title: str
    color: str | None = None
    order: int | None = None
    attributes: tuple[dict[str, Any], ...] | None = None


@dataclass(frozen=True)
class ProjectDefinition:
    """One project; ``None`` where the definition says nothing and FastLabel's value stays."""

    type: str
    slug: str
    name: str
    job_size: int | None = None
    workflow: str | None = None
    external_workflow: str | None = None
    is_pixel: bool | None = None
    classes: tuple[ClassDefinition, ...] = field(default_factory=tuple)


def is_class_value(value: str) -> bool:
    """Tell whether FastLabel takes a text as the value of a class.

    :param value: the text.
    """
    return _VALUE.fullmatch(value) is not None


def as_class_value(text: str) -> str:
    """Return a text as FastLabel writes it into the value of a class: an underscore for each sign it does not take.

    :param text: any text.
    """
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def parse_bytes(data: bytes, name: str) -> Any:
    """Read a definition file from its bytes.

    :param data: the content, UTF-8 with or without a byte order mark; a file that is larger than :data:`MOST_BYTES`
        need not be read further than one byte beyond them.
    :param name: the file's name, for the message.
    :raises InvalidDefinitionError: when it cannot be read as such.
    """
    if len(data) > MOST_BYTES:
        raise InvalidDefinitionError(
            f"{name} is no project definition: it has more than {MOST_BYTES:,} bytes. Nothing was sent."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDefinitionError(
            f"{name} is not UTF-8 text: byte {error.start} is {error.reason}. Save it as UTF-8. Nothing was sent."
        ) from None
    return parse_text(text, name)


def parse_text(text: str, name: str) -> Any:
    """Read a definition file: JSON when its name ends in ``.json``, YAML otherwise.

    :param text: the content.
    :param name: the file's name, for the message.
    :raises InvalidDefinitionError: when it cannot be read as such, is nested too deeply, or repeats too much.
    """
    from airflow_provider_fastlabel.yaml_text import UnusableYamlError, read_yaml

    try:
        return _from_json(text) if name.endswith(".json") else read_yaml(text, name)
    except UnusableYamlError as error:
        raise InvalidDefinitionError(f"{error}. Nothing was sent.") from None
    except ValueError as error:
        raise InvalidDefinitionError(f"{name} cannot be read: {error}. Nothing was sent.") from None


def _from_json(text: str) -> Any:
    """Parse JSON that is nested no deeper than YAML may be."""
    from airflow_provider_fastlabel.yaml_text import DEEPEST

    parsed = parse_json(text)
    level, depth = [parsed], 0
    while level:
        level = [inner for one in level if isinstance(one, dict | list)
                 for inner in (one.values() if isinstance(one, dict) else one)]  # fmt: skip
        depth += 1
        if depth > DEEPEST + 1:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    return parsed


def read_definition(raw: Any) -> ProjectDefinition:
    """Check a definition and put it into one form.

    :param raw: what the file holds, see the module.
    :raises InvalidDefinitionError: listing every problem with the entry it is in.
    """
    check = _Check()
    fields = check.mapping(raw, "the definition", _PROJECT_KEYS)
    project_type = check.text(fields, "type", "the definition", required=True)
    if project_type:
        _check_project_type(project_type, check)
    classes = check.items(fields, "classes", "the definition")
    definition = ProjectDefinition(
        type=project_type,
        slug=check.text(fields, "slug", "the definition", required=True, pattern=_SLUG),
        name=check.text(fields, "name", "the definition", required=True),
        job_size=check.number(fields, "job_size", "the definition", 1),
        workflow=check.choice(fields, "workflow", "the definition", WORKFLOWS),
        external_workflow=check.choice(fields, "external_workflow", "the definition", WORKFLOWS),
        is_pixel=check.flag(fields, "is_pixel", "the definition"),
        classes=tuple(_read_class(item, number, check) for number, item in enumerate(classes or (), start=1)),
    )
    check.unique([item.value for item in definition.classes], "the definition", "classes have the value")
    _check_classification(definition, check)
    check.finish()
    return definition


def _check_project_type(project_type: str, check: _Check) -> None:
    """Refuse a project type that belongs to no known kind of task."""
    try:
        kind_of_project_type(project_type)
    except FastLabelInvalidException as error:
        check.problem("the definition", f"type: {error.message}")


def _check_classification(definition: ProjectDefinition, check: _Check) -> None:
    """Refuse a class of type classification beside others."""
    if len(definition.classes) > 1 and any(item.type == CLASSIFICATION for item in definition.classes):
        check.problem("the definition", "a class of type classification must be the only class")


def _read_class(raw: Any, number: int, check: _Check) -> ClassDefinition:
    where = f"classes[{number}]"
    fields = check.mapping(raw, where, _CLASS_KEYS)
    if isinstance(fields.get("value"), str):
        where += f" {fields['value']!r}"
    kind = check.choice(fields, "type", where, CLASS_TYPES, required=True) or ""
    default = CLASSIFICATION if kind == CLASSIFICATION else None
    value = check.text(fields, "value", where, required=default is None, pattern=_VALUE) or default or ""
    if kind == CLASSIFICATION and (value != CLASSIFICATION or fields.keys() & {"title", "color", "order"}):
        check.problem(where, f"a class of type {kind} has the value {kind!r} and attributes, nothing else")
    attributes = check.items(fields, "attributes", where)
    read = None if attributes is None else tuple(_read_attribute(a, f"{where}, ", n, check)
                                                 for n, a in enumerate(attributes, start=1))  # fmt: skip
    if kind == CLASSIFICATION and not read:
        check.problem(where, f"a class of type {kind} needs attributes")
    check.unique([item["key"] for item in read or ()], where, "attributes have the key")
    return ClassDefinition(
        type=kind,
        value=value,
        title=check.text(fields, "title", where) or value,
        color=check.text(fields, "color", where, pattern=_COLOR) or None,
        order=check.number(fields, "order", where, 1),
        attributes=read,
    )


def _read_attribute(raw: Any, inside: str, number: int, check: _Check) -> dict[str, Any]:
    where = f"{inside}attributes[{number}]"
    fields = check.mapping(raw, where, ("type", "name", "key", "options"))
    if isinstance(fields.get("key"), str):
        where += f" {fields['key']!r}"
    kind = check.choice(fields, "type", where, ATTRIBUTE_TYPES, required=True)
    options = [
        _read_option(item, f"{where}, options[{n}]", check)
        for n, item in enumerate(check.items(fields, "options", where) or (), start=1)
    ]
    check.unique([option["value"] for option in options], where, "options have the value")
    if kind in WITH_OPTIONS and not options:
        check.problem(where, f"an attribute of type {kind} needs options")
    if kind not in WITH_OPTIONS and options:
        check.problem(where, f"an attribute of type {kind} has no options")
    attribute: dict[str, Any] = {
        "type": kind,
        "name": check.text(fields, "name", where, required=True),
        "key": check.text(fields, "key", where, required=True),
    }
    return attribute | ({"options": options} if options else {})


def _read_option(raw: Any, where: str, check: _Check) -> dict[str, str]:
    fields = check.mapping(raw, where, ("value", "title"))
    value = check.text(fields, "value", where, required=True)
    return {"title": check.text(fields, "title", where) or value, "value": value}


_PROJECT_KEYS = ("type", "slug", "name", "job_size", "workflow", "external_workflow", "is_pixel", "classes")
_CLASS_KEYS = ("type", "value", "title", "color", "order", "attributes")


class _Check:
    """Reads fields and gathers what is wrong with them; a wrong field reads as empty, so that the check goes on."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def problem(self, where: str, what: str) -> None:
        self._problems.append(f"{where}: {what}")

    def finish(self) -> None:
        """Raise when there was a problem."""
        if self._problems:
            raise InvalidDefinitionError(
                f"{len(self._problems)} problem(s) in the project definition, nothing was sent.\n"
                f"{enumerate_problems(self._problems, SHOWN_OF_ONE)}"
            )

    def mapping(self, raw: Any, where: str, known: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(raw, dict):
            self.problem(where, f"must be a mapping with the keys {', '.join(known)}, not {shortened(raw)}")
            return {}
        for key in raw:
            if key not in known:
                self.problem(where, f"unknown key {shortened(key)}; known are {', '.join(known)}")
        return raw

    def items(self, fields: Mapping[str, Any], key: str, where: str) -> Sequence[Any] | None:
        value = fields.get(key)
        if value is not None and not isinstance(value, list | tuple):
            self.problem(where, f"{key} must be a list, not {shortened(value)}")
            return None
        return value

    def text(
        self,
        fields: Mapping[str, Any],
        key: str,
        where: str,
        *,
        required: bool = False,
        pattern: re.Pattern[str] | None = None,
    ) -> str:
        value = fields.get(key)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.problem(where, f"{key} must be a text" + ("" if value is None else f", not {shortened(value)}"))
            return ""
        if pattern is not None and not pattern.fullmatch(value):
            self.problem(where, f"{key} {value!r} must be {_WORDS[pattern]}")
        return value

    def choice(
        self, fields: Mapping[str, Any], key: str, where: str, known: Sequence[str], *, required: bool = False
    ) -> str | None:
        value = fields.get(key)
        if value is None and not required:
            return None
        if value not in known:
            self.problem(where, f"{key} must be one of {', '.join(known)}, not {shortened(value)}")
            return None
        return str(value)

    def number(self, fields: Mapping[str, Any], key: str, where: str, least: int) -> int | None:
        value = fields.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.problem(where, f"{key} must be a whole number from {least}, not {shortened(value)}")
            return None
        return value

    def flag(self, fields: Mapping[str, Any], key: str, where: str) -> bool | None:
        value = fields.get(key)
        if value is not None and not isinstance(value, bool):
            self.problem(where, f"{key} must be true or false, not {shortened(value)}")
            return None
        return value

    def unique(self, values: Sequence[Any], where: str, what: str) -> None:
        counts = Counter(str(value) for value in values if value)
        for value in sorted(value for value, count in counts.items() if count > 1):
            self.problem(where, f"several {what} {value!r}")


_WORDS = {
    _VALUE: "made of letters a-z, A-Z, digits and underscores",
    _COLOR: 'of the form "#rrggbb" (in YAML in quotes)',
    _SLUG: "without spaces and slashes",
}
