"""Each extra for an object store: it installs in an empty environment within minutes, and Airflow opens its URLs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Environment

LONGEST = 20 * 60
"""Seconds for an installation; without versions that agree pip looks for such for longer than that."""

KEYS = {"aws_access_key_id": "a-key-id", "aws_secret_access_key": "a-secret-key", "region_name": "us-east-1"}

OPENED = """
from airflow.sdk import ObjectStoragePath
from airflow_provider_fastlabel.utils.object_stores import storage_path
path = storage_path("folder", "{scheme}://raw/a.txt", "store")
assert isinstance(path, ObjectStoragePath)
print(type(path.fs).__module__.partition(".")[0])
"""

READ_BACK = """
from airflow_provider_fastlabel.utils.object_stores import storage_path
folder = storage_path("folder", "s3://raw", "store")
(folder / "a.txt").write_text("a cat")
print([each.name for each in folder.iterdir()], (folder / "a.txt").read_text())
"""

CONNECTIONS = {
    "gcs": {"conn_type": "google_cloud_platform", "extra": {"is_anonymous": True}},
    "azure": {"conn_type": "adls", "extra": {"account_name": "account", "account_key": "a2V5"}},
}


@pytest.fixture
def s3() -> Iterator[str]:
    """Address of an S3-compatible server with the bucket ``raw``."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=address, **KEYS)
    client.create_bucket(Bucket="raw")
    client.close()
    yield address
    server.stop()


def test_the_extra_s3_reads_and_writes_a_bucket(
    empty: Environment, wheel: Path, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.install(f"{wheel}[s3]", longest=LONGEST)
    extra = {"endpoint_url": s3, "region_name": "us-east-1"}
    connection = {
        "conn_type": "aws",
        "login": KEYS["aws_access_key_id"],
        "password": KEYS["aws_secret_access_key"],
        "extra": extra,
    }
    monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(connection))
    assert empty.python("-c", READ_BACK).splitlines()[-1] == "['a.txt'] a cat"


@pytest.mark.parametrize(("extra", "scheme", "library"), [("gcs", "gs", "gcsfs"), ("azure", "abfs", "adlfs")])
def test_the_extra_opens_its_urls(
    extra: str, scheme: str, library: str, empty: Environment, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.install(f"{wheel}[{extra}]", longest=LONGEST)
    monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps(CONNECTIONS[extra]))
    assert empty.python("-c", OPENED.format(scheme=scheme)).splitlines()[-1] == library
