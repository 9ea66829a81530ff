"""Object stores to export to: a bucket over the wire, and one in memory, whose clock is finer than a second."""

from __future__ import annotations

import hashlib
import json

import fsspec
import pytest
from airflow.sdk.io import attach

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.pipelines.exports.places.pointer import POINTER
from tests.operators.s3_files import S3Files


@pytest.fixture
def s3(s3_address, tmp_path):
    """The file system of a moto bucket ``sets``; ``at`` says an operator where."""
    files = S3Files(s3_address)
    files.boto.create_bucket(Bucket="sets")
    attach("s3", conn_id=tmp_path.name, fs=files)
    files.conn = tmp_path.name
    files.at = {"output": "s3://sets/x", "output_conn_id": tmp_path.name}
    yield files
    files.close()


@pytest.fixture
def memory(tmp_path):
    """An object store whose clock is finer than a second, and a folder in it."""
    files = fsspec.filesystem("memory")
    attach("memory", fs=files)
    files.makedirs(f"/{tmp_path.name}")
    yield files, f"/{tmp_path.name}"
    files.rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture
def run_with_pictures(export, emulator):
    """Export with pictures; return the outcome's result and the sorted answers of the store the pictures come from."""

    def go(operator, **arguments):
        emulator.clear_requests()
        outcome = export(operator, **{"include_images": True, **arguments})
        assert outcome.state == "success", outcome.error
        answers = [request["status"] for request in emulator.requests() if "storage/files" in request["path"]]
        return outcome.result, sorted(answers)

    return go


def moved(s3):
    """Return what was read of and written to a bucket since the last time, without manifests, locks and listings."""
    done = [f"{method} {path}" for method, path in s3.requests if not path.endswith((".json", "/sets"))]
    s3.requests.clear()
    return sorted(done)


def content(files, root):
    """Return the files of a store below a folder."""
    files.invalidate_cache()
    return {path.removeprefix(f"{root}/"): files.cat_file(path) for path in files.find(root)}


def current(files, root):
    """Return the files of a data set as a reader finds them: by the file that says which version is current."""
    pointer = json.loads(files.cat_file(f"{root}/{POINTER}"))
    found = content(files, f"{root}/{pointer['path']}")
    assert hashlib.sha256(found[MANIFEST]).hexdigest() == pointer["sha256"]
    check(found)
    return found


def check(found):
    """Compare a data set with its manifest."""
    rows = json.loads(found[MANIFEST])["files"]
    assert {row["path"] for row in rows} == set(found) - {MANIFEST}
    for row in rows:
        body = found[row["path"]]
        assert row["size"] == len(body)
        assert row["sha256"] == hashlib.sha256(body).hexdigest()
        assert row["md5"] == hashlib.md5(body, usedforsecurity=False).hexdigest()
