"""Token, quota, faults, log, clock, strictness, restarts."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from email.utils import parsedate_to_datetime

import pytest
import requests

from airflow_provider_fastlabel.emulator import Emulator

from .conftest import Api, encoded, picture, picture_bytes


def test_only_the_right_token_opens_the_api(api: Api):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": api.emulator.token}):
        answer = requests.get(api.emulator.url + "projects", headers=headers, timeout=60)
        assert answer.status_code == 401
        assert "token" in answer.json()["message"]


def test_signed_addresses_refuse_the_token_and_changes_and_age(cats):
    url = cats("GET", f"tasks/image/{cats.image('a.png')}")["url"]
    assert requests.get(url, headers={"Authorization": "Bearer x"}, timeout=60).status_code == 400
    assert requests.get(url.replace("expires=1", "expires=9"), timeout=60).status_code == 403
    assert requests.put(url, timeout=60).status_code == 405
    assert requests.get(url, headers={"Range": "bytes=0-3"}, timeout=60).content == picture_bytes()[:4]
    cats.emulator.advance(3601)
    assert requests.get(url, timeout=60).status_code == 403


def test_a_file_that_is_known_by_its_md5_is_not_sent_again(cats):
    url = cats("GET", f"tasks/image/{cats.image('a.png')}")["url"]
    etag = requests.get(url, timeout=60).headers["ETag"]
    assert etag == f'"{hashlib.md5(picture_bytes()).hexdigest()}"'
    answer = requests.get(url, headers={"If-None-Match": etag}, timeout=60)
    assert (answer.status_code, answer.content) == (304, b"")
    assert requests.get(url, headers={"If-None-Match": '"other"'}, timeout=60).content == picture_bytes()


def test_the_quota_answers_429_until_the_window_has_moved_on(api: Api):
    api.emulator.configure(quota=3)
    assert [api.send("GET", "projects").status_code for _ in range(3)] == [200, 200, 200]
    answer = api.send("GET", "projects")
    assert answer.status_code == 429
    assert 590 < int(answer.headers["Retry-After"]) <= 600
    api.emulator.advance(float(answer.headers["Retry-After"]))
    assert api.send("GET", "projects").status_code == 200


def test_status_faults_hit_the_matching_calls_as_often_as_asked(api: Api):
    api.emulator.fault("status", times=2, method="GET", path="^projects$", status=429, retry_after=7)
    api("GET", "projects/map/id-slug")
    answers = [api.send("GET", "projects") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    date = "Wed, 21 Oct 2099 07:28:00 GMT"
    api.emulator.fault("status", retry_after=date)
    assert api.send("GET", "projects").headers["Retry-After"] == date


@pytest.mark.parametrize(("kind", "created"), [("reset", 0), ("lost_answer", 1), ("truncate", 1)])
def test_broken_connections_differ_in_what_was_done(cats, kind, created):
    cats.emulator.fault(kind, method="POST")
    with pytest.raises(requests.RequestException) as raised:
        cats.image("a.png")
    assert ("reset by peer" in str(raised.value)) == (kind == "reset")
    assert cats("GET", "tasks/count", project="cats") == created
    assert [call["fault"] for call in cats.emulator.requests(path="tasks/image")] == [kind]


def test_a_truncated_answer_is_shorter_than_it_says(cats):
    cats.image("a.png")
    cats.emulator.fault("truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        cats.send("GET", "tasks/image", project="cats")


def test_a_slow_call_is_done_before_the_caller_gives_up(cats):
    cats.emulator.fault("slow", seconds=2)
    body = {"project": "cats", "name": "a.png", "file": picture()}
    with pytest.raises(requests.ReadTimeout):
        cats.session.post(cats.emulator.url + "tasks/image", json=body, timeout=0.5)
    assert cats("GET", "tasks/count", project="cats") == 1


def test_the_log_tells_what_was_asked(cats):
    cats.emulator.clear_requests()
    cats("GET", "tasks/image", project="cats", tags=["a", "b"], limit=5)
    data = picture_bytes()
    cats.image("a.png", file=encoded(data))
    listed, created = cats.emulator.requests()
    assert (listed["method"], listed["path"], listed["status"], listed["body"]) == ("GET", "tasks/image", 200, None)
    assert listed["query"] == {"project": "cats", "tags": ["a", "b"], "limit": "5"}
    assert created["body"]["file"]["size"] == len(data)
    assert created["id"] == listed["id"] + 1
    assert created["authorization"] is True
    assert cats.emulator.requests(after=listed["id"], method="post", path="tasks") == [created]


def test_dates_follow_the_emulators_clock(cats):
    cats.emulator.advance(86_400)
    answer = cats.send("POST", "tasks/image", {"project": "cats", "name": "a.png", "file": picture()})
    created = cats("GET", f"tasks/image/{answer.json()}")["createdAt"]
    assert created[:13] == parsedate_to_datetime(answer.headers["Date"]).strftime("%Y-%m-%dT%H")


def test_lenient_mode_ignores_unknown_fields(cats):
    cats.emulator.configure(strict=False)
    ident = cats.image("a.png", novelty=1)
    assert cats("GET", "tasks/image", project="cats", novelty=1)[0]["id"] == ident


def test_a_reset_gives_the_same_ids_again(api: Api):
    first = [api.project(), api.image("a.png")]
    api.emulator.configure(quota=1, history_seconds=9)
    api.emulator.reset()
    assert [api.project(), api.image("a.png")] == first
    assert len(api.emulator.requests()) == 2


def test_it_describes_itself(api: Api):
    base = api.emulator.base_url
    document = requests.get(f"{base}/openapi.json", timeout=60).json()
    assert "/v1/tasks/image/{task_id}" in document["paths"]
    assert requests.get(f"{base}/docs", timeout=60).status_code == 200
    assert "quota" in api.emulator.control("GET", "choices")


def test_it_serves_this_machine_only():
    with pytest.raises(ValueError, match="this machine only"):
        Emulator(host="0.0.0.0")


def test_the_process_keeps_its_data_and_stops_on_sigterm(tmp_path):
    command = [
        sys.executable,
        "-m",
        "airflow_provider_fastlabel.emulator",
        "--db",
        str(tmp_path / "e.db"),
        "--token",
        "t",
    ]

    def session(work):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["pid"] == process.pid
            try:
                return work(ready)
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=20) == 0

    def create(ready):
        headers = {"Authorization": f"Bearer {ready['token']}"}
        project = {"type": "image_bbox", "name": "x", "slug": "x"}
        requests.post(ready["url"] + "projects", json=project, headers=headers, timeout=60)
        body = {"project": "x", "name": "a.png", "file": picture()}
        return requests.post(ready["url"] + "tasks/image", json=body, headers=headers, timeout=60).json()

    def read(ready):
        headers = {"Authorization": f"Bearer {ready['token']}"}
        address = ready["url"] + "tasks/image?project=x"
        task = requests.get(address, headers=headers, timeout=60).json()[0]
        return task["id"], requests.get(task["url"], timeout=60).content

    ident = session(create)
    assert session(read) == (ident, picture_bytes())
