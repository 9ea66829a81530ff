"""What people made of pre-annotations: every object is counted once, and hostile names stay text."""

from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
from airflow_provider_fastlabel.pipelines.reviews.scorecard import FATES, score
from tests.pipelines.reports.labelled import HOSTILE, LOOKS, box, streets, task


def imported(**by_image: Any) -> ImportedAnnotations:
    return ImportedAnnotations(by_image={f"{name}.jpg": drawn for name, drawn in by_image.items()})


def one(card: Any) -> Any:
    (version,) = card.versions
    return version


CAR, PERSON, SIGN = box("car", 10, 10, 60, 60), box("person", 100, 10, 120, 70), box("sign", 200, 10, 220, 30)


@pytest.mark.parametrize(
    ("now", "fate"),
    [
        (CAR, "kept"),
        (box("car", 10.6, 10, 60.9, 60), "kept"),
        (box("car", 9.1, 9.1, 60.9, 60.9), "kept"),
        (box("car", 10, 10, 60, 61.1), "moved"),
        (box("car", 15, 10, 65, 60), "moved"),
        (box("car", 10, 10, 75, 60), "moved"),
        (box("truck", 10, 10, 60, 60), "reclassed"),
        (box("truck", 15, 10, 65, 60), "reclassed"),
        (None, "deleted"),
    ],
)
def test_each_thing_that_can_become_of_an_object_is_told(now, fate):
    found = one(score([task("a.jpg", *([now] if now else []))], {"v1": imported(a=[CAR])}))
    assert {name for name in FATES if found.objects[name]} == {fate}
    assert found.objects["preannotated"] == found.objects[fate] == 1
    assert found.objects["added"] == 0
    assert {each.value: each.counts[fate] for each in found.classes if each.counts[fate]} == {"car": 1}
    assert found.reclassed == ([("car", "truck", 1)] if fate == "reclassed" else [])


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({**CAR, "points": ["x"]}, "a box needs four numbers"),
        ({**CAR, "points": [10, 10]}, "a box needs four numbers"),
        ({**CAR, "points": None}, "no_points"),
        ({"type": "bbox", "value": "car"}, "no_points"),
        ({**CAR, "points": [float("nan"), 10, 60, 60]}, "a.jpg: "),
        ({"type": "bbox", "points": [10, 10, 60, 60]}, "an annotation without a class"),
        ({"value": "car", "points": [10, 10, 60, 60]}, "unsupported_type"),
        ("car", "an annotation without a class"),
    ],
)
def test_a_label_that_is_none_is_counted_and_changes_no_other(broken, words):
    """Two of the broken ones have as many numbers together as two boxes."""
    more = {**CAR, "points": [1, 2, 3, 4, 5, 6]}
    card = score([task("a.jpg", broken, more, SIGN)], {"v1": imported(a=[SIGN])})
    found = one(card).objects
    assert (card.unread, found["kept"], found["added"], found["deleted"]) == (2, 1, 0, 0)
    assert words in card.unread_examples[0]


def test_a_box_that_was_drawn_from_its_lower_right_corner_is_the_same_box():
    found = one(score([task("a.jpg", box("car", 60, 60, 10, 10))], {"v1": imported(a=[CAR])}))
    assert (found.objects["kept"], found.objects["deleted"], found.objects["added"]) == (1, 0, 0)


def test_what_was_moved_far_is_deleted_and_added():
    found = one(score([task("a.jpg", box("car", 300, 10, 350, 60))], {"v1": imported(a=[CAR])}))
    assert (found.objects["deleted"], found.objects["added"]) == (1, 1)


def test_pictures_that_wait_or_are_missing_are_counted_and_named():
    tasks = [
        task("a.jpg", CAR, SIGN),
        task("b.jpg", CAR, status="completed"),
        task("empty.jpg", PERSON),
        task("other.jpg", CAR),
    ]
    card = score(tasks, {"v1": imported(a=[CAR], b=[CAR, SIGN], empty=[], gone=[CAR, CAR, CAR])})
    found = one(card)
    assert found.pictures == {"described": 4, "seen": 2, "waiting": 1, "missing": 1}
    assert found.objects == {
        "preannotated": 1, "kept": 1, "moved": 0, "reclassed": 0, "deleted": 0, "added": 2, "waiting": 2, "missing": 3,
        "unread": 0,
    }  # fmt: skip
    assert (found.examples["waiting"], found.examples["missing"]) == (["b.jpg"], ["gone.jpg"])
    text = card.markdown().replace("\\", "")
    assert "2 of 4 pictures were seen; not approved yet: 1, with 2 objects (b.jpg)" in text
    assert "; not there: 1, with 3 objects (gone.jpg)" in text
    assert one(score(tasks, {"v1": imported(b=[CAR])}, status=None)).pictures["seen"] == 1


