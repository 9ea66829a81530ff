"""Files go through an endpoint without Airflow; the operator's tests cover the rest."""

from __future__ import annotations

import hashlib
import json

import fsspec
import pytest
from upath import UPath

from airflow_provider_fastlabel.client import FastLabelClient, FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.endpoints.results import Results
from airflow_provider_fastlabel.pipelines.endpoints.run import execute_files
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused, RunIncomplete
from tests.airflow_fixtures import PNG
from tests.limits import run_limited
from tests.pipelines.exports.places.spots import store_at
from tests.strange_files import STRANGE, make_strange


@pytest.fixture
def client(fastlabel_emulator):
    fastlabel_emulator.control("PUT", "endpoints", {"name": "cats", "detections": []})
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        yield client


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(PNG + bytes([number]))
    return folder


def test_every_file_is_executed_once(client, photos, tmp_path):
    out = tmp_path / "out"
    first = execute_files(client, "cats", photos, out)
    counts = {"total": 3, "executed": 3, "kept": 0, "failed": 0, "links_left_out": 0}
    assert first == {"results": str(out / "results.jsonl"), **counts}
    assert execute_files(client, "cats", photos, out) == {**first, "executed": 0, "kept": 3}


def test_a_file_left_out_by_the_checks_counts_among_all_files(client, photos, tmp_path, fastlabel_emulator):
    (photos / "notes.txt").write_text("x")
    fastlabel_emulator.fault("status", path="model-endpoints/execute", times=1, status=500)
    with pytest.raises(RunIncomplete, match="more files failed than max_failures tolerates: of 4 files") as caught:
        execute_files(client, "cats", photos, tmp_path / "out", max_failures=1, max_workers=1)
    assert caught.value.summary == {"total": 4, "executed": 0, "kept": 0, "failed": 2}
    assert [failure.name for failure in caught.value.failures] == ["notes.txt", "0.png"]


class Remote:
    """The part of an object store's path that a run reads its files by."""

    protocol = "memory"

    def __init__(self, path):
        self.path = path
        self.fs = fsspec.filesystem("memory")


@pytest.fixture
def bucket(tmp_path):
    folder = Remote(f"/{tmp_path.name}/in")
    folder.fs.pipe_file(f"{folder.path}/a.png", PNG)
    yield folder
    folder.fs.rm(f"/{tmp_path.name}", recursive=True)


def sent(emulator):
    return sum(request["path"] == "model-endpoints/execute" for request in emulator.requests())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../../precious.png", "names no folder"),
        ("sub//odd.png", "below the output under its own name"),
        ("x" * 252 + ".png", "its name is too long"),
        ("C:x.png", "its name is absolute"),
    ],
)
def test_a_key_of_a_store_cannot_place_an_answer_outside_of_the_output(
    client, bucket, tmp_path, fastlabel_emulator, name, why
):
    key = f"{bucket.path}/{name}"
    bucket.fs.store[key] = bucket.fs.store[f"{bucket.path}/a.png"]
    out = tmp_path / "deep" / "er" / "out"
    with pytest.raises(ImportRefused, match=r"1 file\(s\).*Nothing was sent") as caught:
        execute_files(client, "cats", bucket, out)
    assert why in str(caught.value)
    assert sent(fastlabel_emulator) == 0
    done = execute_files(client, "cats", bucket, out, max_failures=1)
    assert (done["executed"], done["failed"]) == (1, 1)
    del bucket.fs.store[key]
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png")] == ["deep/er/out/images/a.png"]


def test_a_name_that_leaves_no_room_for_its_answer_is_told_before_anything_is_sent(
    client, photos, tmp_path, fastlabel_emulator
):
    (photos / ("x" * 248 + ".png")).write_bytes(PNG)
    with pytest.raises(ImportRefused, match="is too long"):
        execute_files(client, "cats", photos, tmp_path / "out")
    assert sent(fastlabel_emulator) == 0


def test_answers_that_cannot_be_listed_are_not_asked_for_again(
    client, photos, tmp_path, fastlabel_emulator, monkeypatch
):
    out = store_at(tmp_path / "out")
    for folder in ("images", ".parts"):
        (tmp_path / "out" / folder).mkdir(parents=True)
    fastlabel_emulator.fault("status", path="model-endpoints/execute", times=1, status=500)
    with pytest.raises(RunIncomplete) as first:
        execute_files(client, "cats", photos, out, max_workers=1)
    assert first.value.summary["executed"] == 2
    listed, before = type(out.fs).ls, sent(fastlabel_emulator)

    def refuse(self, path, *args, **more):
        if str(path).rstrip("/").endswith("/.parts"):
            raise PermissionError("no right to list")
        return listed(self, path, *args, **more)

    monkeypatch.setattr(type(out.fs), "ls", refuse)
    with pytest.raises(PermissionError, match="no right to list"):
        execute_files(client, "cats", photos, out)
    assert sent(fastlabel_emulator) == before


