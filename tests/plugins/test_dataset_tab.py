"""The "Dataset" tab, by Airflow's own application: what it shows, to whom, and what it never shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_fastlabel.plugins import published
from tests.operators.stores import s3  # noqa: F401

PAGES = ["", "/report.html", "/contact-sheet.jpg"]


def line(answer):
    """Return the one line that a page says."""
    found = re.search(r"<body><p>(.*)</p></body>", answer.text)
    assert found, answer.text
    return found[1]


def test_the_report_is_shown_in_a_frame_without_rights(ask, publish, reported, tmp_path):
    address = publish(reported)

    page, report = ask(address), ask(f"{address}/report.html")

    assert '<body><iframe sandbox="allow-scripts" src="-1/report.html"' in page.text
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; frame-src 'self'; style-src 'sha256-"
    )
    assert report.content == (tmp_path / "report" / "report.html").read_bytes()
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy
    for answer in (page, report):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert len(page.content) < 100_000


def test_the_contact_sheet_is_a_picture(ask, publish, reported):
    answer = ask(f"{publish(reported)}/contact-sheet.jpg")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("role", "status", "said"),
    [("nobody", 401, "You are not signed in to Airflow."), (None, 403, "You may not see the data of this DAG.")],
)
def test_only_who_may_see_the_dag_s_xcoms_sees_it(ask, publish, reported, page, role, status, said):
    answer = ask(publish(reported) + page, role)

    assert (answer.status_code, line(answer)) == (status, said)


@pytest.mark.parametrize("path", ["docs", "redoc", "openapi.json", "", "datasets", "datasets/../../api/v2"])
def test_nothing_else_is_served(ask, path):
    assert ask(f"/fastlabel/{path}", "nobody").status_code in (401, 404)


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, {"output": 3}, {"output": "/x"}, {"report": "/x"}])
def test_a_task_without_a_data_set_says_so_in_one_line(ask, publish, value):
    answer = ask(publish(value))

    assert (answer.status_code, line(answer)) == (200, published.NOTHING)


def test_a_task_that_has_returned_nothing_says_so_in_one_line(ask):
    answers = [ask(f"/fastlabel/datasets/no/run/task/-1{page}") for page in PAGES]

    assert [line(answer) for answer in answers] == [published.NOTHING] * 3
    assert [answer.status_code for answer in answers] == [200, 404, 404]


def test_each_mapped_index_has_its_own(ask, publish, reported):
    publish({}, run="mapped")
    address = publish(reported, map_index=3, run="mapped")

    assert 'src="3/report.html"' in ask(address).text
    assert line(ask(address[:-1] + "-1")) == published.NOTHING


def test_the_placeholder_that_airflow_leaves_means_not_mapped(ask, publish, reported):
    address = publish(reported).removesuffix("-1")

    assert 'src="-1/report.html"' in ask(f"{address}{{MAP_INDEX}}").text
    assert ask(f"{address}x").status_code == 422


def test_a_report_that_a_later_run_has_written_is_said_to_be_one(ask, publish, reported):
    page = ask(publish({**reported, "sha256": "0" * 64})).text

    assert "<p>A later run has written another report to the same place since: this is that one.</p><iframe" in page


def test_an_export_shows_the_report_that_lies_with_its_data_set(ask, publish, reported, tmp_path):
    version = tmp_path / "report" / "versions" / "1"
    version.mkdir(parents=True)
    exported = {"output": reported["output"], "path": str(version), "format": "coco", "sha256": "1" * 64}

    assert "<body><iframe" in ask(publish(exported)).text

    (tmp_path / "report" / "report.html").unlink()
    assert line(ask(publish(exported))) == (
        f"No report lies with the data set at {reported['output']}. FastLabelReportOperator with the same output makes "
        "one."
    )


def test_a_report_that_is_gone_is_said_to_be(ask, publish, reported, tmp_path):
    (tmp_path / "report" / "report.html").unlink()

    assert line(ask(publish(reported))) == f"The report is no longer at {reported['output']}."


@pytest.mark.parametrize("place", ["/on/another/machine", "relative/to/nothing"])
def test_a_place_on_a_worker_is_said_to_be_one(ask, publish, reported, place):
    assert line(ask(publish({**reported, "output": place}))) == (
        f"The report lies on the worker, at {place}, which Airflow&#x27;s API server cannot read. What is in an object "
        "store, or in a folder that both mount, is shown here."
    )


def test_a_relative_place_is_meant_from_where_the_worker_was(ask, publish, reported, tmp_path):
    value = {**reported, "output": "report", "worked_in": str(tmp_path)}

    assert "<body><iframe" in ask(publish(value)).text


def too_large(path):
    path.write_bytes(path.read_bytes().ljust(10_000_001))


def another_page(path):
    path.write_text("<!doctype html>\n<html lang='en'><script>alert(1)</script>")


def another_policy(path):
    path.write_bytes(path.read_bytes().replace(b"default-src 'none'", b"default-src *", 1))


def link(path):
    path.rename(path.with_name("kept"))
    path.symlink_to("kept")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [too_large, another_page, another_policy, link, pipe, folder])
@pytest.mark.parametrize("page", PAGES[:2])
def test_only_a_report_of_ours_is_shown(ask, publish, reported, tmp_path, spoil, page):
    spoil(tmp_path / "report" / "report.html")

    assert line(ask(publish(reported) + page)) == (
        f"What lies at {reported['output']} is not shown: it is no report of this provider, or has more than 10 MB."
    )


def test_only_a_contact_sheet_of_ours_is_shown(ask, publish, reported, tmp_path):
    (tmp_path / "report" / "contact-sheet.jpg").write_bytes(b"\xff\xd8\xff a photograph of somebody")

    answer = ask(f"{publish(reported)}/contact-sheet.jpg")

    assert answer.status_code == 404
    assert line(answer).startswith("What lies at ")


def test_the_request_names_no_place(ask, publish, reported):
    address = publish({})

    for asked in (f"?output={reported['output']}&report=x", "/../../report.html", "/%2e%2e%2freport.html"):
        assert "<iframe" not in ask(address + asked).text


@pytest.mark.parametrize(
    "place",
    [
        "<script>alert(1)</script>", "s3://", "/x\x00y", "nosuch://a:secret@b/c", "http://127.0.0.1:1/a",
        "None", "{{ ds }}", "simplecache::s3://a/b", "/etc/passwd", "/proc/self", "/dev",
    ],
)  # fmt: skip
def test_an_odd_place_ends_in_one_line_without_markup_or_secret(ask, publish, reported, place):
    answer = ask(publish({**reported, "output": place}))

    assert answer.status_code == 200
    assert "<" not in line(answer)
    assert "secret" not in answer.text


def test_a_report_in_an_object_store_is_read_by_the_connection_of_its_task(ask, publish, reported, s3, tmp_path):  # noqa: F811
    s3.pipe("sets/x/report.html", (tmp_path / "report" / "report.html").read_bytes())
    value = {**reported, **s3.at}

    assert "<body><iframe" in ask(publish({**value, "output_conn_id": s3.conn})).text
    assert "cannot read s3://sets/x." in line(ask(publish({**value, "output_conn_id": "there-is-none"})))

    s3.rm("sets/x/report.html")
    assert line(ask(publish(value))) == "The report is no longer at s3://sets/x."


def test_airflow_finds_the_plugin_by_its_entry_point(server):
    from airflow import plugins_manager

    found = [each for each in plugins_manager.get_plugin_info() if each["name"] == "fastlabel"]

    assert [view["destination"] for view in found[0]["external_views"]] == ["task_instance"]
    assert [app["url_prefix"] for app in found[0]["fastapi_apps"]] == ["/fastlabel"]


def test_loading_the_plugin_loads_nothing_heavy(tmp_path):
    code = """
import sys
from airflow.providers.common.compat.sdk import AirflowPlugin
before = set(sys.modules)
import airflow_provider_fastlabel.plugins.fastlabel
print(sorted(set(sys.modules) - before))
"""
    env = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)

    loaded = json.loads(done.stdout.splitlines()[-1].replace("'", '"'))
    assert [name for name in loaded if not name.startswith("airflow_provider_fastlabel")] == []
