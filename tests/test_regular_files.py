"""Only regular files are opened, whatever a stranger has put in their place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airflow_provider_fastlabel.regular_files import (
    NotRegularError,
    kind_of,
    leaves,
    open_regular,
    read_regular,
    regular_descriptor,
)
from tests.limits import run_limited
from tests.strange_files import STRANGE, make_strange

READ = """
import sys
from airflow_provider_fastlabel.regular_files import NotRegularError, open_regular, read_regular, regular_descriptor
for opened in (open_regular, read_regular, lambda path: regular_descriptor(path, 1)):
    try:
        opened(sys.argv[1])
    except NotRegularError as error:
        print(error.filename == sys.argv[1], error.strerror)
"""


@pytest.mark.parametrize(("kind", "word"), STRANGE.items())
def test_what_is_no_regular_file_is_refused_by_name(tmp_path: Path, kind: str, word: str) -> None:
    lines = run_limited(READ, make_strange(kind, tmp_path / "a.json")).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("True it is a ") and word in line for line in lines)


@pytest.mark.parametrize("size", [0, 5, (1 << 20) + 7, 3 << 20])
def test_a_regular_file_is_read_whole_also_through_links(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    assert read_regular(tmp_path / "c") == data
    with open_regular(str(tmp_path / "c")) as file:
        assert file.read() == data


def test_a_file_of_the_kernel_without_a_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/proc/self/status")
    assert b"Pid:" in read_regular(tmp_path / "a")


def test_errors_of_the_system_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "missing")
    with pytest.raises(OSError, match="symbolic links"):
        read_regular(tmp_path / "round")


def test_a_pipe_that_takes_the_place_of_a_file_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a").write_text("a")
    looked_at = (tmp_path / "a").stat()
    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, "stat", lambda *_, **__: looked_at)
    with pytest.raises(NotRegularError, match="named pipe"):
        read_regular(tmp_path / "pipe")
    monkeypatch.undo()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_is_created_where_there_is_none(tmp_path: Path) -> None:
    os.close(regular_descriptor(tmp_path / "new", os.O_WRONLY | os.O_CREAT, 0o600))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    assert kind_of((tmp_path / "new").stat().st_mode) == "a regular file"


def test_a_path_leaves_a_folder_by_links_and_dots(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "inner").mkdir()
    (folder / "a").write_text("a")
    (folder / "sub" / "up").symlink_to("../a")
    (folder / "out").symlink_to("../inner")
    (folder / "nowhere").symlink_to("/no/such/place")
    (folder / "round").symlink_to("round")
    real = os.path.realpath(folder)
    inside = ["", "a", "sub/up", "missing", "round", "sub/../a"]
    outside = ["out", "out/a", "nowhere", "..", "../inner"]
    assert [name for name in (*inside, *outside) if leaves(folder / name, real)] == outside
    assert not leaves("/etc/hosts", "/")
