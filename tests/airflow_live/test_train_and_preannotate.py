"""The example DAG fastlabel_train_and_preannotate under a real scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from tests.airflow_live.conftest import Live

DAG_ID = "fastlabel_train_and_preannotate"


def test_a_model_learns_and_pre_annotates_what_was_imported(live: Live) -> None:
    photos = live.state / "new-photos"
    photos.mkdir()
    for number in range(3):
        Image.new("RGB", (32, 24), (number, 0, 0)).save(photos / f"{number}.png")
    definition = live.state / "cats.yaml"
    definition.write_text("{type: image_bbox, slug: cats, name: Cats, classes: [{type: bbox, value: cat}]}")
    live.client.create_dataset("cats")
    live.emulator.control("PUT", "config", {"job_seconds": 0})
    conf = {"definition": str(definition), "photos": str(photos), "dataset": "cats"}
    earlier = [job["trainingJobId"] for job in live.client.get_training_jobs()]
    run_id = live.airflow.trigger(DAG_ID, conf)
    states = dict(live.airflow.watch(DAG_ID, run_id))
    assert states == dict.fromkeys(("apply_project", "create_tasks", "train", "annotate"), "success")
    assert {task["name"] for task in live.client.iter_image_tasks("cats")} == {"0.png", "1.png", "2.png"}
    (trained,) = (job for job in live.client.get_training_jobs() if job["trainingJobId"] not in earlier)
    (job,) = live.client.get_auto_annotation_jobs("cats")
    assert (job["modelName"], job["contentCount"]) == (trained["customModel"]["modelName"], 3)
