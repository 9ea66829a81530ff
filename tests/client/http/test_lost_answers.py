"""Writes whose answer was lost, against a server that breaks connections for real."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client import (
    Conflict,
    FastLabelException,
    NotFound,
    OutcomeUnknown,
)

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
