"""What becomes of the attributes of pre-annotations before anything is checked or sent."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_fastlabel.pipelines.imports.attributes import settle_attributes
from airflow_provider_fastlabel.pipelines.imports.class_rules import ClassRules

CLASSES: list[dict[str, Any]] = [
    {
        "id": "1",
        "value": "cat",
        "type": "bbox",
        "attributes": [
            {"key": "age", "type": "number"},
            {"key": "tame", "type": "switch"},
            {"key": "note", "type": "textarea"},
            {"key": "level", "type": "select", "options": [{"value": "1"}, {"value": "2"}]},
            {"key": "seen", "type": "checkbox", "options": [{"value": "front"}, {"value": "2"}]},
            {"key": "occluded", "type": "number"},
        ],
    }
]


def settle(unknown, **values):
    """Settle one cat's attributes; return what is kept, what is counted and what the checks say."""
    rows = [{"key": key, "value": value} for key, value in values.items()]
    annotation: dict[str, Any] = {"type": "bbox", "value": "cat", "attributes": rows}
    settled = settle_attributes([[annotation]], CLASSES, unknown)
    kept = {row["key"]: row["value"] for row in annotation["attributes"]}
    return kept, dict(settled.left_out), list(ClassRules(settled.classes or ()).complaints(annotation))


@pytest.mark.parametrize("unknown", ["fail", "ignore", "create"])
@pytest.mark.parametrize(
    ("key", "value", "fitted"),
    [
        *[("age", "3", 3), ("age", " 2.5 ", 2.5), ("age", 4, 4)],
        *[("tame", "true", True), ("tame", "False", False), ("tame", 1, True), ("tame", "0", False)],
        *[("note", 7, "7"), ("note", True, "True"), ("note", "", "")],
        *[("level", 2, "2"), ("level", "1", "1"), ("seen", "front", ["front"]), ("seen", [2], ["2"])],
    ],
)
def test_a_value_becomes_one_of_the_attribute_s_type_where_that_says_the_same(unknown, key, value, fitted):
    kept, lost, complaints = settle(unknown, **{key: value})
    assert (kept, lost, complaints) == ({key: fitted}, {}, [])
    assert type(kept[key]) is type(fitted)


WRONG = [
    *[("age", "old"), ("age", "1_0"), ("age", True), ("age", "nan"), ("tame", "maybe"), ("tame", 2), ("note", ["a"])],
    *[("level", "3"), ("level", ["1"]), ("level", True), ("seen", ["back"]), ("seen", {"front": 1})],
]


@pytest.mark.parametrize("unknown", ["fail", "create"])
@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_value_of_another_type_is_refused(unknown, key, value):
    _, lost, complaints = settle(unknown, **{key: value})
    assert lost == {}
    (complaint,) = complaints
    assert complaint.startswith(f"attribute {key!r} of class 'cat' ")


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_value_of_another_type_is_left_out_and_counted_where_attributes_are_ignored(key, value):
    assert settle("ignore", **{key: value}) == ({}, {key: 1}, [])


@pytest.mark.parametrize("unknown", ["fail", "ignore", "create"])
def test_what_a_tool_always_writes_never_fails(unknown):
    assert settle(unknown, occluded=True) == ({}, {"occluded": 1}, [])
    assert settle(unknown, occluded="1") == ({"occluded": 1}, {}, [])


@pytest.mark.parametrize("key", ["", "  "])
def test_no_attribute_without_a_key_is_created(key):
    assert settle("ignore", **{key: "x"}) == ({}, {key: 1}, [])
    for unknown in ("fail", "create"):
        _, lost, complaints = settle(unknown, **{key: "x"})
        assert lost == {}
        assert complaints == [f"an attribute of an annotation of class 'cat' has no key, but {key!r}"]


def test_a_new_attribute_takes_no_list():
    kept, _, complaints = settle("create", parts=["a", "b"], size=3)
    assert kept == {"parts": ["a", "b"], "size": "3"}
    assert complaints == ["attribute 'parts' of class 'cat' is of type text and takes text, not ['a', 'b']"]
