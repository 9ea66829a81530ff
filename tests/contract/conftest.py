"""Our client against the emulator: two readings of the same documentation, written apart."""

from __future__ import annotations

import os

import pytest

from airflow_provider_fastlabel.client import FastLabelClient

from .world import World

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


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
