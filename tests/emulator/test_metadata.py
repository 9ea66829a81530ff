"""What tasks and projects carry beside labels: metadata, codes and tags."""

from __future__ import annotations


def test_metadata_definitions_and_project_codes(cats):
    cats.emulator.control("PUT", "metadatas", {"key": "site", "project": "cats", "options": ["a"]})
    (definition,) = cats("GET", "metadatas", project="cats")
    assert (definition["key"], definition["options"], definition["order"]) == ("site", ["a"], 1)
    assert cats("GET", "metadatas") == []
    (project,) = cats("GET", "projects")
    codes = {"externalCode1": "a", "externalCode2": None, "externalCode3": "c"}
    ident = cats("PUT", f"projects/{project['id']}/metadata", codes)
    assert cats("PUT", f"projects/{project['id']}/metadata", codes) == ident
    task = cats.image("a.png", metadatas=[{"key": "site", "value": "north"}])
    assert cats("GET", f"tasks/image/{task}")["metadatas"] == [{"key": "site", "value": "north"}]


def test_tags_of_many_tasks_change_at_once(cats):
    first, second = cats.image("a.png", tags=["x"]), cats.image("b.png")
    body = {"project": "cats", "taskIds": [first, second], "tags": ["x"]}
    assert cats("POST", "tasks/tags/add", body) == {"updatedTaskCount": 1}
    assert cats("POST", "tasks/tags/remove", body) == {"updatedTaskCount": 2}
    assert cats("GET", "tasks/count", project="cats", tags=["x"]) == 0
