"""Each check says what a published data set is, and names what is amiss."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.checks.definition import InvalidChecksError, read_checks
from airflow_provider_fastlabel.pipelines.checks.pictures import pictures_needed
from airflow_provider_fastlabel.pipelines.checks.run import check_dataset
from tests.airflow_fixtures import PNG
from tests.pipelines.checks.published import publish_tasks
from tests.pipelines.reports.labelled import HOSTILE, box, streets, task

if TYPE_CHECKING:
    from pathlib import Path

CAT, DOG = box("cat", 10, 20, 110, 220), box("dog", 300, 20, 340, 90)


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Photos", "photos")
        yield client


@pytest.fixture
def fill(client, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    return lambda *names, **fields: {n: client.create_image_task("photos", n, picture, **fields) for n in names}


@pytest.fixture
def published(tmp_path):
    """Publish tasks, each time in a new place."""
    made: list[Path] = []

    def go(*tasks, form="coco", **arguments):
        made.append(tmp_path / f"set{len(made)}")
        return publish_tasks(made[-1], tmp_path / f"work{len(made)}", tasks, form, **arguments)

    return go


def check(place, name, *, severity="fail", earlier=None, second=None, client=None, **arguments):
    """Do one check and return its result."""
    checks = read_checks([{"check": name, "severity": severity, **arguments}])
    found = check_dataset(place, checks, earlier_dataset=earlier, second_dataset=second, client=client)
    (result,) = found.results
    assert result.assertion == name
    return result


def test_pictures_without_an_object(published):
    place = published(task("a.png", CAT), task("b.png"), task("c.png"))
    found = check(place, "unlabelled_pictures")
    assert (found.passed, found.expected, found.actual) == (False, "no pictures without an object", "66.7 % (2 of 3)")
    assert found.examples == ("b.png", "c.png")
    assert check(place, "unlabelled_pictures", at_most=0.67).passed
    assert not check(place, "unlabelled_pictures", at_most=0.66).passed


def test_classes_with_few_objects(published):
    place = published(task("a.png", CAT, DOG), task("b.png", DOG), classes=["bird", "cat", "dog"])
    found = check(place, "objects_per_class", at_least=2)
    assert not found.passed
    assert found.expected == "at least 2 objects of each of 3 classes"
    assert found.actual == "2 classes have fewer"
    assert found.examples == ("bird: 0", "cat: 1")
    assert check(place, "objects_per_class", at_least=2, classes=["dog"]).passed
    assert check(place, "objects_per_class", at_least=1, classes=["horse"]).examples == ("horse: 0",)


def test_balance_of_classes(published):
    place = published(task("a.png", CAT, DOG, DOG, DOG), classes=["bird", "cat", "dog"])
    found = check(place, "class_balance", at_most=100)
    assert (found.passed, found.actual) == (False, "no object of the rarest: dog 3, bird 0")
    two = {"classes": ["cat", "dog"]}
    assert check(place, "class_balance", at_most=3, **two).passed
    found = check(place, "class_balance", at_most=2.9, **two)
    assert (found.passed, found.actual) == (False, "3 times: dog 3, cat 1")
    assert found.examples == ("cat: 1",)
    assert check(place, "class_balance", at_most=1, classes=["cat"]).passed


def test_drift_of_classes_against_an_earlier_version(published):
    earlier = published(task("a.png", CAT, CAT, CAT, DOG))
    now = published(task("a.png", CAT, DOG), task("b.png", DOG, box("bird", 0, 0, 9, 9)))
    found = check(now, "class_drift", earlier=earlier)
    # cat 75 -> 25 %, dog 25 -> 50 %, bird 0 -> 25 %: half of all changes
    assert (found.passed, found.actual) == (False, "50 %")
    assert found.examples == ("cat: 75 % -> 25 %", "bird: 0 % -> 25 %", "dog: 25 % -> 50 %")
    assert check(now, "class_drift", earlier=earlier, at_most=0.5).passed
    assert check(now, "class_drift", earlier=now, at_most=0).passed


def test_a_missing_earlier_version_is_said_and_fails_only_if_asked(published):
    place = published(task("a.png", CAT))
    found = check(place, "class_drift")
    assert (found.passed, found.actual) == (True, "there is no earlier version to compare with")
    assert not check(place, "class_drift", required=True).passed
    empty = published()
    assert not check(place, "class_drift", earlier=empty).passed
    assert check(empty, "class_drift", earlier=empty).passed


def test_tiny_boxes(published):
    place = published(task("a.png", CAT, box("cat", 5, 5, 8, 90), box("dog", 5, 5, 50, 6)), task("b.png", DOG))
    found = check(place, "tiny_boxes")
    assert (found.passed, found.expected) == (False, "no objects less than 4 pixels across")
    assert found.actual == "50 % (2 of 4)"
    assert found.examples == ("a.png: dog is 1 pixels across", "a.png: cat is 3 pixels across")
    assert check(place, "tiny_boxes", pixels=1).passed
    assert check(place, "tiny_boxes", at_most=0.5).passed


def test_overlapping_boxes_of_one_class(published):
    again, beside = {**CAT, "points": [12, 20, 112, 220]}, box("cat", 60, 20, 160, 220)
    other = {**CAT, "value": "dog"}
    place = published(task("a.png", CAT, again, other), task("b.png", CAT, beside), task("c.png", CAT))
    found = check(place, "overlapping_boxes")
    assert (found.passed, found.actual) == (False, "33.3 % (2 of 6)")
    assert found.examples == ("a.png: cat and another overlap by 96.1 %",)
    assert check(place, "overlapping_boxes", at_most=0.34).passed
    assert check(place, "overlapping_boxes", iou=0.97).passed
    assert "4 of 6" in check(place, "overlapping_boxes", iou=0.3).actual


def test_overlaps_are_those_of_a_look_at_each_pair(published):
    tasks = streets(60)
    for each in tasks[::3]:
        x1, y1, x2, y2 = each["annotations"][0]["points"]
        each["annotations"].append({**each["annotations"][0], "points": [x1 + 2, y1 + 1, x2 + 2, y2 + 1]})
    for least in (0.2, 0.5, 0.7):
        wanted = set()
        for each in tasks:
            boxes = [(one["value"], *one["points"]) for one in each["annotations"]]
            for i, a in enumerate(boxes):
                for j, b in enumerate(boxes[:i]):
                    across = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
                    common = across * max(min(a[4], b[4]) - max(a[2], b[2]), 0)
                    areas = sum((c[3] - c[1]) * (c[4] - c[2]) for c in (a, b))
                    if a[0] == b[0] and common / (areas - common) >= least:
                        wanted |= {(each["name"], i), (each["name"], j)}
        found = check(published(*tasks), "overlapping_boxes", iou=least)
        assert f"({len(wanted)} of " in found.actual
        assert wanted


def test_a_picture_in_two_splits_is_found_by_its_bytes(published):
    tasks = [task(f"{number}.png", CAT) for number in range(40)]
    colours = {each["name"]: number for number, each in enumerate(tasks)}
    assert check(published(*tasks, form="yolo", pictures=colours), "split_leak").passed
    place = published(*tasks, form="yolo", pictures={**colours, **{f"{number}.png": 0 for number in range(40)}})
    found = check(place, "split_leak")
    assert (found.passed, found.actual) == (False, "1 of 40 pictures")
    first, _, second = found.examples[0].partition(" is also ")
    assert (first.endswith("(train)"), second.endswith("(val)")) == (True, True)
    assert check(place, "split_leak", at_most=1).passed


def test_what_is_not_known_of_splits_does_not_pass(published):
    coco = published(task("a.png", CAT))
    assert check(coco, "split_leak").actual == "the data set has no splits"
    manifest = json.loads((coco / "manifest.json").read_text())
    manifest["counts"]["splits"] = {"train": {"images": 1}}
    (coco / "manifest.json").write_text(json.dumps(manifest))
    found = check(coco, "split_leak")
    assert not found.passed
    assert "not known, for the data set holds no pictures" in found.actual
    yolo = published(task("a.png", CAT), form="yolo", pictures={"a.png": 1})
    manifest = json.loads((yolo / "manifest.json").read_text())
    for row in manifest["files"]:
        row.pop("sha256")
    (yolo / "manifest.json").write_text(json.dumps(manifest))
    assert "it has no digests" in check(yolo, "split_leak").actual


def test_agreement_of_two_annotators(published):
    mine = published(task("a.png", CAT, DOG), task("b.png", DOG), task("mine.png", CAT))
    yours = published(task("a.png", CAT, {**DOG, "value": "cat"}), task("b.png", DOG), task("yours.png", CAT))
    found = check(mine, "agreement", second=yours)
    assert not found.passed
    assert found.expected == "Krippendorff's alpha of at least 0.8, of objects that overlap by 50 %"
    assert found.actual.startswith("0.444 (95 %: ")  # Krippendorff's 1 - (2*3 - 1) * 2 / (36 - 9 - 9)
    assert (
        "in 2 pictures; of 3 objects both drew 3 and named 2 alike; alpha of objects per picture 1.000" in found.actual
    )
    assert found.examples == ("a.png: 1 of 2 objects",)
    assert check(mine, "agreement", second=mine, at_least=1).passed
    kappa = check(mine, "agreement", second=yours, measure="kappa", at_least=0.4)
    assert (kappa.passed, kappa.actual[:5]) == (True, "0.400")
    alone = check(mine, "agreement", second=published(task("other.png", CAT)), at_least=0)
    assert (alone.passed, alone.actual) == (False, "no picture is in both data sets")


def test_a_sample_must_be_large_enough(published):
    place = published(*(task(f"{number}.png", CAT) for number in range(100)))
    found = check(place, "sample_size", margin=0.05)
    assert (found.passed, found.actual) == (False, "100 pictures")
    assert found.expected == "at least 385 pictures, for a rate within 5 % at 95 % confidence"
    assert check(place, "sample_size", margin=0.05, rate=0.05).passed  # 73
    assert check(place, "sample_size", margin=0.05, population=100).passed
    found = check(place, "sample_size", margin=0.05, split="test")
    assert (found.passed, found.actual) == (False, "the data set has no such split")
    tasks = [task(f"{number}.png", CAT) for number in range(30)]
    split = published(*tasks, form="yolo", pictures={each["name"]: 1 for each in tasks})
    assert check(split, "sample_size", margin=0.4, split="train").passed


@pytest.mark.parametrize(
    ("population", "stated"), [(100, 80), (500, 217), (1_000, 278), (5_000, 357), (10_000, 370), (1_000_000, 384)]
)
def test_sizes_are_those_of_the_published_table(population, stated):
    """Krejcie and Morgan, "Determining Sample Size for Research Activities" (1970), which rounds to the nearest."""
    assert 0 <= pictures_needed(0.05, 0.95, 0.5, population) - stated <= 1


def test_a_sample_of_the_needed_size_keeps_its_promise():
    """Of all samples from a binomial distribution, so many are within the margin."""
    needed, rate, margin = pictures_needed(0.04, 0.95, 0.1), 0.1, 0.04
    low, high = math.ceil(needed * (rate - margin)), math.floor(needed * (rate + margin))
    within = sum(math.comb(needed, k) * rate**k * (1 - rate) ** (needed - k) for k in range(low, high + 1))
    assert within == pytest.approx(0.95, abs=0.015)


def test_the_share_of_tasks_that_are_approved(published, client, fill):
    fill("a.png", "b.png", status="approved", tags=["night"])
    fill("c.png", status="completed", tags=["night"])
    fill("other.png", status="registered")
    place = published(task("a.png", CAT), filters={"project": "photos", "status": "approved", "tags": ["night"]})
    found = check(place, "approved", client=client)
    assert (found.passed, found.actual) == (False, "66.7 % (2 of 3)")
    assert check(place, "approved", client=client, at_least=0.66).passed
    everything = published(task("a.png", CAT))
    assert check(everything, "approved", client=client).actual == "50 % (2 of 4)"
    nothing = published(filters={"project": "photos", "tags": ["none"]})
    assert check(nothing, "approved", client=client).passed


def test_comments_that_nobody_has_resolved(published, client, fill):
    ids = fill("a.png", "b.png", status="approved") | fill("c.png", status="completed")
    made = client.create_task_comment(task_id=ids["a.png"], points=[1, 2], text=f"too large {HOSTILE}")
    client.create_task_comment(text="really", comment_id=made["id"])
    client.create_task_comment(task_id=ids["b.png"], points=[1, 2], text="well done", is_resolved=True)
    client.create_task_comment(task_id=ids["c.png"], points=[1, 2], text="not in the data set")
    place = published(task("a.png", CAT))
    found = check(place, "open_comments", client=client)
    assert (found.passed, found.actual) == (False, "1 open comments")
    assert found.examples[0].startswith(f"task {ids['a.png']}: ")
    assert check(place, "open_comments", client=client, at_most=1).passed


@pytest.mark.parametrize(("name", "needs"), [("approved", "client"), ("agreement", "second_dataset")])
def test_what_a_check_needs_is_asked_for_before_anything_is_read(tmp_path, name, needs):
    with pytest.raises(InvalidChecksError, match=rf"checks\[1\] \({name}\) needs `{needs}`\. Nothing was read\."):
        check_dataset(tmp_path / "nowhere", read_checks([{"check": "split_leak"}, {"check": name}]))


def test_a_manifest_without_a_project_cannot_be_asked_about(published, client):
    place = published(task("a.png", CAT), filters={})
    with pytest.raises(ValueError, match="names no project, so nobody can ask for its tasks"):
        check(place, "approved", client=client)


def test_where_no_data_set_is_nothing_passes(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no published data set"):
        check_dataset(tmp_path, read_checks([{"check": "sample_size", "margin": 0.9}]))


def test_what_cannot_be_read_fails_the_data_set_unasked(published):
    place = published(task("a.png", CAT), task("b.png", DOG), form="labelme")
    (place / "a.json").write_text("{")
    found = check_dataset(place, read_checks([{"check": "tiny_boxes"}]))
    assert [each.assertion for each in found.results] == ["readable", "tiny_boxes"]
    assert not found.passed
    assert found.results[0].actual == "1 object or file cannot"


def test_an_empty_data_set_can_be_checked(published):
    place = published(classes=["cat"])
    checks = [
        {"check": "unlabelled_pictures"}, {"check": "class_balance", "at_most": 5}, {"check": "class_drift"},
        {"check": "tiny_boxes"}, {"check": "overlapping_boxes"}, {"check": "split_leak"},
        {"check": "objects_per_class", "at_least": 1}, {"check": "sample_size", "margin": 0.1}, {"check": "agreement"},
    ]  # fmt: skip
    found = check_dataset(place, read_checks(checks), second_dataset=place)
    failed = {"objects_per_class", "sample_size", "agreement"}
    assert {each.assertion for each in found.results if not each.passed} == failed


def test_hostile_names_are_shown_and_do_nothing(published, caplog):
    caplog.set_level("INFO")
    name = f"a\x1b[2J{HOSTILE}.png".replace("/", "-")
    place = published(task(name), classes=[HOSTILE, "\x1b[31mcat"])
    checks = read_checks([{"check": "unlabelled_pictures"}, {"check": "objects_per_class", "at_least": 1}])
    found = check_dataset(place, checks)
    for text in (caplog.text, found.table(), found.markdown(), str(found.to_dict())):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script" not in found.markdown().replace("\\<", "")
