"""FastLabelReportOperator, as a worker runs it against the emulator."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from airflow.sdk.io import attach

from airflow_provider_fastlabel.operators import FastLabelExportCocoOperator, FastLabelReportOperator
from tests.operators.exporting import BOX

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def report(airflow_run, tmp_path):
    def go(**arguments):
        given = {"project": "photos", "output": str(tmp_path / "report"), **arguments}
        return airflow_run(lambda: FastLabelReportOperator(task_id="report", **given)).attempt()

    return go


def shown(folder: Path) -> Any:
    text = (folder / "report.html").read_text(encoding="utf-8")
    return json.loads(text.partition('<script id="data" type="application/json">')[2].partition("</script>")[0])


def photographs(folder: Path) -> int:
    return sum("t" in picture for picture in shown(folder)["pictures"])


def test_it_reports_all_tasks_whatever_their_status(report, label, tmp_path):
    label("a.png", "b.png")
    label("c.png", status="registered", annotations=[])

    outcome = report()

    assert outcome.state == "success"
    page = (tmp_path / "report" / "report.html").read_bytes()
    assert outcome.result == {
        "output": str(tmp_path / "report"),
        "report": str(tmp_path / "report" / "report.html"),
        "tasks": 3,
        "pictures": 3,
        "objects": 2,
        "suspicions": {},
        "photographs_missing": 3,
        "photographs_damaged": 0,
        "bytes": len(page),
        "sha256": hashlib.sha256(page).hexdigest(),
        "changed": True,
        "markdown": (
            "[![The most suspicious labels](fastlabel/datasets/dag/run/report/-1/contact-sheet.jpg)]"
            "(dags/dag/runs/run/tasks/report/plugin/fastlabel-dataset)\n\n"
            "[The whole report](dags/dag/runs/run/tasks/report/plugin/fastlabel-dataset)\n"
        ),
    }
    assert photographs(tmp_path / "report") == 0


def test_it_downloads_photographs_where_they_are_wanted(report, label, tmp_path):
    label("a.png", "folder/b.png")

    outcome = report(include_images=True)

    assert (outcome.result["photographs_missing"], photographs(tmp_path / "report")) == (0, 2)


def test_it_shows_the_photographs_of_a_data_set_and_lies_within_it(report, export, label, tmp_path):
    label("a.png", "b.png", annotations=[BOX, {**BOX, "points": [30, 20, 90, 90]}])
    place = str(tmp_path / "set")
    assert export(FastLabelExportCocoOperator, output=place, include_images=True).state == "success"

    assert report(output=place, dataset=place).state == "success"

    data = shown(tmp_path / "set")
    assert photographs(tmp_path / "set") == 2
    assert ["clipped", 2, "adjusted"] in [row[:3] for row in data["reasons"]]
    label("c.png")
    assert export(FastLabelExportCocoOperator, output=place, include_images=True).result["changed"]
    assert (tmp_path / "set" / "report.html").exists()


def test_made_again_it_is_the_same_and_later_it_tells_the_change(report, label, tmp_path):
    label("a.png")
    assert report().result["changed"]
    assert not report().result["changed"]
    label("b.png")

    assert report().result["changed"]

    assert ["", "tasks", 1, 2] in shown(tmp_path / "report")["changes"]


def test_what_an_export_left_out_leads_to_its_pictures(report, export, client, label, tmp_path):
    client.create_annotation("photos", "keypoint", "nose", "Nose")
    label("a.png", annotations=[{"type": "keypoint", "value": "nose", "points": [3, 4]}])
    label("b.png")
    place = str(tmp_path / "set")
    assert export(FastLabelExportCocoOperator, output=place).state == "success"

    assert report(dataset=place).state == "success"

    data = shown(tmp_path / "report")
    ((reason, count, what, text),) = data["reasons"]
    assert (reason, count, what) == ("unsupported_type:keypoint", 1, "skipped")
    assert [picture["n"] for picture in data["pictures"] if text in picture.get("r", ())] == ["a.png"]


def test_it_shows_what_has_changed_since_an_earlier_version(report, export, client, label, tmp_path):
    label("a.png", "gone.png")
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert export(FastLabelExportCocoOperator, output=one, include_images=True).state == "success"
    tasks = {task["name"]: task["id"] for task in client.get_image_tasks("photos")}
    client.update_image_task(tasks["a.png"], annotations=[{**BOX, "value": "dog"}])
    client.delete_task(tasks["gone.png"])
    assert export(FastLabelExportCocoOperator, output=two, include_images=True).state == "success"

    outcome = report(dataset=two, before=one)

    since = shown(tmp_path / "report")["since"]
    assert (since["title"], since["sides"]) == ("one", [[2, 2], [1, 1]])
    assert since["swaps"] == [["cat", "dog", 1]]
    assert since["changes"][0]["t"].startswith("data:image/webp;base64,")
    told = outcome.result["since_last_version"]
    assert (told["pictures"]["removed"], told["objects"]["reclassed"]) == (1, 1)
    assert not report(dataset=two, before=one).result["changed"]


def test_an_earlier_version_needs_a_later_one_and_a_missing_one_is_said(report, export, label, tmp_path):
    label("a.png")
    place = str(tmp_path / "set")
    assert export(FastLabelExportCocoOperator, output=place).state == "success"

    assert "`before` is given without `dataset`" in str(report(before=place).error)

    outcome = report(dataset=place, before=str(tmp_path / "none"))
    assert outcome.state == "success"
    assert "since_last_version" not in outcome.result
    assert shown(tmp_path / "report")["since"]["note"] == "There is no earlier version to compare with."


def test_an_expired_address_is_asked_for_anew(report, label, emulator, tmp_path, monkeypatch):
    from airflow_provider_fastlabel.client.http.transport import Transport

    label("a.png")
    download = Transport.download
    tries = []

    def late(self, url, target, **more):
        tries.append(url)
        if len(tries) == 1:
            emulator.advance(7200)
        return download(self, url, target, **more)

    monkeypatch.setattr(Transport, "download", late)

    assert report(include_images=True).state == "success"
    assert (len(tries), photographs(tmp_path / "report")) == (2, 1)


def test_an_empty_project_has_a_report(report, project):
    assert report().result["tasks"] == 0


def test_a_project_that_does_not_exist_is_named(report, project, tmp_path):
    outcome = report(project="nobody")

    assert "No report was made" in str(outcome.error)
    assert not (tmp_path / "report").exists()


def test_a_place_without_a_data_set_is_named(report, label, tmp_path):
    label("a.png")

    outcome = report(dataset=str(tmp_path))

    assert "is no published data set" in str(outcome.error)
    assert not (tmp_path / "report").exists()


def test_it_is_written_to_an_object_store_from_a_data_set_in_one(report, export, label, tmp_path):
    filesystem = fsspec.filesystem("memory")
    attach("memory", fs=filesystem)
    place = f"memory:///{tmp_path.name}"
    label("a.png")
    assert export(FastLabelExportCocoOperator, output=f"{place}/set", include_images=True).state == "success"

    outcome = report(output=f"{place}/report", dataset=f"{place}/set")

    assert (outcome.result["photographs_missing"], outcome.result["report"]) == (0, f"{place}/report/report.html")
    assert len(filesystem.cat_file(f"/{tmp_path.name}/report/report.html")) == outcome.result["bytes"]
    assert not report(output=f"{place}/report", dataset=f"{place}/set").result["changed"]
