"""Listing of a data set's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder

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
    assert DataFolder(root, follow_links=True).names == ["a.xml", "link/b.xml", "sub/c.xml"]


def test_a_folder_that_cannot_be_read_is_an_error_and_not_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "a.xml").touch()
    real = os.scandir

    def scan(place: Any) -> Any:
        if str(place).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(place))
        return real(place)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(PermissionError, match="locked"):
        DataFolder(tmp_path)
