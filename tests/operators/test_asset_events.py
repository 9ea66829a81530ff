"""What the events of a task's outlets say, and when there are none: as a worker hands them to Airflow."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Asset, AssetAlias

from airflow_provider_fastlabel.operators import (
    FastLabelApplyProjectOperator,
    FastLabelCheckDatasetOperator,
    FastLabelCopyProjectOperator,
    FastLabelCreateClassesFromDatasetOperator,
    FastLabelCreateTasksFromFolderOperator,
    FastLabelCreateTasksFromS3Operator,
    FastLabelExecuteEndpointOperator,
    FastLabelExportCocoOperator,
    FastLabelReportOperator,
    FastLabelRunTrainingJobOperator,
    FastLabelUpdateTasksOperator,
)
from tests.airflow_fixtures import PNG, later, settle

ALIAS = AssetAlias("written")
PLAIN = Asset("photos", uri="fastlabel://somewhere/photos")


@pytest.fixture
def events_of(airflow_run):
    """Run a task with outlets; returns what it told, by what declares it, and how its try ended."""

    def go(make, *outlets, **tries):
        run = airflow_run(lambda: make(task_id="task", outlets=list(outlets)))
        outcome = run.attempt(**tries)
        assert outcome.state == "success", outcome.error
        sent = run.supervisor.last
        told: dict[str, Any] = {}
        for event in sent.outlet_events:
            told[event.get("source_alias_name") or event["dest_asset_key"]["name"]] = event
        return told, [outlet.name for outlet in sent.task_outlets], outcome

    return go


@pytest.fixture
def export(client, fill, tmp_path):
    """Make an export of a project with an approved task to a folder whose name no URI may hold as it is."""
    fill("a.png", status="approved")
    folder = tmp_path / "set #1"

    def make(**more):
        return lambda **arguments: FastLabelExportCocoOperator(
            project="photos", output=str(folder), **arguments, **more
        )

    make.uri = f"file://{tmp_path}/set%20%231"  # type: ignore[attr-defined]
    return make


def test_an_export_tells_counts_digest_version_and_place(export, events_of):
    told, declared, outcome = events_of(export(), PLAIN, ALIAS)
    assert declared == ["photos", "written"]
    facts = {name: outcome.result[name] for name in ("output", "format", "images", "annotations", "sha256", "changed")}
    extra = told["photos"]["extra"]
    assert facts.items() <= extra.items()
    assert (extra["version"], extra["place"]) == (outcome.result["sha256"][:12], export.uri)
    assert told["written"]["extra"] == extra
    assert told["written"]["dest_asset_key"] == {"name": export.uri, "uri": export.uri}


def test_an_alias_finds_the_asset_that_a_dag_declares_there(export, events_of, monkeypatch):
    from airflow.sdk.execution_time import comms

    from tests import airflow_run as playing

    answer = playing.Supervisor.send

    def send(self, msg):
        if isinstance(msg, comms.GetAssetByUri):
            return comms.AssetResult(name="cats", uri=msg.uri, group="asset", extra=None)
        return answer(self, msg)

    monkeypatch.setattr(playing.Supervisor, "send", send)
    told, _, _ = events_of(export(), ALIAS)
    assert told["written"]["dest_asset_key"] == {"name": "cats", "uri": export.uri}


def test_an_export_that_changed_nothing_makes_no_event(export, events_of):
    events_of(export(), PLAIN, ALIAS)
    told, declared, outcome = events_of(export(), PLAIN, ALIAS)
    assert outcome.result["changed"] is False
    assert (told, declared) == ({}, [])


def test_unless_it_is_asked_for(export, events_of):
    events_of(export(), PLAIN)
    told, declared, outcome = events_of(export(emit="always"), PLAIN, ALIAS)
    assert outcome.result["changed"] is False
    assert (sorted(told), declared) == (["photos", "written"], ["photos", "written"])
    assert told["photos"]["extra"]["changed"] is False


def test_or_an_earlier_try_may_have_published_and_died(export, events_of):
    events_of(export(), PLAIN)
    told, declared, _ = events_of(export(), PLAIN, try_number=2)
    assert (list(told), declared) == (["photos"], ["photos"])


def test_emit_is_one_of_two(export):
    with pytest.raises(ValueError, match="emit"):
        export(emit="never")(task_id="task")


def test_a_place_that_airflow_cannot_name_leaves_the_work_done(client, fill, events_of, tmp_path):
    fill("a.png", status="approved")
    place = "/".join([str(tmp_path), *10 * ["x" * 200]])
    told, declared, outcome = events_of(
        lambda **more: FastLabelExportCocoOperator(project="photos", output=place, **more), ALIAS, PLAIN
    )
    assert outcome.result["changed"]
    assert (list(told), declared) == (["photos"], ["written", "photos"])


def project_place(emulator, project="photos"):
    """Return the URI of a project of the emulator."""
    return f"fastlabel://{emulator.url.split('/')[2]}/{project}"


def test_an_import_tells_its_counts_and_the_project(client, emulator, events_of, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(PNG)
    told, _, _ = events_of(
        lambda **more: FastLabelCreateTasksFromFolderOperator(project="photos", folder=str(tmp_path / "in"), **more),
        PLAIN,
        ALIAS,
    )
    extra = told["photos"]["extra"]
    assert (extra["created"], extra["exists"], extra["failed"], extra["place"]) == (1, 0, 0, project_place(emulator))
    assert told["written"]["dest_asset_key"]["uri"] == project_place(emulator)


@pytest.mark.parametrize("deferrable", [True, False])
def test_an_import_from_a_bucket_tells_its_counts_and_the_project(client, emulator, bucket, events_of, deferrable):
    later(emulator, "tasks/import", 2, lambda: settle(emulator))
    told, _, _ = events_of(
        lambda **more: FastLabelCreateTasksFromS3Operator(
            project="photos", deferrable=deferrable, poll_interval=0.1, **more
        ),
        PLAIN,
        ALIAS,
    )
    assert (told["photos"]["extra"]["created"], told["written"]["dest_asset_key"]["uri"]) == (
        2,
        project_place(emulator),
    )


def test_an_update_tells_its_counts_and_the_project(client, emulator, fill, events_of):
    fill("a.png", "b.png")
    told, _, _ = events_of(
        lambda **more: FastLabelUpdateTasksOperator(project="photos", task_names=["a.png"], status="approved", **more),
        PLAIN,
        ALIAS,
    )
    extra = told["photos"]["extra"]
    assert (extra["updated"], extra["place"]) == (1, project_place(emulator))
    assert told["written"]["extra"] == extra


def test_what_makes_projects_and_classes_tells_the_project_and_no_lists(client, emulator, events_of, tmp_path):
    classes = [{"type": "bbox", "value": "cat", "title": "Cat"}]
    definition = {"slug": "pets", "name": "Pets", "type": "image_bbox", "classes": classes}
    told, _, outcome = events_of(
        lambda **more: FastLabelApplyProjectOperator(definition=definition, **more), PLAIN, ALIAS
    )
    assert outcome.result["classes_created"] == ["cat"]
    extra = told["photos"]["extra"]
    assert (extra["created"], extra["counts"]["classes_created"]) == (True, 1)
    assert not [name for name, value in extra.items() if isinstance(value, list)]
    assert told["written"]["dest_asset_key"]["uri"] == extra["place"] == project_place(emulator, "pets")

    told, _, _ = events_of(
        lambda **more: FastLabelCopyProjectOperator(source_project="pets", target_project="zoo", **more), PLAIN, ALIAS
    )
    assert told["photos"]["extra"]["copied"] is True
    assert told["written"]["dest_asset_key"]["uri"] == project_place(emulator, "zoo")

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(PNG)
    shape = {"label": "dog", "shape_type": "rectangle", "points": [[0, 0], [1, 1]]}
    (tmp_path / "in" / "a.json").write_text(json.dumps({"shapes": [shape], "imagePath": "a.png"}))
    told, _, _ = events_of(
        lambda **more: FastLabelCreateClassesFromDatasetOperator(
            project="zoo", folder=str(tmp_path / "in"), annotations_format="labelme", **more
        ),
        PLAIN,
        ALIAS,
    )
    assert told["photos"]["extra"]["counts"] == {"classes_created": 1, "classes_updated": 0}
    assert told["written"]["dest_asset_key"]["uri"] == project_place(emulator, "zoo")


def test_what_is_made_of_a_data_set_tells_its_place(export, client, events_of, tmp_path):
    events_of(export())
    made = str(tmp_path / "report")
    told, _, outcome = events_of(
        lambda **more: FastLabelReportOperator(project="photos", output=made, **more), PLAIN, ALIAS
    )
    assert (told["photos"]["extra"]["tasks"], outcome.result["tasks"]) == (1, 1)
    assert told["written"]["dest_asset_key"]["uri"] == f"file://{made}"

    checks = [{"check": "unlabelled_pictures", "at_most": 1.0, "severity": "warn"}]
    told, _, _ = events_of(
        lambda **more: FastLabelCheckDatasetOperator(
            dataset=export.uri.removeprefix("file://").replace("%20", " ").replace("%23", "#"), checks=checks, **more
        ),
        PLAIN,
        ALIAS,
    )
    assert told["photos"]["extra"]["passed"] is True
    assert told["written"]["dest_asset_key"]["uri"] == export.uri


def test_answers_of_an_endpoint_tell_where_they_are(client, emulator, events_of, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(PNG)
    emulator.control("PUT", "endpoints", {"name": "cats", "detections": []})
    out = str(tmp_path / "out")
    told, _, _ = events_of(
        lambda **more: FastLabelExecuteEndpointOperator(
            endpoint_name="cats", folder=str(tmp_path / "in"), output=out, **more
        ),
        PLAIN,
        ALIAS,
    )
    assert told["photos"]["extra"]["executed"] == 1
    assert told["written"]["dest_asset_key"]["uri"] == f"file://{out}"


def test_a_training_tells_its_model_and_where_it_lies(client, emulator, events_of):
    client.create_dataset("cats")
    emulator.configure(job_seconds=0)
    told, _, outcome = events_of(
        lambda **more: FastLabelRunTrainingJobOperator(
            dataset_name="cats", base_model_name="fastlabel_object_detection_light", epoch=1, **more
        ),
        PLAIN,
        ALIAS,
    )
    extra = told["photos"]["extra"]
    assert (extra["model_name"], extra["status"]) == (outcome.result["model_name"], "completed")
    # The emulator, unlike FastLabel, gives a model no address.
    place = f"{project_place(emulator, 'models')}/{outcome.result['model_id']}"
    assert told["written"]["dest_asset_key"]["uri"] == extra["place"] == place
