from __future__ import annotations

import pytest
from responses import matchers

from airflow_provider_fastlabel.client import Conflict, FastLabelException, FastLabelInvalidException, NotFound

NEW = {"name": "Ann", "email": "ann@x.jp", "language": "en", "role": "member"}
DATE = {"Date": "Wed, 01 Jul 2026 00:00:00 GMT"}


def test_workspace_users_wire(client, wire):
    wire.answer("GET", "workspaces-users", [])
    client.get_workspace_users()
    client.get_workspace_users("ann", 0, 5)
    client.get_workspace_users("", None, None)
    assert [query for _, _, query, _ in wire.sent] == [
        [("limit", "20")],
        [("keyword", "ann"), ("offset", "0"), ("limit", "5")],
        [],
    ]


def test_the_pager_goes_on_past_the_page_of_twenty(client, wire):
    users = [{"id": str(n)} for n in range(25)]
    for offset in (0, 19, 24):
        wire.answer(
            "GET", "workspaces-users", users[offset : offset + 20],
            match=[matchers.query_param_matcher({"offset": str(offset)}, strict_match=False)],
        )  # fmt: skip
    assert list(client.iter_workspace_users()) == users


def test_create_update_delete_wire(client, wire):
    wire.answer("POST", "workspaces-users/internal-users", {"id": "u"})
    wire.answer("PUT", "workspaces-users/internal-users", {"id": "u"})
    assert client.create_workspace_user("Ann", "ann@x.jp", "en", "member") == {"id": "u"}
    assert client.update_workspace_user("ann@x.jp", "owner") == {"id": "u"}
    assert client.delete_workspace_user("ann@x.jp") is None
    path = "workspaces-users/internal-users"
    assert wire.sent == [
        ("POST", path, [], NEW),
        ("PUT", path, [], {"email": "ann@x.jp", "role": "owner"}),
        ("PUT", path, [], {"email": "ann@x.jp", "role": "none"}),
    ]


def lost_create(wire, created_at):
    """The answer to the create gets lost; the user list then shows a user of that age."""
    wire.answer("POST", "workspaces-users/internal-users", {"message": "gone"}, status=504, headers=DATE)
    users = [{"id": "o", "userEmail": "other@x.jp", "createdAt": created_at}]
    if created_at:
        users.append({"id": "u", "userEmail": "ann@x.jp", "createdAt": created_at})
    wire.answer("GET", "workspaces-users", users)


def test_lost_answer_to_create_is_settled_by_email(client, wire):
    lost_create(wire, "2026-07-01T00:00:05.000Z")
    assert client.create_workspace_user(**NEW)["id"] == "u"
    assert [line[0] for line in wire.sent] == ["POST", "GET"]


def test_lost_answer_to_create_of_an_old_user_is_a_conflict(client, wire):
    lost_create(wire, "2025-01-01T00:00:00.000Z")
    with pytest.raises(Conflict, match=r"ann@x\.jp"):
        client.create_workspace_user(**NEW)
    assert [line[0] for line in wire.sent] == ["POST", "GET"]


def test_lost_create_that_never_happened_is_sent_again(client, wire):
    lost_create(wire, None)
    wire.mock.replace("GET", "http://fastlabel.test/v1/workspaces-users", json=[])
    wire.answer("POST", "workspaces-users/internal-users", {"id": "u"})
    assert client.create_workspace_user(**NEW) == {"id": "u"}
    assert [line[0] for line in wire.sent] == ["POST", "GET", "POST"]


@pytest.mark.parametrize(
    ("modules", "paths"),
    [("modelDev", ["model-dev"]), (["annotation", "modelDev", "dataset"], ["annotation", "model-dev", "dataset"])],
)
def test_grant_modules(client, wire, modules, paths):
    for path in paths:
        wire.answer("POST", f"function-resource-permissions/{path}/internal-users", path)
    assert client.create_workspace_user_module_permissions("a@x.jp", modules) == paths
    assert wire.sent == [
        ("POST", f"function-resource-permissions/{path}/internal-users", [], {"email": "a@x.jp"}) for path in paths
    ]


def test_revoke_modules_sends_a_body_with_delete(client, wire):
    wire.answer("DELETE", "function-resource-permissions", status=204)
    assert client.delete_workspace_user_module_permissions("a@x.jp", ["annotation", "modelDev"]) is None
    assert wire.sent == [
        ("DELETE", "function-resource-permissions", [], {"email": "a@x.jp", "resource": module})
        for module in ("annotation", "modelDev")
    ]


@pytest.mark.parametrize(
    "call", ["create_workspace_user_module_permissions", "delete_workspace_user_module_permissions"]
)
def test_an_unknown_module_is_refused_before_the_first_call(client, wire, call):
    with pytest.raises(FastLabelInvalidException, match="'robots'") as caught:
        getattr(client, call)("a@x.jp", ["annotation", "robots"])
    assert caught.value.code == 422
    assert wire.sent == []


def test_a_failure_half_way_says_what_was_granted(client, wire):
    wire.answer("POST", "function-resource-permissions/annotation/internal-users", "ok")
    wire.answer("POST", "function-resource-permissions/dataset/internal-users", {"message": "no user"}, status=404)
    with pytest.raises(NotFound) as caught:
        client.create_workspace_user_module_permissions("a@x.jp", ["annotation", "dataset"])
    assert isinstance(caught.value, FastLabelException)
    assert caught.value.__notes__ == ["Module dataset failed; granted before it: annotation."]