@pytest.mark.parametrize("link", ["images", ".parts/deep"])
def test_a_link_in_the_output_does_not_lead_answers_out(client, photos, tmp_path, fastlabel_emulator, link):
    (photos / "deep").mkdir()
    (photos / "0.png").rename(photos / "deep/0.png")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / link).parent.mkdir(parents=True)
    (tmp_path / "out" / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ImportRefused, match="leads out of the folder by a symbolic link"):
        execute_files(client, "cats", photos, tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert sent(fastlabel_emulator) == 0


@pytest.mark.parametrize("text", ["", "[]", "null", '{"name": 5}', "[" * 50_000, "\x00"])
def test_a_damaged_answer_of_an_earlier_run_is_named(client, photos, tmp_path, fastlabel_emulator, text):
    (tmp_path / "out/.parts").mkdir(parents=True)
    (tmp_path / "out/.parts/0.png.json").write_text(text)
    with pytest.raises(FastLabelInvalidException, match=r"0\.png\.json is no answer of an endpoint, or is damaged"):
        execute_files(client, "cats", photos, tmp_path / "out")
    assert sent(fastlabel_emulator) == 0


# A folder among the pieces is that of the pieces of a folder of files.
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        *(("results.jsonl", kind) for kind in STRANGE),
        *((".parts/0.png.json", kind) for kind in STRANGE if kind != "folder"),
    ],
)
def test_what_is_no_file_is_not_opened_for_an_earlier_answer(tmp_path, place, kind):
    make_strange(kind, tmp_path / "out" / place)
    code = """
        from airflow_provider_fastlabel.client import FastLabelInvalidException
        from airflow_provider_fastlabel.pipelines.endpoints.results import Results
        from pathlib import Path
        try:
            Results(Path(sys.argv[1]))
        except FastLabelInvalidException as error:
            print(error)
    """
    said = run_limited(code, tmp_path / "out")
    assert f"{place} cannot be an answer of an earlier run: it " in said
    assert STRANGE[kind] in said or "leads out of the folder" in said


@pytest.mark.parametrize("link", ["results.jsonl", ".parts", ".parts/0.png.json"])
def test_no_earlier_answer_is_read_through_a_link_that_leads_out(client, photos, tmp_path, fastlabel_emulator, link):
    record = json.dumps({"name": "0.png", "endpoint": "cats", "sha256": hashlib.sha256(PNG + b"\0").hexdigest()})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/0.png.json").write_text(record)
    (tmp_path / "out" / link).parent.mkdir(parents=True)
    (tmp_path / "out" / link).symlink_to(tmp_path / ("elsewhere" if link == ".parts" else "elsewhere/0.png.json"))
    with pytest.raises(FastLabelInvalidException, match="it leads out of the folder by a symbolic link"):
        execute_files(client, "cats", photos, tmp_path / "out")
    assert sent(fastlabel_emulator) == 0


@pytest.mark.parametrize("names", [["a[1].png"], ["a[1].png", "a1.png"], ["b*.png", "bc.png"]])
def test_a_piece_whose_name_is_a_pattern_goes_away_as_others_do(names, tmp_path):
    output = UPath(f"memory:///{tmp_path.name}/out")
    results = Results(output)
    for name in names:
        results.add(name, "cats", "0" * 64, {"json": {}}, names)
    results.publish()
    assert output.fs.find(output.path) == [f"{output.path}/results.jsonl"]
    again = Results(output)
    assert all(again.has(name, "cats", "0" * 64) for name in names)


class Refusal(Exception):  # noqa: N818 (as a store may call it)
    """An error that is no OSError, as many of stores are."""


def test_an_answer_that_a_store_refuses_ends_the_run_and_says_what_is_kept(client, photos, tmp_path, monkeypatch):
    output = UPath(f"memory:///{tmp_path.name}/out")
    opened = type(output.fs).open

    def refuse(self, path, mode="rb", **more):
        if mode == "wb" and "1.png" in path:
            raise Refusal("no room for strangers")
        return opened(self, path, mode, **more)

    monkeypatch.setattr(type(output.fs), "open", refuse)
    with pytest.raises(RunIncomplete) as told:
        execute_files(client, "cats", photos, output, max_workers=1)
    assert "an answer cannot be written" in str(told.value)
    assert "cannot be written (Refusal: no room for strangers)" in str(told.value)
    assert "Answers are kept in" in str(told.value)
    monkeypatch.undo()
    assert execute_files(client, "cats", photos, output)["kept"] == 1


def test_a_folder_of_files_may_be_called_as_a_piece(client, photos, tmp_path):
    (photos / "a.json").mkdir()
    (photos / "0.png").rename(photos / "a.json/0.png")
    summary = execute_files(client, "cats", photos, tmp_path / "out")
    assert (summary["executed"], summary["failed"]) == (3, 0)


def test_results_that_find_no_room_say_where_and_what_is_kept(client, photos, tmp_path):
    execute_files(client, "cats", photos, tmp_path / "out")
    code = """
        import signal
        from airflow_provider_fastlabel.pipelines.endpoints.results import Results
        from airflow_provider_fastlabel.pipelines.files.room import DiskFullError
        from pathlib import Path
        results = Results(Path(sys.argv[1]))
        results.add("new.png", "cats", "0" * 64, {"json": "x"}, ())
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        try:
            results.publish()
        except DiskFullError as error:
            print(error)
    """
    said = run_limited(code, tmp_path / "out")
    assert "results.jsonl was written. The answers that are kept stay. Make room" in said
    assert (tmp_path / "out/.parts/new.png.json").exists()
