"""What Airflow's OpenLineage provider reports of our tasks: folder -> project -> data set, with facts, and no files."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from airflow.providers.openlineage.extractors.manager import ExtractorManager
from airflow.sdk import Asset
from airflow.utils.state import TaskInstanceState

from airflow_provider_fastlabel.operators import (
    FastLabelCheckDatasetOperator,
    FastLabelCreateTasksFromFolderOperator,
    FastLabelDeleteTasksOperator,
    FastLabelExecuteEndpointOperator,
    FastLabelExportCocoOperator,
    FastLabelPushMonitoringResultsOperator,
    FastLabelScorecardOperator,
    FastLabelSendBackOperator,
    FastLabelUpdateTasksOperator,
)
from tests.airflow_fixtures import PNG


@pytest.fixture
def lineage_of(airflow_run):
    """Run an operator once and return how it ended and what the OpenLineage provider makes of it."""

    def go(operator, **arguments):
        run = airflow_run(lambda: operator(task_id="task", **arguments))
        outcome = run.attempt()
        state = TaskInstanceState.SUCCESS if outcome.state == "success" else TaskInstanceState.FAILED
        found = ExtractorManager().extract_metadata(
            SimpleNamespace(run_id="run"), run.instance.task, state, run.instance
        )
        return outcome, found

    return go


def names(datasets):
    return [(each.namespace, each.name) for each in datasets]


@pytest.fixture
def photos_node(emulator):
    return f"fastlabel://{urlsplit(emulator.url).netloc}", "photos"


def test_an_import_leads_from_the_folder_to_the_project(lineage_of, client, tmp_path, photos_node):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(PNG)
    outcome, found = lineage_of(FastLabelCreateTasksFromFolderOperator, project="photos", folder=str(folder))
    assert outcome.result["created"] == 2
    assert names(found.inputs) == [("file", str(folder))]
    assert names(found.outputs) == [photos_node]
    assert found.outputs[0].outputFacets["outputStatistics"].rowCount == 2


def test_an_import_that_failed_names_its_places_without_counts(lineage_of, client, tmp_path, photos_node):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("no picture")
    outcome, found = lineage_of(FastLabelCreateTasksFromFolderOperator, project="photos", folder=str(tmp_path / "in"))
    assert outcome.state == "failed"
    assert (names(found.inputs), names(found.outputs)) == ([("file", str(tmp_path / "in"))], [photos_node])
    assert not getattr(found.outputs[0], "outputFacets", None)


def test_an_export_leads_from_the_project_to_the_data_set(lineage_of, label, tmp_path, photos_node):
    label("a.png", "b.png")
    outcome, found = lineage_of(FastLabelExportCocoOperator, project="photos", output=str(tmp_path / "coco"))
    assert names(found.inputs) == [photos_node]
    (written,) = found.outputs
    assert (written.namespace, written.name) == ("file", str(tmp_path / "coco"))
    assert written.facets["version"].datasetVersion == outcome.result["sha256"]
    assert [field.name for field in written.facets["schema"].fields] == outcome.result["classes"]
    statistics = written.outputFacets["outputStatistics"]
    assert (statistics.rowCount, statistics.fileCount) == (2, outcome.result["files"])


def test_an_export_that_failed_has_written_nothing(lineage_of, project, tmp_path, photos_node):
    outcome, found = lineage_of(FastLabelExportCocoOperator, project="photos", output=str(tmp_path / "coco"))
    assert outcome.state == "failed"
    assert (names(found.inputs), names(found.outputs)) == ([photos_node], [])


def test_an_export_to_a_bucket_is_one_data_set_and_the_declared_outlets_stay(lineage_of, label, s3, photos_node):
    label("a.png")
    _, found = lineage_of(
        FastLabelExportCocoOperator,
        project="photos",
        output="s3://sets/deep/coco",
        output_conn_id=s3.conn,
        include_images=True,
        outlets=[Asset("file:///data/catalogue"), Asset("fastlabel://api.fastlabel.ai/archive"), Asset("words")],
    )
    assert names(found.inputs) == [photos_node]
    assert names(found.outputs) == [
        ("s3://sets", "deep/coco"), ("file", "/data/catalogue"), ("fastlabel://api.fastlabel.ai", "archive"),
    ]  # fmt: skip


@pytest.mark.parametrize("operator", [FastLabelUpdateTasksOperator, FastLabelDeleteTasksOperator])
def test_changes_are_written_to_the_project(lineage_of, fill, photos_node, operator):
    ids = fill("a.png", "b.png")
    change = {"status": "approved"} if operator is FastLabelUpdateTasksOperator else {}
    _, found = lineage_of(operator, project="photos", task_ids=list(ids.values()), **change)
    assert (names(found.inputs), names(found.outputs)) == ([], [photos_node])
    assert found.outputs[0].outputFacets["outputStatistics"].rowCount == 2


@pytest.mark.parametrize("pictures", [("a.png", "b.png"), ()], ids=["two pictures", "failed, for there is none"])
def test_an_endpoint_leads_from_folder_to_folder_once_it_has_written(lineage_of, emulator, client, tmp_path, pictures):
    emulator.control("PUT", "endpoints", {"name": "e", "detections": []})
    (tmp_path / "in").mkdir()
    for name in pictures:
        (tmp_path / "in" / name).write_bytes(PNG)
    outcome, found = lineage_of(
        FastLabelExecuteEndpointOperator, endpoint_name="e", folder=str(tmp_path / "in"), output=str(tmp_path / "out")
    )
    assert outcome.state == ("success" if pictures else "failed")
    assert names(found.inputs) == [("file", str(tmp_path / "in"))]
    assert names(found.outputs) == [("file", str(tmp_path / "out"))] * bool(pictures)
    assert [one.outputFacets["outputStatistics"].rowCount for one in found.outputs] == [2] * bool(pictures)


def test_a_push_reports_what_the_dag_declares_and_not_the_file_of_results(lineage_of, client, tmp_path):
    (tmp_path / "results.jsonl").write_text("")
    _, found = lineage_of(
        FastLabelPushMonitoringResultsOperator,
        name="m",
        results_path=f"file://{tmp_path}/results.jsonl",
        inlets=[Asset("fastlabel://api.fastlabel.ai/photos")],
    )
    assert names(found.inputs) == [("fastlabel://api.fastlabel.ai", "photos")]
    assert found.outputs == []


def test_without_the_provider_nothing_of_openlineage_is_imported():
    code = (
        "import sys; import airflow_provider_fastlabel.operators as o; [getattr(o, n) for n in o.__all__];"
        "print([m for m in sys.modules if m.startswith(('openlineage', 'airflow.providers.openlineage.extractors'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("mode", ["fail", "warn"])
def test_checks_are_assertions_about_the_data_set(lineage_of, label, tmp_path, mode):
    label("a.png")
    place = str(tmp_path / "coco")
    lineage_of(FastLabelExportCocoOperator, project="photos", output=place)
    checks = [{"check": "tiny_boxes"}, {"check": "objects_per_class", "at_least": 9, "severity": "fail"}]
    outcome, found = lineage_of(FastLabelCheckDatasetOperator, dataset=place, checks=checks, mode=mode)
    assert outcome.state == {"fail": "failed", "warn": "success"}[mode]
    assert (names(found.inputs), found.outputs) == ([("file", place)], [])
    tiny, few = found.inputs[0].inputFacets["dataQualityAssertions"].assertions
    assert (tiny.assertion, tiny.success) == ("tiny_boxes", True)
    assert (few.assertion, few.success) == ("objects_per_class", False)
    said = {
        "severity": "error",
        "expected": "at least 9 objects of each of 2 classes",
        "actual": "2 classes have fewer",
    }
    for name, value in said.items():
        assert getattr(few, name, value) == value, name  # earlier releases of OpenLineage lack some of these fields


def test_a_check_that_could_not_begin_says_what_it_would_have_read(lineage_of, tmp_path):
    checks = [{"check": "agreement"}]
    place, other = str(tmp_path / "mine"), str(tmp_path / "yours")
    outcome, found = lineage_of(FastLabelCheckDatasetOperator, dataset=place, checks=checks, second_dataset=other)
    assert outcome.state == "failed"
    assert names(found.inputs) == [("file", place), ("file", other)]
    assert not found.inputs[0].inputFacets


def test_a_scorecard_and_what_goes_back_to_people_name_what_they_read(lineage_of, client, tmp_path, photos_node):
    coco = {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "cat"}]}
    found = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.9}
    place, output = tmp_path / "v1.json", tmp_path / "scores"
    place.write_text(json.dumps({**coco, "annotations": [found]}))
    given = {"prelabels": {"v1": str(place)}, "output": str(output)}
    outcome, scored = lineage_of(FastLabelScorecardOperator, project="photos", **given)
    assert outcome.state == "success", outcome.error
    assert names(scored.inputs) == [photos_node, ("file", str(place))]
    assert names(scored.outputs) == [("file", str(output))]
    _, failed = lineage_of(FastLabelScorecardOperator, dataset=str(tmp_path / "none"), **given)
    assert (names(failed.inputs)[0], names(failed.outputs)) == (("file", str(tmp_path / "none")), [])
    outcome, sent = lineage_of(FastLabelSendBackOperator, project="photos", predictions=str(place))
    assert outcome.state == "success", outcome.error
    assert names(sent.inputs) == [photos_node, ("file", str(place))]
