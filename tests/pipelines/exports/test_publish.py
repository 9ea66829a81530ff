from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from upath import UPath

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.formats.writing.report import ExportReport
from airflow_provider_fastlabel.pipelines.exports.places.destination import FileGoneError
from airflow_provider_fastlabel.pipelines.exports.places.local_folder import locked, settle
from airflow_provider_fastlabel.pipelines.exports.publish import manifest_of, publish, read_manifest
from tests.pipelines.exports import dying
from tests.pipelines.exports.places.spots import Spot, content, in_place, staged


@pytest.fixture(params=["local in_place", "local versions", "store in_place", "store versions"])
def spot(request, tmp_path):
    where, _, way = request.param.partition(" ")
    if where == "local":
        yield Spot(tmp_path / "out" / "set", way)
        return
    path = UPath(f"memory://bucket-{tmp_path.name}/set")
    yield Spot(path, way)
    path.fs.rm(f"/bucket-{tmp_path.name}", recursive=True)


FIRST = {"a.txt": "1", "sub/b.txt": "2", "sub/c 日本.txt": "3"}


def test_everything_arrives_with_a_manifest_that_can_be_checked(tmp_path, spot):
    report = ExportReport(images=2, annotations_in=3, annotations=2, skipped={"degenerate": 1}, classes=["dog", "cat"])
    done = spot.publish(
        staged(tmp_path / "s", FIRST), manifest_of(report, format="yolo", filters={"status": "approved"})
    )
    assert content(spot.data) == FIRST
    manifest = json.loads((spot.data / MANIFEST).read_bytes())
    assert manifest == read_manifest(spot.data)
    assert manifest["classes"] == {"dog": 0, "cat": 1}
    assert manifest["filters"] == {"status": "approved"}
    assert manifest["counts"]["skipped"] == {"degenerate": 1}
    assert manifest["provider"].startswith("airflow-provider-fastlabel ")
    for row in manifest["files"]:
        raw = (spot.data / row["path"]).read_bytes()
        assert row == {
            "path": row["path"],
            "size": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "md5": hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        }
    assert done.digest == hashlib.sha256((spot.data / MANIFEST).read_bytes()).hexdigest()
    assert done.changed
    assert str(spot.data).endswith(done.path)


def test_same_content_again_changes_nothing(tmp_path, spot):
    first = spot.publish(staged(tmp_path / "s1", FIRST), {"format": "x"})
    again = spot.publish(staged(tmp_path / "s2", FIRST), {"format": "x"})
    assert not again.changed
    assert (again.digest, again.path) == (first.digest, first.path)


def test_damaged_data_set_is_published_again(tmp_path, spot):
    spot.publish(staged(tmp_path / "s1", FIRST), {})
    (spot.data / "a.txt").unlink()
    assert spot.publish(staged(tmp_path / "s2", FIRST), {}).changed
    assert content(spot.data) == FIRST


def test_a_file_overwritten_with_as_many_bytes_is_published_again(tmp_path, spot):
    spot.publish(staged(tmp_path / "s1", FIRST), {})
    (spot.data / "a.txt").write_text("9")
    if (tmp_path / "out").exists():  # whose clock may not have ticked since
        os.utime(spot.data / "a.txt", (time.time() + 1,) * 2)
    assert spot.publish(staged(tmp_path / "s2", FIRST), {}).changed
    assert content(spot.data) == FIRST


def test_files_of_the_previous_version_go_away(tmp_path, spot):
    spot.publish(staged(tmp_path / "s1", FIRST), {})
    second = {"a.txt": "changed", "new.txt": "4"}
    assert spot.publish(staged(tmp_path / "s2", second), {}).changed
    assert content(spot.data) == second


def test_a_file_whose_name_is_a_pattern_goes_away_and_takes_no_other_with_it(tmp_path, spot):
    spot.publish(staged(tmp_path / "s1", {"a[1].txt": "1", "b?.txt": "1"}), {})
    spot.publish(staged(tmp_path / "s2", {"bc.txt": "2"}), {})
    assert content(spot.data) == {"bc.txt": "2"}


def test_target_may_be_a_string(tmp_path):
    publish(staged(tmp_path / "s", FIRST), str(tmp_path / "t"), {})
    assert content(tmp_path / "t") == FIRST
    manifest = read_manifest(str(tmp_path / "t"))
    assert manifest is not None
    assert manifest["version"] == 1


