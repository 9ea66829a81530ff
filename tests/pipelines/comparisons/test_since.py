"""What a report shows of the changes since the version before: numbers, objects with two outlines, calm words."""

from __future__ import annotations

import base64
import copy
import io
import json
import math
import random
from typing import Any

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image
from upath import UPath

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.comparisons.result import OBJECT_COUNTS
from airflow_provider_fastlabel.pipelines.comparisons.run import EarlierVersionError
from airflow_provider_fastlabel.pipelines.comparisons.sample import SUSPICIOUS
from airflow_provider_fastlabel.pipelines.comparisons.since import changes_since
from airflow_provider_fastlabel.pipelines.exports.places.pointer import (
    Version,
    new_version,
    pointer_bytes,
    version_before,
)
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset
from airflow_provider_fastlabel.pipelines.reports.run import Report
from tests.pipelines.reports.labelled import HOSTILE, LOOKS, box, streets, task
from tests.pipelines.reports.test_report import data_of
from tests.pipelines.versions import publish_version

CAR = "\U0001f697"


def reported(tasks: list[dict[str, Any]], after: Any, before: Any = None) -> Any:
    """Return what the page says of a data set and the version before."""
    dataset = PublishedDataset(after)
    since = changes_since(dataset, before)
    report = Report(project="photos", source=dataset.picture, since=since).make(iter(tasks))
    return data_of(report.page)


def changed(tasks: list[dict[str, Any]], seed: int = 1) -> list[dict[str, Any]]:
    """Return tasks of which every third has one object that was changed somehow."""
    dice, later = random.Random(seed), copy.deepcopy(tasks)
    for at, one in enumerate(later[::3]):
        annotations = one["annotations"]
        first = annotations[0]
        x1, y1, x2, y2 = first["points"]
        if at % 5 == 0:
            first["points"] = [x1 + 2, y1, x2 + 2, y2]
        elif at % 5 == 1:
            first["points"] = [x1, y1, x2 + 3, y2]
        elif at % 5 == 2:
            first["value"] = first["title"] = dice.choice([each for each in LOOKS if each != first["value"]])
        elif at % 5 == 3:
            del annotations[0]
        else:
            annotations.append(box("sign", 1, 1, 9, 9))
    return later


def test_every_number_of_a_class_has_an_object_that_it_stands_for(tmp_path):
    before = streets(600)
    after = [*changed(before)[:-1], task("new.jpg", box("horse", 1, 1, 50, 50))]

    data = reported(after, publish_version(tmp_path, "two", after), publish_version(tmp_path, "one", before))

    since = data["since"]
    assert since["title"] == "one"
    told = {what: count for what, count, *_ in since["pictures"]}
    assert (told["added"], told["removed"], told["relabelled"]) == (1, 1, 200)
    assert dict(zip(OBJECT_COUNTS, since["objects"], strict=True))["moved"] == 40
    for name, _, _, counts in since["classes"]:
        for at, count in enumerate(counts):
            standing = [each for each in since["changes"] if at in each["w"] and (each["c"][1] or each["c"][0]) == name]
            assert bool(standing) == bool(count), (name, OBJECT_COUNTS[at])
    for one, other, _ in since["swaps"]:
        assert [each for each in since["changes"] if each["c"] == [one, other]]
    assert since["suspicious"] == SUSPICIOUS
    ((at,), names) = since["pictures"][0][2:]
    assert (data["pictures"][at]["n"], names) == ("new.jpg", [])
    assert since["pictures"][1][2:] == [[], ["street/00599.jpg"]]