def test_versions_are_told_apart_and_a_task_that_comes_twice_counts_once():
    tasks = [task("a.jpg", CAR), task("b.jpg", CAR), task("a.jpg", CAR)]
    card = score(tasks, {"v1": imported(a=[PERSON]), "v2": imported(b=[CAR])})
    assert {each.version: (each.objects["kept"], each.objects["added"]) for each in card.versions} == {
        "v1": (0, 1), "v2": (1, 0),
    }  # fmt: skip
    assert card.counts()["versions"]["v2"]["pictures"] == {"described": 1, "seen": 1, "waiting": 0, "missing": 0}
    assert json.loads(json.dumps(card.to_dict()))["versions"][1]["version"] == "v2"


def test_pictures_of_a_sequence_are_pictures():
    sequence = task("walk", {**CAR, "content": "1.jpg"}, {**SIGN, "content": "2.jpg"})
    sequence["contents"] = [{"name": name, "width": 640, "height": 480} for name in ("1.jpg", "2.jpg")]
    drawn = ImportedAnnotations(by_image={"walk/1.jpg": [CAR], "walk/2.jpg": [PERSON]})
    found = one(score([sequence], {"v1": drawn}))
    assert (found.objects["kept"], found.objects["deleted"], found.objects["added"]) == (1, 1, 1)
    sequence["status"] = "completed"
    assert one(score([sequence], {"v1": drawn})).pictures["waiting"] == 2


def test_labels_of_a_sequence_that_are_on_none_of_its_pictures_are_counted():
    sequence = task(
        "walk", {**CAR, "content": "1.jpg"}, {**SIGN, "content": "gone.jpg"}, {**SIGN, "content": "gone.jpg"}
    )
    sequence["contents"] = [{"name": "1.jpg", "width": 640, "height": 480}]
    empty = task("stand", {**CAR, "content": "1.jpg"}, contents=[])
    drawn = ImportedAnnotations(by_image={"walk/1.jpg": [CAR]})
    card = score([sequence, empty], {"v1": drawn})
    assert (card.unread, one(card).objects["kept"]) == (3, 1)
    assert "3 labels of people cannot be compared: 3 labels of sequences" in card.markdown()
    assert score([{**sequence, "status": "completed"}], {"v1": drawn}).unread == 0


def test_what_of_a_file_or_of_the_labels_cannot_be_read_is_counted():
    broken = imported(a=[CAR])
    broken.add_problem("v1.json", "annotation 7 has no box", image="a.jpg", lost=3)
    card = score([task("a.jpg", CAR, {"type": "bbox", "value": "car", "points": ["x"], "rotation": 5})], {"v1": broken})
    assert one(card).objects["unread"] == 3
    assert card.unread == 1
    text = card.markdown().replace("\\", "")
    assert "cannot be read: 3 objects (v1.json: annotation 7 has no box)" in text
    assert "1 label of people cannot be compared" in text


def test_nothing_at_all_has_a_scorecard():
    found = one(score([], {"v1": imported(a=[CAR])}))
    assert (found.pictures["missing"], found.objects["preannotated"]) == (1, 0)
    assert one(score([task("a.jpg")], {"v1": imported(a=[])})).classes == []


def spoilt(annotations: list[Any], dice: random.Random, told: Counter[str]) -> list[Any]:
    """What people make of objects that lie apart, and how often they do what."""
    left = []
    for each in annotations:
        fate = dice.choices((*FATES, "added"), (60, 15, 8, 12, 5))[0]
        told[fate] += 1
        x1, y1, x2, y2 = each["points"]
        if fate == "moved":
            left.append({**each, "points": [x1, y1, x2 + 0.2 * (x2 - x1) + 2, y2]})
        elif fate == "reclassed":
            left.append({**each, "value": next(value for value in LOOKS if value != each["value"])})
        elif fate != "deleted":
            left.append(each)
        if fate == "added":
            told["kept"] += 1
            left.append(box("sign", *(n + 2000 for n in each["points"])))
    return left


