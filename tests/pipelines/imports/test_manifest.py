"""Import manifests that are no files of ours, and disks that have no room for one."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from tests.pipelines.exports.places import store_at
from tests.strange_files import STRANGE, make_strange, said_by_child

OPEN = """
import sys
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
try:
    with Manifest(sys.argv[1], project="p", kind="image"):
        print("opened")
except ValueError as error:
    print(error)
"""

FILL = """
import os, resource, signal, sys, tempfile
from pathlib import Path
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from tests.pipelines.exports.places import store_at
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
tempfile.tempdir = sys.argv[3]
target = store_at(Path(sys.argv[2])) if sys.argv[1] == "store" else sys.argv[2]
with Manifest(target, project="p", kind="image") as manifest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        for number in range(100):
            manifest.write(f"{number}.png", "created", task_id=str(number))
    except OSError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    manifest.write("after.png", "created", task_id="after")
"""


@pytest.mark.parametrize("kind", STRANGE)
def test_a_manifest_that_is_no_file_is_refused_and_not_waited_for(tmp_path, kind):
    make_strange(kind, tmp_path / "m.jsonl")
    said = said_by_child(OPEN, tmp_path / "m.jsonl", seconds=30)
    assert all(words in said for words in (str(tmp_path / "m.jsonl"), STRANGE[kind], "Nothing was created"))


@pytest.mark.parametrize("where", ["local", "store"])
def test_a_full_disk_is_named_and_costs_no_other_line(tmp_path, where):
    said = said_by_child(FILL, where, tmp_path / "m.jsonl", tmp_path)
    assert f"{tmp_path / 'm.jsonl'}" in said
    assert "What was created stays" in said
    assert ("kept meanwhile in" in said) is (where == "store")
    with Manifest(tmp_path / "m.jsonl", project="p", kind="image") as manifest:
        assert manifest.earlier["0.png"].fate == "created"
        assert manifest.earlier["after.png"].fate == "created"


DEEP, LONG = b'{"name": ' + b"[" * 100_000, b"x" * (3 << 20)
LINES = [
    b"null",
    b"[]",
    b"5",
    b'"a"',
    DEEP,
    LONG,
    b"1" * 5000,
    b'{"name": ["a"]}',
    b'{"name": null}',
    b"\xff\xfe",
    b"{",
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:12].decode("latin-1"))
def test_a_line_that_is_no_record_costs_no_other_line(tmp_path, line):
    path = tmp_path / "m.jsonl"
    with Manifest(path, project="p", kind="image") as manifest:
        manifest.write("a", "created", task_id="1")
    with path.open("ab") as file:
        file.write(line + b"\n")
    for _ in range(2):
        with Manifest(path, project="p", kind="image") as manifest:
            assert set(manifest.earlier) - {"b"} == {"a"}
            manifest.write("b", "created", task_id="2")


RECORDS = [
    {"name": "b", "fate": ["created"]}, {"name": "b", "fate": None, "digest": ["x"]},
    {"name": "b", "annotations": "many"},
    {"name": "b", "fate": {"a": 1}, "digest": {"a": [1]}, "annotations": None},
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_with_values_of_other_types_is_no_ones(tmp_path, record):
    path = tmp_path / "m.jsonl"
    with Manifest(path, project="p", kind="image"):
        pass
    with path.open("ab") as file:
        file.write(json.dumps(record).encode() + b"\n")
    with Manifest(path, project="p", kind="image") as manifest:
        assert not manifest.earlier["b"].ours


@pytest.mark.parametrize("header", [{"project": ["p"], "kind": {"a": 1}}, {"project": None}, {"project": "q" * 5000}])
def test_a_header_with_other_values_is_another_imports(tmp_path, header):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"manifest": "fastlabel-import", **header}) + "\n")
    with pytest.raises(ImportRefused, match="belongs to an import of") as raised:
        Manifest(path, project="p", kind="image").__enter__()
    assert len(str(raised.value)) < 1000


def test_a_manifest_in_a_store_with_real_folders(tmp_path):
    for _ in range(2):
        with Manifest(store_at(tmp_path / "m.jsonl"), project="p", kind="image") as manifest:
            manifest.write("a", "created", task_id="1")
    assert set(manifest.earlier) == {"a"}