def test_the_worst_of_each_kind_come_first(tmp_path):
    before = [task(f"{at}.jpg", box("car", 100, 100, 200, 200)) for at in range(9)]
    after = copy.deepcopy(before)
    for at, shift in ((0, 5), (1, 20)):
        after[at]["annotations"][0]["points"] = [100 + shift, 100, 200 + shift, 200]
    for at, value in ((2, "van"), (3, "van"), (4, "cat")):
        after[at]["annotations"][0]["value"] = value
    for at, far in ((5, 40), (6, 90)):
        after[at]["annotations"].append(box("car", 10, 10, far, far))

    since = reported(after, publish_version(tmp_path, "two", after), publish_version(tmp_path, "one", before))["since"]

    order = [(each["n"], [OBJECT_COUNTS[at] for at in each["w"]]) for each in since["changes"]]
    assert order[:3] == [("6.jpg", ["added"]), ("1.jpg", ["moved"]), ("4.jpg", ["reclassed"])]
    assert order[3:] == [("5.jpg", ["added"]), ("0.jpg", ["moved"]), ("2.jpg", ["reclassed"]), ("3.jpg", ["reclassed"])]


@pytest.mark.parametrize("project_has_it", [True, False])
@pytest.mark.parametrize("turn", [1, 6])
def test_a_crop_is_the_part_of_the_photograph_in_which_an_object_has_changed(tmp_path, turn, project_has_it):
    photo = Image.new("RGB", (640, 480), "white")
    photo.paste("red", (400, 300, 440, 340))
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = photo if turn == 1 else photo.transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    stored.save(file, "PNG", exif=exif)
    tasks = [task("a.png", box("sign", 405, 305, 435, 335))], [task("a.png", box("sign", 400, 300, 440, 340))]
    one, two = (
        publish_version(tmp_path, name, each, pictures={"a.png": Image.open(file)})
        for name, each in zip(("one", "two"), tasks, strict=True)
    )
    (two / "images" / "a.png").write_bytes(file.getvalue())  # with what says how it is turned

    (change,) = reported(tasks[1] if project_has_it else [], two, one)["since"]["changes"]

    with Image.open(io.BytesIO(base64.b64decode(change["t"].partition(",")[2]))) as part:
        pixels = np.asarray(part.convert("RGB"))
    left, top, width, height = change["v"]
    red, green, _ = pixels[round((320 - top) / height * len(pixels)), round((420 - left) / width * len(pixels[0]))]
    assert (red > 200, green < 60) == (True, True)
    assert pixels[2, 2].min() > 200
    assert change["r"] == [
        [405, 305, 435, 305, 435, 335, 405, 335],
        [400, 300, 440, 300, 440, 340, 400, 340],
    ]
    assert change["p"] == (0 if project_has_it else -1)


@pytest.mark.parametrize("count", [1, 9_000], ids=["a small file", "a file read in parts"])
def test_of_outlines_both_are_shown(tmp_path, count):
    star = [10, 10, 60, 40, 110, 10, 80, 60, 110, 110, 60, 80, 10, 110, 40, 60]
    dent = [*star[:2], 60, 60, *star[4:]]
    turns = [at / 48 * math.pi for at in range(96)]
    wheel = [round(number, 2) for turn in turns for number in (300 + 90 * math.cos(turn), 200 + 90 * math.sin(turn))]
    others = [{"type": "polygon", "value": "car", "points": [n + at % 7 for n in wheel]} for at in range(count)]
    before, after = (
        [task(f"{at}.jpg", each) for at, each in enumerate(others)]
        + [task("star.jpg", {"type": "polygon", "value": "star", "points": points})]
        for points in (star, dent)
    )
    one, two = (publish_version(tmp_path, name, each) for name, each in (("one", before), ("two", after)))

    (change,) = reported(after[-1:], two, one)["since"]["changes"]

    assert [OBJECT_COUNTS[at] for at in change["w"]] == ["reshaped"]
    assert change["r"] == [star, dent]
    (small,) = (path.stat().st_size for path in one.glob("*.json") if path.name.startswith("ann"))
    assert (small > 8_400_000) == (count > 1)


def test_a_folder_whose_name_is_no_time_is_called_by_its_name(tmp_path):
    name = "20269999T999999Z-000000000000-00000000"
    tasks = streets(3)

    since = reported(tasks, publish_version(tmp_path, "two", tasks), publish_version(tmp_path, name, tasks))["since"]

    assert since["title"] == name


