"""A data set is whole only if everything that lies there could be seen."""

from __future__ import annotations

from typing import Any

import pytest
from upath import UPath

from airflow_provider_fastlabel.pipelines.exports.verify import verify_dataset
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset
from tests.pipelines.folders import Folders
from tests.pipelines.reports.labelled import box, task
from tests.pipelines.versions import publish_version


class Place:
    """The part of a place in an object store that is used, over a file system of a test."""

    protocol = "folders"

    def __init__(self, path: str, fs: Any) -> None:
        self.path = path
        self.fs = fs

    def __truediv__(self, name: str) -> Place:
        return Place(f"{self.path}/{name}", self.fs)

    def __str__(self) -> str:
        return f"folders:/{self.path}"


@pytest.fixture
def place(tmp_path):
    """A data set in a store with folders."""
    target = UPath(f"memory:///{tmp_path.name}")
    publish_version(tmp_path, "one", [task("a.png", box("cat", 1, 2, 30, 40))], place=target)
    found = PublishedDataset(target).place
    yield Place(found.path, Folders())
    target.fs.rm(target.path, recursive=True)


def test_what_is_beside_a_data_set_is_found_in_every_folder(place):
    assert verify_dataset(place).whole
    place.fs.pipe_file(f"{place.path}/more/of/it.txt", b"x")
    assert verify_dataset(place).additional == ["more/of/it.txt"]


def test_a_folder_that_cannot_be_listed_is_an_error(place):
    place.fs.pipe_file(f"{place.path}/more/of/it.txt", b"x")
    place.fs.says = {f"{place.path}/more/of": PermissionError("no right to list")}
    with pytest.raises(StoreFailedError, match=r"cannot be listed \(PermissionError: no right to list\)"):
        verify_dataset(place)


def test_a_folder_in_the_place_of_a_file_is_a_change(place):
    path = f"{place.path}/annotations.json"
    place.fs.rm_file(path)
    place.fs.mkdir(path)
    assert verify_dataset(place).changed == ["annotations.json"]


def test_a_file_that_cannot_be_read_is_told_with_its_place(place):
    path = f"{place.path}/annotations.json"
    place.fs.says = {path: PermissionError("Forbidden")}
    with pytest.raises(StoreFailedError, match=r"annotations\.json cannot be read \(PermissionError: Forbidden\)"):
        verify_dataset(place)
    place.fs.says = {f"{place.path}/manifest.json": PermissionError("Forbidden")}
    with pytest.raises(StoreFailedError, match=r"manifest\.json cannot be read \(PermissionError: Forbidden\)"):
        verify_dataset(place)