def test_of_a_planted_set_every_figure_is_found():
    """Objects lie apart, so that nobody can take one for another."""
    dice, told = random.Random(4), Counter[str]()
    tasks = []
    for number in range(300):
        places = [(x, y) for x in (0, 150, 300, 450) for y in (0, 150, 300)]
        drawn = [
            box(dice.choice(list(LOOKS)), x, y, x + 60, y + 50) for x, y in dice.sample(places, dice.randint(0, 9))
        ]
        tasks.append(task(f"{number}.jpg", *drawn))
    before: Any = {each["name"]: copy.deepcopy(each["annotations"]) for each in tasks}
    for each in tasks:
        each["annotations"] = spoilt(each["annotations"], dice, told)
    found = one(score(tasks, {"v1": ImportedAnnotations(by_image=before)}))
    assert {name: found.objects[name] for name in (*FATES, "added")} == dict(told)
    assert found.objects["preannotated"] == sum(map(len, before.values()))


BOXES = st.lists(
    st.tuples(st.sampled_from(["car", "truck"]), *[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2).map(
        lambda row: box(row[0], row[1], row[2], row[1] + row[3], row[2] + row[4])
    ),
    max_size=6,
)


@given(st.dictionaries(st.sampled_from("abcd"), BOXES), st.dictionaries(st.sampled_from("abce"), BOXES), st.booleans())
def test_the_sums_hold_whatever_was_drawn(before, after, waits):
    tasks = [
        task(f"{name}.jpg", *drawn, status="completed" if waits and name == "a" else "approved")
        for name, drawn in after.items()
    ]
    found = one(score(tasks, {"v1": imported(**before)}))
    counts = found.objects
    assert counts["preannotated"] == sum(counts[name] for name in FATES)
    assert counts["preannotated"] + counts["waiting"] + counts["missing"] == sum(map(len, before.values()))
    assert found.pictures["described"] == sum(found.pictures[name] for name in ("seen", "waiting", "missing"))
    for name in ("preannotated", *FATES, "added"):
        assert counts[name] == sum(each.counts[name] for each in found.classes)
    for each in found.classes:
        assert each.counts["preannotated"] == sum(each.counts[name] for name in FATES)
    seen = {f"{name}.jpg" for name in before} & {each["name"] for each in tasks if each["status"] == "approved"}
    left = sum(len(each["annotations"]) for each in tasks if each["name"] in seen)
    assert left == counts["added"] + counts["preannotated"] - counts["deleted"]


def test_hostile_names_are_text_in_markdown_and_json():
    evil = [HOSTILE, "[x](http://evil.example)", "a\u001b[2Jb|c"]
    tasks = [task(f"{name}.jpg", box(name, 10, 10, 60, 60)) for name in evil] + [task("late.jpg", status="completed")]
    names = [f"{name}.jpg" for name in evil]
    by_image: Any = {name: [box(HOSTILE, 10, 10, 60, 60)] for name in [*names, f"{HOSTILE}/gone.jpg"]}
    card = score(tasks, {HOSTILE: ImportedAnnotations(by_image=by_image)})
    text = card.markdown()
    assert one(card).objects["reclassed"] == 2
    assert "not there: 1" in text
    assert not re.search(r"(?<!\\)[<>\[\]&`*_]", text.replace("**", ""))
    assert "\x1b" not in text + json.dumps(card.to_dict(), ensure_ascii=False)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1


def test_many_classes_are_counted_and_the_first_are_shown():
    drawn = [box(f"class_{number}", 0, 10 * number, 9, 10 * number + 9) for number in range(40)]
    card = score([task("a.jpg", *drawn)], {"v1": imported(a=drawn)})
    assert len(one(card).classes) == 40
    assert "and 25 more classes" in card.markdown()


def test_a_set_of_streets_is_kept_whole():
    tasks = streets(200)
    drawn: Any = {each["name"]: each["annotations"] for each in tasks}
    found = one(score(iter(tasks), {"v1": ImportedAnnotations(by_image=drawn)}))
    assert found.objects["kept"] == found.objects["preannotated"] == sum(map(len, drawn.values()))
