"""Manifests that no export can have written: nothing is done by them, and the error names the place."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.pipelines.exports.manifests import MOST_BYTES, DamagedFileError
from airflow_provider_fastlabel.pipelines.exports.places.local_folder import settle
from airflow_provider_fastlabel.pipelines.exports.publish import destination, publish
from tests.limits import run_limited
from tests.pipelines.exports.places.spots import change_manifest, content, in_place, staged, store_at
from tests.strange_files import STRANGE, make_strange

FIRST = {"a.txt": "1", "sub/b.txt": "2"}

BROKEN = [
    b"", b"null", b"[]", b"5", b'"text"', b"{", b"\xff\xfe\x00", b"[" * 200_000, b'{"a":' * 200_000, b"1" * 5000,
    b"{}", b'{"files": null}', b'{"files": {}}', b'{"files": 3}', b'{"files": ["a.txt"]}', b'{"files": [null]}',
    b'{"files": [[]]}', b'{"files": [{}]}',
]  # fmt: skip

PATHS = [
    "../precious.txt", "sub/../../precious.txt", "/etc/passwd", "//x", "..", ".", "", "a/./b", "a//b", "C:\\x", "..\\x",
    "a\0b", "\ud800", "x" * 300, 5, None, ["a"], {"a": 1}, True, MANIFEST, PREVIOUS,
]  # fmt: skip

VALUES = [{"size": "1"}, {"size": None}, {"size": 1.5}, {"size": True}, {"sha256": 5}, {"md5": ["x"]}, {"md5": None}]


def rows(change):
    return lambda data: data["files"].append({"path": "x.txt", "size": 1, "sha256": "0", "md5": "0", **change})


def refused(place):
    return pytest.raises(DamagedFileError, match=r"manifest\.json is not as an export writes it.*Nothing was published")


def check_local(tmp_path, spoil):
    target = tmp_path / "set"
    publish(staged(tmp_path / "s1", FIRST), target, {})
    (tmp_path / "precious.txt").write_text("mine")
    spoil(target)
    with refused(target):
        destination(target)
    with refused(target):
        publish(staged(tmp_path / "s2", {"a.txt": "2"}), target, {})
    assert content(target) == FIRST
    assert (tmp_path / "precious.txt").read_text() == "mine"


def check_store(tmp_path, spoil):
    folder = tmp_path / "set"
    publish(staged(tmp_path / "s1", FIRST), in_place(store_at(folder)), {})
    (tmp_path / "precious.txt").write_text("mine")
    spoil(folder)
    with refused(folder):
        in_place(store_at(folder))
    with refused(folder):
        publish(staged(tmp_path / "s2", {"a.txt": "2"}), in_place(store_at(folder)), {})
    assert content(folder) == FIRST
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize("check", [check_local, check_store])
@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20].decode("latin-1"))
def test_what_is_no_manifest_is_refused(tmp_path, check, text):
    check(tmp_path, lambda folder: (folder / MANIFEST).write_bytes(text))


@pytest.mark.parametrize("check", [check_local, check_store])
@pytest.mark.parametrize("path", PATHS, ids=str)
def test_a_path_that_leads_out_or_is_none_removes_nothing(tmp_path, check, path):
    check(tmp_path, lambda folder: change_manifest(folder, rows({"path": path})))


@pytest.mark.parametrize("check", [check_local, check_store])
@pytest.mark.parametrize("values", VALUES, ids=str)
def test_values_of_other_types_are_refused(tmp_path, check, values):
    check(tmp_path, lambda folder: change_manifest(folder, rows(values)))


@pytest.mark.parametrize("path", ["../precious.txt", "/etc/passwd", 5])
def test_the_record_of_a_publish_that_died_is_believed_no_more(tmp_path, path):
    folder = tmp_path / "set"
    publish(staged(tmp_path / "s1", FIRST), in_place(store_at(folder)), {})
    (tmp_path / "precious.txt").write_text("mine")
    change_manifest(folder, rows({"path": path}), PREVIOUS)
    (folder / MANIFEST).unlink()
    with pytest.raises(DamagedFileError, match=r"manifest\.previous\.json"):
        publish(staged(tmp_path / "s2", {"a.txt": "2"}), in_place(store_at(folder)), {})
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize("name", [MANIFEST, PREVIOUS])
def test_half_a_manifest_beside_a_whole_one_is_what_a_publish_died_over(tmp_path, name):
    """A store that is no bucket shows a file that is half written."""
    folder = tmp_path / "set"
    publish(staged(tmp_path / "s1", FIRST), in_place(store_at(folder)), {})
    (folder / PREVIOUS).write_bytes((folder / MANIFEST).read_bytes())
    (folder / name).write_bytes((folder / MANIFEST).read_bytes()[:40])
    publish(staged(tmp_path / "s2", {"a.txt": "2"}), in_place(store_at(folder)), {})
    assert content(folder) == {"a.txt": "2"}
    assert json.loads((folder / MANIFEST).read_bytes())["files"]


def test_half_a_record_of_the_very_first_publish_is_written_anew(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / PREVIOUS).write_text('{"files": [')
    publish(staged(tmp_path / "s1", FIRST), in_place(store_at(folder)), {})
    assert content(folder) == FIRST


def test_a_manifest_that_is_a_link_is_refused(tmp_path):
    def spoil(folder):
        (tmp_path / "theirs.json").write_bytes((folder / MANIFEST).read_bytes())
        (folder / MANIFEST).unlink()
        (folder / MANIFEST).symlink_to(tmp_path / "theirs.json")

    check_local(tmp_path, spoil)


def test_a_huge_manifest_is_not_read(tmp_path):
    def spoil(folder):
        with (folder / MANIFEST).open("wb") as file:
            file.truncate(MOST_BYTES + 1)

    check_local(tmp_path, spoil)


CHILD = """
import sys
from pathlib import Path
from airflow_provider_fastlabel.pipelines.exports.publish import destination, publish
from tests.pipelines.exports.places.spots import staged, store_at
target = store_at(Path(sys.argv[2])) if sys.argv[1] == "store" else Path(sys.argv[2])
try:
    publish(staged(Path(sys.argv[3]), {"a.txt": "2"}), destination(target, "in_place"), {})
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("where", ["local", "store"])
@pytest.mark.parametrize("kind", STRANGE)
def test_nothing_waits_for_what_is_no_file(tmp_path, where, kind):
    make_strange(kind, tmp_path / "set" / MANIFEST)
    said = run_limited(CHILD, where, tmp_path / "set", tmp_path / "s")
    assert "manifest.json is not as an export writes it" in said


def test_an_old_data_set_with_a_damaged_manifest_is_not_cleared_away(tmp_path):
    target = tmp_path / "set"
    publish(staged(tmp_path / "s1", FIRST), target, {})
    target.rename(tmp_path / ".set.previous")
    (tmp_path / ".set.previous" / MANIFEST).write_text("[]")
    with pytest.raises(DamagedFileError, match=r"\.set\.previous"):
        settle(target)
    assert content(tmp_path / ".set.previous") == FIRST
