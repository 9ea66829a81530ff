from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_fastlabel.formats.writing.classes import ClassMap, ClassOrderError, LabelClass


def test_order_given_is_the_order_of_ids():
    assert ClassMap.of(["dog", "cat"]).values == ["dog", "cat"]
    assert ClassMap.of([{"value": "dog"}, {"value": "cat"}]).id_of("cat") == 1


def test_one_value_of_two_types_is_one_class():
    classes = ClassMap.of([{"value": "car", "type": "bbox"}, {"value": "car", "type": "polygon", "color": "#111111"}])
    assert classes.values == ["car"]
    assert classes[0].type == "bbox"
    assert classes[0].color == "#111111"


def test_closed_map_does_not_know_others():
    assert ClassMap.of(["dog"]).id_of("cat") is None
    assert ClassMap.of(None).id_of("cat") == 0


def test_class_without_value_is_refused():
    with pytest.raises(ValueError, match="value"):
        ClassMap.of([{"type": "bbox"}])


@pytest.mark.parametrize("one", ["dog", {"value": "dog", "type": "bbox"}])
def test_one_class_where_a_list_is_meant_is_refused(one):
    with pytest.raises(ValueError, match=r"classes are a list, .*'dog'"):
        ClassMap.of(one)


def test_discovery_sorts_and_counts_only_the_types_asked_for():
    tasks: list[dict[str, Any]] = [
        {"annotations": [{"type": "bbox", "value": "b"}, {"type": "line", "value": "x"}, "no annotation", {}]},
        {"annotations": None},
        {"annotations": [{"type": "bbox", "value": "a", "color": "#00ff00"}]},
    ]
    found = ClassMap.discover(tasks, ("bbox",))
    assert found.values == ["a", "b"]
    assert found[0].color == "#00ff00"
    assert not found.open


def test_lock_survives_a_round_trip_and_is_the_same_text_each_time():
    rows: list[dict[str, Any]] = [
        {"value": "人", "type": "bbox", "title": "Person", "color": "#123456"},
        {"value": "pose", "keypoints": [{"id": "1", "key": "a", "edges": ["2"]}, {"id": "2", "key": "b", "edges": []}]},
    ]
    classes = ClassMap.of(rows)
    text = classes.to_lock()
    assert ClassMap.from_lock(text) == classes
    assert ClassMap.from_lock(text).to_lock() == text
    assert ClassMap.from_lock(text)[1].skeleton() == [[1, 2]]


@pytest.mark.parametrize("change", [{"version": 2}, {"classes": [{"id": 1, "value": "a"}]}])
def test_damaged_lock_is_refused(change):
    with pytest.raises(ValueError, match=r"classes.lock.json"):
        ClassMap.from_lock(json.dumps({"version": 1, "classes": [], **change}))


def test_order_written_down_is_obeyed_or_refused():
    locked = ClassMap.of(["dog", "cat"])
    locked.check(ClassMap.of(["dog", "cat", "bird"]))
    with pytest.raises(ClassOrderError, match="'dog' has id 0.* would become 1"):
        locked.check(ClassMap.of(["cat", "dog"]))
    with pytest.raises(ClassOrderError, match="'cat' has id 1.* is missing"):
        locked.check(ClassMap.of(["dog"]))


def test_c10_triangle_declared_one_way_has_three_edges():
    rows = [{"key": "a", "edges": ["b"]}, {"key": "b", "edges": ["c"]}, {"key": "c", "edges": ["a"]}]
    one = ClassMap.of([{"value": "triangle", "keypoints": rows}])[0]
    assert sorted(one.skeleton()) == [[1, 2], [1, 3], [2, 3]]


def test_c11_edge_to_an_unknown_keypoint_is_left_out():
    one = ClassMap.of([{"value": "x", "keypoints": [{"id": "1", "key": "a", "edges": ["9", "1"]}]}])[0]
    assert one.skeleton() == []


def test_keypoints_learned_from_annotations_grow_in_order():
    classes = ClassMap.of(None)
    for keys in ("ab", "cb"):
        classes.observe({"value": "p", "type": "pose_estimation", "keypoints": [{"key": key} for key in keys]})
    assert [keypoint.key for keypoint in classes[0].keypoints] == ["a", "b", "c"]


def test_label_class_needs_nothing_but_a_value():
    assert ClassMap([LabelClass("a")])[0].skeleton() == []


@pytest.mark.parametrize(
    "text",
    [
        b"", b"null", b"[]", b"5", b'"a"', b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000,
        b'{"version": 1}', b'{"version": 1, "classes": null}', b'{"version": 1, "classes": 5}',
        b'{"version": 1, "classes": {"a": 1}}', b'{"version": 1, "classes": [null]}',
        b'{"version": 1, "classes": ["a"]}',
        b'{"version": 1, "classes": [{"id": [], "value": "a"}]}', b'{"version": 1, "classes": [{"id": 0}]}',
        b'{"version": 1, "classes": [{"id": 0, "value": ["a"]}]}',
        b'{"version": 1, "classes": [{"id": 0, "value": "a"}, {"id": 1, "value": "a"}, {"id": 2, "value": "b"}]}',
    ],
)  # fmt: skip
def test_a_lock_that_no_export_writes_is_refused_and_moves_no_id(text):
    with pytest.raises(ValueError, match=r"classes\.lock\.json"):
        ClassMap.from_lock(text)


HALF = "half \ud800"


def test_a_class_value_that_no_file_can_hold_is_refused_where_classes_are_given():
    with pytest.raises(ValueError, match=r"the class value 'half \\ud800' holds half of a surrogate pair"):
        ClassMap.of(["dog", HALF])
    with pytest.raises(ValueError, match="surrogate"):
        ClassMap.of([{"value": HALF, "type": "bbox"}])


def test_a_title_that_no_file_can_hold_is_locked_and_read_as_it_was():
    classes = ClassMap.of([{"value": "dog", "type": "bbox", "title": HALF}])
    assert ClassMap.from_lock(classes.to_lock()) == classes


def test_discovery_leaves_to_the_writer_what_no_file_can_hold():
    tasks = [{"annotations": [{"type": "bbox", "value": HALF}, {"type": "bbox", "value": "dog"}]}]
    assert ClassMap.discover(tasks).values == ["dog"]


@pytest.mark.parametrize("edges", [1.5, True, "tail", {"tail": 1}, [["tail"]], None])
def test_edges_of_another_type_are_none(edges):
    row = {"value": "person", "keypoints": [{"key": "nose", "edges": edges}, {"key": "tail"}]}
    (person,) = ClassMap.of([row])
    assert person.skeleton() == []
