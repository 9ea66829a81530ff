"""Projects from definitions and copies: what is missing comes, what differs changes, a second run writes nothing."""

from __future__ import annotations

import json

import fsspec
import pytest
from airflow.sdk.io import attach

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound
from airflow_provider_fastlabel.operators import FastLabelApplyProjectOperator, FastLabelCopyProjectOperator
from airflow_provider_fastlabel.pipelines.projects.definition import (
    InvalidDefinitionError,
    parse_bytes,
    parse_text,
    read_definition,
)
from airflow_provider_fastlabel.pipelines.projects.plan import plan
from tests.strange_files import STRANGE, make_strange

YAML = """
type: image_bbox
slug: cats
name: Cats
job_size: 20
workflow: three_step
classes:
  - type: bbox
    value: cat
    title: Cat
    color: "#D9534F"
    order: 1
    attributes:
      - {type: text, name: Remark, key: remark}
      - type: radio
        name: Colour
        key: colour
        options: [{value: black, title: Black}, {value: white}]
  - {type: bbox, value: dog, order: 2}
"""


def definition(**changes):
    """Return the definition above, changed."""
    return {**parse_text(YAML, "cats.yaml"), **changes}


@pytest.fixture
def apply(airflow_run, client):
    """Apply a definition."""
    return lambda given, **more: airflow_run(
        lambda: FastLabelApplyProjectOperator(task_id="apply", definition=given, **more)
    ).attempt(retries_left=True)


def writes(emulator):
    """Return what was written, as verb and path without ids."""
    return [(r["method"], r["path"].partition("/")[0]) for r in emulator.requests() if r["method"] != "GET"]


@pytest.fixture
def applied(apply, emulator, client):
    """The definition, applied; the log of calls is empty."""
    done = apply(definition())
    assert done.state == "success", done.error
    emulator.clear_requests()
    return done.result


def test_creates_the_project_and_its_classes(apply, emulator, client):
    emulator.clear_requests()
    done = apply(definition())
    assert done.state == "success", done.error
    project = client.find_project_by_slug("cats")
    assert done.result == {
        "project": "cats", "project_id": project["id"], "created": True, "updated": False, "classes": 2,
        "classes_created": ["cat", "dog"], "classes_updated": [], "extra": [],
        "counts": {"classes_created": 2, "classes_updated": 0, "extra": 0},
    }  # fmt: skip
    assert (project["type"], project["name"], project["jobSize"]) == ("image_bbox", "Cats", 20)
    (sent,) = (r["body"] for r in emulator.requests() if (r["method"], r["path"]) == ("POST", "projects"))
    assert sent["workflow"] == "three_step"
    cat, dog = client.get_annotations("cats")
    assert (cat["value"], cat["title"], cat["color"], cat["order"]) == ("cat", "Cat", "#D9534F", 1)
    assert [(a["key"], a["type"], a["name"]) for a in cat["attributes"]] == [
        ("remark", "text", "Remark"),
        ("colour", "radio", "Colour"),
    ]
    assert cat["attributes"][1]["options"] == [
        {"title": "Black", "value": "black"},
        {"title": "white", "value": "white"},
    ]
    assert (dog["value"], dog["title"], dog["order"]) == ("dog", "dog", 2)


def test_a_second_run_writes_nothing(apply, emulator, applied):
    done = apply(definition())
    assert writes(emulator) == []
    assert len(emulator.requests()) <= 3
    counts = {"classes_created": 0, "classes_updated": 0, "extra": 0}
    assert done.result == {**applied, "created": False, "classes_created": [], "counts": counts}


def test_what_the_definition_leaves_out_stays(apply, emulator, applied):
    bare = definition(classes=[{"type": "bbox", "value": "cat", "title": "Cat"}, {"type": "bbox", "value": "dog"}])
    del bare["job_size"]
    done = apply(bare)
    assert writes(emulator) == []
    assert done.result["extra"] == []


@pytest.mark.parametrize(
    ("change", "field", "value"), [({"name": "Felines"}, "name", "Felines"), ({"job_size": 5}, "jobSize", 5)]
)
def test_a_changed_project_is_updated_once(apply, emulator, client, applied, change, field, value):
    assert apply(definition(**change)).result["updated"]
    assert writes(emulator) == [("PUT", "projects")]
    assert client.find_project_by_slug("cats")[field] == value
    emulator.clear_requests()
    assert not apply(definition(**change)).result["updated"]
    assert writes(emulator) == []


