"""Links and other oddities where a data set is published: resolved once or refused, and never followed in the swap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.pipelines.exports.places.local_folder import OddPlaceError, real_place, settle
from airflow_provider_fastlabel.pipelines.exports.publish import destination, publish
from airflow_provider_fastlabel.pipelines.exports.staging import staging
from tests.pipelines.exports.places.spots import content, staged
from tests.strange_files import STRANGE, make_strange

FIRST = {"a.txt": "1", "sub/b.txt": "2"}
SECOND = {"a.txt": "2"}
THEIRS = {"precious.txt": "theirs", "sub/precious.txt": "theirs"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def export_to(target, folder, files):
    """Do what an export does with its target, without the export."""
    place = real_place(target)
    settle(place)
    destination(place)
    with staging(place) as work:
        return publish(staged(work / folder, files), place, {})


def test_a_link_to_a_folder_is_resolved_once_and_stays(tmp_path):
    real, link = tmp_path / "disk" / "real", tmp_path / "link"
    real.mkdir(parents=True)
    link.symlink_to("disk/real")
    for files in (FIRST, SECOND, SECOND, FIRST):
        export_to(link, "s", files)
        assert link.readlink() == Path("disk/real")
        assert content(real) == files
    assert names(tmp_path) == ["disk", "link"]
    assert names(tmp_path / "disk") == ["real"]


def test_a_link_on_the_way_is_resolved_as_well(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    assert real_place(tmp_path / "link" / "deep" / "set") == tmp_path / "disk" / "deep" / "set"
    export_to(tmp_path / "link" / "deep" / "set", "s", FIRST)
    assert content(tmp_path / "disk" / "deep" / "set") == FIRST


def test_a_link_to_somebodys_folder_is_refused(tmp_path):
    theirs = staged(tmp_path / "theirs", THEIRS)
    (tmp_path / "link").symlink_to(theirs)
    with pytest.raises(FileExistsError, match="holds files but no manifest"):
        export_to(tmp_path / "link", "s", FIRST)
    assert content(theirs) == THEIRS


@pytest.mark.parametrize(
    ("link", "output"), [("set", "set"), ("up", "up/set"), ("up", "up/deep/set")], ids=["target", "parent", "deeper"]
)
@pytest.mark.parametrize("to", ["nowhere", "loop"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path, link, output, to):
    (tmp_path / link).symlink_to(link if to == "loop" else "nowhere")
    with pytest.raises(OddPlaceError, match="symbolic link that leads to no folder.*Nothing was read or changed"):
        real_place(tmp_path / output)
    assert names(tmp_path) == [link]


@pytest.mark.parametrize("output", ["/", "/proc", "/dev/shm"])
def test_what_cannot_be_renamed_is_refused(output):
    if output != "/" and not os.path.ismount(output):
        output = "/proc"
    with pytest.raises(OddPlaceError, match="the root or a mount point"):
        real_place(output)


@pytest.mark.parametrize("kind", [*(kind for kind in STRANGE if kind not in ("folder", "zero")), "file"])
def test_a_target_that_is_no_folder_is_refused(tmp_path, kind):
    if kind == "file":
        (tmp_path / "set").write_text("mine")
    else:
        make_strange(kind, tmp_path / "set")
    with pytest.raises(OddPlaceError, match=f"is {'a regular file' if kind == 'file' else f'a .*{STRANGE[kind]}'}"):
        real_place(tmp_path / "set")


@pytest.mark.parametrize("name", [".set.previous", ".set.publishing"])
@pytest.mark.parametrize("what", ["link", "dangling", "fifo", "file"])
@pytest.mark.parametrize("first", [True, False])
def test_what_has_the_name_of_a_folder_that_publishing_needs_is_left_alone(tmp_path, name, what, first):
    theirs = staged(tmp_path / "theirs", THEIRS)
    (theirs / MANIFEST).write_text('{"files": []}')
    if not first:
        export_to(tmp_path / "set", "s", FIRST)
    if what == "link":
        (tmp_path / name).symlink_to(theirs)
    elif what == "dangling":
        (tmp_path / name).symlink_to("nowhere")
    elif what == "fifo":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).write_text("mine")
    with pytest.raises(OddPlaceError, match="where a folder belongs"):
        real_place(tmp_path / "set")
    with pytest.raises(OddPlaceError, match="where a folder belongs"):
        publish(staged(tmp_path / "s", SECOND), tmp_path / "set", {})
    if name == ".set.previous":
        with pytest.raises(OddPlaceError, match="where a folder belongs"):
            settle(tmp_path / "set")
    assert content(theirs) == THEIRS
    assert (theirs / MANIFEST).exists()
    assert os.path.lexists(tmp_path / name)
    assert (tmp_path / "set").exists() is not first
    if not first:
        assert content(tmp_path / "set") == FIRST
    (tmp_path / name).unlink()
    export_to(tmp_path / "set", "s", SECOND)
    assert content(tmp_path / "set") == SECOND


def test_a_link_that_took_the_targets_place_after_the_start_is_not_followed(tmp_path):
    theirs = staged(tmp_path / "theirs", THEIRS)
    place = real_place(tmp_path / "set")
    place.symlink_to(theirs)
    with pytest.raises(OddPlaceError, match="is a symbolic link"):
        publish(staged(tmp_path / "s", FIRST), place, {})
    assert content(theirs) == THEIRS


def test_a_link_that_took_the_old_data_sets_place_in_the_middle_of_the_swap_is_not_followed(tmp_path, monkeypatch):
    theirs = staged(tmp_path / "theirs", THEIRS)
    target = tmp_path / "set"
    export_to(target, "s", FIRST)
    rename = type(target).rename

    def meddling(self, to):
        if self == target:
            rename(target, tmp_path / "stolen")
            target.symlink_to(theirs)
        return rename(self, to)

    monkeypatch.setattr(type(target), "rename", meddling)
    with pytest.raises(OddPlaceError, match=r"\.set\.previous is a symbolic link"):
        publish(staged(tmp_path / "s", SECOND), target, {})
    assert content(theirs) == THEIRS
    assert content(target) == SECOND


def test_a_file_that_somebody_replaced_by_a_link_is_published_again(tmp_path):
    target = tmp_path / "set"
    export_to(target, "s", FIRST)
    (tmp_path / "same.txt").write_text("9")
    os.utime(tmp_path / "same.txt", (1, 1))
    (target / "a.txt").unlink()
    (target / "a.txt").symlink_to(tmp_path / "same.txt")
    export_to(target, "s", FIRST)
    assert content(target) == FIRST
    assert not (target / "a.txt").is_symlink()


def test_a_users_links_are_carried_over_and_not_followed(tmp_path):
    theirs = staged(tmp_path / "theirs", THEIRS)
    target = tmp_path / "set"
    export_to(target, "s", FIRST)
    (target / "more").symlink_to(theirs)
    (target / "dangling").symlink_to("nowhere")
    (target / "sub2").symlink_to(theirs)
    export_to(target, "s", {**SECOND, "sub2/a.txt": "ours"})
    assert (target / "more").readlink() == theirs
    assert (target / "dangling").readlink() == Path("nowhere")
    assert (target / "sub2" / "a.txt").read_text() == "ours"
    assert not (target / "sub2").is_symlink()
    assert content(theirs) == THEIRS
