"""Import manifests that are damaged, edited or no files of ours, and disks that have no room for one."""

from __future__ import annotations

import json

import pytest
from upath import UPath

from airflow_provider_fastlabel.pipelines.files import journal
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from tests.limits import run_limited
from tests.operators.s3_files import S3Files
from tests.pipelines.exports.places.spots import store_at
from tests.strange_files import STRANGE, make_strange

OPEN = """
import sys
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
try:
    with Manifest(sys.argv[1], project="p", kind="image"):
        print("opened")
except ValueError as error:
    print(error)
"""

FILL = """
import os, resource, signal, sys, tempfile
from pathlib import Path
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from tests.pipelines.exports.places.spots import store_at
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
tempfile.tempdir = sys.argv[3]
target = store_at(Path(sys.argv[2])) if sys.argv[1] == "store" else sys.argv[2]
with Manifest(target, project="p", kind="image") as manifest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        for number in range(100):
            manifest.write(f"{number}.png", "created", task_id=str(number))
    except OSError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    manifest.write("after.png", "created", task_id="after")
"""


@pytest.mark.parametrize("kind", STRANGE)
def test_a_manifest_that_is_no_file_is_refused_and_not_waited_for(tmp_path, kind):
    make_strange(kind, tmp_path / "m.jsonl")
    said = run_limited(OPEN, tmp_path / "m.jsonl", seconds=30)
    assert all(words in said for words in (str(tmp_path / "m.jsonl"), STRANGE[kind], "Nothing was created"))


@pytest.mark.parametrize("where", ["local", "store"])
def test_a_full_disk_is_named_and_costs_no_other_line(tmp_path, where):
    said = run_limited(FILL, where, tmp_path / "m.jsonl", tmp_path)
    assert f"{tmp_path / 'm.jsonl'}" in said
    assert "What was created stays" in said
    assert ("kept meanwhile in" in said) is (where == "store")
    with Manifest(tmp_path / "m.jsonl", project="p", kind="image") as manifest:
        assert manifest.earlier["0.png"].fate == "created"
        assert manifest.earlier["after.png"].fate == "created"


@pytest.mark.parametrize("header", [{"project": ["p"], "kind": {"a": 1}}, {"project": None}, {"project": "q" * 5000}])
def test_a_header_with_other_values_is_another_imports(tmp_path, header):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"manifest": "fastlabel-import", **header}) + "\n")
    with pytest.raises(ImportRefused, match="belongs to an import of") as raised:
        Manifest(path, project="p", kind="image").__enter__()
    assert len(str(raised.value)) < 1000


def test_a_manifest_in_a_store_with_real_folders(tmp_path):
    for _ in range(2):
        with Manifest(store_at(tmp_path / "m.jsonl"), project="p", kind="image") as manifest:
            manifest.write("a", "created", task_id="1")
    assert set(manifest.earlier) == {"a"}


class StoreError(Exception):
    """What the clients of some stores raise: no OSError."""


class InBucket:
    """As much of an Airflow path as a manifest uses."""

    protocol = "s3"

    def __init__(self, fs, path):
        self.fs, self.path = fs, path

    @property
    def parent(self):
        return InBucket(self.fs, self.path.rpartition("/")[0])

    def open(self, mode):
        return self.fs.open(self.path, mode)


def broken(*_, **__):
    raise StoreError("the store is busy")


@pytest.fixture
def remote(tmp_path):
    place = UPath(f"memory:///{tmp_path.name}/m.jsonl")
    yield place
    place.fs.rm(f"/{tmp_path.name}", recursive=True)


def test_a_store_that_cannot_take_the_manifest_does_not_hide_what_has_happened(remote, monkeypatch, caplog):
    manifest = Manifest(remote, project="p", kind="image").__enter__()
    monkeypatch.setattr(type(remote.fs), "open", broken)
    manifest.__exit__(ImportRefused, ImportRefused("this came first"), None)
    assert "could not be uploaded" in caplog.text
    assert "m.jsonl cannot be written as the import manifest (StoreError: the store is busy)" in caplog.text
    monkeypatch.undo()
    remote.write_bytes(b"")


