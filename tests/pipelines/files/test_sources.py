from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import fsspec
import pytest
import s3fs
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.files.source import Source, without_temporary
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from tests.pipelines.folders import Folders

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = ("png", "jpg", "jpeg")


class Remote:
    """The part of Airflow's ObjectStoragePath the engine uses, over fsspec's memory file system."""

    protocol = "memory"

    def __init__(self, path: str) -> None:
        self.path = path
        self.fs = fsspec.filesystem("memory")

    def __str__(self) -> str:
        return f"memory:/{self.path}"


@pytest.fixture
def remote(tmp_path):
    folder = Remote(f"/{tmp_path.name}/photos")
    yield folder
    folder.fs = fsspec.filesystem("memory")
    folder.fs.rm(f"/{tmp_path.name}", recursive=True) if folder.fs.exists(f"/{tmp_path.name}") else None


def fill(folder: Path, *names: str, content: bytes = b"x") -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def names(found) -> list[str]:
    return [source.name for source in found.sources]


def test_names_are_relative_paths_in_a_fixed_order(tmp_path):
    fill(tmp_path, "b.jpg", "sub/a.png", "sub dir/写真.JPG", "a.jpeg")
    assert names(find_sources(tmp_path, extensions=IMAGES)) == ["a.jpeg", "b.jpg", "sub dir/写真.JPG", "sub/a.png"]


def test_hidden_files_and_folders_are_left_out(tmp_path):
    fill(tmp_path, "a.jpg", ".b.jpg", ".git/c.jpg", "sub/.DS_Store")
    found = find_sources(tmp_path, extensions=IMAGES)
    assert (names(found), found.problems, found.left_out) == (["a.jpg"], [], [])


def test_foreign_files_are_problems_unless_the_pattern_leaves_them_out(tmp_path):
    fill(tmp_path, "a.jpg", "notes.docx")
    found = find_sources(tmp_path, extensions=IMAGES)
    assert [problem.name for problem in found.problems] == ["notes.docx"]
    assert ".jpg" in found.problems[0].message
    narrowed = find_sources(tmp_path, extensions=IMAGES, pattern="**/*.jpg")
    assert (narrowed.problems, len(narrowed.left_out)) == ([], 1)


def test_annotation_files_beside_the_media_are_no_media(tmp_path):
    fill(tmp_path, "a.jpg", "a.txt", "classes.txt", "LICENSE", "README.md", "b.tiff")
    found = find_sources(tmp_path, extensions=IMAGES, pictures_only=True)
    assert (names(found), [problem.name for problem in found.problems]) == (["a.jpg"], ["b.tiff"])


@pytest.mark.parametrize(
    ("pattern", "name", "selected"),
    [
        ("**/*", "a.jpg", True),
        ("train/**", "train/a.jpg", True),
        ("train/**", "val/a.jpg", False),
        ("**/*.jpg", "sub/a.xml", True),
        ("*.jpg", "sub/a.xml", False),
    ],
)
def test_the_pattern_tells_what_is_missing_from_what_was_left_out(tmp_path, pattern, name, selected):
    assert find_sources(tmp_path, extensions=IMAGES, pattern=pattern).selects(name) is selected


@pytest.mark.parametrize("make", [lambda p: p / "missing", lambda p: fill(p, "a.jpg") / "a.jpg"])
def test_a_missing_folder_and_a_file_are_refused_by_name(tmp_path, make):
    folder = make(tmp_path)
    with pytest.raises(ImportRefused, match="Nothing was created") as caught:
        find_sources(folder, extensions=IMAGES)
    assert str(folder) in str(caught.value)


def test_each_sub_folder_is_one_task_of_a_folder_kind(tmp_path):
    fill(tmp_path, "clip1/02.jpg", "clip1/01.jpg", "clip2/01.jpg", "stray.jpg", "clip1/deep/03.jpg")
    found = find_sources(tmp_path, extensions=IMAGES, by_folder=True)
    assert names(found) == ["clip1", "clip2"]
    assert [file.name for file in next(iter(found.sources)).files] == ["clip1/01.jpg", "clip1/02.jpg"]
    assert [problem.name for problem in found.problems] == ["clip1/deep/03.jpg", "stray.jpg"]


