"""An export is run without Airflow; the operators' tests cover the rest."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.pipelines.exports.publish import destination
from airflow_provider_fastlabel.pipelines.exports.run import Export
from tests.operators.exporting import BOX, png


@pytest.fixture
def client(fastlabel_emulator, tmp_path):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("image_bbox", "Cats", "cats")
        client.create_project("text_ner", "Words", "words")
        client.create_annotation("cats", "bbox", "cat", "Cat")
        picture = tmp_path / "a.png"
        picture.write_bytes(png())
        client.create_image_task("cats", "a.png", picture, status="approved", annotations=[BOX])
        yield client


@pytest.fixture
def export(client, tmp_path):
    def make(project="cats", status="approved", images=True):
        return Export(
            client=client,
            destination=destination(tmp_path / "out"),
            filters={"project": project, "status": status, "external_status": None, "tags": []},
            kinds=("image",),
            format="labelme",
            write=lambda tasks, folder, classes, *_: export_labelme(tasks, folder, classes=classes),
            images_folder=lambda _, folder: folder / "images" if images else None,
            earlier_places=(lambda name: (f"images/{name}",)) if images else None,
        )

    return make


def test_the_data_set_is_published_with_its_images_and_what_it_was_selected_by(export, tmp_path):
    report, published = export().run()
    assert (report.images, report.annotations, published.changed) == (1, 1, True)
    assert (tmp_path / "out/images/a.png").read_bytes() == png()
    manifest = json.loads((tmp_path / "out/manifest.json").read_bytes())
    assert manifest["filters"] == {"project": "cats", "status": "approved", "external_status": None, "tags": []}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_same_tasks_change_nothing(export):
    first = export().run()[1]
    again = export().run()[1]
    assert (again.digest, again.changed) == (first.digest, False)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"project": "dogs"}, NotFound, "Project 'dogs' does not exist"),
        ({"project": "words"}, FastLabelInvalidException, "is of type text_ner; labelme exports are for image tasks"),
        ({"status": "declined"}, ValueError, "No task of project 'cats' matches status='declined'; the project has 1"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_published(export, tmp_path, wrong, error, words):
    with pytest.raises(error, match=words) as caught:
        export(**wrong).run()
    assert "Nothing was published" in str(caught.value)
    assert not (tmp_path / "out").exists()


def downloading():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("fastlabel-picture")]


@pytest.fixture
def slow(client, fastlabel_emulator, tmp_path):
    """More pictures than are fetched ahead; the second that is asked for takes long, the first as long as is told."""
    for number in range(9):
        client.create_image_task("cats", f"{number}.png", tmp_path / "a.png", status="approved")

    def tell(first):
        for fault in (first, {"kind": "slow", "seconds": 1}, {"kind": "slow", "seconds": 1}):
            fastlabel_emulator.faults({"method": "GET", "path": "storage/files", "times": 1, **fault})

    return tell


def test_an_export_that_fails_leaves_nothing_behind_and_nothing_running(export, tmp_path, slow):
    slow({"kind": "status", "status": 404})
    with pytest.raises(NotFound):
        replace(export(), workers=2).run()
    assert downloading() == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_writer_that_fails_leaves_nothing_behind_and_nothing_running(export, tmp_path, slow):
    def write(tasks, *_):
        next(iter(tasks))
        raise OSError("the disk is gone")

    slow({"kind": "slow", "seconds": 0})
    with pytest.raises(OSError, match="the disk is gone"):
        replace(export(), workers=1, write=write).run()
    assert downloading() == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.fixture
def sequences(client, fastlabel_emulator, tmp_path):
    """A project of six pages: sequences are listed by ten."""
    client.create_project("sequential_image_bbox", "Rides", "rides")
    client.create_annotation("rides", "bbox", "cat", "Cat")
    folder = tmp_path / "ride"
    folder.mkdir()
    (folder / "a.png").write_bytes(png())
    for number in range(46):
        client.create_sequential_image_task("rides", f"{number:02}", folder, status="approved")

    def listed():
        return fastlabel_emulator.requests(method="GET", path="tasks/sequential-image")

    return listed


def test_the_next_page_is_asked_for_while_the_writer_works_on_one_and_no_call_is_spent_on_it(
    client, export, sequences, fastlabel_emulator
):
    fastlabel_emulator.clear_requests()
    before = client.quota.remaining()

    def write(tasks, folder, classes, _images, _left_out):
        first = next(iter(tasks))
        until = time.monotonic() + 20
        while len(sequences()) < 2:  # the page of the first task, and the next
            assert time.monotonic() < until
            time.sleep(0.01)
        return export_labelme([first, *tasks], folder, classes=classes)

    report, _ = replace(export("rides", images=False), kinds=("sequential_image",), write=write).run()
    assert report.images == 46
    assert sorted(int(call["query"].get("offset", 0)) for call in sequences()) == [0, 9, 18, 27, 36, 45]
    sent = [call for call in fastlabel_emulator.requests() if call["status"] is not None]
    assert {call["status"] for call in sent} == {200}
    assert client.quota.remaining() == before - len(sent)


@pytest.mark.parametrize("left", [0, 1, 9, 10, 19, 46])
def test_reading_ahead_costs_an_export_no_call(client, export, sequences, fastlabel_emulator, left):
    for task in list(client.iter_tasks("rides", "sequential_image"))[left:]:
        client.delete_task(task["id"])
    fastlabel_emulator.clear_requests()
    list(client.iter_tasks("rides", "sequential_image", status="approved"))
    plain = len(sequences())
    fastlabel_emulator.clear_requests()
    replace(export("rides", images=False), kinds=("sequential_image",), allow_empty=True).run()
    assert len(sequences()) == plain
