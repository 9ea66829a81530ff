"""Runs the driver with the official SDK and with our client, each in an environment and a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.contract import samples

from . import differences, material

HERE = Path(__file__).parent
SDK_PYTHON = HERE.parent / ".venv-sdk" / "bin" / "python"
METHODS = (HERE / "methods.txt").read_text(encoding="utf-8").split()
RUNS = pytest.StashKey["Runs"]()


@dataclass
class Runs:
    """What the driver recorded in both runs.

    :param sdk: methods and calls of the official SDK
    :param ours: the same of our client
    :param folders: working folders of the two, with the files they wrote
    """

    sdk: dict[str, Any]
    ours: dict[str, Any]
    folders: tuple[Path, Path]

    def pairs(self):
        """Yield every call of both runs."""
        return zip(self.sdk["calls"], self.ours["calls"], strict=True)


@pytest.fixture(scope="session")
def bucket(tmp_path_factory):
    """Address of an S3-compatible server with one photo."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys)
    s3.create_bucket(Bucket="photos")
    photo = samples.picture(tmp_path_factory.mktemp("bucket") / "new.jpg")
    s3.put_object(Bucket="photos", Key="in/new.jpg", Body=photo.read_bytes())
    s3.close()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def emulator(bucket):
    """Run the emulator as its own process; gives where it is and what opens it."""
    command = [sys.executable, "-m", "airflow_provider_fastlabel.emulator", "--port", "0", "--s3-endpoint", bucket]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture(scope="session")
def runs(emulator, tmp_path_factory, pytestconfig):
    """Both runs of the driver."""
    if not SDK_PYTHON.exists():
        pytest.fail("the official SDK has no environment yet: use 'make test-sdk'")
    folder = tmp_path_factory.mktemp("driver")
    material.make(folder / "samples")
    sdk = drive(folder, "sdk", SDK_PYTHON, "fastlabel", emulator)
    ours = drive(folder, "ours", sys.executable, "airflow_provider_fastlabel.client", emulator)
    pytestconfig.stash[RUNS] = runs = Runs(sdk, ours, (folder / "sdk", folder / "ours"))
    return runs


def drive(folder, name, python, module, emulator):
    """Run the driver in a fresh folder and return what it recorded."""
    (folder / name).mkdir()
    out = folder / f"{name}.json"
    command = [str(python), str(HERE / "driver.py"), "--module", module, "--control", emulator["control"]]
    given = {"FASTLABEL_API_URL": emulator["url"], "FASTLABEL_ACCESS_TOKEN": emulator["token"]}
    done = subprocess.run(
        [*command, "--samples", str(folder / "samples"), "--out", str(out)],
        cwd=folder / name, env=os.environ | given, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text(encoding="utf-8"))


def pytest_terminal_summary(terminalreporter, config):
    """Print the table: method, calls, result with the SDK, difference of ours."""
    found = config.stash.get(RUNS, None)
    if found is None:
        return
    terminalreporter.section(f"fastlabel {differences.SDK_VERSION} and our client against the emulator")
    for method in METHODS:
        calls = [call for call in found.sdk["calls"] if call["method"] == method]
        wrong = [call["error"] for call in calls if (call["error"] is not None) != call["refused"]]
        result = "ok" if calls and not wrong else f"FAILED {wrong}"
        tables = {
            "request": differences.WIRE,
            "result": differences.RESULTS,
            "files": differences.FILES,
        }
        notes = [f"{what}: {table[method]}" for what, table in tables.items() if method in table]
        terminalreporter.write_line(f"{method:<45} {len(calls):>3} {result:<6} {'; '.join(notes) or 'same'}")