def test_without_an_earlier_version_it_says_so(tmp_path, caplog):
    caplog.set_level("INFO")
    tasks = streets(3)
    place = publish_version(tmp_path, "one", tasks)
    words = {"title": "the last version", "note": "There is no earlier version to compare with."}

    assert reported(tasks, place)["since"] == words
    assert reported(tasks, place, tmp_path / "none")["since"] == words
    assert f"{tmp_path}/none holds no data set, so the report does not say what has changed" in caplog.text
    assert data_of(Report(project="photos").make(tasks).page)["since"] is None


def test_a_version_that_cannot_be_read_back_is_refused_where_it_was_asked_for_only(tmp_path):
    tasks = streets(3)
    one, two = (publish_version(tmp_path, name, tasks, form="yolo") for name in ("one", "two"))

    with pytest.raises(FastLabelInvalidException, match="YOLO labels without pictures"):
        reported(tasks, two, one)


@pytest.fixture
def versions() -> Any:
    """A place that keeps three versions, the newest first."""
    place = UPath("memory://sets/photos")
    ids = [new_version(f"{at}" * 64) for at in range(3)]
    place.fs.pipe_file((place / "current.json").path, pointer_bytes(ids[0], ids[1:]))
    yield place, [place / each.path for each in ids]
    place.fs.rm(place.path, recursive=True)


def test_the_version_before_is_found_where_a_place_keeps_versions(versions, tmp_path):
    place, (newest, middle, oldest) = versions

    assert [version_before(each) for each in (place, newest, middle, oldest)] == [middle, middle, oldest, None]
    assert version_before(place / "versions" / "20260101T000000Z-000000000000-00000000") is None
    assert version_before(tmp_path) is None


@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_of_a_place_with_versions_the_last_two_are_compared(versions, tmp_path, form):
    place, (newest, middle, _) = versions
    before, after = streets(9), changed(streets(9))
    for name, tasks, version in (("one", before, middle), ("two", after, newest)):
        publish_version(tmp_path, name, tasks, form=form)
        version.fs.put(str(tmp_path / name) + "/", version.path + "/", recursive=True)

    since = reported(after, place)["since"]

    assert since["title"].startswith("the version of 20")
    if form == "coco":
        assert sum(since["objects"]) == 3
    else:
        assert since["note"].startswith("Labels of this format cannot be read back")


def spoil_manifest(version):
    version.fs.pipe_file((version / "manifest.json").path, b"{")


def cut_off_labels(version):
    name = (version / "annotations.json").path
    version.fs.pipe_file(name, version.fs.cat_file(name)[:-50])


def lose_labels(version):
    version.fs.rm_file((version / "annotations.json").path)


def spoil_classes(version):
    version.fs.pipe_file((version / "classes.lock.json").path, b"{")


SPOILT = [spoil_manifest, cut_off_labels, lose_labels, spoil_classes]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_damaged_version_before_costs_the_comparison_and_not_the_report(versions, tmp_path, caplog, spoil):
    place, (newest, middle, _) = versions
    before, after = streets(9), changed(streets(9))
    for name, tasks, version in (("one", before, middle), ("two", after, newest)):
        publish_version(tmp_path, name, tasks)
        version.fs.put(str(tmp_path / name) + "/", version.path + "/", recursive=True)
    spoil(middle)

    data = reported(after, place)

    assert data["since"]["note"].startswith("That version is damaged")
    assert data["since"]["title"].startswith("the version of 20")
    assert len(data["pictures"]) == 9
    assert [record.levelname for record in caplog.records if "is damaged" in record.message] == ["WARNING"]
    with pytest.raises(EarlierVersionError, match=r"manifest\.json|annotations\.json|one COCO file|classes"):
        changes_since(PublishedDataset(place), middle)


@pytest.mark.parametrize("spoil", SPOILT[1:])
def test_a_damaged_data_set_is_no_damaged_version_before(versions, tmp_path, spoil):
    place, (newest, middle, _) = versions
    for name, tasks, version in (("one", streets(9), middle), ("two", changed(streets(9)), newest)):
        publish_version(tmp_path, name, tasks)
        version.fs.put(str(tmp_path / name) + "/", version.path + "/", recursive=True)
    spoil(newest)
    with pytest.raises((ValueError, FileNotFoundError)) as told:
        changes_since(PublishedDataset(place), None)
    assert not isinstance(told.value, EarlierVersionError)


