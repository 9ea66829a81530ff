"""The labelling loop from a terminal, where there is no Airflow."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import time

import pytest
from rich.cells import cell_len

from tests.cli.terminal import BOX, COMMAND, own_process, png

pytestmark = pytest.mark.slow


def test_import_wait_export_verify_report_without_airflow(process, client, photos, fastlabel_emulator, tmp_path):
    names = ["a.png", "b.png", "day1/c.png"]
    first = process("import", "photos", photos, "--tag", "night", "--json")
    assert (first.code, first.result["created"], first.result["total"]) == (0, 3, 3)
    assert first.result["manifest"].startswith(str(tmp_path / "state/fastlabel/imports/command-line/127.0.0.1:"))
    assert process("import", "photos", photos, "--tag", "night", "--json").result["exists"] == 3
    assert sorted(task["name"] for task in client.iter_image_tasks("photos")) == names

    fastlabel_emulator.annotators("photos", {name: [BOX] for name in names}, tasks_per_second=20, approve_after=0.1)
    waited = process("wait", "photos", "--tag", "night", "--poll-interval", "0.2s", "--timeout", "60s", "--json")
    assert (waited.code, waited.result["done"], waited.result["total"]) == (0, 3, 3)

    exported = process("export", "photos", "coco", "--format", "coco", "--include-images", "--json")
    assert (exported.code, exported.result["annotations"], exported.result["skipped"]) == (0, 3, {})
    verified = process("verify", "coco", "--json")
    assert (verified.code, verified.result["whole"]) == (0, True)
    assert verified.result["sha256"] == exported.result["sha256"]
    report = process("report", "photos", "coco", "--dataset", "coco", "--json")
    assert (report.code, report.result["objects"]) == (0, 3)
    assert (tmp_path / "coco/report.html").read_bytes().startswith(b"<!doctype html>")

    assert process("verify", "coco").code == 0
    picture = tmp_path / "coco/images/a.png"
    picture.write_bytes(picture.read_bytes()[:-1] + b"\x01")
    found = process("verify", "coco")
    assert found.code == 1
    assert "'images/a.png' has another content than was published" in found.stderr
    assert found.stdout.splitlines()[5] == "changed     images/a.png"


def test_an_interrupt_keeps_what_is_done_and_the_same_command_goes_on(
    process, client, photos, fastlabel_emulator, tmp_path
):
    for number in range(30):
        (photos / f"n{number}.png").write_bytes(png(colour=number))
    fastlabel_emulator.fault("slow", seconds=0.2, times=1000, method="POST")
    words = ["import", "photos", str(photos), "--workers", "1", "--json"]
    running = subprocess.Popen(
        # A shell that put the tests into the background lets them, and what they start, ignore interrupts.
        ["env", "--default-signal=INT", *COMMAND, *words],
        env=own_process(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while client.count_tasks("photos") < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    said = "Interrupted. What was created stays; the same command creates the rest, and nothing twice."
    assert json.loads(stdout) == {"error": said}
    assert stderr.splitlines()[-1] == f"Error: {said}"
    begun = client.count_tasks("photos")
    assert 2 <= begun < 33
    fastlabel_emulator.faults()
    again = process(*words).result
    assert (again["created"] + again["exists"], again["failed"], client.count_tasks("photos")) == (33, 0, 33)


def test_the_emulator_is_started_and_stopped(tmp_path):
    running = subprocess.Popen(
        [*COMMAND, "emulator", "--token=t"], env=own_process(tmp_path), stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    ready = json.loads(running.stdout.readline())
    assert (ready["token"], ready["pid"]) == ("t", running.pid)
    running.terminate()
    assert running.wait(30) in (0, -signal.SIGTERM)
    running.stdout.close()


@pytest.mark.parametrize(("words", "end"), [((), ">/dev/full"), (("--json",), ">/dev/full"), ((), ">&-"), ((), "2>&-")])
def test_a_result_that_nobody_can_take_is_no_traceback(process, client, photos, tmp_path, words, end):
    assert process("import", "photos", str(photos), "--status", "approved").code == 0
    assert process("export", "photos", "out").code == 0
    ended = subprocess.run(
        ["sh", "-c", f'"$@" {end}', "sh", *COMMAND, "verify", "out", *words],
        cwd=tmp_path, env=own_process(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    full = end.endswith("full")
    assert ("The result cannot be written: No space left on device." in ended.stderr) is full
    assert ended.returncode == (1 if full else 0)
    assert ("whole" in ended.stdout) is (end == "2>&-")


def test_the_example_of_the_emulator_can_be_pasted(tmp_path):
    words = [*COMMAND, "emulator", "--help"]
    shown = subprocess.run(
        words, env=own_process(tmp_path, COLUMNS="40"), capture_output=True, text=True, check=True
    ).stdout
    assert "\n  python -m airflow_provider_fastlabel.emulator --port 8765 --token my-token\n" in shown


def test_on_a_terminal_lines_are_broken_between_words(process, client, photos, tmp_path):
    assert process("import", "photos", str(photos), "--status", "approved").code == 0
    for place in ("one", "two"):
        assert process("export", "photos", place, "--format", "coco").code == 0
    piped = process("diff", "one", "two")
    terminal, end = pty.openpty()
    shown = subprocess.run(
        [*COMMAND, "diff", "one", "two"], cwd=tmp_path, env=own_process(tmp_path, TERM="xterm", COLUMNS="33"),
        stdout=end, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    os.close(end)
    seen = os.read(terminal, 65536).decode()
    os.close(terminal)

    assert shown.returncode == 0
    assert max(map(len, seen.splitlines())) <= 33 < max(map(len, piped.stdout.splitlines()))
    assert seen.split() == piped.stdout.split()


def test_a_wide_character_takes_two_columns_of_a_terminal(client, photos, tmp_path, environment):
    wide = "\u5199\u771f"  # photograph
    for name in ("a.png", "b.png"):
        (photos / name).rename(photos / f"{' '.join([wide] * 9)} \x1b {name}")
    terminal, end = pty.openpty()
    ended = subprocess.run(
        [*COMMAND, "import", "photos", str(photos)], cwd=tmp_path,
        env=own_process(tmp_path, TERM="xterm", COLUMNS="50"), stdout=subprocess.DEVNULL, stderr=end, check=False,
    )  # fmt: skip
    os.close(end)
    seen = os.read(terminal, 65536).decode()
    os.close(terminal)

    lines = [line for line in seen.splitlines() if wide in line]
    assert ended.returncode == 2
    assert len(lines) >= 2
    assert max(map(cell_len, lines)) <= 50
    assert all(line.startswith(("  - ", "    ")) for line in lines)


def test_a_terminal_shows_a_bar_and_the_result_stays_apart(process, client, photos, fastlabel_emulator, tmp_path):
    fastlabel_emulator.fault("slow", seconds=0.3, times=1000, method="POST")
    terminal, end = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, "import", "photos", str(photos), "--workers", "1", "--json"],
        env=own_process(tmp_path, TERM="xterm", COLUMNS="100"), stdout=subprocess.PIPE, stderr=end, text=True,
    )  # fmt: skip
    os.close(end)
    seen = b""
    with contextlib.suppress(OSError):  # how a terminal ends whose last writer is gone
        while piece := os.read(terminal, 65536):
            seen += piece
    os.close(terminal)
    stdout, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert json.loads(stdout)["created"] == 3
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}".encode() in seen
    assert b"1 of 3" in seen
    assert b"Importing 3 items into project photos" in seen
    assert b"API calls left" not in seen
