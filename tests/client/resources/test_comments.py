from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client import FastLabelInvalidException, OutcomeUnknown

COMMENT = {"taskId": "T", "points": None, "text": "hi", "type": "text", "isResolved": False, "scale": 0, "frame": 0}


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        ({"task_id": "T", "text": "hi"}, "comments", COMMENT),
        (
            {
                "task_id": "T",
                "points": (1, 2.5),
                "text": "hi",
                "content_id": "C",
                "type": "text",
                "scale": 2,
                "frame": 3,
                "status": "todo",
                "priority": 0,
                "is_resolved": True,
                "task_annotation_id": "A",
                "color": "#fff",
            },
            "comments",
            {
                **COMMENT,
                "points": [1, 2.5],
                "scale": 2,
                "frame": 3,
                "isResolved": True,
                "contentId": "C",
                "status": "todo",
                "priority": 0,
                "taskAnnotationId": "A",
                "color": "#fff",
            },
        ),
        ({"task_id": "T", "text": "hi", "content_name": "a.jpg"}, "comments", {**COMMENT, "contentName": "a.jpg"}),
        ({"task_id": "T", "text": "hi", "comment_id": "X"}, "comments/X/threads", {"text": "hi"}),
    ],
)
def test_create_task_comment_sends_exactly(client, wire, arguments, path, body):
    wire.answer("POST", path, {"id": "c"})
    assert client.create_task_comment(**arguments) == {"id": "c"}
    assert wire.sent == [("POST", path, [], body)]


@pytest.mark.parametrize(
    "arguments", [{"text": "hi"}, {"task_id": "T", "text": "hi", "content_id": "C", "content_name": "a.jpg"}]
)
def test_create_task_comment_refuses_before_sending(client, wire, arguments):
    with pytest.raises(FastLabelInvalidException) as caught:
        client.create_task_comment(**arguments)
    assert caught.value.code == 422
    assert wire.sent == []


def test_positional_order_of_create_task_comment(client, wire):
    wire.answer("POST", "comments", {"id": "c"})
    client.create_task_comment("T", [1, 2], "hi", "C", "text", 1, 2, "todo", 10, True, "A", "#000")
    assert wire.sent[0][3] == {
        **COMMENT, "points": [1, 2], "contentId": "C", "scale": 1, "frame": 2, "status": "todo", "priority": 10,
        "isResolved": True, "taskAnnotationId": "A", "color": "#000",
    }  # fmt: skip


def test_a_comment_whose_answer_is_lost_is_not_sent_twice(client, wire):
    wire.lose("POST", "comments")
    with pytest.raises(OutcomeUnknown):
        client.create_task_comment("T", text="hi")
    assert len(wire.sent) == 1


def test_lists_send_zero_offset_and_leave_out_none(client, wire):
    wire.answer("GET", "comments", [])
    wire.answer("GET", "comments/threads", [])
    client.get_task_comments("p", "T")
    client.get_task_comments("p", "T", 0, 5)
    client.get_project_comments("p", "approved", "declined", ["a", "b"], "I", 0, 7)
    assert wire.sent == [
        ("GET", "comments", [("project", "p"), ("taskId", "T"), ("limit", "100")], None),
        ("GET", "comments", [("project", "p"), ("taskId", "T"), ("offset", "0"), ("limit", "5")], None),
        (
            "GET",
            "comments/threads",
            [("project", "p"), ("taskStatus", "approved"), ("taskExternalStatus", "declined"), ("taskTags", "a"),
             ("taskTags", "b"), ("issueCategoryId", "I"), ("offset", "0"), ("limit", "7")],
            None,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("call", ["get_task_comments", "get_project_comments"])
def test_too_large_a_page_is_refused_before_sending(client, wire, call):
    arguments = ("p", "T") if call == "get_task_comments" else ("p",)
    with pytest.raises(FastLabelInvalidException, match="1000"):
        getattr(client, call)(*arguments, limit=1001)
    assert wire.sent == []


def test_pagers_yield_everything_once(client, wire):
    wire.answer("GET", "comments", [{"id": "1"}, {"id": "2"}])
    wire.answer("GET", "comments", [{"id": "2"}])
    wire.answer("GET", "comments/threads", [{"id": "8"}])
    assert [comment["id"] for comment in client.iter_task_comments("p", "T")] == ["1", "2"]
    assert [thread["id"] for thread in client.iter_project_comments("p", tags=["a"])] == ["8"]


def test_update_and_delete(client, wire):
    wire.answer("PUT", "comments/threads/t%2F1", {"id": "t/1"})
    wire.answer("DELETE", "comments/threads/t1", status=204)
    assert client.update_task_comment("t/1", "new") == {"id": "t/1"}
    assert client.delete_task_comment("t1") is None
    assert wire.sent == [
        ("PUT", "comments/threads/t%2F1", [], {"text": "new"}),
        ("DELETE", "comments/threads/t1", [], None),
    ]
