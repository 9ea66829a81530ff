"""The command line against the emulator, in this process or, as a person starts it, in one of its own."""

from __future__ import annotations

import subprocess

import pytest
from typer.testing import CliRunner

from airflow_provider_fastlabel.cli.app import app
from airflow_provider_fastlabel.client import FastLabelClient
from tests.cli.terminal import BOX, COMMAND, Ended, own_process, png


@pytest.fixture
def environment(fastlabel_emulator, tmp_path, monkeypatch):
    """Set what a person sets, and put the state into the test's folder."""
    own = {
        "FASTLABEL_ACCESS_TOKEN": fastlabel_emulator.token,
        "FASTLABEL_API_URL": fastlabel_emulator.url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AIRFLOW_HOME")
    monkeypatch.chdir(tmp_path)
    return own


@pytest.fixture
def run(environment):
    """Run a command in this process."""

    def command(*words: object) -> Ended:
        ended = CliRunner().invoke(app, [str(word) for word in words])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    return command


@pytest.fixture
def client(environment, fastlabel_emulator):
    """A project with one class."""
    with FastLabelClient(max_retries=0) as client:
        client.create_project("image_bbox", "Photos", "photos")
        client.create_annotation("photos", "bbox", "cat", "Cat")
        yield client


@pytest.fixture
def photos(tmp_path):
    """A folder with three pictures."""
    folder = tmp_path / "raw"
    for number, name in enumerate(("a.png", "b.png", "day1/c.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(colour=number))
    return folder


@pytest.fixture
def approved(client, photos):
    """The three pictures as approved tasks with a box each."""
    for path in sorted(photos.rglob("*.png")):
        name = path.relative_to(photos).as_posix()
        client.create_image_task("photos", name, path, status="approved", annotations=[BOX])
    return photos


@pytest.fixture
def process(environment, tmp_path):
    """Run a command as a person does, without Airflow."""

    def command(*words: object) -> Ended:
        ended = subprocess.run(
            [*COMMAND, *map(str, words)], env=own_process(tmp_path), capture_output=True, text=True, check=False
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return command