@pytest.mark.parametrize(
    ("field", "value"), [("title", "Dog!"), ("color", "#123456"), ("order", 3)], ids=["title", "color", "order"]
)
def test_a_changed_class_is_updated_once(apply, emulator, client, applied, field, value):
    changed = definition()
    changed["classes"][1][field] = value
    done = apply(changed)
    assert (done.result["classes_created"], done.result["classes_updated"]) == ([], ["dog"])
    (sent,) = (r["body"] for r in emulator.requests() if r["method"] == "PUT")
    assert sent == {field: value}
    emulator.clear_requests()
    apply(changed)
    assert writes(emulator) == []


def test_changed_attributes_keep_their_ids_and_nothing_is_lost(apply, emulator, client, applied):
    before = client.find_annotation_by_value("cats", "cat")["attributes"]
    changed = definition()
    changed["classes"][0]["attributes"] = [
        {"type": "number", "name": "Age", "key": "age"},
        {"type": "radio", "name": "Fur", "key": "colour", "options": [{"value": "red", "title": "Red"}]},
    ]
    done = apply(changed)
    assert done.state == "success", done.error
    assert done.result["classes_updated"] == ["cat"]
    assert done.result["extra"] == ["cat.colour.black", "cat.colour.white", "cat.remark"]
    after = {a["key"]: a for a in client.find_annotation_by_value("cats", "cat")["attributes"]}
    assert list(after) == ["age", "colour", "remark"]
    assert {a["key"]: a["id"] for a in before}.items() <= {key: a["id"] for key, a in after.items()}.items()
    assert after["colour"]["name"] == "Fur"
    assert [option["value"] for option in after["colour"]["options"]] == ["red", "black", "white"]
    emulator.clear_requests()
    assert apply(changed).result["extra"] == done.result["extra"]
    assert writes(emulator) == []


def test_extra_classes_are_reported_and_stay(apply, emulator, client, applied, caplog):
    client.create_annotation("cats", "bbox", "bird", "Bird")
    emulator.clear_requests()
    assert apply(definition()).result["extra"] == ["bird"]
    assert writes(emulator) == []


def test_a_class_renamed_in_the_definition_is_created_and_said_to_be_perhaps_another(
    apply, emulator, client, applied, caplog
):
    cat = client.find_annotation_by_value("cats", "cat")
    renamed = definition()
    renamed["classes"][0]["value"] = "kitty"
    done = apply(renamed)
    assert (done.result["classes_created"], done.result["extra"]) == (["kitty"], ["cat"])
    assert client.find_annotation_by_value("cats", "cat")["id"] == cat["id"]
    assert not [method for method, _ in writes(emulator) if method == "DELETE"]
    (told,) = (record.getMessage() for record in caplog.records if "was created beside" in record.getMessage())
    assert told.startswith("Class kitty was created beside cat of the same type")
    caplog.clear()
    assert apply(renamed).result["extra"] == ["cat"]
    assert "was created beside" not in caplog.text


def test_a_class_renamed_at_fastlabel_is_extra_and_the_defined_one_is_created(apply, client, applied, caplog):
    cat = client.find_annotation_by_value("cats", "cat")
    client.update_annotation(cat["id"], value="kitty")
    done = apply(definition())
    assert (done.result["classes_created"], done.result["extra"]) == (["cat"], ["kitty"])
    assert "Class cat was created beside kitty" in caplog.text


def test_long_lists_stay_out_of_the_result(apply, client):
    many = definition(classes=[{"type": "bbox", "value": f"class_{number}"} for number in range(150)])
    done = apply(many)
    assert len(done.result["classes_created"]) == 100
    assert done.result["counts"] == {"classes_created": 150, "classes_updated": 0, "extra": 0}
    assert apply(definition(classes=[])).result["counts"] == {"classes_created": 0, "classes_updated": 0, "extra": 150}


def test_goes_on_where_a_failed_run_stopped(apply, emulator, client):
    emulator.fault("status", method="POST", path="annotations", times=1, status=500)
    first = apply(definition())
    assert first.state == "up_for_retry"
    done = apply(definition())
    assert done.state == "success"
    assert not done.result["created"]
    assert [c["value"] for c in client.get_annotations("cats")] == ["cat", "dog"]


def test_a_classification_project(apply, emulator, client):
    options = [{"value": "a"}, {"value": "b"}]
    attribute = {"type": "radio", "name": "Kind", "key": "kind", "options": options}
    given = {
        "type": "image_classification", "slug": "kinds", "name": "Kinds",
        "classes": [{"type": "classification", "attributes": [attribute]}],
    }  # fmt: skip
    done = apply(given)
    assert done.state == "success", done.error
    assert done.result["classes_created"] == ["classification"]
    emulator.clear_requests()
    apply(given)
    assert writes(emulator) == []
    options.append({"value": "c"})
    apply(given)
    assert writes(emulator) == [("PUT", "annotations")]
    (found,) = client.get_annotations("kinds")
    assert [option["value"] for option in found["attributes"][0]["options"]] == ["a", "b", "c"]


