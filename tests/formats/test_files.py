"""Listing of a data set's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.formats.files import files_below

if TYPE_CHECKING:
    from pathlib import Path


def test_linked_folders_are_entered_once_and_hidden_names_left_out(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.xml").touch()
    root = tmp_path / "data"
    for name in ("a.xml", "._a.xml", ".git/config", "sub/c.xml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "link").symlink_to(elsewhere)
    (root / "sub" / "round").symlink_to(root)
    assert files_below(root) == ["a.xml", "link/b.xml", "sub/c.xml"]
