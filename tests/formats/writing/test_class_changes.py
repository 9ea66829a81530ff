"""Classes over time: what is gone, new, renamed or retyped, and who keeps which number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.writing.class_changes import ClassChanges, brought_up_to_date, class_changes
from airflow_provider_fastlabel.formats.writing.classes import ClassMap, changes_of_lock


def of(*pairs, kind="bbox"):
    """Return classes as FastLabel lists them, of values and ids."""
    return ClassMap.of([{"id": number, "value": value, "type": kind} for value, number in pairs])


def again(locked, current, keep_renamed=False):
    """Bring a lock up to date as two exports do, through its file."""
    merged = brought_up_to_date(ClassMap.from_lock(locked.to_lock()), current, keep_renamed=keep_renamed)
    return ClassMap.from_lock(merged.to_lock())


def test_numbers_never_move_when_the_project_changes():
    now = again(
        ClassMap.of(["dog", "cat", "bird"]),
        ClassMap.of([{"value": "ant"}, {"value": "bird", "color": "#000001"}, {"value": "dog"}]),
    )
    assert now.values == ["dog", "cat", "bird", "ant"]
    assert now[2].color == "#000001"
    assert [one.gone for one in now] == [False, True, False, False]


def test_each_change_is_told_once():
    first = of(("dog", "1"), ("cat", "2"), ("bird", "3"), ("cow", "4"))
    current = ClassMap.of(
        [
            {"id": "1", "value": "hound", "type": "bbox"},
            {"id": "9", "value": "bird", "type": "polygon"},
            {"id": "4", "value": "cow", "type": "bbox"},
            {"id": "5", "value": "ant", "type": "bbox"},
        ]
    )
    told = class_changes(first, current)
    assert told == ClassChanges(
        gone=("cat",), new=("ant",), renamed={"dog": "hound"}, retyped={"bird": ("bbox", "polygon")}
    )
    assert told.to_dict() == {
        "gone": ["cat"],
        "new": ["ant"],
        "renamed": {"dog": "hound"},
        "retyped": {"bird": ["bbox", "polygon"]},
    }
    for keep in (False, True):
        assert class_changes(again(first, current, keep), current) == ClassChanges()
    assert class_changes(again(first, current), of(("cat", "2"), ("hound", "1"))).to_dict()["new"] == ["cat"]


@pytest.mark.parametrize(
    ("keep", "values"),
    [(False, ["dog", "cat", "hound"]), (True, ["hound", "cat"])],
)
def test_a_renamed_class_keeps_its_number_only_if_that_is_wanted(keep, values):
    now = again(of(("dog", "1"), ("cat", "2")), of(("cat", "2"), ("hound", "1")), keep)
    assert now.values == values
    assert [one.value for one in now if one.gone] == ([] if keep else ["dog"])


def test_a_class_that_gets_its_earlier_value_back_gets_its_earlier_number():
    renamed = again(of(("dog", "1"), ("cat", "2")), of(("hound", "1"), ("cat", "2")))
    back = again(renamed, of(("dog", "1"), ("cat", "2")), keep_renamed=True)
    assert (back.values, [one.gone for one in back]) == (["dog", "cat", "hound"], [False, False, True])


def test_classes_that_swap_their_values_swap_them_at_their_numbers():
    locked, current = of(("a", "1"), ("b", "2")), of(("a", "2"), ("b", "1"))
    assert again(locked, current).values == ["a", "b"]
    assert again(locked, current, keep_renamed=True).values == ["b", "a"]
    assert class_changes(locked, current).renamed == {"a": "b", "b": "a"}


def test_a_lock_of_an_older_version_knows_no_renames():
    assert class_changes(ClassMap.of(["dog"]), of(("hound", "1"))).to_dict() == {"gone": ["dog"], "new": ["hound"]}


def test_a_result_names_some_and_says_how_many_more():
    told = class_changes(ClassMap.of(["old"]), ClassMap.of([f"v{n}" for n in range(30)])).to_dict(10)
    assert told == {"gone": ["old"], "new": [f"v{n}" for n in range(10)], "more": 20}


def test_the_lock_keeps_the_last_changes():
    changes = {"gone": ["cat"], "renamed": {"dog": "hound"}}
    lock = ClassMap.of(["dog"]).to_lock(changes)
    assert (ClassMap.from_lock(lock).values, changes_of_lock(lock)) == (["dog"], changes)
    assert changes_of_lock(ClassMap.of(["dog"]).to_lock()) == {}


classes = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("123456")), unique_by=(lambda one: one[0], lambda one: one[1])
)


@given(st.lists(st.tuples(classes, st.booleans()), min_size=2, max_size=5))
def test_no_number_is_given_to_two_classes_and_none_moves(exports):
    locked = of(*exports[0][0])
    for pairs, keep in exports[1:]:
        current = of(*pairs)
        changes = class_changes(locked, current)
        now = again(locked, current, keep)
        assert set(current.values) == {one.value for one in now if not one.gone}
        assert len(now) >= len(locked)
        for number, one in enumerate(locked):
            wanted = {one.value, changes.renamed.get(one.value, one.value)} if keep else {one.value}
            assert now[number].value in wanted
        assert class_changes(now, current) == ClassChanges()
        locked = now
