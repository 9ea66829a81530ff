"""Fixtures of the Airflow rooms: the emulator behind an Airflow connection, and a project with tasks."""

from __future__ import annotations

import json
import os
import threading
import time

import boto3
import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from tests.airflow_run import airflow_run
from tests.fuzz.changing_proxy import ChangingProxy

__all__ = ["airflow_run", "bucket", "client", "connect", "emulator", "fill", "told"]

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000"
    "000049454e44ae426082"
)


@pytest.fixture
def connect(monkeypatch):
    """Define an Airflow connection, as an environment variable does."""

    def define(conn_id="fastlabel_default", *, password="a-secret-token", host=None, **extra):
        value = {"conn_type": "fastlabel", "password": password, "host": host, "extra": extra}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(value))

    return define


@pytest.fixture
def emulator(fastlabel_emulator, connect):
    """The emulator, behind ``fastlabel_default``.

    A failed call is not repeated, so that each fault is seen; and the quota is large, so that waits of some
    milliseconds are not stretched.
    """
    connect(
        password=fastlabel_emulator.token, host=fastlabel_emulator.url, max_retries=0, calls_per_10_minutes=10_000_000
    )
    return fastlabel_emulator


@pytest.fixture
def told(emulator, connect):
    """Let ``fastlabel_default`` hear other times of creation than the emulator tells: what a function makes of them."""
    proxies = []

    def tell(change):
        def changed(value):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict) and "createdAt" in each:
                    each["createdAt"] = change(each["createdAt"])
            return value

        root = emulator.url.removesuffix("/v1/")
        proxies.append(ChangingProxy(root, changed))
        host = emulator.url.replace(root, proxies[-1].address)
        connect(password=emulator.token, host=host, max_retries=0, calls_per_10_minutes=10_000_000)

    yield tell
    for proxy in proxies:
        proxy.stop()


@pytest.fixture
def client(emulator):
    """A client of the emulator with the project ``photos``."""
    with FastLabelClient(emulator.token, api_url=emulator.url) as client:
        client.create_project("image_bbox", "Photos", "photos")
        yield client


@pytest.fixture
def fill(client, tmp_path):
    """Create image tasks, with fields; returns their ids by name."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)

    def create(*names, **fields):
        return {name: client.create_image_task("photos", name, str(picture), **fields) for name in names}

    return create


@pytest.fixture
def bucket(s3_address, client, emulator):
    """The bucket ``photos`` with two pictures; imports from it run until the test settles them."""
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=s3_address, **keys)
    s3.create_bucket(Bucket="photos")
    for key in ("in/a.png", "in/b.png"):
        s3.put_object(Bucket="photos", Key=key, Body=PNG)
    client.update_aws_s3_storage("photos", "photos", "us-east-1")
    emulator.configure(s3_endpoint=s3_address, history_manual=True)
    yield s3
    s3.close()


def later(emulator, path, times, act):
    """Do something once the emulator has got so many more requests on a path, while the test waits elsewhere.

    It is not done where the requests do not come within a minute: whatever the test waits for has ended otherwise.

    :return: the thread, to join.
    """
    until = calls(emulator, path) + times
    deadline = time.monotonic() + 60

    def watch():
        while calls(emulator, path) < until:
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def settle(emulator, ident=None, **end):
    """End an import, as soon as the emulator has read the bucket."""
    pause = threading.Event()
    while True:
        try:
            return emulator.settle_history(ident, **end)
        except RuntimeError as error:
            if "try again" not in str(error):
                raise
            pause.wait(0.02)


def calls(emulator, path):
    """Return the number of requests the emulator got on paths that start so."""
    return sum(request["path"].startswith(path) for request in emulator.requests())
