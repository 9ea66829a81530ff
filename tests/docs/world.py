"""What the code blocks of the documentation find: a FastLabel with projects, an object store, a folder of files."""

from __future__ import annotations

import io
import json
import os
import zipfile

import boto3
import fsspec
import pytest
from airflow.sdk.io import attach
from PIL import Image

from tests.airflow_fixtures import PNG

NAMES = [f"cam{number}.png" for number in range(1, 6)]
BOX = {"type": "bbox", "value": "cat", "points": [4, 5, 20, 25]}
DAY = "2026-11-22"
"""The day of every run, see tests/airflow_run.py."""


def picture(number):
    made = io.BytesIO()
    Image.new("RGB", (40, 30), (number, 200, 30)).save(made, "PNG")
    return made.getvalue()


def series(text):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("series/1.dcm", text)
    return made.getvalue()


def coco():
    images = [{"id": number, "file_name": name} for number, name in enumerate(NAMES)]
    found = [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [1, 2, 10, 20]}]
    return {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": found}


@pytest.fixture
def world(client, emulator, object_store, s3_bucket, folder, monkeypatch):
    """Projects with labelled tasks, behind the connection and behind the environment variables of the client.

    :returns: a function that lets the people at FastLabel label whatever waits for them.
    """
    emulator.configure(s3_endpoint=s3_bucket, history_seconds=0, job_seconds=0, endpoint_names=["cats"])
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", emulator.token)
    monkeypatch.setenv("FASTLABEL_API_URL", emulator.url)
    client.create_annotation("photos", "bbox", "cat", "Cat")
    client.create_project("dicom_bbox", "Scans", "scans")
    for slug in ("anna", "ben"):
        emulator.add_user(slug, slug.title())
    client.create_dataset("cats")
    for name in NAMES[:3]:
        client.create_image_task(
            "photos", name, folder / "photos" / name, status="approved", tags=["gold"], annotations=[BOX]
        )
    client.update_aws_s3_storage("photos", "my-bucket", "ap-northeast-1")
    emulator.annotators("photos", {name: [BOX] for name in NAMES})

    def label():
        for project in client.get_projects():
            if project["slug"] != "photos":
                emulator.annotators(project["slug"], {})
            emulator.run_annotators(project["slug"])

    return label


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder in which the reader works; Airflow's home is in it, so that no run finds another's manifest."""
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(NAMES):
        (tmp_path / "photos" / name).write_bytes(picture(number))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    return tmp_path


@pytest.fixture
def object_store():
    """An object store that Airflow reaches without a connection, and through the one that the pages name."""
    filesystem = fsspec.filesystem("memory")
    for conn_id in (None, "aws_default"):
        attach("memory", conn_id=conn_id, fs=filesystem)
    for number, name in enumerate(NAMES):
        filesystem.pipe_file(f"/my-bucket/incoming/{name}", picture(number))
        filesystem.pipe_file(f"/raw/{DAY}/{DAY}-{name}", picture(number))
    filesystem.pipe_file("/my-bucket/incoming/annotations.json", json.dumps(coco()).encode())
    for name in ("head.zip", "knee.zip"):
        filesystem.pipe_file(f"/my-bucket/scans/{DAY}/{name}", series(name))
    yield filesystem
    for bucket in ("my-bucket", "raw", "datasets"):
        if filesystem.exists(f"/{bucket}"):
            filesystem.rm(f"/{bucket}", recursive=True)


@pytest.fixture
def s3_bucket(s3_address):
    """A bucket that FastLabel itself reads; returns the address of its server."""
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=s3_address, **keys)
    s3.create_bucket(Bucket="my-bucket")
    s3.put_object(Bucket="my-bucket", Key="incoming/from-s3.png", Body=PNG)
    s3.close()
    assert os.environ["AWS_EC2_METADATA_DISABLED"]
    return s3_address
