"""Text of strangers in a message: one line, no character that acts, bounded, and still to be recognised."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.client import (
    FastLabelClient,
    FastLabelException,
    FastLabelInvalidException,
    RateLimited,
    ServerError,
)
from airflow_provider_fastlabel.foreign_text import LONGEST, foreign_text, visible
from airflow_provider_fastlabel.formats.geometry.shapes import shape_of
from airflow_provider_fastlabel.formats.reading.imported import EntryProblem
from airflow_provider_fastlabel.mp4 import video_codec
from airflow_provider_fastlabel.pipelines.files.problems import (
    ImportRefused,
    Problem,
    RunIncomplete,
    enumerate_problems,
)
from airflow_provider_fastlabel.pipelines.waits.decisions import decide_import, decide_imports, decide_job
from airflow_provider_fastlabel.pipelines.waits.model_jobs import job_kind

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain.png", "plain.png"),
        ("写真 １\u3000枚.png", "写真 １\u3000枚.png"),
        ("caf\xe9 \N{SNOWMAN}", "caf\xe9 \N{SNOWMAN}"),
        ("a\nERROR - forged\r\n", r"a\nERROR - forged\r\n"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\u2066a\u2069\u200b\ufeff", r"\u2066a\u2069\u200b\ufeff"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("caf\udce9.png", r"caf\udce9.png"),
        ("\U000e0041", r"\U000e0041"),
        ("\0", r"\x00"),
        (None, "None"),
        (["a\n"], r"['a\n']"),
    ],
)
def test_what_acts_is_escaped_and_what_people_write_stays(given, shown):
    assert foreign_text(given) == shown


def test_a_long_one_keeps_its_beginning_and_its_end():
    text = foreign_text(f"/data/{'x' * 10_000}/cat.png", 60)
    assert len(text) == 60
    assert text.startswith("/data/xxx")
    assert text.endswith("x/cat.png")
    assert len(foreign_text("\x1b" * 10_000_000)) <= LONGEST


@given(ANY_TEXT, st.integers(20, 80))
def test_whatever_it_is(text, most):
    line = foreign_text(text, most)
    assert len(line) <= most
    assert all(character.isprintable() or unicodedata.category(character) == "Zs" for character in line)
    line.encode()  # no half surrogate pair
    assert len(line.splitlines()) <= 1


@given(ANY_TEXT)
def test_a_whole_message_keeps_its_own_lines_only(message):
    shown = visible(message)
    assert len(shown) >= len(message)
    assert len(shown.splitlines()) <= 1 + message.count("\n")
    shown.encode()  # no half surrogate pair
    assert visible(shown) == shown


# Where such texts come from -------------------------------------------------------------------------------------------

HOSTILE = "a\x1b[2J\nERROR - forged\u202e"


def test_a_history_repaints_no_terminal_and_forges_no_line():
    history = {"id": HOSTILE, "status": HOSTILE, "msgCode": HOSTILE, "message": HOSTILE * 1000, "msgLevel": "error"}
    decision = decide_import(history, project="p")
    for message in (decision.message, decide_imports({HOSTILE: history}, project="p").message):
        assert message.isprintable()
        assert len(message) < 2000
    job = {"trainingJobId": HOSTILE, "status": HOSTILE, "msgCode": HOSTILE}
    assert decide_job(job, kind=job_kind("training")).message.isprintable()


@pytest.mark.parametrize("ending", ["png", "txt", "mp4"])
def test_a_file_name_repaints_no_terminal_and_forges_no_line(tmp_path, ending):
    path = tmp_path / f"{HOSTILE}.{ending}"
    with FastLabelClient("token", api_url="http://127.0.0.1:1/v1/", max_retries=0, timeout=1) as client:
        creates: dict[str, Any] = {
            "png": client.create_image_task,
            "txt": client.create_text_task,
            "mp4": client.create_video_task,
        }
        for state in ("missing", "a folder", "a file"):
            if state == "a folder":
                path.mkdir()
            elif state == "a file":
                path.rmdir()
                path.write_bytes(bytes(30))
            with pytest.raises(FastLabelException) as caught:
                creates[ending]("p", "n", path)
            for text in (str(caught.value), *getattr(caught.value, "__notes__", [])):
                assert text.isprintable()
        assert isinstance(caught.value, FastLabelInvalidException) == (ending == "mp4")


def test_a_codec_repaints_no_terminal(tmp_path):
    def box(kind: bytes, *content: bytes) -> bytes:
        return (8 + sum(map(len, content))).to_bytes(4, "big") + kind + b"".join(content)

    stsd = box(b"stsd", bytes(7), b"\1", box(b"\x1b[2J", bytes(78)))
    media = box(b"mdia", box(b"hdlr", bytes(8), b"vide", bytes(13)), box(b"minf", box(b"stbl", stsd)))
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"ftyp", b"isom", bytes(4)) + box(b"moov", box(b"trak", media)))
    assert video_codec(path) == "\x1b[2J"
    with FastLabelClient("token") as client, pytest.raises(FastLabelInvalidException, match=r"holds \\x1b\[2J video"):
        client.create_video_task("p", "n", path)


def test_problems_of_items_and_of_entries_are_lines():
    problems = [Problem(HOSTILE, HOSTILE), EntryProblem(HOSTILE, 3, HOSTILE), EntryProblem(HOSTILE, None, HOSTILE)]
    assert all(str(problem).isprintable() for problem in problems)
    listed = enumerate_problems([Problem(HOSTILE, HOSTILE)] * 2)
    assert len(listed.split("\n")) == 2
    assert str(ImportRefused(f"Refused:\n{listed}")).count("\n") == 2
    assert RunIncomplete("a\x1b\nb", {}).message == "a\\x1b\nb"
    for kind in (FastLabelException, FastLabelInvalidException, RateLimited, ServerError):
        assert str(kind(HOSTILE)).replace("\n", "").isprintable()


def test_a_type_of_annotation_is_counted_by_a_short_line():
    shape = shape_of({"type": HOSTILE * 1000, "points": []}, 10, 10)
    assert isinstance(shape, str)
    assert shape.isprintable()
    assert len(shape) < 100
