"""FastLabelCompareDatasetsOperator, as a worker runs it on what exports have published."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Asset

from airflow_provider_fastlabel.operators import FastLabelCompareDatasetsOperator, FastLabelExportCocoOperator
from tests.operators.exporting import BOX


@pytest.fixture
def compare(airflow_run, tmp_path):
    def go(**arguments):
        given = {"before": str(tmp_path / "one"), "after": str(tmp_path / "two"), **arguments}
        return airflow_run(lambda: FastLabelCompareDatasetsOperator(task_id="compare", **given)).attempt()

    return go


@pytest.fixture
def versions(client, label, export, tmp_path):
    """Export twice; meanwhile a box is moved, a picture comes, and one gets another class."""
    label("a.png", "b.png", "gone.png")
    export(FastLabelExportCocoOperator, output=str(tmp_path / "one"), include_images=True)
    tasks = {task["name"]: task for task in client.get_image_tasks("photos")}
    client.update_image_task(tasks["a.png"]["id"], annotations=[{**BOX, "points": [6, 5, 22, 25]}])
    client.update_image_task(tasks["b.png"]["id"], annotations=[{**BOX, "value": "dog"}])
    client.delete_task(tasks["gone.png"]["id"])
    label("new.png")
    export(FastLabelExportCocoOperator, output=str(tmp_path / "two"), include_images=True)


def test_it_says_what_has_changed(compare, versions, tmp_path):
    outcome = compare(output=str(tmp_path / "out"))

    assert outcome.state == "success"
    told = outcome.result
    assert (tmp_path / "out" / "comparison.md").read_text() == told.pop("markdown") + "\n"
    assert told == {
        "before": str(tmp_path / "one"),
        "after": str(tmp_path / "two"),
        "compared": True,
        "changed": True,
        "pictures": {"added": 1, "removed": 1, "changed": 0, "relabelled": 2, "compared": 2},
        "objects": {
            "added": 1, "removed": 1, "moved": 1, "resized": 0, "reshaped": 0, "reclassed": 1, "attributes": 0,
            "changed": 2, "unchanged": 0,
        },
        "unread": 0,
        "output": str(tmp_path / "out"),
    }  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "out" / "changes.jsonl").read_text().splitlines()]
    assert [(line["picture"], line["what"]) for line in lines] == [
        ("new.png", ["picture added"]),
        ("gone.png", ["picture removed"]),
        ("a.png", ["moved"]),
        ("b.png", ["reclassed"]),
        ("gone.png", ["removed"]),
        ("new.png", ["added"]),
    ]
    assert lines[2]["before"]["box"] == [4, 5, 20, 25]
    assert lines[2]["after"]["box"] == [6, 5, 22, 25]


def test_without_an_output_nothing_is_written(compare, versions, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    told = compare().result
    assert told["output"] is None
    assert "1 moved" in told["markdown"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("before", [None, "", "nowhere"])
def test_a_missing_version_is_said(compare, versions, tmp_path, before):
    place = before and str(tmp_path / before)
    outcome = compare(before=place, output=str(tmp_path / "out"))
    assert outcome.state == "success"
    assert outcome.result == {
        "before": place or None,
        "after": str(tmp_path / "two"),
        "compared": False,
        "output": None,
        "markdown": "There is no earlier version to compare with.",
    }
    assert not (tmp_path / "out").exists()


def test_a_missing_later_version_fails(compare, versions, tmp_path):
    outcome = compare(after=str(tmp_path / "nowhere"))
    assert outcome.state == "failed"
    assert "no published data set" in str(outcome.error)


def test_assets_get_the_counts(airflow_run, versions, tmp_path):
    asset = Asset("photos", uri="fastlabel://somewhere/photos")
    given: Any = {"before": str(tmp_path / "one"), "after": str(tmp_path / "two"), "outlets": [asset]}
    run = airflow_run(lambda: FastLabelCompareDatasetsOperator(task_id="compare", **given))
    outcome = run.attempt()
    (event,) = run.supervisor.last.outlet_events
    counts = {name: outcome.result[name] for name in ("compared", "changed", "pictures", "objects", "unread")}
    assert event["extra"] == {**counts, "place": f"file://{tmp_path}/two"}


def test_the_output_may_be_the_later_version(compare, versions, tmp_path, export):
    """The next export leaves the files where they are."""
    compare(output=str(tmp_path / "two"))
    outcome = export(FastLabelExportCocoOperator, output=str(tmp_path / "two"), include_images=True)
    assert outcome.state == "success"
    assert (tmp_path / "two" / "comparison.json").is_file()
