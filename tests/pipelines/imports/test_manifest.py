"""The import manifest as a file that may have been damaged or edited: what is left of it counts, the rest is told."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest

HEADER = {"manifest": "fastlabel-import", "version": 1, "project": "cats", "kind": "image"}
GOOD = {"name": "a.png", "fate": "created", "task_id": "1", "annotations": 0}


def opened(path):
    with Manifest(path, project="cats", kind="image") as manifest:
        return manifest.earlier


@pytest.mark.parametrize(
    "line",
    [
        b"\0" * 40,
        b"\x80\xff",
        b"[" * 200_000,
        b'{"x": ' * 200_000,
        b"9" * 5000,
        b"null",
        b"[1]",
        b'"text"',
        json.dumps({**GOOD, "name": ["b.png"]}).encode(),
        json.dumps({**GOOD, "name": "b.png", "fate": None}).encode(),
        json.dumps({**GOOD, "name": "b.png", "digest": {"x": 1}}).encode(),
        json.dumps({**GOOD, "name": "b.png", "annotations": []}).encode(),
        json.dumps(GOOD).encode()[:-9],
    ],
)
def test_a_damaged_line_is_told_and_costs_nothing_but_itself(tmp_path, caplog, line):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"\n".join([json.dumps(HEADER).encode(), line, json.dumps(GOOD).encode()]) + b"\n")
    assert {name: record.fate for name, record in opened(path).items()} == {"a.png": "created"}
    assert "1 lines of the manifest" in caplog.text
    assert "first: line 2" in caplog.text


def test_many_damaged_lines_are_told_once(tmp_path, caplog):
    path = tmp_path / "m.jsonl"
    path.write_bytes(json.dumps(HEADER).encode() + b"\n" + b"?\n" * 1000)
    assert opened(path) == {}
    (record,) = caplog.records
    assert record.getMessage().startswith("1000 lines of the manifest")


def test_what_is_damaged_in_the_header_of_a_later_run_refuses_the_manifest(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(HEADER) + "\n" + json.dumps({**HEADER, "project": ["cats"]}) + "\n")
    with pytest.raises(ImportRefused, match="belongs to an import of image tasks into project"):
        opened(path)
