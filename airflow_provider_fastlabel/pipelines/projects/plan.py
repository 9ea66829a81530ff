"""What must be written to make a project what its definition says: the difference, as data. Pure, no calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.json_text import is_number
from airflow_provider_fastlabel.number_text import whole_number
from airflow_provider_fastlabel.pipelines.files.problems import SHOWN_OF_ONE, enumerate_problems
from airflow_provider_fastlabel.pipelines.projects.definition import InvalidDefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.pipelines.projects.definition import ClassDefinition, ProjectDefinition

    Existing = Mapping[str, Any]


@dataclass
class ClassChange:
    """One class to write.

    :param definition: the class.
    :param class_id: id of the present class, ``None`` when it is missing.
    :param fields: the fields to send, by the client's names.
    """

    definition: ClassDefinition
    class_id: str | None
    fields: dict[str, Any]


@dataclass
class Plan:
    """What to write, in this order: the project's fields, then the classes.

    :param project_id: id of the present project, ``None`` when it is missing.
    :param project_fields: fields of the project to create or to change, by the client's names.
    :param classes: classes to create or to change.
    :param extra: what is in the project and not in the definition: class values, ``class.attribute`` keys and
        ``class.attribute.option`` values. It stays.
    :param perhaps_renamed: value of a class to create -> values of classes of its type that are there and not in the
        definition: it may mean one of them.
    """

    project_id: str | None
    project_fields: dict[str, Any] = field(default_factory=dict)
    classes: list[ClassChange] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    perhaps_renamed: dict[str, list[str]] = field(default_factory=dict)


def plan(definition: ProjectDefinition, project: Existing | None, classes: Sequence[Existing]) -> Plan:
    """Compare a definition with what is there.

    :param definition: the checked definition.
    :param project: the project as FastLabel shows it, ``None`` when there is none of that slug.
    :param classes: its annotation classes.
    :raises InvalidDefinitionError: when something differs that FastLabel cannot change; nothing was sent then.
    """
    made = Plan(None if project is None else str(project["id"]))
    problems: list[str] = []
    made.project_fields = _new_project(definition) if project is None else _changed(definition, project, problems)
    present = {item["value"]: item for item in classes}
    for item in definition.classes:
        found = present.pop(item.value, None)
        fields = _new_class(item) if found is None else _changed_class(item, found, made.extra, problems)
        if fields or found is None:
            made.classes.append(ClassChange(item, None if found is None else str(found["id"]), fields))
    made.extra += list(present)
    for change in made.classes:
        alike = [value for value, one in present.items() if one.get("type") == change.definition.type]
        if change.class_id is None and alike:
            made.perhaps_renamed[change.definition.value] = alike
    if problems:
        raise InvalidDefinitionError(
            f"Project {definition.slug!r} differs in what FastLabel cannot change, nothing was sent.\n"
            f"{enumerate_problems(problems, SHOWN_OF_ONE)}\n"
            "Correct the definition, or change the project on FastLabel's screens."
        )
    return made


def _new_project(definition: ProjectDefinition) -> dict[str, Any]:
    fields = {
        "type": definition.type,
        "name": definition.name,
        "slug": definition.slug,
        "is_pixel": definition.is_pixel,
        "job_size": definition.job_size,
        "workflow": definition.workflow,
        "external_workflow": definition.external_workflow,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _changed(definition: ProjectDefinition, project: Existing, problems: list[str]) -> dict[str, Any]:
    """Return what to change. FastLabel does not show the workflows, so whether they differ cannot be known."""
    for name, wanted, shown in (
        ("type", definition.type, project.get("type")),
        ("is_pixel", definition.is_pixel, project.get("isPixel")),
    ):
        if wanted is not None and wanted != shown:
            problems.append(f"{name} is {shown!r}, not {wanted!r}")
    fields = {"name": (definition.name, project.get("name")), "job_size": (definition.job_size, project.get("jobSize"))}
    return {name: wanted for name, (wanted, shown) in fields.items() if wanted is not None and wanted != shown}


def _new_class(item: ClassDefinition) -> dict[str, Any]:
    fields = {"title": item.title, "color": item.color, "order": item.order, "attributes": list(item.attributes or ())}
    return {name: value for name, value in fields.items() if value}


def _changed_class(item: ClassDefinition, found: Existing, extra: list[str], problems: list[str]) -> dict[str, Any]:
    if item.type != found.get("type"):
        problems.append(f"class {item.value!r} is of type {found.get('type')!r}, not {item.type!r}")
    fields: dict[str, Any] = {}
    # FastLabel names the class of a classification project itself, and that call takes attributes only.
    if item.type != "classification":
        if item.title != found.get("title"):
            fields["title"] = item.title
        if item.color is not None and item.color.lower() != str(found.get("color")).lower():
            fields["color"] = item.color
        if item.order is not None and item.order != found.get("order"):
            fields["order"] = item.order
    attributes = _merged_attributes(item, found, extra, problems)
    if attributes is not None:
        fields["attributes"] = attributes
    return fields


def _place(attribute: Mapping[str, Any]) -> float:
    """Return where FastLabel shows an attribute; 0 where it does not say."""
    order = attribute.get("order")
    return float(order) if order is not None and is_number(order) else whole_number(order) or 0


def _merged_attributes(
    item: ClassDefinition, found: Existing, extra: list[str], problems: list[str]
) -> list[dict[str, Any]] | None:
    """Return the attributes to send, the defined ones in front of those only FastLabel has; ``None`` if all is right.

    An update replaces the whole list, and an attribute keeps its values on tasks by its id.
    """
    if item.attributes is None:
        return None
    # The sort keeps the order of a server that shows none.
    shown = [_core(a) for a in sorted(found.get("attributes") or (), key=_place)]
    present = {attribute["key"]: attribute for attribute in shown}
    ids = {attribute["key"]: attribute.get("id") for attribute in found.get("attributes") or ()}
    merged = []
    for wanted in item.attributes:
        have = present.pop(wanted["key"], None)
        if have is not None and have["type"] != wanted["type"]:
            problems.append(
                f"class {item.value!r}, attribute {wanted['key']!r} is of type {have['type']!r}, not {wanted['type']!r}"
            )
        merged.append(_with_all_options(wanted, have, f"{item.value}.{wanted['key']}", extra))
    extra += [f"{item.value}.{key}" for key in present]
    merged += present.values()
    if merged == shown:
        return None
    return [attribute | ({"id": ids[attribute["key"]]} if ids.get(attribute["key"]) else {}) for attribute in merged]


def _with_all_options(wanted: Existing, have: Existing | None, where: str, extra: list[str]) -> dict[str, Any]:
    """Return an attribute with the options only FastLabel has behind the defined ones."""
    options = list(wanted.get("options") or ())
    defined = {option["value"] for option in options}
    left = [option for option in (have or {}).get("options") or () if option["value"] not in defined]
    extra += [f"{where}.{option['value']}" for option in left]
    return {**wanted} if not options and not left else {**wanted, "options": options + left}


def _core(attribute: Existing) -> dict[str, Any]:
    """Return what a definition says of an attribute, from what FastLabel shows of it."""
    core = {name: attribute.get(name) for name in ("type", "name", "key")}
    options = [{"title": option["title"], "value": option["value"]} for option in attribute.get("options") or ()]
    return core | ({"options": options} if options else {})