@pytest.mark.parametrize(("name", "write"), [("cats.yaml", lambda raw: YAML), ("cats.json", json.dumps)])
def test_from_a_file(apply, client, tmp_path, name, write):
    (tmp_path / name).write_text(write(definition()))
    done = apply(str(tmp_path / name))
    assert done.state == "success", done.error
    assert done.result["classes"] == 2


def test_from_an_object_store(apply, client):
    filesystem = fsspec.filesystem("memory")
    attach("memory", conn_id="store", fs=filesystem)
    filesystem.pipe_file("/git/cats.yaml", YAML.encode())
    assert apply("memory://git/cats.yaml", source_conn_id="store").result["created"]
    filesystem.rm("/git", recursive=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "image_smell", "slug": None}, ["slug must be a text"]),
        ({"type": "smell_bbox"}, ["smell_bbox"]),
        ({"name": ""}, ["name must be a text"]),
        ({"slug": "a b"}, ["slug 'a b'"]),
        ({"job_size": "many"}, ["job_size", "'many'"]),
        ({"job_size": True}, ["job_size"]),
        ({"workflow": "four_step"}, ["workflow", "three_step"]),
        ({"is_pixel": 1}, ["is_pixel must be true or false"]),
        ({"colour": "red"}, ["unknown key 'colour'"]),
        ({"classes": "cat"}, ["classes must be a list"]),
        ({"classes": ["cat"]}, ["classes[1]: must be a mapping", "'cat'"]),
        ({"classes": [{"type": "bbox", "value": "black cat"}]}, ["classes[1] 'black cat'", "underscores"]),
        ({"classes": [{"type": "box", "value": "cat"}]}, ["classes[1] 'cat': type must be one of", "'box'"]),
        ({"classes": [{"type": "bbox", "value": "cat", "color": "red"}]}, ["classes[1] 'cat': color", "#rrggbb"]),
        ({"classes": [{"type": "bbox", "value": "cat", "order": 0}]}, ["classes[1] 'cat': order"]),
        ({"classes": [{"type": "bbox", "value": "cat"}] * 2}, ["several classes have the value 'cat'"]),
        ({"classes": [{"type": "bbox", "value": 7}]}, ["classes[1]: value must be a text, not 7"]),
        (
            {"classes": [{"type": "bbox", "value": "cat", "attributes": [{"type": "radio", "name": "K", "key": "k"}]}]},
            ["classes[1] 'cat', attributes[1] 'k': an attribute of type radio needs options"],
        ),
        (
            {"classes": [{"type": "bbox", "value": "c", "attributes": [{"type": "text", "name": "K"}]}]},
            ["classes[1] 'c', attributes[1]: key must be a text"],
        ),
        ({"classes": [{"type": "classification"}]}, ["needs attributes"]),
        ({"classes": [{"type": "classification", "value": "x", "attributes": []}]}, ["has the value"]),
        ({"classes": [{"type": "classification"}, {"type": "bbox", "value": "c"}]}, ["must be the only class"]),
    ],
)
def test_a_wrong_definition_sends_nothing_and_names_the_entry(apply, emulator, client, change, words):
    emulator.clear_requests()
    done = apply(definition(**change))
    assert done.state == "failed"
    assert isinstance(done.reason, InvalidDefinitionError)
    assert [word for word in words if word not in str(done.error)] == []
    assert emulator.requests() == []


def test_all_problems_come_together():
    with pytest.raises(InvalidDefinitionError, match="4 problem"):
        read_definition({"type": "image_bbox", "slug": 1, "classes": [{"type": "x", "value": "ok"}], "y": 2})


@pytest.mark.parametrize("given", ["cats", ["cats"], None])
def test_what_is_no_definition_is_refused(given):
    with pytest.raises(InvalidDefinitionError, match="must be a mapping"):
        read_definition(given)


