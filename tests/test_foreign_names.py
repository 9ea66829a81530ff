"""Every name that strangers chose becomes a path below its folder, or is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name, place_below

HARMLESS = [
    "a.jpg",
    "a/b/c.jpg",
    "...",
    "a..b",
    "..a/b..",
    ".hidden",
    "a b",
    "猫/犬.png",
    "ab:c",
    "x\\y.jpg",
    "\udcff",
]
HOSTILE = {
    "": "is empty",
    "/etc/passwd": "is absolute",
    "//host/share": "is absolute",
    "\\\\host\\share": "is absolute",
    "C:/x": "is absolute",
    "c:x": "is absolute",
    "..": "leads out",
    "../x": "leads out",
    "a/../../x": "leads out",
    "./../x": "leads out",
    "a\\..\\..\\x": "leads out",
    "a/..\\x": "leads out",
    "x/..": "leads out",
    ".": "empty or '.'",
    "./x": "empty or '.'",
    "a//b": "empty or '.'",
    "a/": "empty or '.'",
    "a\0b": "NUL",
    "\ud800.jpg": "no file name can hold",
    "é" * 128: "too long",
    "a/" * 2500 + "b": "too long",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_name_stays_as_it_is(name: str, tmp_path: Path) -> None:
    assert checked_name(name) == name
    assert place_below(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    for refuse in (lambda: checked_name(name), lambda: place_below(tmp_path, name)):
        with pytest.raises(UnsafeNameError, match="names no file below its folder") as caught:
            refuse()
        assert HOSTILE[name] in caught.value.why
        assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", [None, 5, [], b"x", {"a": 1}])
def test_what_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(UnsafeNameError, match="is no text but"):
        checked_name(name)


@pytest.mark.parametrize("name", ["a/b", "a\\b"])
def test_a_plain_name_has_no_folders(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsafeNameError, match="only a name may be"):
        place_below(tmp_path, name, folders=False)
    assert place_below(tmp_path, "a.b", folders=False) == tmp_path / "a.b"


@pytest.mark.parametrize("name", ["out", "out/x", "deep/out/x/y", "file"])
def test_a_link_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "deep").mkdir(parents=True)
    outside.mkdir()
    (outside / "precious").touch()
    (root / "out").symlink_to(outside)
    (root / "deep" / "out").symlink_to("../../outside")
    (root / "file").symlink_to(outside / "precious")
    with pytest.raises(UnsafeNameError, match="by a symbolic link"):
        place_below(root, name)


def test_links_inside_and_to_the_folder_itself_are_fine(tmp_path: Path) -> None:
    root, door = tmp_path / "root", tmp_path / "door"
    (root / "a").mkdir(parents=True)
    (root / "b").symlink_to("a")
    (root / "loop").symlink_to("loop")
    door.symlink_to(root)
    assert place_below(door, "b/x.jpg") == door / "b" / "x.jpg"
    assert place_below(door, "loop") == door / "loop"


def test_a_folder_beside_that_begins_alike_is_outside(tmp_path: Path) -> None:
    (tmp_path / "data-secret").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").symlink_to(tmp_path / "data-secret")
    with pytest.raises(UnsafeNameError):
        place_below(tmp_path / "data", "x")


@given(st.text(st.sampled_from("ab./\\:~\0\n\udc80é"), max_size=12))
@example("a/..")
def test_no_name_leads_out(name: str) -> None:
    root = Path("/nowhere/at/all")
    try:
        path = place_below(root, name)
    except UnsafeNameError:
        return
    assert os.path.normpath(path) == str(path)
    assert path.is_relative_to(root)
    assert path != root
