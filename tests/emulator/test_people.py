"""Comments on tasks, and people and what they may do."""

from __future__ import annotations


def test_comments_and_their_threads(cats):
    task = cats.image("a.png", tags=["t"])
    sent = {"taskId": task, "points": [1, 2], "text": "hi", "type": "text", "isResolved": False, "scale": 0, "frame": 0}
    comment = cats("POST", "comments", sent)
    assert (comment["status"], comment["contentId"], comment["threads"][0]["text"]) == ("todo", task, "hi")
    replied = cats("POST", f"comments/{comment['id']}/threads", {"text": "re"})
    assert [thread["text"] for thread in replied["threads"]] == ["hi", "re"]
    assert cats("GET", "comments", project="cats", taskId=task) == [replied]
    listed = cats("GET", "comments/threads", project="cats", taskTags=["t"])
    assert [(thread["text"], thread["comment"]["id"]) for thread in listed] == [
        ("hi", comment["id"]),
        ("re", comment["id"]),
    ]
    assert cats("GET", "comments/threads", project="cats", taskStatus="approved") == []
    first, second = (thread["id"] for thread in replied["threads"])
    assert cats("PUT", f"comments/threads/{first}", {"text": "new"})["text"] == "new"
    assert cats.send("DELETE", f"comments/threads/{first}").status_code == 204
    assert len(cats("GET", "comments", project="cats", taskId=task)) == 1
    cats("DELETE", f"comments/threads/{second}")
    assert cats("GET", "comments", project="cats", taskId=task) == []


def test_users_and_their_permissions(cats):
    body = {"name": "Nina", "email": "nina@example.com", "language": "en", "role": "member"}
    user = cats("POST", "workspaces-users/internal-users", body)
    assert (user["userSlug"], user["role"]) == ("nina", "member")
    task = cats.image("a.png", assignee="nina")
    assert cats("GET", f"tasks/image/{task}")["assignee"] == "Nina"
    module = "function-resource-permissions/model-dev/internal-users"
    assert cats("POST", module, {"email": body["email"]}) == "modelDev"
    (found,) = cats("GET", "workspaces-users", keyword="NINA", limit=20)
    assert found["functionResourcePermissions"] == {"annotation": False, "modelDev": True, "dataset": False}
    cats("DELETE", "function-resource-permissions", {"email": body["email"], "resource": "modelDev"})
    assert cats("PUT", "projects-users", {"project": "cats", "email": body["email"], "role": "annotator"}) is True
    cats("PUT", "workspaces-users/internal-users", {"email": body["email"], "role": "none"})
    assert [item["userSlug"] for item in cats("GET", "workspaces-users")] == ["admin"]
    cats.refused(404, "PUT", "projects-users", {"project": "cats", "email": body["email"], "role": "annotator"})
