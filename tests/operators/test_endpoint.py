"""FastLabelExecuteEndpointOperator: every file answered once, results whole or not at all, local and in a store."""

from __future__ import annotations

import base64
import json

import fsspec
import pytest
from airflow.sdk.io import attach

from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.operators import FastLabelExecuteEndpointOperator
from airflow_provider_fastlabel.pipelines.endpoints.results import decode_image, image_name
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete
from airflow_provider_fastlabel.pipelines.imports import ImportRefused
from tests.airflow_fixtures import PNG, later

CAT = [{"value": "cat", "confidenceScore": 0.9, "points": [1.0, 2.0, 3.0, 4.0]}]


@pytest.fixture
def photos(tmp_path, client, emulator):
    """A folder with three pictures that differ; the endpoint finds a cat in each."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "deep/c.png")):
        (folder / name).write_bytes(PNG + bytes([number]))
    emulator.control("PUT", "endpoints", {"name": "cats", "detections": CAT})
    return folder


@pytest.fixture
def operator(photos, tmp_path):
    """How to make the operator."""

    def make(**arguments):
        defaults = {"task_id": "endpoint", "endpoint_name": "cats", "folder": str(photos)}
        return lambda: FastLabelExecuteEndpointOperator(**{**defaults, "output": str(tmp_path / "out"), **arguments})

    return make


def executed(emulator):
    """Return how often the endpoint was called."""
    return sum(r["path"] == "model-endpoints/execute" for r in emulator.requests())


def results(folder):
    """Return the lines of the results."""
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def files(folder):
    """Return what a folder holds."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_file_has_a_result_and_a_picture(airflow_run, emulator, operator, tmp_path):
    done = airflow_run(operator()).attempt()
    out = tmp_path / "out"
    assert done.state == "success", done.error
    assert done.result == {
        "endpoint": "cats", "output": str(out), "results": str(out / "results.jsonl"),
        "total": 3, "executed": 3, "kept": 0, "failed": 0, "links_left_out": 0,
    }  # fmt: skip
    assert files(out) == ["images/a.png", "images/b.png", "images/deep/c.png", "results.jsonl"]
    lines = results(out)
    assert [line["name"] for line in lines] == ["a.png", "b.png", "deep/c.png"]
    assert all(line["json"] == CAT and line["image"] == f"images/{line['name']}" for line in lines)
    # The emulator answers the picture as it came.
    assert (out / "images/deep/c.png").read_bytes() == PNG + b"\x02"


def test_running_again_sends_nothing_and_changes_nothing(airflow_run, emulator, operator, tmp_path):
    airflow_run(operator()).attempt()
    before = (tmp_path / "out/results.jsonl").stat().st_mtime_ns
    emulator.clear_requests()
    done = airflow_run(operator()).attempt()
    assert (done.result["executed"], done.result["kept"]) == (0, 3)
    assert executed(emulator) == 0
    assert (tmp_path / "out/results.jsonl").stat().st_mtime_ns == before


def test_only_what_is_new_or_changed_is_sent(airflow_run, emulator, photos, operator, tmp_path):
    airflow_run(operator()).attempt()
    (photos / "a.png").unlink()
    (photos / "b.png").write_bytes(PNG + b"changed")
    (photos / "d.png").write_bytes(PNG)
    emulator.clear_requests()
    done = airflow_run(operator()).attempt()
    assert (done.result["executed"], done.result["kept"]) == (2, 1)
    assert executed(emulator) == 2
    assert [line["name"] for line in results(tmp_path / "out")] == ["a.png", "b.png", "d.png", "deep/c.png"]
    assert (tmp_path / "out/images/b.png").read_bytes() == PNG + b"changed"


def test_another_endpoint_answers_anew(airflow_run, emulator, operator, tmp_path):
    airflow_run(operator()).attempt()
    emulator.configure(endpoint_names=["cats", "dogs"])
    assert airflow_run(operator(endpoint_name="dogs")).attempt().result["executed"] == 3
    assert {line["endpoint"] for line in results(tmp_path / "out")} == {"dogs"}


