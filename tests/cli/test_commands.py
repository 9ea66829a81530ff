"""Single commands: what they do, what they refuse, and how they say it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from airflow_provider_fastlabel.cli.app import COMMANDS
from tests.cli.terminal import ROOT, png


def test_every_command_has_a_help_with_an_example(run):
    listed = run("--help").stdout
    for name in COMMANDS:
        said = run(name, "--help")
        assert said.code == 0
        assert f"Example:\n    fastlabel-pipelines {name} " in said.stdout
        assert f"  {name} " in listed
        assert "--token" not in said.stdout
    assert "  emulator " in listed


def test_the_examples_are_commands(run):
    for name, module in COMMANDS.items():
        _, word, *words = module.EXAMPLE.split()
        assert word == name
        # Whatever they lack here, it is not the command line that is wrong.
        assert "Usage:" not in run(name, *words).stderr


def test_a_start_loads_nothing_heavy():
    code = (
        "import sys, airflow_provider_fastlabel.cli.app\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'numpy', 'cv2', 'PIL', 'pandas', 'boto3', 'pyarrow', 'orjson', 'shapely', 'requests', 'upath', 'airflow'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_shells_can_complete(run, monkeypatch):
    monkeypatch.setenv("_FASTLABEL_PIPELINES_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "fastlabel-pipelines ver")
    monkeypatch.setenv("COMP_CWORD", "1")
    done = subprocess.run(
        [sys.executable, "-m", "airflow_provider_fastlabel"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["verify"]


def test_without_a_token_it_is_said_what_to_set(run, monkeypatch):
    monkeypatch.delenv("FASTLABEL_ACCESS_TOKEN")
    ended = run("export", "photos", "out", "--json")
    assert ended.code == 2
    assert "Set the environment variable FASTLABEL_ACCESS_TOKEN" in ended.result["error"]


def test_a_wrong_token_is_not_shown(run, client, photos, monkeypatch):
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", "wrong-secret-4711")
    ended = run("import", "photos", photos, "--json")
    assert ended.code == 2
    assert "refused the access token" in ended.result["error"]
    assert "wrong-secret-4711" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "photos", "out", "--corners", "zero_based"], "--corners is no option of the format coco"),
        (["export", "photos", "out", "--format", "yolo", "--split", "train"], "is not KEY=VALUE"),
        (["export", "photos", "out", "--file-name", "../x.json"], "file_name is a plain name"),
        (["export", "photos", "s3:/bucket"], "is neither a path nor a URL"),
        (["export", "photos", "nosuch://bucket/x"], "Install the Airflow provider of this object store"),
        (["export", "nope", "out"], "Project 'nope' does not exist"),
        (["import", "photos", "missing"], "does not exist"),
        (["import", "photos", "raw", "--reader", "task=obb"], "need --annotations-format"),
        (["wait", "photos", "--min-share", "0"], "above 0 and at most 1"),
        (["wait", "photos", "--timeout", "soon"], "is no span of time"),
        (["wait", "photos", "--status", "done"], "--status is one of"),
        (["wait", "photos", "--history-id", "x", "--tag", "y"], "the options about tasks do not go with it"),
        (["wait", "nope", "--timeout", "9s"], "The wait cannot go on"),
        (["verify", "raw"], "holds no manifest.json of an export"),
        (["convert", "raw", "raw/out", "--from", "coco", "--to", "yolo"], "lies in the folder that is read"),
        (["report", "nope", "out"], "Project 'nope' does not exist"),
    ],
)
def test_bad_input_is_refused_with_code_2(run, client, photos, fastlabel_emulator, words, said):
    ended = run(*words, "--json")
    assert (ended.code, said in ended.result["error"]) == (2, True), ended.result
    assert ended.stderr.splitlines()[-1].startswith("Error: ") or "\n" in ended.result["error"]
    assert not Path("out").exists()
    assert client.count_tasks("photos") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "photos"], "FOLDER"),
        (["import", "photos", "raw", "--status", "bogus"], "bogus"),
        (["export", "photos", "out", "--nonsense"], "--nonsense"),
        (["wait", "photos", "--min-count"], "--min-count"),
        (["verify", "out", "--workers", "0"], "--workers"),
    ],
)
def test_wrong_usage_is_one_json_object_too(run, words, said):
    ended = run(*words, "--json")
    assert (ended.code, said in ended.result["error"]) == (2, True)
    assert "Usage: " in ended.stderr
    assert (run(*words).code, run(*words).stdout) == (2, "")
    assert run(words[0], "--json", "--help").stdout.startswith("Usage: ")


def test_an_import_says_what_it_sets_on_tasks(run, client, photos, fastlabel_emulator):
    (photos / "annotations").mkdir()
    (photos / "classes.txt").write_text("cat\n")
    (photos / "a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    words = ["import", "photos", photos, "--annotations-format", "yolo", "--json"]
    ended = run(*words, "--tag", "night, early", "--tag", "x", "--status", "completed", "--priority", "20")
    assert ended.code == 0, ended.stderr
    assert ended.result["annotations"] == {"read": 1, "sent": 1, "existing": 0, "lost": {}}
    task = client.find_image_task_by_name("photos", "a.png")
    assert (task["tags"], task["status"], task["priority"]) == (["night, early", "x"], "completed", 20)
    assert task["annotations"][0]["points"] == [15, 7.5, 25, 22.5]
    again = run(*words, "--on-exists", "fail")
    assert (again.code, client.count_tasks("photos")) == (0, 3)
    other = run(*words, "--on-exists", "fail", "--manifest", "other.jsonl")
    assert (other.code, "exists in the project already" in other.result["error"]) == (2, True)


def test_a_file_that_fails_fails_the_command_and_hostile_names_stay_text(run, client, photos):
    (photos / "evil\x1b[31m.png").write_bytes(png())
    ended = run("import", "photos", photos)
    assert (ended.code, client.count_tasks("photos")) == (2, 0)
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "\\x1b[31m" in ended.stderr
    partly = run("import", "photos", photos, "--max-failures", "1", "--json")
    assert (partly.code, partly.result["created"], partly.result["failed"]) == (0, 3, 1)


@pytest.mark.parametrize("form", ["coco", "yolo", "pascalvoc", "labelme", "masks", "drawings"])
def test_every_format_can_be_exported_and_verified(run, approved, form, tmp_path):
    ended = run("export", "photos", "out", "--format", form, "--allow-lost", "--json")
    assert (ended.code, ended.result["images"]) == (0, 3), ended.stderr
    assert run("verify", "out", "--json").result["whole"]
    again = run("export", "photos", "out", "--format", form, "--allow-lost", "--json").result
    assert (again["changed"], again["sha256"]) == (False, ended.result["sha256"])


def test_versions_are_kept_in_a_folder_as_the_operators_keep_them(run, client, approved, tmp_path):
    words = ["export", "photos", "out", "--publish", "versions", "--keep-versions", "2", "--json"]
    paths = []
    for name in "defg":
        paths.append(run(*words).result["path"])
        client.create_image_task("photos", f"{name}.png", approved / "a.png", status="approved")
    assert [Path(path).exists() for path in paths] == [False, True, True, True]
    assert run("verify", "out").code == 0
    assert run("export", "photos", "other", "--keep-versions", "0").code == 2


def test_splits_are_given_as_shares(run, approved, tmp_path):
    ended = run(
        "export", "photos", "out", "--format", "yolo", "--layout", "ultralytics", "--split", "train=0.5", "--split",
        "val=0.5", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    assert {name: got["asked"] for name, got in ended.result["splits"].items()} == {"train": 0.5, "val": 0.5}
    assert len(list((tmp_path / "out/images").rglob("*.png"))) == 3


def test_an_export_that_loses_annotations_fails_unless_that_is_allowed(run, client, approved, tmp_path):
    client.create_project("image_all", "All", "all")
    client.create_annotation("all", "line", "road", "Road")
    road = {"type": "line", "value": "road", "points": [1, 1, 9, 9]}
    client.create_image_task("all", "a.png", approved / "a.png", status="approved", annotations=[road])
    ended = run("export", "all", "out", "--json")
    assert (ended.code, ended.result["skipped"]) == (1, {"unsupported_type:line": 1})
    assert "1 annotation is not in the data set" in ended.result["error"]
    assert (tmp_path / "out/left_out.jsonl").exists()
    assert run("export", "all", "out", "--allow-lost").code == 0


def test_a_wait_that_is_over_time_has_a_code_of_its_own(run, client, approved):
    ended = run("wait", "photos", "--status", "declined", "--timeout", "0.3", "--poll-interval", "0.1", "--json")
    assert (ended.code, ended.result["end"], ended.result["done"]) == (3, "timeout", 0)
    assert "Last seen: 0 of 3 tasks" in ended.result["error"]
    assert run("wait", "photos", "--min-count", "2").code == 0
    assert run("wait", "photos", "--status", "approved", "--status", "completed", "--min-share", "0.5").code == 0


@pytest.mark.parametrize(("failing", "status", "code"), [(0, "completed", 0), (1, "failed", 1)])
def test_the_end_of_an_import_is_waited_for(run, client, fastlabel_emulator, tmp_path, failing, status, code):
    fastlabel_emulator.configure(history_manual=False, history_seconds=0.2, fail_histories=failing)
    history = _dicom_history(client, tmp_path / "series.zip")
    ended = run("wait", "dicoms", "--history-id", history, "--poll-interval", "0.1", "--json")
    assert (ended.code, ended.result["status"]) == (code, status)


def _dicom_history(client, archive):
    client.create_project("dicom_bbox", "Series", "dicoms")
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a.dcm", bytes(128) + b"DICM")
    return str(client.create_dicom_task("dicoms", str(archive))["id"])


def test_verify_names_what_is_missing_changed_and_additional(run, approved, tmp_path):
    assert run("export", "photos", "out", "--include-images").code == 0
    out = tmp_path / "out"
    body = bytearray((out / "images/a.png").read_bytes())
    body[30] ^= 1
    (out / "images/a.png").write_bytes(body)
    (out / "images/b.png").unlink()
    (out / "annotations.json").write_text("{}")
    (out / "note\x1b[2J.txt").write_text("mine")
    (out / "images/day1/c.png").rename(tmp_path / "c.png")
    (out / "images/day1/c.png").symlink_to(tmp_path / "c.png")
    ended = run("verify", "out", "--json")
    assert ended.code == 1
    assert "out is not what was published: files missing 1, changed 3, additional 1." in ended.result["error"]
    assert ended.stderr.splitlines()[-1] == f"Error: {ended.result['error']}"
    assert ended.result["missing"] == ["images/b.png"]
    assert ended.result["changed"] == ["annotations.json", "images/a.png", "images/day1/c.png"]
    assert ended.result["additional"] == ["note\x1b[2J.txt"]
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "\x1b" not in run("verify", "out").stdout
    assert run("export", "photos", "out", "--include-images").code == 0
    assert run("verify", "out", "--json").result["additional"] == ["note\x1b[2J.txt"]


def test_an_object_store_is_a_place_too(run, approved):
    import fsspec

    files = fsspec.filesystem("memory")
    place = "memory://cli-of-tests/out"
    assert run("export", "photos", place, "--include-images").code == 0
    assert run("verify", place).code == 0
    version = json.loads(files.cat_file("/cli-of-tests/out/current.json"))["path"]
    name = f"/cli-of-tests/out/{version}/images/a.png"
    body = bytearray(files.cat_file(name))
    body[-1] ^= 1
    files.pipe_file(name, bytes(body))
    files.pipe_file(f"/cli-of-tests/out/{version}/more.txt", b"x")
    files.rm(f"/cli-of-tests/out/{version}/images/b.png")
    found = run("verify", place, "--json")
    assert found.code == 1
    assert [found.result[name] for name in ("missing", "changed", "additional")] == [
        ["images/b.png"], ["images/a.png"], ["more.txt"],
    ]  # fmt: skip
    files.rm("/cli-of-tests", recursive=True)


def test_a_damaged_manifest_is_no_traceback(run, approved, tmp_path):
    assert run("export", "photos", "out").code == 0
    (tmp_path / "out/manifest.json").write_text("{")
    ended = run("verify", "out", "--json")
    assert ended.code == 2
    assert "is not as an export writes it" in ended.result["error"]


def test_a_report_says_what_has_changed_since_an_earlier_version(run, approved):
    for place in ("one", "two"):
        assert run("export", "photos", place, "--format", "coco").code == 0

    ended = run("report", "photos", "out", "--dataset", "two", "--before", "one", "--json")

    assert ended.code == 0
    assert json.loads(ended.stdout)["since_last_version"]["changed"] is False


def test_a_report_says_where_it_is(run, approved, tmp_path):
    ended = run("report", "photos", "out")
    assert ended.code == 0
    assert ["report", f"{tmp_path}/out/report.html"] in [line.split() for line in ended.stdout.splitlines()]
    assert json.loads((tmp_path / "out/report.json").read_bytes())


def test_a_connection_of_airflow_is_used(run, client, approved, monkeypatch, fastlabel_emulator):
    connection = {"conn_type": "fastlabel", "password": fastlabel_emulator.token, "host": fastlabel_emulator.url}
    monkeypatch.setenv("AIRFLOW_CONN_LABELS", json.dumps(connection))
    monkeypatch.delenv("FASTLABEL_ACCESS_TOKEN")
    assert run("wait", "photos", "--conn-id", "labels", "--json").result["done"] == 3
    missing = run("wait", "photos", "--conn-id", "nobody", "--json")
    assert missing.code == 2
    assert "The conn_id 'nobody' isn't defined" in missing.result["error"]
