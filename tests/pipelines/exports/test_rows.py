"""The rows of a manifest on disk: a mapping like any other, in the order of the paths, and gone with the process."""

from __future__ import annotations

import errno
import json

import pytest

from airflow_provider_fastlabel.digests import Facts
from airflow_provider_fastlabel.pipelines.exports.manifest_file import manifest_file
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
from tests.limits import run_limited

PATHS = ["b/a", "b", "a.txt", "a/b", "日本/ö.txt", "\U0001f600", "\uffee", 'quo"te', "new\nline", "\udcff.txt"]


def row(path, size=1):
    return {"path": path, "size": size, "sha256": "s" * 64, "md5": "m" * 32}


@pytest.mark.parametrize("named", [True, False])
def test_rows_come_in_the_order_of_their_paths(tmp_path, named):
    rows = Rows(tmp_path if named else None)
    for path in PATHS:
        rows.put(row(path, 5))
        rows.put(row(path))
    assert list(rows) == sorted(PATHS)
    assert len(rows) == len(PATHS)
    assert dict(rows.items()) == {path: row(path) for path in PATHS}
    assert "c" not in rows
    assert rows.get("c") is None
    assert list(tmp_path.iterdir()) == []


def test_more_rows_than_are_put_in_or_read_at_a_time():
    rows = Rows()
    for number in range(2500):
        rows.note(f"in/{number:04}", Facts(number, "s", "m"))
        rows.note(f"out/{number:04}", Facts(number, "s", "m"))
    assert [one["path"] for one in rows.below("in/")] == [f"{number:04}" for number in range(2500)]
    assert rows.count("out/") == 2500
    rows.remove("in/0000")
    assert (rows.facts_of("in/0000"), rows.facts_of("in/0001")) == (None, Facts(1, "s", "m"))


def test_what_a_row_does_not_have_it_does_not_get():
    rows = Rows()
    rows.put({"path": "a", "sha256": "x"}, "key")
    assert rows["key"] == {"path": "a", "sha256": "x"}


@pytest.mark.parametrize("count", [0, 1, 2, 2001])
def test_a_manifest_has_the_bytes_of_json_dumps(tmp_path, count):
    files = [row(f'{number:05} 日本"') for number in range(count)]
    if count == 2:
        files[1] = {"path": "z", "size": 3}
    about = {"format": "x", "a": {"files": [], "n": None}, "filters": {"t": '\n "files": []'}, "zoo": 1.5}
    wanted = json.dumps({**about, "version": 1, "files": files}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    with manifest_file(tmp_path, about, files) as text, (tmp_path / "m").open("wb") as out:
        text.copy_to(out)
    assert (tmp_path / "m").read_bytes() == wanted.encode()


FULL = """
import errno, resource, signal, sys
from pathlib import Path
from airflow_provider_fastlabel.digests import Facts
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
rows = Rows(Path(sys.argv[1]))
try:
    for number in range(200_000):
        rows.note(str(number), Facts(number, "s" * 64, "m" * 32))
except OSError as error:
    print(error.errno)
"""


def test_a_disk_without_room_is_said_as_by_the_system(tmp_path):
    assert int(run_limited(FULL, tmp_path)) in (errno.ENOSPC, errno.EDQUOT)
    assert list(tmp_path.iterdir()) == []