def test_a_retry_sends_only_what_has_no_answer(airflow_run, emulator, operator, tmp_path):
    emulator.fault("status", path="model-endpoints/execute", times=1, status=500)
    run = airflow_run(operator(max_workers=1))
    first = run.attempt(1, retries_left=True)
    assert first.state == "up_for_retry"
    assert isinstance(first.error, RunIncomplete)
    assert "2 were executed" in str(first.error)
    assert "a.png" in str(first.error)
    assert not (tmp_path / "out/results.jsonl").exists()
    emulator.clear_requests()
    second = run.attempt(2)
    assert (second.result["executed"], second.result["kept"]) == (1, 2)
    assert executed(emulator) == 1
    assert files(tmp_path / "out") == ["images/a.png", "images/b.png", "images/deep/c.png", "results.jsonl"]


def test_tolerated_failures_leave_no_line_and_are_tried_by_the_next_run(airflow_run, emulator, operator, tmp_path):
    emulator.fault("status", path="model-endpoints/execute", times=1, status=500)
    done = airflow_run(operator(max_workers=1, max_failures=1)).attempt()
    assert done.state == "success", done.error
    assert (done.result["executed"], done.result["failed"]) == (2, 1)
    assert [line["name"] for line in results(tmp_path / "out")] == ["b.png", "deep/c.png"]
    assert airflow_run(operator()).attempt().result["executed"] == 1
    assert len(results(tmp_path / "out")) == 3


def test_too_many_failures_stop_the_run(airflow_run, emulator, photos, operator):
    for number in range(10):
        (photos / f"more{number}.png").write_bytes(PNG + bytes([number]))
    emulator.fault("status", path="model-endpoints/execute", times=99, status=500)
    done = airflow_run(operator(max_workers=1, max_failures=2)).attempt(retries_left=True)
    assert "more files failed than max_failures tolerates" in str(done.error)
    assert executed(emulator) == 3


def test_an_outage_stops_the_run(airflow_run, emulator, photos, operator):
    for number in range(30):
        (photos / f"more{number:02}.png").write_bytes(PNG + bytes([number]))
    emulator.fault("status", path="model-endpoints/execute", times=99, status=503)
    done = airflow_run(operator(max_workers=1)).attempt(retries_left=True)
    assert done.state == "up_for_retry"
    assert "20 files in a row got no usable answer from FastLabel" in str(done.error)
    assert executed(emulator) == 20


def test_what_concerns_every_file_ends_the_run_at_once(airflow_run, emulator, operator):
    emulator.fault("status", path="model-endpoints/execute", times=99, status=404)
    done = airflow_run(operator(max_workers=1, max_failures=99)).attempt(retries_left=True)
    assert (type(done.reason), done.state) == (NotFound, "failed")
    assert executed(emulator) == 1


def test_a_long_wait_leaves_the_slot_and_the_next_part_sends_the_rest(airflow_run, emulator, operator):
    emulator.fault("status", path="model-endpoints/execute", times=1, status=503, retry_after=400)
    done = airflow_run(operator(max_workers=1)).attempt()
    assert (done.state, done.reschedules) == ("success", 1)
    assert done.pauses[0].is_of(400)
    assert executed(emulator) == 1 + 3


