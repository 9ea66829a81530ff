"""What a killed process leaves is removed by the next one; what another is at, or somebody else's, is not."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from airflow_provider_fastlabel import scratch
from airflow_provider_fastlabel.scratch import OLD_SECONDS, remove_abandoned, scratch_folder
from tests.strange_files import STRANGE, make_strange

ROOT = Path(__file__).parents[1]
CHILD = """
import sys, time
from pathlib import Path
from airflow_provider_fastlabel.scratch import scratch_folder
with scratch_folder("work-", Path(sys.argv[1])) as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("x")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def child(tmp_path):
    """Start a process that is at work in a folder."""
    started = []

    def start():
        process = subprocess.Popen([sys.executable, "-c", CHILD, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(autouse=True)
def fresh():
    """Let each test look anew."""
    scratch._looked.clear()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_goes_away_at_the_end_with_all_that_is_in_it(tmp_path):
    with scratch_folder("work-", tmp_path) as folder:
        (folder / "a").write_text("x")
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_removed_with_one_line_and_what_a_living_one_is_at_stays(tmp_path, child, caplog):
    process, left = child()
    _, busy = child()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (left / "deep" / "file").exists()
    with caplog.at_level(logging.INFO), scratch_folder("work-", tmp_path):
        assert not left.exists()
        assert (busy / "deep" / "file").exists()
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"Removed 1 folders work-* that killed processes had left in {tmp_path}"]


def test_a_process_looks_once_in_a_while_only(tmp_path, child):
    with scratch_folder("work-", tmp_path):
        pass
    process, left = child()
    process.kill()
    process.wait()
    with scratch_folder("work-", tmp_path):
        assert left.exists()
    scratch._looked.clear()  # the time has passed
    with scratch_folder("work-", tmp_path):
        assert not left.exists()


def test_the_folders_of_another_machine_and_of_other_uses_are_left_alone(tmp_path, child):
    process, left = child()
    process.kill()
    process.wait()
    kind, machine, start, rest = left.name.split("-")
    left.rename(tmp_path / f"{kind}-{'0' * 8}-{start}-{rest}")
    (tmp_path / "work-of-mine").mkdir()
    (tmp_path / f"other-{machine}-{start}-x").mkdir()
    before = names(tmp_path)
    remove_abandoned("work-", tmp_path)
    assert names(tmp_path) == before


def test_what_is_from_before_the_machine_started_is_removed_after_a_week(tmp_path, child):
    process, left = child()
    process.kill()
    process.wait()
    kind, machine, _, rest = left.name.split("-")
    old = left.rename(tmp_path / f"{kind}-{machine}-{'0' * 8}-{rest}")
    remove_abandoned("work-", tmp_path)
    assert old.exists()
    os.utime(old, (time.time() - OLD_SECONDS - 9,) * 2)
    scratch._looked.clear()
    remove_abandoned("work-", tmp_path)
    assert not old.exists()


def test_another_users_folder_is_left_alone(tmp_path, child, monkeypatch):
    process, left = child()
    process.kill()
    process.wait()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    remove_abandoned("work-", tmp_path)
    assert left.exists()


@pytest.mark.parametrize("kind", [*(kind for kind in STRANGE if kind != "folder"), "link"])
def test_what_has_such_a_name_and_is_no_folder_is_neither_waited_for_nor_followed(tmp_path, kind):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "precious").write_text("mine")
    odd = tmp_path / f"work-{scratch._machine()}-{scratch._start()}-x"
    if kind == "link":
        odd.symlink_to(theirs)
    else:
        make_strange(kind, odd)
    remove_abandoned("work-", tmp_path)
    assert os.path.lexists(odd)
    assert (theirs / "precious").exists()


def test_a_folder_that_was_taken_for_abandoned_before_it_was_locked_is_made_again(tmp_path, monkeypatch):
    made = []
    mkdtemp = tempfile.mkdtemp

    def meddling(**arguments):
        made.append(mkdtemp(**arguments))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", meddling)
    with scratch_folder("work-", tmp_path) as folder:
        assert folder == Path(made[1])
        assert folder.is_dir()
