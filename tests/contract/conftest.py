"""Our client against the emulator: two readings of the same documentation, written apart."""

from __future__ import annotations

import os
import socket

import pytest
from moto.server import ThreadedMotoServer

from airflow_provider_fastlabel.client import FastLabelClient

from .world import World

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def s3_address():
    """Address of an S3-compatible server."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def client(fastlabel_emulator):
    """Our client, connected to the emulator."""
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        yield client


@pytest.fixture
def world(client, fastlabel_emulator, tmp_path, monkeypatch):
    """An empty workspace; the working folder is a temporary one."""
    monkeypatch.chdir(tmp_path)
    return World(client, fastlabel_emulator, tmp_path)