@pytest.mark.parametrize("which", ["the one before", "the newest"])
def test_a_version_that_goes_once_it_was_compared_costs_the_outlines_alone(
    versions, tmp_path, caplog, monkeypatch, which
):
    place, (newest, middle, _) = versions
    star = [10, 10, 60, 40, 110, 10, 80, 60, 110, 110, 60, 80, 10, 110, 40, 60]
    for name, points, version in (("one", star, middle), ("two", [*star[:2], 60, 60, *star[4:]], newest)):
        publish_version(tmp_path, name, [task("a.jpg", {"type": "polygon", "value": "star", "points": points})])
        version.fs.put(str(tmp_path / name) + "/", version.path + "/", recursive=True)
    going = ((middle if which == "the one before" else newest) / "annotations.json").path
    read = MemoryFileSystem.cat_file

    def once(self, path, *args, **more):
        data = read(self, path, *args, **more)
        if self._strip_protocol(path) == going:
            self.rm_file(path)
        return data

    monkeypatch.setattr(MemoryFileSystem, "cat_file", once)
    (change,) = changes_since(PublishedDataset(place), None).shown({}, {})["changes"]
    assert [len(ring) for ring in change["r"]] == ([8, 16] if which == "the one before" else [16, 8])
    assert "without outlines" in caplog.text


def test_a_version_published_while_the_report_is_made_is_not_taken_for_the_one_before(versions, tmp_path):
    place, (newest, middle, _) = versions
    for name, tasks, version in (("one", streets(9), middle), ("two", changed(streets(9)), newest)):
        publish_version(tmp_path, name, tasks)
        version.fs.put(str(tmp_path / name) + "/", version.path + "/", recursive=True)
    dataset = PublishedDataset(place)
    ids = [Version(each.name, "0" * 64) for each in (newest, middle)]
    place.fs.pipe_file((place / "current.json").path, pointer_bytes(new_version("f" * 64), ids))

    since = changes_since(dataset, None)

    assert since.comparison
    assert sum([since.comparison.objects[name] for name in OBJECT_COUNTS]) == 3


def test_an_object_is_shown_over_its_own_photograph_where_two_names_differ_in_their_ending(tmp_path):
    colours = {"a.png": "red", "a.jpg": "blue", "b.png": "red"}
    pictures = {name: Image.new("RGB", (640, 480), colour) for name, colour in colours.items()}
    before, after = (
        [task(name, box(value, 10, 10, 60, 60)) for name in ("a.png", "a.jpg")] + [task("b.png")]
        for value in ("car", "van")
    )
    after[0]["annotations"] = before[0]["annotations"]
    one, two = (
        publish_version(tmp_path, name, each, pictures=pictures) for name, each in (("one", before), ("two", after))
    )

    data = reported(after, two, one)

    (change,) = data["since"]["changes"]
    assert (change["n"], data["pictures"][change["p"]]["n"]) == ("a.jpg", "a.jpg")
    assert [data["pictures"][at]["n"] for at in data["since"]["pictures"][3][2]] == ["a.jpg"]
    with Image.open(io.BytesIO(base64.b64decode(change["t"].partition(",")[2]))) as part:
        red, _, blue = np.asarray(part.convert("RGB"))[2, 2]
    assert (red < 60, blue > 200) == (True, True)


