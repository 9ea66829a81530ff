"""A report: what it counts, which bytes it has, and what it does with odd or hostile input."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.writing.naming import REPORT_FILES
from airflow_provider_fastlabel.pipelines.reports.page_file import PAGE, SHEET, is_sheet, policy_of
from airflow_provider_fastlabel.pipelines.reports.run import Report, last_report, write_report
from airflow_provider_fastlabel.pipelines.reports.summary import SUMMARY
from tests.pipelines.reports.labelled import HOSTILE, box, plant, streets, task

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 10_000_000


def data_of(page: bytes) -> Any:
    """Return what the page shows."""
    text = page.decode()
    return json.loads(text.partition('<script id="data" type="application/json">')[2].partition("</script>")[0])


def made(tasks, last=None, **arguments):
    return Report(**{"project": "photos", **arguments}).make(iter(tasks), last)


def kinds(data: Any) -> dict[str, int]:
    return {title: count for title, count in data["kinds"] if count}


def findings(data: Any) -> dict[str, list[str]]:
    return {picture["n"]: [each[3] for each in picture["f"]] for picture in data["pictures"] if "f" in picture}


def test_it_counts_what_the_tasks_hold():
    switch = {"key": "hidden", "name": "Hidden", "type": "switch", "value": True}
    tasks = [
        task("a.jpg", box("cat", 0, 0, 64, 48, attributes=[switch]), box("dog", 320, 240, 640, 480), assignee="anna"),
        task("b.jpg", box("cat", 10, 10, 20, 20), status="sent_back", assignee="anna", secondsToAnnotate=40),
        task("c.jpg", status="registered"),
    ]

    data = data_of(made(tasks, split_of=lambda name: "val" if name == "b.jpg" else "train").page)

    text = data["texts"]
    assert (data["tasks"], data["total"], data["objects"]) == (3, 3, 3)
    assert {text[name]: count for name, count in data["statuses"]} == {"approved": 1, "sent_back": 1, "registered": 1}
    assert {text[name]: count for name, count in data["split_counts"]} == {"train": 2, "val": 1}
    assert [(name, sum(parts)) for name, _, parts, _ in data["classes"]] == [("cat", 2), ("dog", 1)]
    assert data["per_picture"] == [[0, 1], [1, 1], [2, 1]]
    assert data["attributes"] == [["Hidden", [["yes", 0, 1]]]]
    ((name, *counts),) = data["people"]
    assert (text[name], counts) == ("anna", [2, 3, 1, 40])


@pytest.mark.parametrize(
    ("seconds", "median"),
    [([30], 30), ([21, 30, 22], 22), ([20, 30, 22, 24], 23), ([1, 1, 1, 9], 1), ([0.04, 61_234], 30_600), ([], None)],
)
def test_the_median_of_a_person_is_what_one_counts_by_hand(seconds, median):
    tasks = [task(f"{at}.jpg", assignee="anna", secondsToAnnotate=each) for at, each in enumerate([*seconds, None])]

    ((*_, found),) = data_of(made(tasks).page)["people"]

    assert found == median


def test_the_cells_of_the_maps_are_those_that_the_pictures_name():
    data = data_of(made(streets(60)).page)

    for figure, at in (("sizes", 5), ("places", 6)):
        shown: dict[tuple[int, int], int] = {}
        for picture in data["pictures"]:
            for each in picture.get("o", []):
                shown[each[0], each[at]] = shown.get((each[0], each[at]), 0) + 1
        counted = {
            (row[0], cell): count for row in data[figure] for cell, count in zip(row[1::2], row[2::2], strict=True)
        }
        assert counted == shown


def test_each_kind_of_label_error_is_suspected():
    tasks = [
        *streets(300),
        task("twice.jpg", box("car", 100, 300, 180, 340), box("car", 101, 300, 181, 340)),
        task("two.jpg", box("car", 100, 300, 180, 340), box("truck", 101, 300, 181, 340)),
        task("outside.jpg", box("car", 600, 300, 680, 340)),
        task("tiny.jpg", box("sign", 100, 150, 102, 152)),
        task("huge.jpg", box("car", 0, 0, 640, 480)),
        task("empty.jpg"),
        task("rare.jpg", box("horse", 100, 300, 150, 340)),
        task("swapped.jpg", box("car", 100, 110, 112, 137)),
    ]

    found = findings(data_of(made(tasks).page))

    assert found["twice.jpg"] == ["Two boxes of car overlap by 97.5 %"]
    assert "car and truck overlap by 97.5 %" in found["two.jpg"]
    assert found["outside.jpg"] == ["50 % of car lies outside of the picture"]
    assert "sign is only 2.0 pixels across" in found["tiny.jpg"]
    assert "car covers 100 % of the picture" in found["huge.jpg"]
    assert found["empty.jpg"] == ["The task is approved, and nothing is labelled"]
    assert found["rare.jpg"] == ["horse occurs only 1 time"]
    assert "car has the size, shape and place of traffic light" in found["swapped.jpg"]


def test_the_first_hundred_show_planted_duplicates_and_swapped_classes():
    tasks = streets(2000)
    planted = plant(tasks)

    data = data_of(made(tasks).page)

    sheet = {picture["n"] for picture in data["pictures"][: data["sheet"]]}
    shown = {kind: len(names & sheet) for kind, names in planted.items()}
    assert len(sheet) <= 100
    # Boxes that moved a little, and objects that nobody drew, cannot be seen without looking at the pixels.
    assert (shown["duplicate"], shown["missing object"]) == (10, 0)
    assert shown["swapped class"] >= 8


def test_pictures_that_look_alike_are_found_and_those_with_other_labels_come_first(tmp_path):
    for number in range(6):
        picture = Image.effect_mandelbrot((64, 48), (-2 + number / 3, -1.5, 1, 1.5), 40 + number)
        picture.convert("RGB").save(tmp_path / f"{number}.png")
    Image.open(tmp_path / "0.png").save(tmp_path / "6.png")
    Image.open(tmp_path / "1.png").resize((128, 96)).save(tmp_path / "7.png")
    tasks = [task(f"{n}.png", *[box("cat", 4, 4, 30, 30)] * (n != 7), width=64, height=48) for n in range(8)]

    report = made(tasks, source=lambda record: tmp_path / record.name, compare=True)

    found = findings(data_of(report.page))
    assert "Looks like 0.png" in found["6.png"]
    assert "Looks like 1.png, with another number of objects" in found["7.png"]
    assert report.seen.compared == 8


@pytest.mark.parametrize("order", [1, -1])
def test_the_same_tasks_give_the_same_bytes(order):
    tasks = streets(400)

    assert made(tasks).page == made(tasks).page
    chosen = {picture["n"] for picture in data_of(made(tasks[::order]).page)["pictures"]}
    assert chosen == {picture["n"] for picture in data_of(made(tasks).page)["pictures"]}


def test_an_empty_data_set_has_a_report():
    report = made([])

    data = data_of(report.page)
    assert (data["tasks"], data["pictures"], data["sheet"], data["changes"]) == (0, [], 0, None)
    assert report.summary["objects"] == 0


def test_hostile_texts_never_become_markup():
    tag = {"key": HOSTILE, "name": HOSTILE, "type": "text", "value": HOSTILE}
    tasks = [
        task(HOSTILE, box(HOSTILE, 1, 1, 9, 9, color=HOSTILE, attributes=[tag]), status=HOSTILE, assignee=HOSTILE),
        task("half\ud800.jpg", box("cat\x00\x1b[31m", 1, 1, 9, 9), url="javascript:alert(1)"),
    ]

    page = made(tasks, project=HOSTILE, left_out={"skipped": {HOSTILE: 3}}, split_of=lambda _: HOSTILE).page.decode()

    assert "<img" not in page
    assert page.count("</script>") == 2
    assert "alert(1)<" not in page
    assert "javascript:" not in page
    assert "\u202e" not in page
    data = data_of(page.encode())
    assert data["classes"][0][1] == ""  # no colour but one of six digits
    assert "half\\ud800.jpg" in [picture["n"] for picture in data["pictures"]]


def test_the_policy_lets_this_program_run_and_nothing_else():
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made([]).page.decode())

    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; img-src data:; style-src 'sha256-[\w+/=]{44}'; script-src 'sha256-[\w+/=]{44}'; "
        r"base-uri 'none'; form-action 'none'",
        policy[1],
    )


def test_a_page_names_no_address():
    assert re.findall(rb"https?://[^\s\"']+", made(streets(5)).page) == [b"http://www.w3.org/2000/svg"]


def test_what_has_changed_since_the_report_before_is_told(tmp_path):
    first, second = streets(20), [*streets(20), task("new.jpg", box("horse", 1, 1, 9, 9))]

    write_report(made(first, last_report(tmp_path)), tmp_path)
    write_report(made(second, last_report(tmp_path)), tmp_path)

    changes = data_of((tmp_path / "report.html").read_bytes())["changes"]
    assert ["classes", "horse", 0, 1] in changes
    assert ["", "tasks", 20, 21] in changes
    assert not [row for row in changes if row[1] == "car"]


def test_a_report_that_is_made_again_compares_with_the_same_one_before(tmp_path):
    write_report(made(streets(20), last_report(tmp_path)), tmp_path)
    assert write_report(made(streets(30), last_report(tmp_path)), tmp_path)
    before = (tmp_path / "report.html").read_bytes()

    assert not write_report(made(streets(30), last_report(tmp_path)), tmp_path)

    assert (tmp_path / "report.html").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"contact-sheet.jpg", "report.html", "report.json"}


@pytest.mark.parametrize("stored", [b"", b"[]", b"{", b'{"tasks": 1}', b'{"tasks": "x", "pictures": 1, "objects": 1}'])
def test_counts_that_are_none_are_no_report_before(stored):
    assert made(streets(2), stored).summary["previous"] is None


def test_what_could_not_be_read_is_counted_and_leads_to_its_pictures():
    tasks = [task("a.jpg", {"type": "bbox", "value": "cat", "points": ["x"]}, {"type": "cuboid", "value": "cat"}, 7)]

    data = data_of(made(tasks, left_out={"skipped": {"unknown_class": 4}, "adjusted": {"clipped": 2}}).page)

    assert {(name, count, what) for name, count, what, _ in data["reasons"]} == {
        ("malformed", 2, "read"),
        ("unsupported_type:cuboid", 1, "read"),
        ("unknown_class", 4, "skipped"),
        ("clipped", 2, "adjusted"),
    }
    assert {data["texts"][at] for at in data["pictures"][0]["r"]} == {"malformed", "unsupported_type:cuboid"}


def test_a_page_stays_below_its_size_and_says_of_how_many_it_holds_which(tmp_path):
    dice = Image.effect_noise((640, 480), 90).convert("RGB")  # of all pictures, noise takes most bytes
    dice.save(tmp_path / "noise.jpg")
    tasks = streets(6000)

    report = made(tasks, source=lambda _: tmp_path / "noise.jpg")

    data = data_of(report.page)
    assert len(report.page) < MOST_BYTES
    assert data["total"] == 6000
    assert 100 < sum("t" in picture for picture in data["pictures"]) <= len(data["pictures"]) < 6000


def test_pictures_that_are_missing_damaged_or_pipes_are_drawn_as_outlines(tmp_path, caplog):
    import os

    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8 no picture")
    os.mkfifo(tmp_path / "pipe.jpg")
    Image.new("RGB", (64, 48), "red").save(tmp_path / "good.jpg")

    def source(record) -> Path | None:
        return None if record.name == "missing.jpg" else tmp_path / record.name

    names = ("good.jpg", "damaged.jpg", "pipe.jpg", "missing.jpg")
    report = made([task(name, box("cat", 1, 1, 9, 9)) for name in names], source=source, compare=True)

    with_picture = {picture["n"] for picture in data_of(report.page)["pictures"] if "t" in picture}
    assert with_picture == {"good.jpg"}
    assert (report.seen.wanted, report.seen.missing, report.seen.damaged) == (4, 1, 2)
    assert "damaged.jpg" in caplog.text


def test_a_photograph_is_turned_as_its_labels_are(tmp_path):
    photo = Image.new("RGB", (60, 40), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(tmp_path / "a.jpg", exif=exif)

    report = made([task("a.jpg", width=40, height=60)], source=lambda _: tmp_path / "a.jpg")

    thumbnail = data_of(report.page)["pictures"][0]["t"].partition(",")[2]
    assert Image.open(io.BytesIO(base64.b64decode(thumbnail))).size == (40, 60)


def test_sequences_videos_and_classified_pictures_are_counted():
    sequence = task("walk", {**box("cat", 1, 1, 9, 9), "content": "1.jpg"}, url=None)
    sequence["contents"] = [{"name": "1.jpg", "width": 64, "height": 48}, {"name": "2.jpg", "width": 64, "height": 48}]
    frames = {"1": {"value": [1, 1, 9, 9], "autogenerated": False}, "2": {"value": [2, 2, 9, 9]}}
    video = task("clip.mp4", {"type": "bbox", "value": "dog", "points": frames}, frameCount=2, fps=30.0)
    choice = {"key": "weather", "name": "Weather", "type": "checkbox", "value": ["rain", "night"]}
    classified = {"id": "x", "name": "c.jpg", "status": "approved", "attributes": [choice], "width": 9, "height": 9}

    data = data_of(made([sequence, video, classified]).page)

    assert (data["tasks"], data["total"], data["objects"]) == (3, 4, 2)
    assert [name for name, *_ in data["classes"]] == ["cat", "dog"]
    assert [[value for value, *_ in values] for title, values in data["attributes"]] == [["night", "rain"]]
    assert kinds(data) == {"Nothing is labelled": 1}  # the second picture of the sequence


@pytest.mark.parametrize(
    "one",
    [
        task("a.jpg", {"type": "keypoint", "value": "cat", "points": [3, 4]}),
        task("a.jpg", box("cat", 1, 1, 9, 9), width=None, height=None),
    ],
    ids=["points alone", "no sizes"],
)
def test_a_project_of_nothing_that_has_a_size_has_a_report(one):
    assert data_of(made([one]).page)["objects"] == 1


def test_the_contact_sheet_shows_the_first_pictures_and_is_the_same_again(tmp_path):
    Image.effect_mandelbrot((640, 480), (-2, -1.5, 1, 1.5), 60).convert("RGB").save(tmp_path / "a.png")
    tasks = [task(HOSTILE, box("cat", 10, 10, 200, 200), box("cat", 11, 10, 200, 200)), *streets(30)]

    report, again = (made(tasks, source=lambda _: tmp_path / "a.png") for _ in range(2))

    assert report.sheet == again.sheet
    with Image.open(io.BytesIO(report.sheet)) as sheet:
        assert (sheet.format, sheet.size) == ("JPEG", (744, 1868))
        shown = sheet.convert("RGB").resize((74, 186))
        assert len({shown.getpixel((x, y)) for x in range(5, 35) for y in range(5, 30)}) > 20


@pytest.mark.parametrize(
    "tasks",
    [
        [],
        [task("no size.jpg", box("cat", 1, 1, 9, 9), width=None, height=None)],
        [task("wide.jpg", box("cat", -90000, -5, 90000, 1e9), width=60000, height=1)],
        [task("point.jpg", {"type": "keypoint", "value": "cat", "points": [3, 4]})],
    ],
)
def test_any_picture_finds_its_place_on_the_contact_sheet(tasks):
    with Image.open(io.BytesIO(made(tasks).sheet)) as sheet:
        assert sheet.size == (376, 318)


def test_a_server_knows_a_report_by_its_first_bytes():
    report = made(streets(3))

    assert str(policy_of(report.page)).startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert is_sheet(report.sheet)
    assert policy_of(report.page[1:]) is None
    assert not is_sheet(report.sheet[1:])


def test_a_report_writes_what_belongs_beside_a_data_set():
    assert {PAGE, SHEET, SUMMARY} == {*REPORT_FILES}
