"""Listing a folder: links out of it are left out and counted, what is no regular file is a problem by name."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from tests.strange_files import STRANGE, make_strange

IMAGES = ("png", "jpg")


@pytest.fixture
def folder(tmp_path):
    """A folder with a file, links out of it to a file and a folder, and links inside."""
    folder = tmp_path / "in"
    for path in (folder / "sub" / "a.png", tmp_path / "out" / "secret.png", folder / ".store" / "1.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (folder / "secret.png").symlink_to("/proc/self/environ")
    (folder / "data").symlink_to(tmp_path / "out")
    (folder / "gone.png").symlink_to(tmp_path / "nowhere")
    (folder / "inner.png").symlink_to("sub/a.png")
    (folder / "stored.png").symlink_to(folder / ".store" / "1.png")
    (folder / "again").symlink_to("sub")
    return folder


def names(found):
    return [source.name for source in found.sources]


def test_links_out_are_left_out_and_links_inside_work(folder):
    found = find_sources(folder, extensions=IMAGES)
    assert names(found) == ["inner.png", "stored.png", "sub/a.png"]
    assert (found.links, found.problems) == (["data/", "gone.png", "secret.png"], [])
    assert "3 links lead out of the folder and were left out (first: 'data/')" in found.links_in_words()
    assert "follow_links=True" in found.links_in_words()


def test_a_root_that_is_a_link_is_no_link_out(folder, tmp_path):
    (tmp_path / "alias").symlink_to("in")
    assert names(find_sources(tmp_path / "alias", extensions=IMAGES)) == ["inner.png", "stored.png", "sub/a.png"]


def test_they_are_followed_on_demand(folder):
    found = find_sources(folder, extensions=IMAGES, follow_links=True)
    assert names(found) == ["data/secret.png", "gone.png", "inner.png", "secret.png", "stored.png", "sub/a.png"]
    assert (found.links, found.links_in_words()) == ([], "")


def test_a_link_that_the_pattern_leaves_out_is_no_link_left_out(folder):
    found = find_sources(folder, extensions=IMAGES, pattern="sub/**")
    assert found.links == ["data/"]  # which might hold one
    assert {"gone.png", "secret.png"} < set(found.left_out)


@pytest.mark.parametrize("link", ["clip/2.png", "clip/more"])
def test_a_task_that_would_lack_a_part_is_a_problem(tmp_path, link):
    (tmp_path / "in" / "clip").mkdir(parents=True)
    (tmp_path / "in" / "clip" / "1.png").write_bytes(b"x")
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "whole").symlink_to(tmp_path / "out")
    (tmp_path / "in" / link).symlink_to(tmp_path / "out" if link.endswith("more") else "/proc/self/environ")
    found = find_sources(tmp_path / "in", extensions=IMAGES, by_folder=True)
    assert found.links == ["whole/"]
    (problem,) = found.problems
    assert problem.name == "clip"
    assert "link that leaves the folder" in problem.message


@pytest.mark.parametrize(("kind", "word"), [one for one in STRANGE.items() if one[0] not in ("folder", "zero")])
@pytest.mark.parametrize("by_folder", [True, False])
def test_what_is_no_regular_file_is_a_problem_by_name(tmp_path, kind, word, by_folder):
    make_strange(kind, tmp_path / "clip" / "a.png")
    (problem,) = find_sources(tmp_path, extensions=IMAGES, by_folder=by_folder).problems
    assert problem.name == ("clip" if by_folder else "clip/a.png")
    assert word in problem.message


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_what_is_no_folder_is_refused_by_name(tmp_path, kind):
    with pytest.raises(ImportRefused, match=f"is a {STRANGE[kind]}.*, not a folder"):
        find_sources(make_strange(kind, tmp_path / "in"), extensions=IMAGES)


def use(source):
    with source.local() as path:
        return path.read_bytes()


def peek(source):
    with source.open() as file:
        return file.read()


@pytest.mark.parametrize("how", [use, peek])
@pytest.mark.parametrize("by_folder", [True, False])
def test_a_link_that_takes_the_place_of_a_listed_file_is_not_followed(tmp_path, how, by_folder):
    folder = tmp_path / "in"
    (folder / "clip").mkdir(parents=True)
    (folder / "clip" / "a.png").write_bytes(b"x")
    (source,) = find_sources(folder, extensions=IMAGES, by_folder=by_folder).sources
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"secret")
    (folder / "clip").rename(folder / "old")
    (folder / "clip").symlink_to(tmp_path / "out")
    with pytest.raises(OSError, match="link that leaves the folder"):
        how(source.files[0] if by_folder and how is peek else source)


def test_what_is_exchanged_for_a_link_after_the_listing_is_not_opened(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.png"):
        (folder / name).write_bytes(b"mine")
    found = find_sources(folder, extensions=["png"])
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to("/proc/self/environ")
    (folder / "sub").rename(tmp_path / "out")
    (folder / "sub").symlink_to(tmp_path / "out")
    assert [source.name for source in found.sources] == ["a.png", "sub/b.png"]
    for source in found.sources:
        for way in (source.open, source.local):
            with pytest.raises(OSError, match="link that leaves the folder"), way():
                pass