def test_a_crop_is_never_larger_than_a_photograph_may_be(tmp_path):
    """Somebody has put a huge object into the file, in a picture whose size nobody knows any more."""
    photo = {"a.png": Image.new("RGB", (640, 480), "red")}
    one, two = (
        publish_version(tmp_path, name, [task("a.png", box("car", 10, 10, 60, high))], pictures=photo)
        for name, high in (("one", 60), ("two", 90))
    )
    (file,) = (path for path in two.glob("*.json") if path.name.startswith("ann"))
    coco = json.loads(file.read_text())
    coco["annotations"][0] |= {"bbox": [-20_000, -20_000, 60_000, 60_000], "segmentation": []}
    file.write_text(json.dumps(coco))
    dataset = PublishedDataset(two)
    since = changes_since(dataset, one)
    made = Report(project="photos", source=dataset.picture, since=since).make([])

    assert any("too many to show" in fault for fault in made.seen.faults)
    assert "t" not in data_of(made.page)["since"]["changes"][0]


def test_a_coordinate_that_no_picture_has_is_unread_and_no_number_of_the_page(tmp_path):
    one, two = (
        publish_version(tmp_path, name, [task("a.png", box("car", 10, 10, 60, 60), box("van", *van))])
        for name, van in (("one", (9, 9, 30, 30)), ("two", (9, 9, 30, 40)))
    )
    (file,) = (path for path in two.glob("*.json") if path.name.startswith("ann"))
    coco = json.loads(file.read_text())
    coco["annotations"][0] |= {"bbox": [1e308, 1, 2, 3], "segmentation": []}
    file.write_text(json.dumps(coco))
    dataset = PublishedDataset(two)

    page = Report(project="photos", since=changes_since(dataset, one)).make([]).page

    since = data_of(page)["since"]
    assert "Infinity" not in json.dumps(since)
    told = dict(zip(OBJECT_COUNTS, since["objects"], strict=True))
    assert (since["unread"], told["added"], told["removed"], told["resized"]) == (1, 0, 1, 1)


def test_names_of_any_script_leave_the_page_below_its_bytes(tmp_path):
    """One letter may take twelve bytes in the page."""
    classes = [f"{at:02d}{CAR * 97}" for at in range(100)]
    before = [task(f"{at:04d}{CAR * 48}.jpg", box(classes[at % 100], 10, 10, 99, 99)) for at in range(1500)]
    after = copy.deepcopy(before)
    for at, one in enumerate(after):
        (drawn,) = one["annotations"]
        kind = at // 100 % 5
        if kind == 0:
            drawn["value"] = classes[(at + 1) % 100]
        elif kind < 3:
            drawn["points"] = [15, 10, 104 if kind == 1 else 99, 99]
        else:
            one["annotations"] = [drawn, box(drawn["value"], 200, 200, 250, 250)] if kind == 3 else []

    dataset = PublishedDataset(publish_version(tmp_path, "two", after))
    since = changes_since(dataset, publish_version(tmp_path, "one", before))
    data = data_of(Report(project="photos", since=since).make(after).page)["since"]

    assert len(data["changes"]) >= 100
    assert len(json.dumps(data["changes"])) < 1_000_000


def test_hostile_names_become_texts_and_a_page_stays_small(tmp_path):
    before = [task(f"{HOSTILE * 2}{at}.jpg", box(f"{HOSTILE}{at % 700}", 1, 1, 99, 99)) for at in range(2000)]
    after = copy.deepcopy(before)
    for at, one in enumerate(after):
        one["annotations"][0]["value"] = f"{HOSTILE}{(at + 1) % 700}"

    dataset = PublishedDataset(publish_version(tmp_path, "two", after))
    since = changes_since(dataset, publish_version(tmp_path, "one", before))
    page = Report(project=HOSTILE, since=since).make(after).page

    assert len(page) < 9_600_000
    assert page.count(b"</script>") == 2
    data = data_of(page)["since"]
    assert data["objects"][OBJECT_COUNTS.index("reclassed")] == 2000
    assert (len(data["classes"]), data["more_classes"]) == (100, 600)
    assert 100 < len(data["changes"]) < 1000


def test_nothing_that_has_changed_is_said_in_one_line(tmp_path):
    tasks = streets(3)

    since = reported(tasks, publish_version(tmp_path, "two", tasks), publish_version(tmp_path, "one", tasks))["since"]

    assert (since["changes"], sum(since["objects"]), since["classes"]) == ([], 0, [])
