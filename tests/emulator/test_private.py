"""What the emulator keeps on disk is for its owner only, and it keeps its hands off what is not its own."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from airflow_provider_fastlabel.emulator import Emulator

from .conftest import Api


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder):
    return {path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def work(db) -> str:
    with Emulator(db=db) as emulator:
        api = Api(emulator)
        if not api("GET", "projects"):
            api.project()
            api.image("a.png")
        assert {"e.db-wal", "e.db-shm"} <= {path.name for path in db.parent.iterdir()}
        check(db.parent)
        url = api("GET", "tasks/image", project="cats")[0]["url"]
        assert api.session.get(url, headers={"Authorization": None}, timeout=60).status_code == 200
        api.session.close()
    return url.partition("?")[0].rpartition("/storage/")[2]


def check(folder):
    found = modes(folder)
    assert {"e.db", "e.db.key", "e.db.key/signing.key", "e.db.files"} <= set(found)
    for name, mode in found.items():
        assert mode == (0o700 if (folder / name).is_dir() else 0o600), name


@pytest.mark.usefixtures("open_umask")
def test_database_key_and_files_are_the_owners_only(tmp_path):
    work(tmp_path / "e.db")
    check(tmp_path)


@pytest.mark.usefixtures("open_umask")
def test_what_others_could_read_before_they_cannot_any_more(tmp_path):
    first = work(tmp_path / "e.db")
    for name in ("e.db-wal", "e.db-shm"):
        (tmp_path / name).touch()
    for path in (*tmp_path.iterdir(), tmp_path / "e.db.key" / "signing.key"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    assert work(tmp_path / "e.db") == first
    check(tmp_path)


@pytest.mark.parametrize("left", [b"", b"short"])
def test_half_a_key_signs_nothing(tmp_path, left):
    # An empty key, left by a kill or a full disk, would let anybody sign.
    folder = tmp_path / "e.db.key"
    folder.mkdir()
    (folder / "signing.key").write_bytes(left)
    with pytest.raises(ValueError, match=r"signing\.key"):
        Emulator(db=tmp_path / "e.db")


@pytest.mark.parametrize("what", ["e.db", "e.db.key/signing.key"])
def test_what_is_no_file_is_refused_by_name_and_not_waited_for(tmp_path, what):
    path = tmp_path / what
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with pytest.raises((ValueError, OSError), match=path.name):
        Emulator(db=tmp_path / "e.db")


def test_a_folder_that_holds_the_users_own_is_not_taken(tmp_path):
    photo = tmp_path / "photos" / "cat.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"cat\.jpg"):
        Emulator(files=photo.parent)
    assert photo.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE dag_run (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT)",
        "CREATE TABLE records (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, note TEXT)",
        "CREATE VIEW task_tags AS SELECT 1",
    ],
)
def test_a_database_of_another_program_is_not_taken(tmp_path, made):
    """A reset would empty its tables, and every start changes its mode of access."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute(made)
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"other\.db.*not the emulator's"):
        Emulator(db=path)
    assert path.read_bytes() == before
    assert modes(tmp_path) == {"other.db": 0o644}


def test_an_empty_database_is_taken(tmp_path):
    with closing(sqlite3.connect(tmp_path / "e.db")) as empty:
        empty.execute("PRAGMA user_version = 0")
        empty.execute("VACUUM")
    work(tmp_path / "e.db")


def test_a_reset_deletes_only_what_the_emulator_stored(tmp_path):
    folder = tmp_path / "files"
    with Emulator(files=folder) as emulator:
        api = Api(emulator)
        api.project()
        api.image("a.png")
        assert len(list(folder.glob("[!.]*"))) == 1
        (folder / "notes.txt").write_text("mine")
        emulator.reset()
        assert sorted(path.name for path in folder.iterdir()) == [".fastlabel-emulator", "notes.txt"]
        api.session.close()


def test_what_a_kill_left_half_written_is_cleared_at_the_next_start(tmp_path):
    with Emulator(files=tmp_path / "files"):
        (tmp_path / "files" / f"{0xABC:032x}.part").write_bytes(b"half")
    with Emulator(files=tmp_path / "files"):
        assert [path.name for path in (tmp_path / "files").iterdir()] == [".fastlabel-emulator"]


@pytest.mark.parametrize("options", [["--db", "{}/no.db"], ["--allow-host", "*"], ["--ground-truth", "{}/no.json"]])
def test_what_stops_it_from_starting_is_one_line(tmp_path, options):
    (tmp_path / "no.db").write_text("This is no database, whatever its name says. " * 9)
    command = [sys.executable, "-m", "airflow_provider_fastlabel.emulator"]
    done = subprocess.run(
        [*command, *(option.format(tmp_path) for option in options)],
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("The emulator did not start: ")
    assert done.stderr.count("\n") == 1


def test_the_process_makes_them_private_too(tmp_path):
    command = [sys.executable, "-m", "airflow_provider_fastlabel.emulator", "--db", str(tmp_path / "e.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        found = modes(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert {name for name, mode in found.items() if mode & 0o077} == set()
    assert {"e.db", "e.db-wal", "e.db-shm", "e.db.key", "e.db.files"} <= set(found)


def test_a_store_of_another_program_is_refused_and_stays(tmp_path):
    """Git LFS, container registries and backups name their files by SHA-256, too."""
    store = tmp_path / "store"
    store.mkdir()
    (store / ("a" * 64)).write_bytes(b"precious")
    (store / ("b" * 32 + ".part")).write_bytes(b"precious, too")
    with pytest.raises(ValueError, match=r"store holds files that are not the emulator's, such as 'aaaa.*of its own"):
        Emulator(files=store)
    assert {path.read_bytes() for path in store.iterdir()} == {b"precious", b"precious, too"}


def test_a_folder_of_the_emulator_is_taken_again(tmp_path):
    for _ in range(2):
        with Emulator(files=tmp_path / "store"):
            (tmp_path / "store" / ("a" * 64)).touch()
    (tmp_path / "store" / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"not the emulator's, such as 'notes\.txt'"):
        Emulator(files=tmp_path / "store")
