"""The report in a real browser: what a click reaches, what people see, and what never happens."""

from __future__ import annotations

import copy
import random

import pytest
from PIL import Image

from airflow_provider_fastlabel.pipelines.comparisons.since import changes_since
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset
from airflow_provider_fastlabel.pipelines.reports.run import Report, last_report, write_report
from tests.browser import SCREENS, browser
from tests.pipelines.reports.labelled import HOSTILE, box, streets, task
from tests.pipelines.versions import publish_version

OPENED = "document.querySelectorAll('dialog[open] :is(.shot, .sides svg, .names li)').length"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report with everything in it, and one before it."""
    folder = tmp_path_factory.mktemp("report")
    Image.effect_mandelbrot((640, 480), (-2, -1.5, 1, 1.5), 60).convert("RGB").save(folder / "photo.jpg")
    people, states = ("anna", "ben", HOSTILE), ("approved", "approved", "sent_back", "completed")
    tasks = [*streets(150), task("wrong.jpg", box("car", 100, 300, 180, 340), box("car", 101, 300, 181, 340))]
    tasks += [task("empty.jpg"), task(HOSTILE, box(HOSTILE, 600, 300, 690, 340), {"type": "bbox", "value": "x"})]
    for number, one in enumerate(tasks):
        one.update(assignee=people[number % 3], secondsToAnnotate=30 + number, status=states[number % 4])
        for annotation in one["annotations"]:
            annotation["attributes"] = [{"key": "hidden", "name": "Hidden", "value": number % 2 == 0}]
    dice, before = random.Random(3), copy.deepcopy(tasks)
    for one in before[:150:2]:
        first = dice.choice(one["annotations"])
        first["points"] = [number + 2 for number in first["points"]]
        if dice.random() < 0.3:
            first["value"] = dice.choice(["car", "person", HOSTILE])
    gone = task("gone.jpg", box("car", 9, 9, 90, 90))
    one = publish_version(folder, "monday", [*before[3:], gone], pictures={"wrong.jpg": 3})
    two = publish_version(folder, "tuesday", tasks, pictures={"wrong.jpg": 4})
    made = Report(
        since=changes_since(PublishedDataset(two), one),
        project="streets",
        source=lambda _: folder / "photo.jpg",
        split_of=lambda name: "val" if name.endswith("3.jpg") else "train",
        left_out={"adjusted": {"tasks_empty": 1, "clipped": 1}},
    )
    write_report(made.make(streets(40)), folder)
    write_report(made.make(tasks, last_report(folder)), folder)
    return folder / "report.html"


def figure(title: str) -> str:
    """Return how the page finds a figure by its title."""
    return f"[...document.querySelectorAll('section')].find(each => each.querySelector('h2').textContent === '{title}')"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("title", "what"),
    [
        ("Status", ".bar"),
        ("Split", ".bar"),
        ("Class balance", ".bar"),
        ("Objects per picture", ".bar"),
        ("Size and shape of boxes", ".map button:not([data-empty])"),
        ("Where objects are", ".map button:not([data-empty])"),
        ("Hidden", ".bar"),
        ("Annotators: pace and rework", ".plot button"),
        ("Annotators: pace and rework", "td:first-child button"),
        ("Annotators: pace and rework", "td:last-child button"),
        ("Left out or adjusted", "button.bar"),
        ("Change since the last report", "td button"),
        ("Changes since monday", ".pair .bar:not(.none)"),
        ("Changes since monday", ".classes button.chip"),
        ("Changes since monday", ".chips button.chip"),
        ("Changes since monday", ".shot"),
    ],
)
def test_every_bar_point_and_cell_reaches_its_pictures(page, report, title, what):
    page.open(report)
    marks = f"{figure(title)}.querySelectorAll('{what}')"
    assert page.run(f"{marks}.length") > 0

    without = page.run(
        f"[...{marks}].filter(mark => {{ mark.click(); const found = {OPENED};"
        " document.querySelector('dialog').close(); return !found; }).map(mark => mark.textContent)"
    )

    assert without == []


@pytest.mark.slow
def test_a_changed_object_is_shown_before_and_after_and_in_its_whole_picture(page, report):
    page.open(report)
    since = figure("Changes since monday")
    bars = f"[...{since}.querySelectorAll('.bar')]"
    names = page.run(f"{bars}.map(each => each.querySelector('.name').textContent)")
    assert names == ["added", "removed", "changed", "relabelled", "added", "removed", "moved", "resized", "reshaped",
                     "reclassed", "with other attributes"]  # fmt: skip
    assert page.run(f"{bars}.filter(each => each.matches('.none')).every(each => each.textContent.endsWith('0'))")

    page.run(f"{bars}.filter(each => each.textContent.startsWith('moved'))[0].click()")
    assert page.run("document.querySelector('dialog h2').textContent") == "Objects moved"
    page.run("document.querySelector('dialog .shot').click()")
    outlines = "[...document.querySelectorAll('dialog .sides svg')].map(each => each.lastChild.getAttribute('class'))"
    assert page.run(outlines) == ["before", "after"]
    assert page.faults("document.querySelector('dialog')") == []
    page.run("[...document.querySelectorAll('dialog .body button')].at(-1).click()")
    assert page.run("document.querySelectorAll('dialog .large svg').length") == 1
    page.run("document.querySelector('dialog .bar-top button').click()")
    page.run("document.querySelector('dialog .bar-top button').click()")
    assert page.run("document.querySelector('dialog h2').textContent") == "Objects moved"


@pytest.mark.slow
def test_the_maps_of_one_class_reach_pictures_of_that_class(page, report):
    page.open(report)
    page.run(
        "const choice = document.getElementById('class'); choice.value = '1'; choice.dispatchEvent(new Event('change'))"
    )
    name = page.run("document.getElementById('class').selectedOptions[0].textContent")

    page.run(f"{figure('Where objects are')}.querySelector('.map button:not([data-empty])').click()")

    assert page.run("document.querySelector('dialog h2').textContent").startswith(f"{name}: ")
    assert page.run(OPENED) > 0
    page.run("document.querySelector('dialog .shot').click()")
    assert name in page.run("document.querySelector('dialog .objects').textContent")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), SCREENS)
def test_nothing_is_loaded_cut_off_or_complained_of_and_axe_finds_no_fault(page, report, width, dark):
    page.requests.clear()
    page.complaints.clear()

    page.open(report, width=width, height=844, dark=dark)

    assert page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.faults() == []
    for what in ("button.bar", "dialog .shot"):
        page.run(f"document.querySelector('{what}').click()")
        assert page.run("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0
        assert page.faults("document.querySelector('dialog')") == []
    assert set(page.requests) == {report.as_uri()}
    assert page.complaints == []


@pytest.mark.slow
def test_axe_would_find_a_fault(page, report):
    page.open(report)
    page.run("main.append(document.createElement('img'))")

    assert page.faults()[0].startswith("critical image-alt")


@pytest.mark.slow
def test_the_keyboard_reaches_a_picture_and_comes_back(page, report):
    page.open(report)
    page.run(f"{figure('Where objects are')}.querySelector('.map button').focus()")
    for key in ("ArrowRight", "ArrowDown"):
        page.press(key)
    assert page.run("document.activeElement.dataset.cell") == "11"
    page.run(f"{figure('Class balance')}.querySelector('.bar').focus()")

    page.press("Enter")
    assert page.run(OPENED) > 0
    page.press("Escape")

    assert page.run("document.querySelector('dialog').open") is False
    assert page.run("document.activeElement.className") == "bar"


@pytest.mark.slow
def test_an_empty_report_opens(page, tmp_path):
    write_report(Report(project="none").make([]), tmp_path)
    page.complaints.clear()

    page.open(tmp_path / "report.html")

    assert "The data set is empty" in page.run("document.body.innerText")
    assert "No earlier report at this place has other counts" in page.run("document.body.innerText")
    assert page.complaints == []


@pytest.mark.slow
def test_hostile_texts_are_shown_as_texts(page, report):
    page.complaints.clear()
    page.open(report)
    names = page.run("[...document.querySelectorAll('.bar .name')].map(each => each.textContent)")

    assert any(name.startswith("</script><script>alert(1)") for name in names)
    assert page.run("document.querySelectorAll('img, main script').length") == 0
    assert page.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, ["The one picture is in this file, 0 as photographs.", "No earlier report at this place has other counts"]),
        (2, ["All 2 pictures are in this file, 0 as photographs."]),
    ],
)
def test_one_is_one_in_the_words_of_the_page(page, tmp_path, count, said):
    made = Report(project="few", source=lambda _: None)
    for _ in ("a night", "the next"):
        tasks = [task(f"{at}.jpg", box("car", 9, 9, 90, 90)) for at in range(count)]
        write_report(made.make(tasks, last_report(tmp_path)), tmp_path)

    page.open(tmp_path / "report.html")

    text = page.run("document.body.innerText")
    assert [words for words in said if words not in text] == []


@pytest.mark.slow
def test_a_change_of_one_count_is_one(page, tmp_path):
    Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 60).convert("RGB").save(tmp_path / "photo.jpg")
    splits = ["train"]
    made = Report(project="few", source=lambda _: tmp_path / "photo.jpg", split_of=lambda _: splits[0])
    for splits[0] in ("", "val"):  # a picture that is in no split counts in none
        write_report(made.make([task("a.jpg", box("car", 9, 9, 90, 90))], last_report(tmp_path)), tmp_path)

    page.open(tmp_path / "report.html")

    text = page.run("document.body.innerText")
    assert "in this file, 1 as a photograph." in text
    assert "1 count differs from the report before." in text


@pytest.mark.slow
def test_every_annotator_can_be_shown(page, tmp_path):
    tasks = [task(f"{at}.jpg", assignee=f"person {at}", secondsToAnnotate=60) for at in range(130)]
    write_report(Report(project="crowd", source=lambda _: None).make(tasks), tmp_path)

    page.open(tmp_path / "report.html")
    rows = f"{figure('Annotators: pace and rework')}.querySelectorAll('tbody tr').length"
    assert page.run(rows) == 100
    page.run(f"{figure('Annotators: pace and rework')}.querySelector('.more button').click()")

    assert page.run(rows) == 130


@pytest.mark.slow
def test_annotators_of_one_pace_stay_within_their_figure(page, tmp_path):
    tasks = [
        task(f"{at}.jpg", assignee=f"person {at}", secondsToAnnotate=60, status="sent_back" if at % 2 else "approved")
        for at in range(40)
    ]
    write_report(Report(project="crowd", source=lambda _: None).make(tasks), tmp_path)

    page.open(tmp_path / "report.html")

    bottoms = page.run("[...document.querySelectorAll('.plot button')].map(each => parseFloat(each.style.bottom))")
    assert len(bottoms) == 40
    assert (min(bottoms) >= 0, max(bottoms) <= 100) == (True, True)