def test_a_folder_task_offers_only_its_own_files(tmp_path):
    fill(tmp_path, "clip/01.jpg", "clip/02.jpg", "clip/notes.json")
    (source,) = find_sources(tmp_path, extensions=IMAGES, by_folder=True, pictures_only=True).sources
    with source.local() as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["01.jpg", "02.jpg"]
        assert (folder / "01.jpg").read_bytes() == b"x"
    assert not folder.exists()


def test_an_empty_task_folder_is_a_problem(tmp_path):
    fill(tmp_path, "clip/01.jpg")
    (tmp_path / "empty").mkdir()
    found = find_sources(tmp_path, extensions=IMAGES, by_folder=True)
    assert [problem.name for problem in found.problems] == ["empty"]


def test_linked_folders_are_entered_once(tmp_path):
    fill(tmp_path, "real/a.jpg")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real")
    assert names(find_sources(tmp_path, extensions=IMAGES)) == ["real/a.jpg"]


def test_a_dangling_link_is_listed_for_the_checks_to_report(tmp_path):
    (tmp_path / "a.jpg").symlink_to(tmp_path / "gone.jpg")
    assert names(find_sources(tmp_path, extensions=IMAGES)) == ["a.jpg"]


def test_an_object_store_is_listed_and_downloaded(remote):
    for name, content in {"b.jpg": b"bb", "sub/a.jpg": b"a", ".hidden.jpg": b"h", "sub//odd.jpg": b"o"}.items():
        remote.fs.pipe_file(f"{remote.path}/{name}", content)
    found = find_sources(remote, extensions=IMAGES)
    assert names(found) == ["b.jpg", "sub//odd.jpg", "sub/a.jpg"]
    with next(iter(found.sources)).local() as path:
        assert (path.name, path.read_bytes()) == ("b.jpg", b"bb")
    assert not path.exists()


@pytest.mark.parametrize("name", ["../x.jpg", "a/../../x.jpg", "./../x.jpg", "a/./x.jpg", "a/../.hidden.jpg"])
def test_a_key_that_leads_away_is_a_problem_and_no_hidden_file(remote, name):
    """Stores take any text as key; one with real folders would have it lie elsewhere."""
    root = f"{remote.path}/"
    remote.fs.pipe_file(f"{remote.path}/a.jpg", b"a")
    remote.fs.store[root + name] = remote.fs.store[f"{remote.path}/a.jpg"]
    found = find_sources(remote, extensions=IMAGES)
    del remote.fs.store[root + name]
    assert names(found) == ["a.jpg"]
    assert [(problem.name, "names no folder" in problem.message) for problem in found.problems] == [(name, True)]
    assert names(find_sources(remote, extensions=IMAGES, pattern="*.jpg")) == ["a.jpg"]


def test_a_key_too_long_for_any_file_is_told_before_anything_is_sent(remote):
    """Stores take keys of 1,024 bytes without a slash; this machine needs a copy."""
    long = "n" * 300 + ".jpg"
    remote.fs.pipe_file(f"{remote.path}/a.jpg", b"a")
    remote.fs.pipe_file(f"{remote.path}/{long}", b"b")
    found = find_sources(remote, extensions=IMAGES)
    assert names(found) == ["a.jpg"]
    (problem,) = found.problems
    assert problem.name == long
    assert "its name is too long: at most 255 bytes between two slashes" in problem.message
    assert not find_sources(remote, extensions=IMAGES, pattern="a*").problems


def test_two_keys_that_would_be_one_task_are_refused(remote):
    remote.fs.pipe_file(f"{remote.path}/a.jpg", b"one")
    remote.fs.store[f"{remote.path}//a.jpg"] = remote.fs.store[f"{remote.path}/a.jpg"]
    with pytest.raises(ImportRefused, match=r"/photos/+a\.jpg and .*would both be called 'a\.jpg'"):
        find_sources(remote, extensions=IMAGES)
    assert names(find_sources(remote, extensions=IMAGES, pattern="b*")) == []
    del remote.fs.store[f"{remote.path}//a.jpg"]


def test_a_key_cannot_place_its_copy_elsewhere(tmp_path):
    source = Source("x", f"bucket/{'x' * 300}.jpg", 1, fsspec.filesystem("memory"))
    with pytest.raises(ValueError, match="is too long"), source.local():
        pass


