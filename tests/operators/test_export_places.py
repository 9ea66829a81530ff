"""Where exports go: folders, object stores, and the staging folders on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import fsspec
import pytest
from airflow.sdk.io import attach

from airflow_provider_fastlabel.operators import (
    FastLabelExportCocoOperator,
)
from airflow_provider_fastlabel.pipelines.exports.staging import staging
from tests.operators.stores import current
from tests.pipelines.exports.places.spots import store_at

ROOT = Path(__file__).parents[2]


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
    assert set(current(filesystem, f"/{tmp_path.name}/coco")) == {
        "annotations.json",
        "classes.lock.json",
        "images/a.png",
        "images/b/c.png",
        "manifest.json",
    }
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


KILLED = """
import os, signal, sys, tempfile
from pathlib import Path
from airflow_provider_fastlabel.pipelines.exports.staging import staging
from tests.pipelines.exports.places.spots import store_at
folder = Path(sys.argv[1])
tempfile.tempdir = sys.argv[1]
with staging(folder / "coco" if sys.argv[2] == "folder" else store_at(folder / "store" / "coco")) as work:
    (work / "dataset").mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("where", ["folder", "store"])
def test_what_a_killed_export_leaves_goes_away_at_once_and_what_others_are_at_does_not(tmp_path, monkeypatch, where):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path, where], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = [path.name for path in tmp_path.iterdir() if ".staging-" in path.name or "fastlabel-export-" in path.name]
    assert len(left) == 1
    (tmp_path / ".yolo.staging-mine").mkdir()
    target = tmp_path / "coco" if where == "folder" else store_at(tmp_path / "store" / "coco")
    with staging(target) as busy, staging(target):
        assert busy.is_dir()
        assert not (tmp_path / left[0]).exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == [".yolo.staging-mine"]


@pytest.mark.parametrize("output", ["file/dataset", "file/deep/dataset"])
def test_an_output_that_cannot_be_written_is_named_with_a_remedy(tmp_path, output):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="Not a directory|File exists") as raised, staging(tmp_path / output):
        pytest.fail("there is no place to work in")
    assert all(words in str(raised.value) for words in (str(tmp_path / "file"), "Nothing was published", "`output`"))
