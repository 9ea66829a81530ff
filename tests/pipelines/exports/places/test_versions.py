"""Versions beside each other: what an export believes, removes and leaves alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from upath import UPath

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, load
from airflow_provider_fastlabel.pipelines.exports.places.destination import FileGoneError, PublishedOtherwiseError
from airflow_provider_fastlabel.pipelines.exports.places.local_folder import OddPlaceError
from airflow_provider_fastlabel.pipelines.exports.places.pointer import POINTER, OvertakenError, read_published
from airflow_provider_fastlabel.pipelines.exports.publish import destination, publish
from tests.pipelines.exports.places.spots import Spot, content, current, in_place, read_whole, staged, store_at
from tests.strange_files import STRANGE, make_strange

FIRST = {"a.txt": "1", "sub/b.txt": "2"}


@pytest.fixture(params=["local", "disk"])
def spot(request, tmp_path):
    folder = tmp_path / "set"
    return Spot(folder if request.param == "local" else store_at(folder), "versions")


@pytest.fixture
def export(spot, tmp_path):
    """Publish files; return what came of it."""
    numbers = iter(range(99))

    def go(files=FIRST, keep=1):
        return publish(
            staged(tmp_path / f"s{next(numbers)}", files), destination(spot.place, "versions", keep), {"format": "x"}
        )

    return go


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_pointer_says_where_what_lies(export, spot, tmp_path):
    first = export()
    second = export({"a.txt": "2"})
    pointer = json.loads((tmp_path / "set" / POINTER).read_bytes())
    assert pointer["version"] == 1
    assert (pointer["path"], pointer["sha256"]) == (second.path, second.digest)
    assert pointer["path"] == f"versions/{pointer['id']}"
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}Z-{second.digest[:12]}-[0-9a-f]{{8}}", pointer["id"])
    assert [(row["path"], row["sha256"]) for row in pointer["earlier"]] == [(first.path, first.digest)]
    assert read_whole(spot.place) == {"a.txt": "2"}
    assert content(tmp_path / "set" / first.path) == FIRST


def test_the_same_again_writes_nothing(export, tmp_path):
    first = export()
    raw = (tmp_path / "set" / POINTER).read_bytes()
    assert export() == replace(first, changed=False)
    assert (tmp_path / "set" / POINTER).read_bytes() == raw
    assert names(tmp_path / "set" / "versions") == [first.path.partition("/")[2]]


def test_fewer_kept_versions_go_when_nothing_has_changed_too(export, spot, tmp_path):
    for number in range(4):
        export({"a.txt": str(number)}, keep=3)
    assert len(names(tmp_path / "set" / "versions")) == 4
    assert not export({"a.txt": "3"}, keep=1).changed
    assert len(names(tmp_path / "set" / "versions")) == 2
    assert read_whole(spot.place) == {"a.txt": "3"}


def test_only_what_exports_have_put_there_is_removed(export, tmp_path):
    export()
    versions = tmp_path / "set" / "versions"
    orphan = "20200101T000000Z-0123456789ab-01234567"
    staged(versions, {"notes.md": "mine", "mine/a.txt": "mine", f"{orphan}/a.txt": "x", ".current-0123abcd": "x"})
    (tmp_path / "set" / "report.html").write_text("mine")
    (versions / "20200101T000000Z-0123456789ab-76543210").symlink_to(tmp_path)
    assert export({"a.txt": "2"}).changed
    assert not (versions / orphan).exists()
    assert not (versions / ".current-0123abcd").exists()
    assert (versions / "notes.md").read_text() == (versions / "mine" / "a.txt").read_text() == "mine"
    assert (versions / "20200101T000000Z-0123456789ab-76543210").is_symlink()
    assert (tmp_path / "set" / "report.html").exists()


def test_an_orphan_goes_although_nothing_has_changed_and_an_export_begun_before_publishes_no_more(
    export, spot, tmp_path
):
    export()
    other = destination(spot.place, "versions")
    staged(tmp_path / "set" / "versions", {"20200101T000000Z-0123456789ab-01234567/a.txt": "x"})
    assert not export().changed
    assert len(names(tmp_path / "set" / "versions")) == 1
    with pytest.raises(OvertakenError, match="max_active_runs=1"):
        publish(staged(tmp_path / "late", {"a.txt": "late"}), other, {})
    assert read_whole(spot.place) == FIRST
    assert len(names(tmp_path / "set" / "versions")) == 1


def test_what_cannot_be_written_leaves_the_current_version_and_no_other(export, spot, tmp_path, monkeypatch):
    export()
    before = names(tmp_path / "set" / "versions")
    place = destination(spot.place, "versions")
    given = staged(tmp_path / "s", {"a.txt": "2"})
    (given / "broken").symlink_to("nowhere")
    with pytest.raises(OSError, match="broken|No such file"):
        publish(given, place, {})
    assert read_whole(spot.place) == FIRST
    assert names(tmp_path / "set" / "versions") == before


BROKEN = [
    b"", b"[]", b"null", b"5", b"{", b"{}", b'{"version": 1}', b'{"version": 1, "earlier": []}',
    b'{"version": 1, "earlier": {}}',
]  # fmt: skip


def refused():
    return pytest.raises(DamagedFileError, match=r"current\.json is not as an export writes it.*Nothing was published")


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: raw.decode())
def test_what_is_no_pointer_is_refused(export, spot, tmp_path, raw):
    export()
    (tmp_path / "set" / POINTER).write_bytes(raw)
    with refused():
        destination(spot.place, "versions")


CHANGES = [
    {"path": "../elsewhere"}, {"path": "versions/../.."}, {"path": "/etc"}, {"path": 5}, {"id": ".."}, {"id": None},
    {"id": "../x", "path": "versions/../x"}, {"sha256": "x"}, {"sha256": None}, {"version": 2}, {"version": None},
    {"earlier": [5]}, {"earlier": [{"id": "..", "path": "versions/..", "sha256": "0" * 64}]}, {"sha256": "0" * 64},
    {"id": f"20200101T000000Z-{'0' * 12}-{'0' * 8}", "path": f"versions/20200101T000000Z-{'0' * 12}-{'0' * 8}"},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_pointer_to_what_no_export_has_put_there_is_refused(export, spot, tmp_path, change):
    export()
    place = tmp_path / "set" / POINTER
    place.write_text(json.dumps(json.loads(place.read_bytes()) | change))
    with refused():
        destination(spot.place, "versions")
    assert len(names(tmp_path / "set" / "versions")) == 1


@pytest.mark.parametrize("kind", STRANGE)
def test_a_pointer_that_is_no_file_is_not_waited_for(export, spot, tmp_path, kind):
    export()
    (tmp_path / "set" / POINTER).unlink()
    make_strange(kind, tmp_path / "set" / POINTER)
    with refused():
        destination(spot.place, "versions")


@pytest.mark.parametrize(
    "change",
    [lambda folder: (folder / MANIFEST).unlink(), lambda folder: (folder / MANIFEST).write_text('{"files": []}')],
)
def test_a_version_that_is_not_the_one_that_was_published_is_refused(export, spot, tmp_path, change):
    export()
    change(current(tmp_path / "set"))
    with refused():
        destination(spot.place, "versions")


def test_a_link_in_the_place_of_the_versions_is_not_followed(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "set" / "versions").symlink_to(tmp_path / "theirs")
    with pytest.raises(OddPlaceError, match="versions is a symbolic link"):
        destination(tmp_path / "set", "versions")


def test_a_data_set_in_place_with_a_file_of_the_pointers_name_is_one_in_place(tmp_path):
    """A labelme task of the name ``current.png`` has such a file."""
    for place in (tmp_path / "local", UPath(f"memory://{tmp_path.name}/set")):
        for number in range(2):
            given = staged(tmp_path / f"s{number}", {"current.json": f"{number}"})
            assert publish(given, in_place(place), {}).changed
        with pytest.raises(PublishedOtherwiseError, match="published in place"):
            destination(place, "versions")


def test_a_file_that_goes_before_it_is_copied_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    place = store_at(tmp_path / "set")
    publish(staged(tmp_path / "s1", FIRST), destination(place, "versions"), {})
    copy = type(place.fs).cp_file

    def late(self, source, target):
        self.rm_file(source)
        copy(self, source, target)

    monkeypatch.setattr(type(place.fs), "cp_file", late)
    with pytest.raises(FileGoneError, match=r"is not in the earlier data set any more"):
        publish(staged(tmp_path / "s", FIRST | {"new.txt": "3"}), destination(place, "versions"), {})
    assert len(names(tmp_path / "set" / "versions")) == 1


def test_a_store_that_cannot_copy_is_helped(tmp_path, monkeypatch):
    place = store_at(tmp_path / "set")
    publish(staged(tmp_path / "s1", FIRST), destination(place, "versions"), {})

    def no_copy(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr(type(place.fs), "cp_file", no_copy)
    publish(staged(tmp_path / "s2", FIRST | {"new.txt": "3"}), destination(place, "versions"), {})
    assert read_whole(place) == FIRST | {"new.txt": "3"}


def test_a_store_that_has_copied_half_is_not_believed(tmp_path, monkeypatch):
    place = store_at(tmp_path / "set")
    publish(staged(tmp_path / "s1", FIRST), destination(place, "versions"), {})
    monkeypatch.setattr(type(place.fs), "cp_file", lambda self, _, target: self.pipe_file(target, b""))
    with pytest.raises(OSError, match="copied 0 of 1 bytes"):
        publish(staged(tmp_path / "s2", FIRST | {"new.txt": "3"}), destination(place, "versions"), {})
    assert read_whole(place) == FIRST
    assert len(names(tmp_path / "set" / "versions")) == 1


def test_a_pointer_whose_answer_is_lost_is_found_again(tmp_path, monkeypatch):
    place = store_at(tmp_path / "set")
    move = type(place.fs).mv

    def lost(self, *given, **more):
        move(self, *given, **more)
        raise ConnectionError("lost")

    monkeypatch.setattr(type(place.fs), "mv", lost)
    assert publish(staged(tmp_path / "s1", FIRST), destination(place, "versions"), {}).changed
    assert read_whole(place) == FIRST


def test_a_pointer_that_may_arrive_later_keeps_its_version_until_the_next_export(tmp_path, monkeypatch):
    place = store_at(tmp_path / "set")
    with monkeypatch.context() as patch:
        patch.setattr(type(place.fs), "mv", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("lost")))
        with pytest.raises(ConnectionError):
            publish(staged(tmp_path / "s1", FIRST), destination(place, "versions"), {})
    assert any(content(tmp_path / "set" / "versions" / name) == FIRST for name in names(tmp_path / "set" / "versions"))
    publish(staged(tmp_path / "s2", {"a.txt": "2"}), destination(place, "versions"), {})
    assert len(names(tmp_path / "set" / "versions")) == 1
    assert read_whole(place) == {"a.txt": "2"}


def test_a_place_whose_name_is_a_pattern_keeps_and_removes_its_own(tmp_path):
    for folder in ("set[1]", "set1"):
        place = store_at(tmp_path / folder)
        for number in range(4):
            given = staged(tmp_path / f"{folder}-{number}", {"sub/x[1].txt": f"{number}"})
            publish(given, destination(place, "versions"), {})
    for folder in ("set[1]", "set1"):
        assert len(names(tmp_path / folder / "versions")) == 2
        assert read_whole(tmp_path / folder) == {"sub/x[1].txt": "3"}


def test_what_cannot_be_removed_is_said_and_the_export_is_done(tmp_path, monkeypatch, caplog):
    place = store_at(tmp_path / "set")
    for number in range(2):
        publish(staged(tmp_path / f"s{number}", {"a.txt": f"{number}"}), destination(place, "versions"), {})

    def refuse(*_, **__):
        raise PermissionError("no right to delete")

    monkeypatch.setattr(type(place.fs), "rm", refuse)
    assert publish(staged(tmp_path / "s", {"a.txt": "2"}), destination(place, "versions"), {}).changed
    assert "is not needed any more and cannot be removed (no right to delete)" in caplog.text
    assert read_whole(place) == {"a.txt": "2"}


def test_a_reader_whose_version_has_gone_meanwhile_reads_the_one_that_is_current_now(export, spot):
    export()
    later = [{"a.txt": "2"}, {"a.txt": "3"}]

    def read(place, name):
        while later and str(place) != str(spot.place):
            export(later.pop(0))
        return load(place, name)

    place, _ = read_published(spot.place, read)
    assert (place / "a.txt").read_text() == "3"


def test_what_a_store_does_not_remove_without_a_word_is_said_too(tmp_path, monkeypatch, caplog):
    place = store_at(tmp_path / "set")
    for number in range(2):
        publish(staged(tmp_path / f"s{number}", {"a.txt": f"{number}"}), destination(place, "versions"), {})
    monkeypatch.setattr(type(place.fs), "rm", lambda *_, **__: None)
    assert publish(staged(tmp_path / "s", {"a.txt": "2"}), destination(place, "versions"), {}).changed
    assert "is not needed any more and cannot be removed (2 of its files are there still)" in caplog.text