@pytest.mark.parametrize(("text", "name"), [("a: [", "p.yaml"), ("{", "p.json")])
def test_a_file_that_cannot_be_read_is_named(text, name):
    with pytest.raises(InvalidDefinitionError, match=name):
        parse_text(text, name)


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"[" * 100_000, "p.json", "p.json cannot be read: not usable JSON: nested too deeply"),
        (b"[" * 60 + b"]" * 60, "p.json", "more than 50 levels deep"),
        (b"a: " + b"[" * 60 + b"]" * 60, "p.yaml", "p.yaml:1: not usable YAML: it is nested more than 50"),
        (b"a: 1\n.inf: 2", "p.yaml", "p.yaml:2: not usable YAML: the key .inf"),
        (
            b'{"order": ' + b"9" * 5000 + b"}",
            "p.json",
            "p.json cannot be read: not usable JSON: a number",
        ),
        (b"name: caf\xe9", "p.yaml", "p.yaml is not UTF-8 text: byte 9"),
        (b" " * 4_000_001, "p.json", "more than 4,000,000 bytes"),
    ],
)
def test_a_file_that_costs_too_much_is_refused_by_name(data, name, why):
    with pytest.raises(InvalidDefinitionError, match="Nothing was sent") as caught:
        parse_bytes(data, name)
    assert why in str(caught.value)


def test_of_many_problems_the_first_are_listed_and_the_rest_counted():
    with pytest.raises(InvalidDefinitionError) as caught:
        read_definition({"type": "image_bbox", "slug": "s", "name": "n", "classes": [1] * 20_000})
    assert "60000 problem(s)" in str(caught.value)
    assert "  - and 59980 more" in str(caught.value)
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_file_is_no_definition(apply, emulator, client, tmp_path, kind):
    emulator.clear_requests()
    error = str(apply(str(make_strange(kind, tmp_path / "cats.yaml"))).error)
    assert "cats.yaml cannot be read: it is a " in error
    assert STRANGE[kind] in error
    assert emulator.requests() == []


def test_a_missing_file_is_named(apply, emulator, client, tmp_path):
    emulator.clear_requests()
    assert "no definition file" in str(apply(str(tmp_path / "nothing.yaml")).error)
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"type": "image_polygon"}, "type is 'image_bbox', not 'image_polygon'"),
        ({"is_pixel": True}, "is_pixel is False"),
        ({"classes": [{"type": "polygon", "value": "cat"}]}, "class 'cat' is of type 'bbox'"),
        (
            {
                "classes": [
                    {"type": "bbox", "value": "cat", "attributes": [{"type": "number", "name": "R", "key": "remark"}]}
                ]
            },
            "attribute 'remark' is of type 'text'",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused_before_the_first_write(apply, emulator, applied, change, word):
    done = apply(definition(name="Other", **change))
    assert done.state == "failed"
    assert word in str(done.error)
    assert writes(emulator) == []


@pytest.mark.parametrize("written", [int, float, str, lambda n: "first" if n == 1 else "9" * 5000])
def test_attributes_shown_in_another_order_are_compared_by_it(written):
    wanted = read_definition(definition())
    (cat, _) = wanted.classes
    assert cat.attributes is not None
    shown = [
        {**a, "id": str(n), "order": written(n), "options": a.get("options", [])}
        for n, a in enumerate(cat.attributes, start=1)
    ]
    found = {
        "id": "c", "type": "bbox", "value": "cat", "title": "Cat", "color": "#d9534f", "order": 1,
        "attributes": shown[::-1] if written(1) != "first" else shown,
    }  # fmt: skip
    project = {"id": "p", "type": "image_bbox", "name": "Cats", "jobSize": 20, "isPixel": False}
    assert [change.definition.value for change in plan(wanted, project, [found]).classes] == ["dog"]


def copy(airflow_run, **arguments):
    defaults = {"task_id": "copy", "source_project": "cats", "target_project": "cats-2", "name": "Cats again"}
    return airflow_run(lambda: FastLabelCopyProjectOperator(**{**defaults, **arguments})).attempt(retries_left=True)


def test_copies_once(airflow_run, emulator, client, applied):
    first = copy(airflow_run)
    assert first.state == "success", first.error
    made = client.find_project_by_slug("cats-2")
    assert first.result == {"project": "cats-2", "project_id": made["id"], "copied": True}
    assert made["name"] == "Cats again"
    assert [c["value"] for c in client.get_annotations("cats-2")] == ["cat", "dog"]
    emulator.clear_requests()
    assert copy(airflow_run).result == {**first.result, "copied": False}
    assert writes(emulator) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"source_project": "nowhere"}, NotFound),
        ({"target_project": "cats"}, FastLabelInvalidException),
        ({"target_project": "films"}, FastLabelInvalidException),
        ({"target_project": "{{ none }}"}, FastLabelInvalidException),
    ],
)
def test_impossible_copies_write_nothing(airflow_run, emulator, client, applied, arguments, error):
    client.create_project("video_bbox", "Films", "films")
    emulator.clear_requests()
    done = copy(airflow_run, **arguments)
    assert done.state == "failed"
    assert isinstance(done.reason, error)
    assert writes(emulator) == []
