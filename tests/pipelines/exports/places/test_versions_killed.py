"""Kills and races while versions are published: a reader finds one version, whole, at any moment."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from tests.operators.s3_files import KEYS
from tests.pipelines.exports.places import dying_versions, racing_versions, store_alone

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[4]


@contextmanager
def store():
    """An S3-compatible store in a process of its own, with the bucket ``sets``."""
    command = [sys.executable, "-m", store_alone.__name__]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        client = boto3.client("s3", endpoint_url=address, **KEYS)
        client.create_bucket(Bucket="sets")
        client.close()
        yield address
        process.stdin.close()
        process.wait(timeout=30)


def lines_of(module, where, folder):
    command = [sys.executable, "-m", module.__name__, where, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(params=["local", "disk", "s3"])
def where(request):
    if request.param != "s3":
        yield request.param
        return
    with store() as address:
        yield address


def test_an_export_killed_at_any_step_leaves_the_old_or_the_new_and_the_next_one_no_orphan(tmp_path, where):
    cases = lines_of(dying_versions, where, tmp_path)
    for case in cases:
        assert case["found"] in (case["old"], case["new"]), case
        assert case["next"] == case["wanted"], case
        assert case["there"] == sorted(["current.json", "versions", *case["kept"]]), case
        assert len(case["kept"]) == 2, case
    killed = [case for case in cases if case["killed"]]
    assert len(killed) >= 20
    assert [case["killed"] for case in cases] == [True] * len(killed) + [False]
    assert killed[0]["found"] == killed[0]["old"]  # before anything was written
    assert killed[-1]["found"] == killed[-1]["new"]  # when only an earlier version was left to be removed


def test_of_two_exports_at_once_one_fails_and_nothing_is_mixed(tmp_path, where):
    for race in lines_of(racing_versions, where, tmp_path):
        won = [one for one in race["came"] if one["error"] is None]
        lost = [one for one in race["came"] if one["error"] is not None]
        assert [len(won), len(lost)] == [1, 1], race
        assert lost[0]["error"].startswith("OvertakenError: Another export has published to "), race
        assert race["found"] == won[0]["files"], race
        assert race["there"] == sorted(["current.json", "versions", *race["kept"]]), race
