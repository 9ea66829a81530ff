"""Exports into a bucket that does not exist, or ceases to while they run: nothing is created, and one error says so."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_fastlabel.operators import (
    FastLabelCreateTasksFromFolderOperator,
    FastLabelExecuteEndpointOperator,
    FastLabelExportCocoOperator,
)
from tests.operators.exporting import png
from tests.operators.stores import current


def buckets(s3):
    return [row["Name"] for row in s3.boto.list_buckets()["Buckets"]]


def drop(s3):
    for row in s3.boto.list_objects_v2(Bucket="sets").get("Contents", ()):
        s3.boto.delete_object(Bucket="sets", Key=row["Key"])
    s3.boto.delete_bucket(Bucket="sets")


def gone(outcome):
    """Check that one error names place and remedy; return its text."""
    assert isinstance(outcome.reason, FileNotFoundError)
    text = str(outcome.reason)
    assert "'sets'" in text
    assert "s3://sets/x" in text
    assert "Create the bucket" in text
    return text


@pytest.mark.parametrize("include_images", [True, False])
def test_a_bucket_that_does_not_exist_is_refused_before_any_work(export, label, s3, emulator, include_images):
    label("a.png")
    emulator.clear_requests()
    outcome = export(
        FastLabelExportCocoOperator, output="s3://typo/x", output_conn_id=s3.conn, include_images=include_images
    )
    assert isinstance(outcome.reason, FileNotFoundError)
    for words in ("'typo'", "s3://typo/x", "`output`", "Nothing was read or changed", "create the bucket"):
        assert words in str(outcome.reason)
    assert emulator.requests() == []
    assert buckets(s3) == ["sets"]


def test_a_bucket_without_any_object_is_exported_to(export, label, s3):
    label("a.png")
    outcome = export(FastLabelExportCocoOperator, output="s3://sets/x", output_conn_id=s3.conn)
    assert outcome.state == "success"
    assert "annotations.json" in current(s3, "sets/x")


def test_a_bucket_one_may_not_look_at_is_no_missing_bucket(export, label, s3):
    label("a.png")

    def refuse(request, **_):
        if request.method == "HEAD" and request.url.endswith("/sets"):
            raise PermissionError("Access Denied")

    s3.on_sending(refuse)
    outcome = export(FastLabelExportCocoOperator, **s3.at)
    assert outcome.state == "success", outcome.reason


@pytest.mark.parametrize(("way", "name"), [("in_place", "manifest.json"), ("versions", "current.json")])
@pytest.mark.parametrize("content", [b"", b"[]", b'{"files": [{"path": "../other/x"}]}'])
def test_a_damaged_file_of_ours_in_a_bucket_is_named_before_any_work(export, label, s3, emulator, content, way, name):
    label("a.png")
    s3.pipe_file(f"sets/x/{name}", content)
    s3.pipe_file("sets/other/x", b"theirs")
    emulator.clear_requests()
    outcome = export(FastLabelExportCocoOperator, **s3.at, publish=way)
    assert f"sets/x/{name}" in str(outcome.reason)
    assert "is not as an export writes it" in str(outcome.reason)
    assert emulator.requests() == []
    assert s3.cat_file("sets/other/x") == b"theirs"


@pytest.mark.parametrize("earlier", [True, False])
def test_a_bucket_that_goes_while_the_data_set_is_made_is_not_made_again(export, label, s3, earlier):
    class Meanwhile(FastLabelExportCocoOperator):
        def write(self, *given):
            report = super().write(*given)
            drop(s3)
            return report

    label("a.png")
    arguments = {"output": "s3://sets/x", "output_conn_id": s3.conn, "include_images": True}
    if earlier:
        assert export(FastLabelExportCocoOperator, **arguments).state == "success"
    text = gone(export(Meanwhile, **arguments))
    assert "Neither this data set nor an earlier one stands there" in text
    assert buckets(s3) == []


@pytest.mark.parametrize("way", ["in_place", "versions"])
def test_a_bucket_that_goes_between_two_uploads_gives_one_error(export, label, s3, way):
    arguments = {**s3.at, "publish": way, "include_images": True}
    label("a.png")
    export(FastLabelExportCocoOperator, **arguments)
    label("b.png", "c.png")
    cuts: list[Any] = []

    def cut(request, **_):
        if request.method == "PUT" and not cuts:
            cuts.append(request.url)
            drop(s3)

    s3.on_sending(cut)
    gone(export(FastLabelExportCocoOperator, **arguments))
    assert cuts[0].endswith("/sets/x/manifest.previous.json") is (way == "in_place")
    assert buckets(s3) == []


def test_another_error_of_the_store_stays_what_it_is(export, label, s3):
    label("a.png")
    s3.fails = "annotations.json"
    outcome = export(FastLabelExportCocoOperator, output="s3://sets/x", output_conn_id=s3.conn)
    assert not isinstance(outcome.reason, FileNotFoundError)
    assert buckets(s3) == ["sets"]


def test_a_manifest_in_a_bucket_that_does_not_exist_is_refused(airflow_run, project, client, emulator, s3, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(png())
    outcome = airflow_run(
        lambda: FastLabelCreateTasksFromFolderOperator(
            task_id="create",
            project=project,
            folder=str(tmp_path / "photos"),
            manifest="s3://typo/m.jsonl",
            source_conn_id=s3.conn,
        )
    ).attempt()
    assert isinstance(outcome.reason, FileNotFoundError)
    assert "`manifest`" in str(outcome.reason)
    assert client.count_tasks(project) == 0
    assert buckets(s3) == ["sets"]


def test_answers_of_an_endpoint_for_a_bucket_that_does_not_exist_are_not_asked_for(airflow_run, emulator, s3, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(png())
    emulator.clear_requests()
    outcome = airflow_run(
        lambda: FastLabelExecuteEndpointOperator(
            task_id="execute",
            endpoint_name="faces",
            folder=str(tmp_path / "photos"),
            output="s3://typo/x",
            output_conn_id=s3.conn,
        )
    ).attempt()
    assert isinstance(outcome.reason, FileNotFoundError)
    assert "`output`" in str(outcome.reason)
    assert emulator.requests() == []
    assert buckets(s3) == ["sets"]
