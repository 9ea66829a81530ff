"""A store that does not answer is told as such, and not as pre-annotations that are wrong or not there."""

from __future__ import annotations

import json

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from airflow_provider_fastlabel.client.exceptions import cannot_pass
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.reviews.scoring import Prelabels, score_dataset
from airflow_provider_fastlabel.pipelines.reviews.suspicions import read_predictions
from tests.pipelines.reports.labelled import box, task
from tests.pipelines.versions import publish_version

CAR = box("car", 10, 10, 60, 60)


@pytest.fixture
def prelabels(tmp_path):
    """A COCO file in a store."""
    place = UPath(f"memory:///{tmp_path.name}")
    drawn = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 50, 50]}
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [drawn],
    }
    (place / "v1.json").write_bytes(json.dumps(coco).encode())
    yield place / "v1.json"
    place.fs.rm(place.path, recursive=True)


@pytest.mark.parametrize("error", [PermissionError("no right"), TimeoutError("no answer"), OSError(5, "broken")])
@pytest.mark.parametrize("call", ["info", "_open"])
def test_a_store_that_does_not_answer_may_answer_another_time(tmp_path, prelabels, monkeypatch, call, error):
    dataset = publish_version(tmp_path, "set", [task("a.jpg", CAR)])
    assert score_dataset(dataset, Prelabels(places={"v1": prelabels})).versions[0].objects["kept"] == 1

    def refuse(self, path, *args, **more):
        raise error

    monkeypatch.setattr(MemoryFileSystem, call, refuse)
    with pytest.raises(OSError, match=str(error.args[-1])) as caught:
        score_dataset(dataset, Prelabels(places={"v1": prelabels}))
    assert not cannot_pass(caught.value)
    assert "there is nothing" not in str(caught.value)


def test_what_was_listed_and_cannot_be_read_is_told_with_its_place(tmp_path, prelabels, monkeypatch):
    dataset = publish_version(tmp_path, "set", [task("a.jpg", CAR)])

    def refuse(self, path, *args, **more):
        raise TimeoutError("no answer")

    monkeypatch.setattr(MemoryFileSystem, "_open", refuse)
    with pytest.raises(StoreFailedError, match=r"v1\.json cannot be read from its store \(TimeoutError: no answer\)"):
        score_dataset(dataset, Prelabels(places={"v1": prelabels}))


def test_predictions_that_a_store_does_not_give_are_told_with_their_place(prelabels, monkeypatch):
    assert read_predictions(prelabels).objects.total() == 1

    def refuse(self, path, *args, **more):
        raise PermissionError("Forbidden")

    monkeypatch.setattr(MemoryFileSystem, "_open", refuse)
    with pytest.raises(StoreFailedError, match=r"v1\.json cannot be read \(PermissionError: Forbidden\)"):
        read_predictions(prelabels)