def test_an_output_that_cannot_be_written_ends_the_run_at_once(airflow_run, emulator, operator, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/images").write_text("in the way")
    done = airflow_run(operator(max_workers=1, max_failures=99)).attempt(retries_left=True)
    assert "cannot be written" in str(done.error)
    assert executed(emulator) == 1


def test_the_checks_come_before_the_first_file(airflow_run, emulator, photos, operator):
    (photos / "notes.txt").write_text("x")
    with (photos / "huge.png").open("wb") as file:
        file.truncate(6 * 1024 * 1024 + 1)
    done = airflow_run(operator()).attempt(retries_left=True)
    assert done.state == "failed"
    assert isinstance(done.reason, ImportRefused)
    assert all(word in str(done.error) for word in ("'notes.txt': is no png", "'huge.png': has 6,291,457 bytes"))
    assert executed(emulator) == 0
    done = airflow_run(operator(max_failures=2)).attempt()
    assert done.result["total"] == 5
    assert (done.result["executed"], done.result["failed"]) == (3, 2)


def test_no_file_is_an_error(airflow_run, emulator, operator):
    assert "matches pattern" in str(airflow_run(operator(pattern="*.jpg")).attempt().error)


@pytest.mark.parametrize("inside", ["", "/results", "/"])
def test_an_output_inside_the_folder_is_refused(airflow_run, emulator, photos, operator, inside):
    done = airflow_run(operator(output=f"{photos}{inside}")).attempt(retries_left=True)
    assert done.state == "failed"
    assert "is inside folder" in str(done.error)
    assert executed(emulator) == 0


def test_an_output_that_leads_into_the_folder_is_refused(airflow_run, emulator, photos, operator, tmp_path):
    (tmp_path / "alias").symlink_to(photos)
    for output in (f"{tmp_path}/alias/results", f"{tmp_path}/out/../in/results"):
        assert "is inside folder" in str(airflow_run(operator(output=output)).attempt().error)
    assert executed(emulator) == 0


def test_results_that_are_not_ours_are_not_touched(airflow_run, emulator, operator, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/results.jsonl").write_text('{"mine": 1}\n')
    done = airflow_run(operator()).attempt(retries_left=True)
    assert done.state == "failed"
    assert "line 1, is no result" in str(done.error)
    assert (tmp_path / "out/results.jsonl").read_text() == '{"mine": 1}\n'
    assert executed(emulator) == 0


def test_in_an_object_store(airflow_run, emulator, operator, tmp_path):
    filesystem = fsspec.filesystem("memory")
    attach("memory", conn_id="store", fs=filesystem)
    root = f"/{tmp_path.name}"
    for number, name in enumerate(("a.png", "deep/b.png")):
        filesystem.pipe_file(f"{root}/in/{name}", PNG + bytes([number]))
    places = {
        "folder": f"memory:/{root}/in", "output": f"memory:/{root}/out",
        "source_conn_id": "store", "output_conn_id": "store",
    }  # fmt: skip
    emulator.fault("status", path="model-endpoints/execute", times=1, status=500)
    assert airflow_run(operator(max_workers=1, **places)).attempt(retries_left=True).state == "up_for_retry"
    done = airflow_run(operator(**places)).attempt()
    assert done.state == "success", done.error
    assert (done.result["executed"], done.result["kept"]) == (1, 1)
    found = {path.removeprefix(f"{root}/out/"): filesystem.cat_file(path) for path in filesystem.find(f"{root}/out")}
    filesystem.rm(root, recursive=True)
    assert sorted(found) == ["images/a.png", "images/deep/b.png", "results.jsonl"]
    assert [json.loads(line)["name"] for line in found["results.jsonl"].splitlines()] == ["a.png", "deep/b.png"]


def test_killing_the_task_keeps_the_answers(airflow_run, emulator, operator):
    emulator.fault("slow", path="model-endpoints/execute", times=3, seconds=0.3)
    task = operator(max_workers=1)()
    task.on_kill()  # before anything runs: nothing to stop
    thread = later(emulator, "model-endpoints/execute", 1, task.on_kill)
    with pytest.raises(RunIncomplete, match="stopped on request"):
        task.execute({})
    thread.join()
    before = executed(emulator)
    assert before < 3
    second = airflow_run(operator()).attempt()
    assert (second.result["executed"], second.result["kept"]) == (3 - before, before)
    assert executed(emulator) == 3


@pytest.mark.parametrize("arguments", [{"max_workers": 0}, {"max_failures": -1}])
def test_senseless_arguments_are_refused_when_the_dag_is_parsed(operator, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        operator(**arguments)()


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_a_picture_with_and_without_its_prefix(prefix):
    assert decode_image(prefix + base64.b64encode(PNG).decode()) == PNG


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_picture(nothing):
    assert decode_image(nothing) is None


@pytest.mark.parametrize("wrong", ["%%%", 7])
def test_what_is_no_picture_is_an_error(wrong):
    with pytest.raises(ValueError, match="picture"):
        decode_image(wrong)


JPEG = b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize(
    ("name", "picture", "expected"),
    [
        ("d/a.png", PNG, "d/a.png"),
        ("d/a.JPEG", JPEG, "d/a.JPEG"),
        ("d/a.png", JPEG, "d/a.png.jpg"),
        ("b.png", JPEG, "b.png.jpg.jpg"),
        ("a.jpg", b"GIF8", "a.jpg"),
    ],
)
def test_the_name_of_a_picture_tells_what_it_is_and_takes_no_other(name, picture, expected):
    assert image_name(name, picture, {name, "b.png.jpg"}) == expected
