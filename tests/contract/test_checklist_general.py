"""Checklist of the seed: installation, token, quota, documentation (L1-L13, L1984)."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest
import requests

from airflow_provider_fastlabel import client as package
from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.exceptions import RateLimited

from .checklist import covers
from .routes import ROUTES


@covers("L3-5")
def test_the_client_installs_with_pip_and_loads_no_airflow():
    assert metadata.metadata("airflow-provider-fastlabel")["Requires-Python"] == ">=3.11"
    code = "import sys, airflow_provider_fastlabel.client as c; c.Client; sys.exit('airflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@covers("L7-8", "L10-11")
def test_the_token_comes_from_the_environment(fastlabel_emulator, monkeypatch):
    monkeypatch.setenv("FASTLABEL_API_URL", fastlabel_emulator.url)
    with pytest.raises(ValueError, match="FASTLABEL_ACCESS_TOKEN"):
        package.Client()
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", fastlabel_emulator.token)
    with package.Client() as client:
        assert client.get_projects() == []


@covers("L13")
def test_ten_thousand_calls_in_ten_minutes_are_allowed(world):
    assert world.client.quota.limit == 10_000
    world.client.get_projects()
    world.emulator.configure(quota=1)
    with pytest.raises(RateLimited) as caught:
        world.client.get_projects()
    assert 0 < (caught.value.retry_after or 0) <= 600


@covers("L1984-1985")
def test_the_emulator_documents_every_route_of_the_document(fastlabel_emulator):
    described = requests.get(f"{fastlabel_emulator.base_url}/openapi.json", timeout=60).json()["paths"]
    known = {
        f"{verb.upper()} {path.removeprefix('/v1/').replace(path[path.find('{') : path.find('}') + 1], '{id}')}"
        if "{" in path
        else f"{verb.upper()} {path.removeprefix('/v1/')}"
        for path, verbs in described.items()
        for verb in verbs
    }
    wanted = {route.replace("your-project-slug", "{id}") for routes in ROUTES.values() for route in routes}
    assert wanted - known == set()
    assert requests.get(f"{fastlabel_emulator.base_url}/docs", timeout=60).status_code == 200


def test_every_mandatory_method_is_in_the_table_of_routes():
    assert len(ROUTES) == 106
    assert [name for name in ROUTES if not callable(getattr(FastLabelClient, name, None))] == []