def test_a_missing_object_store_folder_is_refused(remote):
    with pytest.raises(ImportRefused, match="does not exist"):
        find_sources(remote, extensions=IMAGES)


def test_a_store_that_is_not_there_is_told_with_the_folder_and_its_connection():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        retries = {"config_kwargs": {"retries": {"total_max_attempts": 1}}}

        class Place:
            protocol, path, storage_options = "s3", "bucket/in", {"conn_id": "minio"}
            fs = s3fs.S3FileSystem(key="k", secret="s", endpoint_url=address, skip_instance_cache=True, **retries)

            def __str__(self):
                return "s3://minio@bucket/in"

        with pytest.raises(OSError, match="cannot be listed") as caught:
            find_sources(Place(), extensions=IMAGES)
    message = str(caught.value)
    for words in ("s3://minio@bucket/in", "Airflow connection 'minio'", "EndpointConnectionError", address, "Nothing"):
        assert words in message
    assert "?" not in message


@pytest.mark.parametrize("unlistable", ["", "/sub", "/sub/deep"])
def test_a_folder_of_a_store_that_cannot_be_listed_is_an_error_and_not_an_empty_one(remote, unlistable):
    """The file systems of fsspec leave it out of what they find, wherever it lies, with the pictures in it."""
    remote.fs = Folders()
    for name in ("a.jpg", "sub/b.jpg", "sub/deep/c.jpg"):
        remote.fs.pipe_file(f"{remote.path}/{name}", b"x")
    assert names(find_sources(remote, extensions=IMAGES)) == ["a.jpg", "sub/b.jpg", "sub/deep/c.jpg"]
    remote.fs.says = {f"{remote.path}{unlistable}": PermissionError("no right to list")}
    with pytest.raises(StoreFailedError, match="cannot be listed.*no right to list"):
        find_sources(remote, extensions=IMAGES)


def test_a_store_that_does_not_say_whether_a_folder_is_there_is_an_error(remote, monkeypatch):
    def refuse(self, path, **more):
        raise TimeoutError("no answer")

    monkeypatch.setattr(MemoryFileSystem, "info", refuse)
    with pytest.raises(StoreFailedError, match="no answer"):
        find_sources(remote, extensions=IMAGES)


def test_a_folder_that_goes_while_its_parent_is_listed_holds_nothing(remote):
    remote.fs = Folders()
    for name in ("a.jpg", "sub/b.jpg"):
        remote.fs.pipe_file(f"{remote.path}/{name}", b"x")
    remote.fs.says = {f"{remote.path}/sub": FileNotFoundError("gone")}
    assert names(find_sources(remote, extensions=IMAGES)) == ["a.jpg"]


def test_a_download_that_comes_short_is_an_error(remote):
    remote.fs.pipe_file(f"{remote.path}/a.jpg", b"four")
    (source,) = find_sources(remote, extensions=IMAGES).sources
    remote.fs.pipe_file(f"{remote.path}/a.jpg", b"two")
    with pytest.raises(OSError, match="listed with 4 bytes but 3"), source.local():
        pass


def test_temporary_paths_do_not_reach_a_message():
    text = "/tmp/fastlabel-import-ab_12/a b.jpg is of type 'gif'"
    assert without_temporary(text) == "a b.jpg is of type 'gif'"


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", "THUMBS.DB", "ehthumbs.db", ".DS_Store", "day/Thumbs.db"])
def test_what_systems_leave_in_folders_is_no_item_and_no_problem(tmp_path, name):
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.png").write_bytes(b"x")
    (tmp_path / name).write_bytes(b"x")
    found = find_sources(tmp_path, extensions=["png"])
    assert [source.name for source in found.sources] == ["day/a.png"]
    assert not found.problems
    by_folder = find_sources(tmp_path, extensions=["png"], by_folder=True)
    assert [len(source.files) for source in by_folder.sources] == [1]
    assert not by_folder.problems


def test_a_folder_is_listed_whole_however_many_files_it_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("airflow_provider_fastlabel.formats.files.AT_A_TIME", 3)
    for number in range(10):
        fill(tmp_path, f"{number}.jpg", f"sub/{number}.jpg")
    assert names(find_sources(tmp_path, extensions=IMAGES)) == [
        *(f"{number}.jpg" for number in range(10)),
        *(f"sub/{number}.jpg" for number in range(10)),
    ]
