"""Retries, errors and answers, against a server that breaks connections for real."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import traceback
from email.utils import formatdate
from typing import Any

import pytest

from airflow_provider_fastlabel.client import (
    AuthError,
    Conflict,
    ConnectionFailed,
    FastLabelClient,
    FastLabelException,
    FastLabelInvalidException,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from airflow_provider_fastlabel.client.http.transport import segment


def test_a_read_is_repeated_until_it_succeeds(raw, raw_client):
    raw.play(raw.RESET, raw.answer(503, {"message": "busy"}), raw.answer(200, [{"id": "p"}]))
    assert raw_client.get_projects() == [{"id": "p"}]
    assert raw.lines() == ["GET projects?limit=100"] * 3
    assert len(raw_client.pauses) == 2
    assert 0 <= raw_client.pauses[0] <= 0.5
    assert 0 <= raw_client.pauses[1] <= 1.0


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("RESET", ConnectionFailed),
        ("truncated", ConnectionFailed),
        ("html", ConnectionFailed),
        ("empty", ConnectionFailed),
        ("204", ConnectionFailed),
        ("500", ServerError),
        ("429", RateLimited),
    ],
)
def test_after_the_last_retry_the_cause_is_raised(raw, raw_client, step, expected):
    raw.play(
        {
            "RESET": raw.RESET,
            "truncated": raw.answer(body=b"[", length=100) + b"",
            "html": raw.answer(body=b"<html>proxy</html>"),
            "empty": raw.answer(body=b""),
            "204": raw.answer(204),
            "500": raw.answer(500, {"message": "boom"}),
            "429": raw.answer(429, {"message": "slow down"}),
        }[step]
    )
    if step == "truncated":
        raw.play(lambda request: raw.CLOSE_EARLY)
    with pytest.raises(expected) as caught:
        raw_client.find_project("p1")
    assert "GET projects/p1" in caught.value.message
    assert len(raw.requests) == 3


def test_an_answer_cut_short_is_not_taken_for_the_whole(raw, raw_client):
    def cut(request):
        return raw.answer(body=b'[{"id": "1"}', length=4000)

    raw.play(cut, raw.answer(200, [{"id": "1"}, {"id": "2"}]))
    raw_client.transport._timeout = (5, 0.2)  # the rest never comes
    assert len(raw_client.get_projects()) == 2


def test_a_silent_server_is_a_timeout(raw):
    with FastLabelClient("t", api_url=raw.url, max_retries=0, timeout=(5, 0.1)) as client:
        raw.play(raw.HANG)
        with pytest.raises(RequestTimeout) as caught:
            client.get_projects()
    assert isinstance(caught.value, TimeoutError)
    assert "timeout" in str(caught.value)


def test_a_closed_port_is_named_and_not_in_doubt():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with FastLabelClient("t", api_url=f"http://127.0.0.1:{port}/v1/", max_retries=1) as client:
        client.transport.sleep = lambda _: None
        with pytest.raises(ConnectionFailed, match="refused"):
            client.create_model_monitoring_request_results("m")


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (401, b'{"message": "Unauthorized"}', AuthError, "refused the access token. Put a valid one into the argument"),
        (403, b'{"message": "Forbidden"}', AuthError, "The access token from the argument access_token is valid, but"),
        (404, b'{"statusCode": 404, "message": "no such project", "error": "Not Found"}', NotFound, "no such project"),
        (409, b'{"message": "conflict"}', Conflict, "conflict"),
        (422, b'{"message": "name already exists"}', Conflict, "already exists"),
        (400, b'{"message": ["slug is already used", "x"]}', Conflict, "slug is already used; x"),
        (422, b'{"message": "tags must not hold duplicates"}', FastLabelInvalidException, "duplicates"),
        (422, b'{"message": "duplicate name"}', Conflict, "duplicate name"),
        (422, b'{"message": "limit is too large"}', FastLabelInvalidException, "limit is too large"),
        (422, b'{"message": ["a must be b", "c must be d"]}', FastLabelInvalidException, "a must be b; c must be d"),
        (422, b'{"error": "Unprocessable Entity"}', FastLabelInvalidException, "Unprocessable Entity"),
        (400, b"{}", FastLabelInvalidException, "{}"),
        (400, b"[1]", FastLabelInvalidException, "[1]"),
        (413, b"<html>\n<h1>Too large</h1></html>", FastLabelInvalidException, "Too large"),
        (418, b"", FastLabelInvalidException, "no explanation"),
        (400, "日本語".encode(), FastLabelInvalidException, "日本語"),
        (302, b"", FastLabelException, "redirected where this call does not follow. Check the API URL"),
        (102, b"", FastLabelException, "not expected"),
    ],
)
def test_every_refusal_says_what_where_and_what_to_do(raw, raw_client, status, body, kind, says):
    raw.play(raw.answer(status, body=body))
    with pytest.raises(kind) as caught:
        raw_client.update_task("t1")
    error = caught.value
    assert type(error) is kind
    assert error.code == status
    assert says in error.message
    assert "PUT tasks/t1" in error.message
    assert str(error) == f"<Response [{status}]> {error.message}"
    assert error.__cause__ is None
    assert error.__context__ is None
    assert len(raw.requests) == 1


@pytest.mark.parametrize("status", [200, 201])
def test_answers_of_writes(raw, raw_client, status):
    raw.play(raw.answer(status, "id-1"), raw.answer(204), raw.answer(status, body=b""), raw.answer(200, {"x": 1}))
    assert raw_client.update_task("t") == "id-1"
    assert raw_client.update_task("t") is None
    assert raw_client.update_task("t") is None
    assert raw_client.delete_task("t") is None


def test_retry_after_is_waited_for(raw, raw_client):
    raw.play(raw.answer(429, {"message": "m"}, Retry_After="7"), raw.answer(200, []))
    raw_client.get_projects()
    assert 7 <= raw_client.pauses[0] <= 7.5


@pytest.mark.parametrize("wrong_by", [-7200, 7200])
def test_a_retry_after_date_is_held_against_the_clock_of_the_server(raw, raw_client, wrong_by):
    now = time.time() + wrong_by
    dates = {"Date": formatdate(now, usegmt=True), "Retry_After": formatdate(now + 9, usegmt=True)}
    raw.play(raw.answer(429, **dates), raw.answer(200, []))
    raw_client.get_projects()
    assert len(raw_client.pauses) == 1
    assert 9 <= raw_client.pauses[0] <= 9.5


def test_a_long_retry_after_is_handed_to_the_caller_at_once(raw, raw_client):
    raw.play(raw.answer(429, {"message": "m"}, Retry_After="121"))
    with pytest.raises(RateLimited) as caught:
        raw_client.get_projects()
    assert caught.value.retry_after == 121
    assert raw_client.pauses == []
    assert "121 s" in str(caught.value)


def test_a_refused_create_is_sent_again(raw, raw_client, tmp_path):
    """429 came before anything was created, so that nothing needs to be looked up."""
    (tmp_path / "a.txt").write_text("hello")
    raw.play(raw.answer(429, {"message": "m"}), raw.answer(200, "id-1"))
    assert raw_client.create_text_task("p", "n", tmp_path / "a.txt") == "id-1"
    assert raw.lines() == ["POST tasks/text"] * 2
    bodies = [json.loads(request["body"]) for request in raw.requests]
    assert bodies[0] == bodies[1] == {"project": "p", "name": "n", "file": "aGVsbG8="}


# Lost answers to creates ------------------------------------------------------------------------------------------

SERVER_TIME = "Wed, 01 Jul 2026 12:00:00 GMT"
JUST_NOW, BEFORE = "2026-07-01T12:00:00.400Z", "2026-07-01T11:59:00.000Z"


def lost(raw, how):
    return {"reset": raw.RESET, "500": raw.answer(500, {"message": "m"}), "html": raw.answer(body=b"<html>")}[how]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hello")
    return path


@pytest.mark.parametrize("how", ["reset", "500", "html"])
def test_a_lost_create_that_was_carried_out_gives_its_id(raw, raw_client, text, how):
    found = [{"id": "n2", "name": "other"}, {"id": "t9", "name": "n", "createdAt": JUST_NOW}]
    raw.play(lost(raw, how), raw.answer(200, found, Date=SERVER_TIME), raw.answer(200, found[1:], Date=SERVER_TIME))
    assert raw_client.create_text_task("p", "n", text) == "t9"
    assert raw.lines()[:2] == ["POST tasks/text", "GET tasks/text?project=p&taskName=n&limit=1000"]
    assert raw.lines().count("POST tasks/text") == 1


def test_a_lost_create_that_was_not_carried_out_is_sent_again(raw, raw_client, text):
    raw.play(raw.RESET, raw.answer(200, []), raw.answer(200, "t1"))
    assert raw_client.create_text_task("p", "n", text) == "t1"
    assert [line.split("?")[0] for line in raw.lines()] == ["POST tasks/text", "GET tasks/text", "POST tasks/text"]


def test_a_lost_create_of_a_name_that_existed_before_is_a_conflict(raw, raw_client, text):
    raw.play(raw.RESET, raw.answer(200, [{"id": "old", "name": "n", "createdAt": BEFORE}], Date=SERVER_TIME))
    with pytest.raises(Conflict, match="old"):
        raw_client.create_text_task("p", "n", text)


def test_a_lost_create_that_arrives_after_the_look_up_is_still_found(raw, raw_client, text):
    """The first request was slow, not dead: the second one meets its task."""
    ours = [{"id": "t9", "name": "n", "createdAt": JUST_NOW}]
    raw.play(
        raw.RESET,
        raw.answer(200, [], Date=SERVER_TIME),
        raw.answer(422, {"message": "name already exists"}, Date=SERVER_TIME),
        raw.answer(200, ours, Date=SERVER_TIME),
    )
    assert raw_client.create_text_task("p", "n", text) == "t9"


def test_a_conflict_without_a_lost_answer_is_not_looked_up(raw, raw_client, text):
    raw.play(raw.answer(409, {"message": "name already exists"}))
    with pytest.raises(Conflict):
        raw_client.create_text_task("p", "n", text)
    assert len(raw.requests) == 1


@pytest.mark.parametrize("step", [b"", "RESET"])
def test_an_error_of_a_create_names_the_task(raw, raw_client, text, step):
    raw.play(raw.RESET if step else raw.answer(422, {"message": "no such class"}))
    with pytest.raises(FastLabelException) as caught:
        raw_client.create_text_task("p", "deep/n.txt", text)
    assert caught.value.__notes__ == [f"The task was 'deep/n.txt' in project 'p', from {text}."]


def test_a_lost_create_that_cannot_be_looked_up_is_in_doubt(raw, raw_client, text):
    raw.play(raw.RESET)
    with pytest.raises(OutcomeUnknown, match="look before sending it again") as caught:
        raw_client.create_text_task("p", "n", text)
    assert raw.lines()[0] == "POST tasks/text"
    assert raw.lines().count("POST tasks/text") == 1
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (401, {"message": "expired"}),
        (403, {"message": "no right to list"}),
        (404, {"message": "no such route"}),
        (414, {"message": "the name is too long for an address"}),
        (200, {"message": "welcome"}),
        (200, [{"name": "n", "slug": "n", "value": "n", "createdAt": JUST_NOW}]),
    ],
)
@pytest.mark.parametrize(
    "create",
    [
        lambda c: c.create_robotics_task("p", "n"),
        lambda c: c.create_project("image_bbox", "N", "n"),
        lambda c: c.create_annotation("p", "bbox", "n", "N"),
        lambda c: c.create_task_from_aws_s3("p"),
        lambda c: c.create_dataset("n"),
        lambda c: c.create_workspace_user("N", "n@example.com", "en", "member"),
    ],
)
def test_a_look_up_that_fails_in_any_way_leaves_the_doubt(raw, raw_client, create, status, found):
    """An error of the look-up alone would tell that the create failed."""
    raw.play(raw.RESET, raw.answer(status, found))
    with pytest.raises(OutcomeUnknown, match="POST .*look before sending it again"):
        create(raw_client)
    assert sum(line.startswith("POST") for line in raw.lines()) == 1


@pytest.mark.parametrize("age", [None, "yesterday", 1700000000000, ""])
def test_a_task_without_age_is_in_doubt(raw, raw_client, text, age):
    raw.play(raw.RESET, raw.answer(200, [{"id": "t", "name": "n", "createdAt": age}]))
    with pytest.raises(OutcomeUnknown, match="age"):
        raw_client.create_text_task("p", "n", text)


@pytest.mark.parametrize(
    ("create", "look_up"),
    [
        (lambda c: c.create_project("image_bbox", "N", "s"), "projects?slug=s&limit=100"),
        (lambda c: c.copy_project("p", project_slug="s"), "projects?slug=s&limit=100"),
        (lambda c: c.create_annotation("p", "bbox", "s", "T"), "annotations?project=p&value=s&limit=10"),
        (
            lambda c: c.create_classification_annotation("p", []),
            "annotations?project=p&value=classification&limit=10",
        ),
        (lambda c: c.create_robotics_task("p", "s"), "tasks/robotics?project=p&taskName=s&offset=0&limit=100"),
    ],
)
def test_every_named_thing_is_looked_up(raw, raw_client, create, look_up):
    found = {"id": "x", "name": "s", "slug": "s", "createdAt": JUST_NOW}
    raw.play(raw.RESET, raw.answer(200, [found], Date=SERVER_TIME))
    assert create(raw_client) == "x"
    assert raw.lines()[1] == f"GET {look_up}"


@pytest.mark.parametrize(
    "create",
    [
        lambda c: c.create_model_monitoring_request_results("m", []),
        lambda c: c.copy_project("p"),
        lambda c: c.create_integrated_image_task("p", "gcp", "a.png"),
        lambda c: c.create_integrated_image_classification_task("p", "a.png", "gcp"),
    ],
)
def test_what_cannot_be_looked_up_is_in_doubt_and_not_repeated(raw, raw_client, create):
    raw.play(raw.RESET)
    with pytest.raises(OutcomeUnknown):
        create(raw_client)
    assert len(raw.requests) == 1


def test_a_call_that_nothing_can_settle_opens_its_own_connection(raw, raw_client):
    """A kept connection may be closing at this moment, and that would put the call in doubt for no reason."""
    raw.play(raw.answer(200, []), raw.answer(200, []), raw.answer(200, "m"))
    raw_client.get_projects()
    raw_client.get_projects()
    assert raw.connections == 1
    raw_client.create_model_monitoring_request_results("m")
    assert raw.connections == 2


@pytest.mark.parametrize(("new", "outcome"), [([], None), (["h1"], "h1"), (["h1", "h2"], None)])
def test_a_lost_s3_import_is_told_by_its_history(raw, raw_client, new, outcome):
    histories = [{"id": "old", "createdAt": BEFORE}, *({"id": name, "createdAt": JUST_NOW} for name in new)]
    raw.play(
        raw.RESET,
        raw.answer(200, histories, Date=SERVER_TIME),
        raw.answer(200, histories[-1:], Date=SERVER_TIME),
    )
    if outcome:
        assert raw_client.create_task_from_aws_s3("p")["id"] == outcome
    else:
        with pytest.raises(OutcomeUnknown, match=f"{len(new)} imports began"):
            raw_client.create_task_from_aws_s3("p")
    assert raw.lines().count("POST tasks/aws-s3") == 1


def test_deleting_what_a_lost_call_deleted_already_is_no_error(raw, raw_client):
    raw.play(raw.RESET, raw.answer(404, {"message": "not found"}))
    raw_client.delete_task("t")
    assert raw.lines() == ["DELETE tasks/t"] * 2


@pytest.mark.parametrize(
    "remove",
    [lambda c: c.delete_workspace_user("a@b.c"), lambda c: c.update_workspace_user("a@b.c", "none")],
)
def test_a_user_that_a_lost_call_removed_already_is_no_error(raw, raw_client, remove):
    """FastLabel removes a user by an update."""
    raw.play(raw.RESET, raw.answer(404, {"message": "no such user"}))
    assert remove(raw_client) is None
    raw.play(raw.answer(404, {"message": "no such user"}))
    with pytest.raises(NotFound):
        remove(raw_client)
    raw.play(raw.RESET, raw.answer(404, {"message": "no such user"}))
    with pytest.raises(NotFound):
        raw_client.update_workspace_user("a@b.c", "owner")


def test_deleting_what_is_not_there_is_an_error(raw, raw_client):
    raw.play(raw.answer(404, {"message": "not found"}))
    with pytest.raises(NotFound):
        raw_client.delete_task("t")


def test_idempotent_posts_are_repeated(raw, raw_client):
    raw.play(raw.RESET, raw.answer(200, body=b""))
    assert raw_client.delete_tags(["a"]) is None
    assert len(raw.requests) == 2


# Connections ---------------------------------------------------------------------------------------------------------


def test_many_threads_share_kept_connections(raw, raw_client):
    raw.play(raw.answer(200, 5))
    counts: list[int] = []

    def count():
        counts.extend(raw_client.count_tasks("p") for _ in range(20))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [5] * 160
    assert raw.connections <= 8


def test_a_forked_child_opens_its_own_connections(raw, raw_client):
    raw.play(raw.answer(200, 5))
    raw_client.count_tasks("p")
    child = os.fork()
    if child == 0:
        os._exit(0 if raw_client.count_tasks("p") == 5 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert raw.connections == 2
    assert raw_client.count_tasks("p") == 5
    assert raw.connections == 2


# Token and signatures ------------------------------------------------------------------------------------------------


def test_the_token_goes_to_the_api(raw, raw_client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    raw.play(raw.answer(200, []))
    raw_client.get_projects()
    headers = raw.requests[0]["headers"]
    assert headers["authorization"] == "Bearer secret-token"
    assert headers["content-type"] == "application/json"
    assert "cookie" not in headers


def test_cookies_are_not_kept(raw, raw_client):
    raw.play(raw.answer(200, [], Set_Cookie="a=b; Path=/"), raw.answer(200, []))
    raw_client.get_projects()
    raw_client.get_projects()
    assert "cookie" not in raw.requests[1]["headers"]


def test_a_redirect_elsewhere_does_not_get_the_token(raw, raw_client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    raw.play(raw.answer(302, Location=f"http://localhost:{raw.port}/v1/elsewhere"), raw.answer(200, []))
    raw_client.get_projects()
    assert raw.lines() == ["GET projects?limit=100", "GET elsewhere"]
    assert "authorization" not in raw.requests[1]["headers"]


def test_a_redirected_write_is_not_followed(raw, raw_client):
    raw.play(raw.answer(307, Location=f"http://localhost:{raw.port}/v1/elsewhere"))
    with pytest.raises(FastLabelException, match="API URL"):
        raw_client.create_project("image_bbox", "N", "s")
    assert len(raw.requests) == 1


def test_a_token_echoed_by_the_server_is_hidden(raw, raw_client):
    raw.play(raw.answer(401, {"message": "bad token secret-token"}))
    with pytest.raises(AuthError) as caught:
        raw_client.get_projects()
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        rb'{"message": "bad token secret\/token+value"}',
        rb'{"message": "bad token secret/token\u002bvalue"}',
        b'{"message": ["' + b"x" * 490 + b'", "secret/token+value"]}',
        b"bad token secret/token+value",
    ],
)
def test_a_token_echoed_in_another_spelling_is_hidden(raw, said):
    with FastLabelClient("secret/token+value", api_url=raw.url) as client:
        raw.play(raw.answer(403, body=said))
        with pytest.raises(AuthError) as caught:
            client.get_projects()
    assert "secret" not in str(caught.value)


def test_no_frame_of_an_error_holds_the_token(raw, raw_client, tmp_path):
    """Some error reports print the variables of all frames."""
    path = tmp_path / "a.txt"
    path.symlink_to("/proc/self/mem")  # cannot be read, which only shows in the midst of the request
    raw.play(raw.answer(500))
    for call in (lambda: raw_client.create_text_task("p", "n", path), raw_client.get_projects):
        with pytest.raises(FastLabelException) as caught:
            call()
        report = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert "secret-token" not in report


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_named_by_its_source_and_not_shown(raw, monkeypatch, status):
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", "secret-token")
    raw.play(raw.answer(status))
    sources: list[tuple[dict[str, Any], str]] = [
        ({}, "environment variable FASTLABEL_ACCESS_TOKEN"),
        ({"token_source": "drawer 'x'"}, "drawer 'x'"),
    ]
    for given, says in sources:
        with FastLabelClient(api_url=raw.url, **given) as client, pytest.raises(AuthError, match=says) as caught:
            client.get_projects()
        assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize("hostile", ["../projects", "a/b", "a?b=c", "a#b", "a b", "%2e%2e", "日本", "a%2Fb", "a;b"])
def test_an_id_cannot_leave_its_place_in_the_route(raw, raw_client, hostile):
    raw.play(raw.answer(200, {}))
    raw_client.find_project(hostile)
    path = raw.requests[0]["path"]
    assert path.startswith("projects/")
    assert path.count("/") == 1
    assert not set("?#;") & set(path)
    from urllib.parse import unquote

    assert unquote(path.removeprefix("projects/")) == hostile


@pytest.mark.parametrize("empty", ["", None, ".", ".."])
def test_an_id_that_is_none_is_refused(raw, raw_client, empty):
    with pytest.raises(FastLabelInvalidException):
        raw_client.delete_project(empty)
    assert raw.requests == []


def test_ordinary_ids_are_sent_as_they_are():
    assert segment("0b2f6c1e-93d4-4f5a-8a1d-1f2e3d4c5b6a") == "0b2f6c1e-93d4-4f5a-8a1d-1f2e3d4c5b6a"
    assert segment("my_project-1.v2~x") == "my_project-1.v2~x"
    assert segment(7) == "7"


# Addresses that are none, redirects, certificates, proxies -----------------------------------------------------------


@pytest.mark.parametrize("target", ["http://[::1", "http://" + "a" * 70 + ".b/", "ftp://x/y", "file:///etc/passwd"])
def test_a_redirect_to_what_is_no_address_is_not_tried_again(raw, raw_client, target):
    raw.play(raw.answer(302, Location=target))
    with pytest.raises(FastLabelInvalidException, match="GET projects: .*address"):
        raw_client.get_projects()
    assert len(raw.requests) == 1


def test_a_redirect_in_a_circle_ends_soon_and_is_not_tried_again(raw, raw_client):
    raw.play(raw.answer(302, Location="projects"))
    with pytest.raises(FastLabelException, match="GET projects: .*redirect.*API URL"):
        raw_client.get_projects()
    assert len(raw.requests) <= 10
    assert raw_client.pauses == []


def test_certificates_that_are_gone_are_named(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    client = FastLabelClient("t", api_url="https://127.0.0.1:9/v1/", verify=str(bundle), max_retries=0)
    bundle.unlink()
    with client, pytest.raises(ConnectionFailed, match=r"GET projects: .*bundle\.pem.*verify"):
        client.get_projects()


def test_certificates_that_are_none_leave_no_doubt(tmp_path):
    """Nothing was sent yet, so that there is nothing to look up."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/v1/"
        client = FastLabelClient("t", api_url=url, verify=str(bundle), max_retries=0)
        with client, pytest.raises(ConnectionFailed, match="verify"):
            client.execute_auto_annotation_job("p", "m")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_told(raw, scheme):
    raw.play(raw.answer(407, body=b"<html>Who are you?</html>"))
    proxy = {scheme: f"http://127.0.0.1:{raw.port}"}
    client = FastLabelClient("t", api_url=f"{scheme}://fastlabel.test/v1/", proxies=proxy, max_retries=0)
    with client, pytest.raises(FastLabelException, match="407.*prox"):
        client.execute_auto_annotation_job("p", "m")


