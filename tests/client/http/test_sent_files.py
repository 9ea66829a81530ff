"""What was sent of a file is digested on its way, so that no file is read twice."""

from __future__ import annotations

import hashlib

import pytest
import responses

from airflow_provider_fastlabel.client import Conflict, FastLabelClient
from airflow_provider_fastlabel.client.http.sent_files import noting_sent_files

URL = "https://api.fastlabel.ai/v1/tasks/image"


def drained(request):
    b"".join(request.body)
    return (200, {}, '"id"')


@responses.activate
def test_digest_and_size_of_what_went_out(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"x" * 500_000)
    responses.add_callback("POST", URL, drained)
    client = FastLabelClient("token")
    with noting_sent_files() as sent:
        client.create_image_task("p", "a", str(path))
    assert sent == {path: (500_000, hashlib.sha256(b"x" * 500_000).hexdigest())}
    with noting_sent_files() as nothing:
        pass
    assert nothing == {}


@responses.activate
def test_a_file_that_did_not_go_out_whole_is_not_noted(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    responses.add("POST", URL, status=409, json={"message": "exists"})  # answered before the body was read
    with noting_sent_files() as sent, pytest.raises(Conflict):
        FastLabelClient("token", max_retries=0).create_image_task("p", "a", str(path))
    assert sent == {}
