"""Which texts are a place, and which can only be a template that was rendered to nothing."""

from __future__ import annotations

import logging
from pathlib import Path

import fsspec
import pytest
from airflow.sdk.io import attach
from airflow.sdk.io import store as io_store

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.utils.object_stores import storage_path


@pytest.fixture(autouse=True)
def stores(tmp_path, monkeypatch):
    """Schemes that a worker may know, and a folder that it works in."""
    monkeypatch.setattr(io_store, "_STORE_CACHE", {})
    for scheme in ("s3", "gs", "hdfs", "memory", "abfs"):
        attach(scheme, fs=fsspec.filesystem("memory"))
    monkeypatch.chdir(tmp_path)


NOTHING = [
    "", "  ", "None", "://bucket/x", ":///x", "://", ":/bucket/x", "s3://", "s3:///x", "s3:// /x", "s3://None/x",
    "s3://conn@/x", "s3://conn@", "gs:///x", "hdfs://", "memory://", "None://bucket/x", "None/x", "/data/None/x",
    "s3://bucket/None/x", "s3://bucket/x/None", "file://", "file://None/x", "file:///None",
]  # fmt: skip


@pytest.mark.parametrize("text", NOTHING)
def test_a_template_rendered_to_nothing_is_no_place(text, tmp_path):
    with pytest.raises(FastLabelInvalidException, match=r"^output .*may have been rendered to nothing"):
        storage_path("output", text)
    assert list(tmp_path.iterdir()) == []


ODD = [
    "file:/x", "s3:/bucket/x", "s3:bucket/x", "s3//bucket/x", "file://data/x", "file:////x", "local://x", "file://./x",
    " s3://bucket/x", "s3://bucket/x ", "x\n", "\tx", "a\0b", "a\nb", "s3://bucket/a\nb", "a\x1b[2Jb", "s3 ://bucket/x",
    "3s://bucket/x", "/data/s3://bucket/x", "s3://bucket/../other", "s3://../x", "s3://./x", "s3://bucket/a/./b",
    "~nobody-of-this-name/x", "a\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_what_is_neither_a_path_nor_a_url_is_refused(text, tmp_path):
    with pytest.raises(FastLabelInvalidException, match="^output ") as raised:
        storage_path("output", text)
    assert str(raised.value).isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}, b"x", True])
def test_only_a_text_is_a_place(value):
    with pytest.raises(FastLabelInvalidException, match="output must be a text"):
        storage_path("output", value)


@pytest.mark.parametrize(
    "text",
    [
        "x", "./x", "../x", "a//b", "/data/x y/ä", "Nonesuch/none", "a:b/c", "12:30", ".", "/data/C:/x", "x/",
    ],
)  # fmt: skip
def test_a_path_is_taken_as_it_is(text):
    assert storage_path("folder", text) == Path(text)


def test_a_path_object_is_taken(tmp_path):
    assert storage_path("folder", tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("s3://bucket/x", "/bucket/x"), ("s3://bucket", "/bucket/"), ("gs://b/a b/ä", "/b/a b/ä"),
        ("hdfs:///x", "/x"), ("memory:///x", "/x"), ("s3://bucket/..x/.y", "/bucket/..x/.y"),
    ],
)  # fmt: skip
def test_a_url_is_a_place_in_its_store(text, path):
    place = storage_path("folder", text)
    assert local_path(place) is None
    assert f"/{str(place.path).lstrip('/')}" == path


def test_a_file_url_is_a_local_place(tmp_path):
    assert local_path(storage_path("folder", f"file://{tmp_path}/x")) == tmp_path / "x"


@pytest.mark.parametrize("conn_id", ["", " ", "None"])
def test_a_connection_rendered_to_nothing_is_not_left_out_of_account(conn_id):
    with pytest.raises(FastLabelInvalidException, match="the connection of output is empty"):
        storage_path("output", "s3://bucket/x", conn_id)


@pytest.mark.parametrize(("url", "extra"), [("abfss://c/x", "azure"), ("gcs://b/x", "gcs"), ("s3a://b/x", "s3")])
def test_a_store_that_nothing_installed_knows_is_told_with_its_extra(url, extra):
    with pytest.raises(FastLabelInvalidException) as caught:
        storage_path("output", url)
    assert f"the extra [{extra}] of airflow-provider-fastlabel" in str(caught.value)
    assert str(caught.value).count("[") == 1


def test_a_store_without_an_extra_of_ours_names_none():
    with pytest.raises(FastLabelInvalidException, match="provider of this object store and its file system.$"):
        storage_path("output", "webhdfs2://b/x")


@pytest.fixture
def azure_requests():
    logger = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")
    before = logger.level
    logger.setLevel(logging.NOTSET)
    yield logger
    logger.setLevel(before)


def test_azures_client_does_not_log_each_request(azure_requests):
    storage_path("folder", "s3://bucket/x")
    assert azure_requests.level == logging.NOTSET
    storage_path("folder", "abfs://container/x")
    assert not azure_requests.isEnabledFor(logging.INFO)


def test_what_somebody_has_said_of_azures_log_stays(azure_requests):
    azure_requests.setLevel(logging.DEBUG)
    storage_path("folder", "abfs://container/x")
    assert azure_requests.level == logging.DEBUG
