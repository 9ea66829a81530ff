"""A published data set is checked, and compared with another, from a terminal."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def datasets(run, approved, client, tmp_path):
    """Two exports of a project; in the second a box has grown, and there is a picture without one."""
    assert run("export", "photos", "before", "--include-images").code == 0
    task = client.find_image_task_by_name("photos", "a.png")
    client.update_image_task(task["id"], annotations=[{"type": "bbox", "value": "cat", "points": [4, 5, 22, 26]}])
    client.create_image_task("photos", "d.png", approved / "b.png", status="approved")
    assert run("export", "photos", "after", "--include-images").code == 0
    return tmp_path


def checks(folder, *entries):
    (folder / "checks.yaml").write_text(json.dumps(list(entries)))
    return folder / "checks.yaml"


def test_what_has_changed_is_counted_and_listed(run, datasets):
    ended = run("diff", "before", "after", "--output", "changes", "--json")
    assert ended.code == 0, ended.stderr
    assert ended.result["changed"] is True
    assert ended.result["objects"]["resized"] == 1
    assert ended.result["pictures"]["added"] == 1
    assert {path.name for path in (datasets / "changes").iterdir()} == {
        "comparison.json", "comparison.md", "changes.jsonl",
    }  # fmt: skip
    assert run("diff", "before", "before", "--json").result["changed"] is False


def test_a_missing_data_set_is_no_comparison(run, datasets):
    ended = run("diff", "nowhere", "after")
    assert ended.code != 0
    assert "There is no data set at nowhere. Nothing was compared or written." in ended.stderr


def test_a_check_that_fails_ends_with_one(run, datasets):
    passing = checks(datasets, {"check": "unlabelled_pictures", "at_most": 0.25})
    assert run("check", "after", "--checks", passing, "--json").result["passed"] is True
    failing = checks(datasets, {"check": "unlabelled_pictures"}, {"check": "approved", "at_least": 1.0})
    ended = run("check", "after", "--checks", failing, "--json")
    assert (ended.code, ended.result["passed"]) == (1, False)
    assert "d.png" in json.dumps(ended.result)
    assert "after failed unlabelled_pictures, of 2 checks. It stays as it is." in ended.result["error"]
    assert run("check", "before", "--checks", failing).code == 0


def test_a_list_that_is_not_there_is_said_to_be_missing(run, datasets):
    ended = run("check", "after", "--checks", "nowhere.yaml", "--json")
    assert (ended.code, ended.result["error"]) == (
        2, "There is no list of checks at nowhere.yaml. Nothing was read. Correct --checks.",
    )  # fmt: skip
    assert run("check", "after", "--checks", ".").code == 2


def test_a_list_that_is_not_right_is_refused(run, datasets):
    ended = run("check", "after", "--checks", checks(datasets, {"check": "nothing"}))
    assert ended.code == 2
    assert "Nothing was read" in ended.stderr