# Signed addresses ----------------------------------------------------------------------------------------------------


def signed(raw, name="f.bin"):
    return f"http://localhost:{raw.port}/v1/{name}?X-Signature=s3cr3t"


def test_an_upload_sends_the_bytes_as_they_are_without_the_token(raw, raw_client, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK" + bytes(range(256)) * 1000)
    raw.play(raw.RESET, raw.answer(503), raw.answer(200))
    raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
    last = raw.requests[-1]
    assert last["method"] == "PUT"
    assert last["body"] == (tmp_path / "a.zip").read_bytes()
    assert last["headers"]["content-type"] == "application/zip"
    assert last["headers"]["content-length"] == str(len(last["body"]))
    assert all("authorization" not in request["headers"] for request in raw.requests)


def test_a_store_that_refuses_is_an_error(raw, raw_client, tmp_path, caplog):
    (tmp_path / "a.zip").write_bytes(b"PK")
    raw.play(raw.answer(403, body=b"SignatureDoesNotMatch s3cr3t"))
    with caplog.at_level(logging.DEBUG), pytest.raises(FastLabelInvalidException) as caught:
        raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
    assert type(caught.value) is FastLabelInvalidException
    assert "a.zip" in caught.value.message
    assert "signed address" in caught.value.message
    assert "token" not in caught.value.message
    assert "s3cr3t" not in caught.value.message + caplog.text
    assert "PUT /v1/f.bin" in caplog.text  # urllib3 did log, without the signature


@pytest.mark.parametrize(("status", "taken"), [(302, False), (303, False), (307, True), (308, True)])
def test_a_store_that_redirects_has_the_file_or_there_is_an_error(raw, raw_client, tmp_path, status, taken):
    """HTTP makes a GET of a PUT behind 302 and 303, whose answer says nothing of the file."""
    (tmp_path / "a.zip").write_bytes(b"PK")
    raw.play(raw.answer(status, Location="elsewhere"), raw.answer(200))
    if not taken:
        with pytest.raises(FastLabelException, match=r"upload of a\.zip.*redirect.*Nothing was uploaded"):
            raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
        assert raw_client.pauses == []
    else:
        raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
        assert [request["body"] for request in raw.requests] == [b"PK", b"PK"]


def test_a_missing_file_is_not_uploaded(raw, raw_client, tmp_path):
    with pytest.raises(FastLabelInvalidException, match="No such file"):
        raw_client.transport.upload(signed(raw), tmp_path / "no.zip", "application/zip")
    assert raw.requests == []


def test_a_broken_download_goes_on_where_it_stopped(raw, raw_client, tmp_path):
    data = bytes(range(256)) * 4000

    def first(request):
        return raw.answer(body=data[:600_000], length=len(data), ETag='"e1"', Connection="close")

    def rest(request):
        assert request["headers"]["if-range"] == '"e1"'
        start = int(request["headers"]["range"].removeprefix("bytes=").rstrip("-"))
        return raw.answer(206, body=data[start:], Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")

    raw_client.transport._timeout = (5, 0.3)
    raw.play(first, rest)
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]
    assert len(raw.requests) == 2
    assert all("authorization" not in request["headers"] for request in raw.requests)


@pytest.mark.parametrize("changed", [False, True])
def test_a_broken_download_starts_again_where_it_cannot_go_on(raw, raw_client, tmp_path, changed):
    raw_client.transport._timeout = (5, 0.3)
    whole = raw.answer(body=b"new content", ETag='"e2"')
    raw.play(raw.answer(body=b"old", length=900, ETag='"e1"' if changed else None), whole)
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == b"new content"


def test_a_part_that_was_not_asked_for_is_not_pasted_in(raw, raw_client, tmp_path):
    raw_client.transport._timeout = (5, 0.3)
    raw.play(
        raw.answer(body=b"abc", length=900, ETag='"e1"'),
        raw.answer(206, body=b"xyz", Content_Range="bytes 100-102/900"),
        raw.answer(body=b"whole"),
    )
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == b"whole"


@pytest.mark.parametrize("part", ["bytes 0-2/900", "bytes 0-2/*", "bytes 0-", "rows 0-2/3"])
def test_a_part_that_ends_early_is_not_taken_for_the_whole(raw, raw_client, tmp_path, part):
    raw.play(raw.answer(206, body=b"abc", Content_Range=part), raw.answer(body=b"whole"))
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == b"whole"


def test_a_download_that_broke_at_its_very_end_starts_again(raw, raw_client, tmp_path):
    """All bytes came, only the end of the chunks did not: there is no rest to ask for."""
    raw_client.transport._timeout = (5, 0.3)
    chunked = b'HTTP/1.1 200 OK\r\nETag: "e1"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n'
    raw.play(chunked, raw.answer(416, Content_Range="bytes */5"), raw.answer(body=b"whole"))
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert "range" in raw.requests[1]["headers"]
    assert (tmp_path / "f.bin").read_bytes() == b"whole"


def test_a_file_with_the_longest_name_is_downloaded(raw, raw_client, tmp_path):
    raw.play(raw.answer(body=b"whole"))
    name = "a" * 251 + ".bin"
    raw_client.transport.download(signed(raw), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_there_already_is_not_fetched_again(raw, raw_client, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"old")
    raw.play(raw.answer(304))
    assert raw_client.transport.download(signed(raw), tmp_path / "f.bin", known_md5="abc") is False
    assert raw.requests[0]["headers"]["if-none-match"] == '"abc"'
    assert (tmp_path / "f.bin").read_bytes() == b"old"
    raw.play(raw.answer(body=b"new"))
    assert raw_client.transport.download(signed(raw), tmp_path / "f.bin", known_md5="abc") is True
    assert (tmp_path / "f.bin").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


def test_nothing_new_is_no_answer_to_who_has_nothing(raw, raw_client, tmp_path):
    raw.play(raw.answer(304))
    with pytest.raises(FastLabelException):
        raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert "if-none-match" not in raw.requests[0]["headers"]
    assert not list(tmp_path.iterdir())


def test_a_failed_download_leaves_the_old_file(raw, raw_client, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"old")
    raw_client.transport._timeout = (5, 0.3)
    raw.play(raw.answer(body=b"abc", length=900))
    with pytest.raises(FastLabelException) as caught:
        raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert "f.bin" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert (tmp_path / "f.bin").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


def test_a_missing_object_is_not_saved_as_a_file(raw, raw_client, tmp_path):
    raw.play(raw.answer(404, body=b"<Error>NoSuchKey</Error>"))
    with pytest.raises(NotFound):
        raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert list(tmp_path.iterdir()) == []


NO_ADDRESSES = ["", "/files/x", "http://[::1?s3cr3t", "http://" + "a" * 70 + ".b/?s3cr3t", "ftp://x/?s3cr3t", None, 5]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_signed_address_is_refused_and_not_tried_again(raw_client, tmp_path, url):
    (tmp_path / "a.zip").write_bytes(b"PK")
    transport = raw_client.transport
    for transfer in (
        lambda: transport.upload(url, tmp_path / "a.zip", "application/zip"),
        lambda: transport.download(url, tmp_path / "b.bin"),
    ):
        with pytest.raises(FastLabelInvalidException, match="(upload of a.zip|download of b.bin).*address") as caught:
            transfer()
        assert "s3cr3t" not in str(caught.value)
    assert raw_client.pauses == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