def test_a_store_that_fails_at_the_end_or_the_beginning_is_named(remote, monkeypatch):
    words = r"m\.jsonl cannot be written as the import manifest \(StoreError.*What was done stays; run again"
    manifest = Manifest(remote, project="p", kind="image").__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(type(remote.fs), "open", broken)
        with pytest.raises(StoreFailedError, match=words):
            manifest.__exit__(None, None, None)
    remote.write_bytes(b"")
    monkeypatch.setattr(type(remote.fs), "open", broken)
    words = r"m\.jsonl cannot be read as the import manifest of earlier runs \(StoreError.*Nothing was done now"
    with pytest.raises(StoreFailedError, match=words):
        Manifest(remote, project="p", kind="image").__enter__()


def test_a_manifest_whose_upload_fails_for_once_half_way_is_not_replaced_by_a_half(s3_address):
    files = S3Files(s3_address)
    files.boto.create_bucket(Bucket="state")
    files.default_block_size = 5 << 20
    place = InBucket(files, "state/m.jsonl")
    with Manifest(place, project="p", kind="image") as manifest:
        for number in range(60_000):
            manifest.write(f"{number}.png", "created", task_id=str(number))
    before = files.boto.head_object(Bucket="state", Key="m.jsonl")["ContentLength"]
    assert before > 5 << 20
    failed: list[object] = []

    def fail(request, **_):
        if "partNumber=1" in request.url and not failed:
            failed.append(request)
            raise PermissionError("Access Denied")

    files.on_sending(fail)
    manifest = Manifest(place, project="p", kind="image").__enter__()
    with pytest.raises(StoreFailedError, match="cannot be written as the import manifest"):
        manifest.__exit__(None, None, None)
    assert failed
    assert files.boto.head_object(Bucket="state", Key="m.jsonl")["ContentLength"] == before
    assert "Uploads" not in files.boto.list_multipart_uploads(Bucket="state")
    files.close()


def test_a_checkpoint_that_a_store_does_not_take_is_made_up_for(remote, monkeypatch, caplog):
    monkeypatch.setattr(journal, "CHECKPOINT_SECONDS", 0.0)
    with Manifest(remote, project="p", kind="image") as manifest:
        manifest.write("a", "created", task_id="1")
        with monkeypatch.context() as patch:
            patch.setattr(type(remote.fs), "open", broken)
            manifest.checkpoint()
    assert "the store is busy" in caplog.text
    with Manifest(remote, project="p", kind="image") as manifest:
        assert set(manifest.earlier) == {"a"}


HEADER = {"manifest": "fastlabel-import", "version": 1, "project": "cats", "kind": "image"}
GOOD = {"name": "a.png", "fate": "created", "task_id": "1", "annotations": 0}


def opened(path):
    with Manifest(path, project="cats", kind="image") as manifest:
        return manifest.earlier


@pytest.mark.parametrize(
    "line",
    [
        b"\0" * 40,
        b"\x80\xff",
        b"[" * 200_000,
        b"x" * 900_000,
        b'{"x": ' * 100_000,
        b"9" * 5000,
        b"null",
        b"[1]",
        b'"text"',
        json.dumps({**GOOD, "name": ["b.png"]}).encode(),
        json.dumps({**GOOD, "name": "b.png", "fate": None}).encode(),
        json.dumps({**GOOD, "name": "b.png", "digest": {"x": 1}}).encode(),
        json.dumps({**GOOD, "name": "b.png", "annotations": []}).encode(),
        json.dumps(GOOD).encode()[:-9],
    ],
)
def test_a_damaged_line_is_told_and_costs_nothing_but_itself(tmp_path, caplog, line):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"\n".join([json.dumps(HEADER).encode(), line, json.dumps(GOOD).encode()]) + b"\n")
    assert {name: record.fate for name, record in opened(path).items()} == {"a.png": "created"}
    assert "1 lines of the manifest" in caplog.text
    assert "first: line 2" in caplog.text


def test_many_damaged_lines_are_told_once(tmp_path, caplog):
    path = tmp_path / "m.jsonl"
    path.write_bytes(json.dumps(HEADER).encode() + b"\n" + b"?\n" * 1000)
    assert opened(path) == {}
    (record,) = caplog.records
    assert record.getMessage().startswith("1000 lines of the manifest")


def test_what_is_damaged_in_the_header_of_a_later_run_refuses_the_manifest(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(HEADER) + "\n" + json.dumps({**HEADER, "project": ["cats"]}) + "\n")
    with pytest.raises(ImportRefused, match="belongs to an import of 'image' tasks into project"):
        opened(path)