def test_local_upath_is_a_local_folder(tmp_path):
    publish(staged(tmp_path / "s", FIRST), UPath(f"file://{tmp_path}/t"), {})
    assert content(tmp_path / "t") == FIRST
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_folder_that_is_not_ours_is_left_alone(tmp_path):
    mine = staged(tmp_path / "home", {"thesis.doc": "years of work"})
    with pytest.raises(FileExistsError, match="no manifest"):
        publish(staged(tmp_path / "s", FIRST), mine, {})
    assert content(mine) == {"thesis.doc": "years of work"}


def test_files_a_user_put_in_are_carried_over(tmp_path):
    target = tmp_path / "t"
    publish(staged(tmp_path / "s1", FIRST), target, {})
    (target / "sub" / "notes.md").write_text("mine")
    publish(staged(tmp_path / "s2", {"a.txt": "2"}), target, {})
    assert content(target) == {"a.txt": "2", "sub/notes.md": "mine"}


def test_published_folder_is_readable_whatever_the_staging_folder_was(tmp_path):
    folder = staged(tmp_path / "s", FIRST)
    folder.chmod(0o700)
    publish(folder, tmp_path / "t", {})
    (tmp_path / "ordinary").mkdir()
    assert (tmp_path / "t").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_publish_killed_at_any_step_leaves_no_stale_file_and_loses_none_of_the_users(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", dying.__name__, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    old, new = dying.FIRST | dying.USERS, dying.SECOND | dying.USERS
    for case in cases:
        whole = (
            case["found"] is None
            or case["found"] == old
            or dying.SECOND.items() <= case["found"].items() <= new.items()
        )
        assert whole, case
        assert case["settled"] in (old, new), case
        assert case["next"] == dying.THIRD | dying.USERS, case
        assert case["left"] == [], case
    found = [case["found"] for case in cases]
    assert found[0] == old
    assert found[-1] == new
    assert found.count(None) == 1  # between the two renames
    assert len(cases) > 20


def test_a_killed_publish_is_not_set_right_over_the_files_that_somebody_has_put_there_since(tmp_path):
    target = tmp_path / "t"
    publish(staged(tmp_path / "s1", FIRST), target, {})
    target.rename(tmp_path / ".t.previous")
    staged(target, {"mine.txt": "mine"})
    with pytest.raises(FileExistsError, match=r"\.t\.previous"):
        publish(staged(tmp_path / "s2", {"a.txt": "2"}), target, {})
    assert content(target) == {"mine.txt": "mine"}
    assert content(tmp_path / ".t.previous") == FIRST
    (target / "mine.txt").unlink()
    settle(target)
    assert content(target) == FIRST


def test_a_users_link_to_a_folder_is_carried_over(tmp_path):
    target = tmp_path / "t"
    publish(staged(tmp_path / "s1", FIRST), target, {})
    (target / "more").symlink_to(staged(tmp_path / "elsewhere", {"x.txt": "x"}))
    publish(staged(tmp_path / "s2", {"a.txt": "2"}), target, {})
    assert (target / "more" / "x.txt").read_text() == "x"


def test_a_users_file_in_a_folder_that_became_a_file_gives_way(tmp_path, caplog):
    target = tmp_path / "t"
    publish(staged(tmp_path / "s1", FIRST), target, {})
    staged(target / "sub" / "deep", {"notes.md": "mine"})
    (target / "kept.md").write_text("mine")
    publish(staged(tmp_path / "s2", {"sub": "now a file"}), target, {})
    assert content(target) == {"sub": "now a file", "kept.md": "mine"}
    assert "sub/deep/notes.md of the earlier data set is replaced" in caplog.text


class DyingStore:
    """An object store whose connection breaks at the n-th write and stays broken; with ``removals`` these count too."""

    def __init__(self, path, writes, removals=False):
        self._path, self._writes, self._removals = path, writes, removals

    def __truediv__(self, name):
        return DyingStore(self._path / name, self._writes, self._removals)

    def __getattr__(self, name):
        return getattr(self._path, name)

    @property
    def parent(self):
        return self

    @property
    def fs(self):
        return Files(self._path.fs, self._step, self._step if self._removals else lambda: None)

    def _step(self):
        self._writes[0] -= 1
        if self._writes[0] < 0:
            raise ConnectionError("broken")


class Files:
    """A store's file system that says when a file is written or removed."""

    def __init__(self, files, writing, removing):
        self._files, self._writing, self._removing = files, writing, removing

    def __getattr__(self, name):
        return getattr(self._files, name)

    def open(self, path, mode):
        if mode != "rb":
            self._writing()
        return self._files.open(path, mode)

    def rm_file(self, path):
        self._removing()
        self._files.rm_file(path)


def test_a_publish_to_a_store_killed_at_any_step_leaves_no_stale_file(tmp_path):
    second = {"a.txt": "2", "new.txt": "2"}
    done, step = False, 0
    while not done:
        place = f"/killed-{tmp_path.name}-{step}"
        store = UPath(f"memory:/{place}/set")
        publish(staged(tmp_path / f"first-{step}", FIRST), in_place(store), {})
        (store / "notes.md").write_text("mine")
        left = [step]
        try:
            publish(staged(tmp_path / f"second-{step}", second), in_place(DyingStore(store, left, removals=True)), {})
            done = True
        except ConnectionError:
            done = False
        manifest = read_manifest(store)
        if manifest is not None:  # what is marked as whole is whole, and nothing else lies beside it
            rows = {row["path"] for row in manifest["files"]}
            assert content(store).keys() - {PREVIOUS} == rows | {"notes.md"}
            assert content(store)["a.txt"] == ("2" if "new.txt" in rows else "1")
        publish(staged(tmp_path / f"third-{step}", {"a.txt": "3"}), in_place(store), {})
        assert content(store) == {"a.txt": "3", "notes.md": "mine"}
        store.fs.rm(place, recursive=True)
        step += 1
    assert step > 7


@pytest.mark.parametrize("writes", range(6))
def test_interrupted_upload_never_looks_finished(tmp_path, writes):
    store = UPath(f"memory://dying-{tmp_path.name}/set")
    publish(staged(tmp_path / "s1", FIRST), in_place(store), {})
    second = {"a.txt": "changed", "d.txt": "new", "e.txt": "newer"}
    try:
        publish(staged(tmp_path / "s2", second), in_place(DyingStore(store, [writes])), {})
    except ConnectionError:
        manifest = read_manifest(store)
        if manifest is not None:  # nothing had begun to change
            assert content(store) == FIRST
    third = {"a.txt": "third"}
    publish(staged(tmp_path / "s3", third), in_place(store), {})
    assert content(store) == third
    store.fs.rm(f"/dying-{tmp_path.name}", recursive=True)


@pytest.fixture
def store(tmp_path):
    path = UPath(f"memory://store-{tmp_path.name}/set")
    yield path
    path.fs.rm(f"/store-{tmp_path.name}", recursive=True)


def standing(*rows):
    """Stand-ins for rows of a manifest, as files to stage and as :func:`publish` wants to know them."""
    texts = {row["path"]: f"stands for {row['path']}" for row in rows}
    return texts, {hashlib.sha256(texts[row["path"]].encode()).hexdigest(): row for row in rows}


def test_a_file_that_is_stood_for_stays_where_it_is(tmp_path, store):
    publish(staged(tmp_path / "s1", FIRST), in_place(store), {})
    texts, stand_ins = standing(*(row for path, row in in_place(store).held().items() if path != "a.txt"))
    written = {path: store.fs.created(f"{store.path}/{path}") for path in texts}
    second = {**FIRST, "a.txt": "changed"}
    done = publish(staged(tmp_path / "s2", {**texts, "a.txt": "changed"}), in_place(store), {}, stand_ins=stand_ins)
    assert content(store) == second
    assert {path: store.fs.created(f"{store.path}/{path}") for path in texts} == written
    assert publish(staged(tmp_path / "s3", second), tmp_path / "full", {}).digest == done.digest


def cut(store, texts):
    (store / "sub/b.txt").write_bytes(b"")


def overwrite(store, texts):
    (store / "sub/b.txt").write_text("9")


def remove(store, texts):
    (store / "sub/b.txt").unlink()


def stand_elsewhere(store, texts):
    texts["b.txt"] = texts.pop("sub/b.txt")


@pytest.mark.parametrize("spoil", [cut, overwrite, remove, stand_elsewhere])
def test_a_file_that_is_stood_for_and_not_there_changes_nothing(tmp_path, store, spoil):
    publish(staged(tmp_path / "s1", FIRST), in_place(store), {})
    manifest = (store / MANIFEST).read_bytes()
    texts, stand_ins = standing(in_place(store).held()["sub/b.txt"])
    spoil(store, texts)
    before = content(store)
    with pytest.raises(FileGoneError, match=r"b\.txt"):
        publish(staged(tmp_path / "s2", {**texts, "new.txt": "2"}), in_place(store), {}, stand_ins=stand_ins)
    assert content(store) == before
    assert (store / MANIFEST).read_bytes() == manifest


def test_no_stand_in_gets_into_a_local_folder(tmp_path):
    publish(staged(tmp_path / "s1", FIRST), tmp_path / "t", {})
    manifest = read_manifest(tmp_path / "t")
    assert manifest is not None
    texts, stand_ins = standing(manifest["files"][0])
    with pytest.raises(FileGoneError):
        publish(staged(tmp_path / "s2", texts), tmp_path / "t", {}, stand_ins=stand_ins)
    assert content(tmp_path / "t") == FIRST


def test_a_store_that_tells_no_times_is_believed_its_sizes(tmp_path, store, monkeypatch):
    publish(staged(tmp_path / "s1", FIRST), in_place(store), {})
    find = type(store.fs).find

    def timeless(self, path, **more):
        return {name: {"size": info["size"]} for name, info in find(self, path, **more).items()}

    monkeypatch.setattr(type(store.fs), "find", timeless)
    (store / "a.txt").write_text("")
    assert set(in_place(store).held()) == set(FIRST) - {"a.txt"}


def test_a_stale_file_that_a_store_does_not_remove_fails_the_publish(tmp_path, store, monkeypatch):
    publish(staged(tmp_path / "s1", {"a.txt": "1", "stale.txt": "1"}), in_place(store), {})
    remove = type(store.fs).rm_file

    def refuse(files, path):
        if path.endswith("stale.txt"):
            raise PermissionError("Access Denied")
        remove(files, path)

    with monkeypatch.context() as patch:
        patch.setattr(type(store.fs), "rm_file", refuse)
        patch.setattr(type(store.fs), "rm", lambda *_, **__: None)  # of many at once S3 refuses some without a word
        with pytest.raises(OSError, match="Access Denied"):
            publish(staged(tmp_path / "s2", {"a.txt": "2"}), in_place(store), {})
    assert read_manifest(store) is None
    publish(staged(tmp_path / "s3", {"a.txt": "2"}), in_place(store), {})
    assert content(store) == {"a.txt": "2"}


def test_what_a_publish_that_died_had_not_touched_is_still_held(tmp_path, store):
    publish(staged(tmp_path / "s1", {**FIRST, "stale.txt": "5"}), in_place(store), {})
    for number, writes in enumerate((1, 2)):
        changes = {**FIRST, "a.txt": f"changed {number}", "new.txt": "6"}
        with pytest.raises(ConnectionError):
            publish(staged(tmp_path / f"died-{writes}", changes), in_place(DyingStore(store, [writes])), {})
        assert not (store / MANIFEST).exists()
        assert (store / PREVIOUS).exists()
        assert set(in_place(store).held()) == set(FIRST) - {"a.txt"}
    publish(staged(tmp_path / "s2", FIRST), in_place(store), {})
    assert content(store) == FIRST


KILLED = """
import sys, pathlib
from airflow_provider_fastlabel.pipelines.exports.publish import publish
number = 0
while True:
    number += 1
    staged = pathlib.Path(sys.argv[1]) / f"staged-{number}"
    staged.mkdir(parents=True)
    for name in range(20):
        (staged / f"{name}.txt").write_text(str(number))
    publish(staged, pathlib.Path(sys.argv[1]) / "target", {"number": number})
    if number == 1:
        sys.stdout.write("ready\\n"); sys.stdout.flush()
"""


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011, 0.017])
def test_killed_publisher_leaves_a_whole_data_set_or_the_old_one(tmp_path, delay):
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
    target = tmp_path / "target"
    manifest = read_manifest(target)
    if manifest is not None:
        assert set(content(target).values()) == {str(manifest["number"])}
        assert len(content(target)) == 20
    else:
        assert not target.exists()
        settle(target)
        manifest = read_manifest(target)
        assert manifest is not None
        assert set(content(target).values()) == {str(manifest["number"])}
    publish(staged(tmp_path / "last", {"a.txt": "last"}), target, {})
    assert content(target) == {"a.txt": "last"}


def test_one_publisher_at_a_time(tmp_path):
    with locked(tmp_path):
        code = f"import fcntl, os; fcntl.flock(os.open({str(tmp_path)!r}, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"BlockingIOError" in other.stderr
