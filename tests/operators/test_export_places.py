"""Where exports go: folders, object stores, and the staging folders on the way."""

from __future__ import annotations

import os
import tempfile
import time

import fsspec
import pytest
from airflow.sdk.io import attach

from airflow_provider_fastlabel.operators import (
    FastLabelExportCocoOperator,
)
from airflow_provider_fastlabel.pipelines.exports.staging import STALE_SECONDS, staging
from airflow_provider_fastlabel.utils.object_stores import storage_path


@pytest.fixture
def bucket(tmp_path):
    """An object store that Airflow knows."""
    filesystem = fsspec.filesystem("memory")
    attach("memory", fs=filesystem)
    filesystem.makedirs(f"/{tmp_path.name}")
    yield f"memory:///{tmp_path.name}"
    filesystem.rm(f"/{tmp_path.name}", recursive=True)


def test_a_path_from_home(export, label, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    label("a.png")
    assert export(FastLabelExportCocoOperator, output="~/ds").state == "success"
    assert (tmp_path / "ds" / "annotations.json").exists()


def test_an_object_store_as_target(export, label, bucket, tmp_path):
    label("a.png", "b/c.png")
    filesystem = fsspec.filesystem("memory")
    outcome = export(FastLabelExportCocoOperator, output=f"{bucket}/coco", include_images=True)
    assert outcome.state == "success", outcome.error
    root = f"/{tmp_path.name}/coco/"
    found = {path.removeprefix(root) for path in filesystem.find(root)}
    assert found == {"annotations.json", "classes.lock.json", "images/a.png", "images/b/c.png", "manifest.json"}
    assert export(FastLabelExportCocoOperator, output=f"{bucket}/coco", include_images=True).result["changed"] is False


@pytest.mark.parametrize("output", ["", "None", "://bucket/x", "s3:///x", "s3://None/x", "file://out", "x/None"])
def test_an_output_rendered_to_nothing_writes_nowhere(export, label, tmp_path, monkeypatch, output):
    work = tmp_path / "worker"
    work.mkdir()
    monkeypatch.chdir(work)
    label("a.png")
    outcome = export(FastLabelExportCocoOperator, output=output)
    assert outcome.state == "failed"
    assert str(outcome.error).startswith("output ")
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("where", ["folder", "store"])
def test_abandoned_staging_folders_are_cleared_away_and_busy_ones_are_not(bucket, tmp_path, monkeypatch, where):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    target = tmp_path / "coco" if where == "folder" else storage_path("output", f"{bucket}/coco")
    prefix = ".coco.staging-" if where == "folder" else "fastlabel-export-"
    abandoned, other = tmp_path / f"{prefix}old", tmp_path / ".yolo.staging-old"
    for folder in (abandoned, other):
        (folder / "dataset").mkdir(parents=True)
        os.utime(folder, (time.time() - STALE_SECONDS - 9,) * 2)
    with staging(target) as busy:
        os.utime(busy, (time.time() - STALE_SECONDS - 9,) * 2)
        with staging(target):
            assert busy.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".yolo.staging-old"]


@pytest.mark.parametrize("output", ["file/dataset", "file/deep/dataset"])
def test_an_output_that_cannot_be_written_is_named_with_a_remedy(tmp_path, output):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="Not a directory|File exists") as raised, staging(tmp_path / output):
        pytest.fail("there is no place to work in")
    assert all(words in str(raised.value) for words in (str(tmp_path / "file"), "Nothing was published", "`output`"))
