"""Models, datasets, comments, users, contents: what only newer clients call."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import TYPE_CHECKING

import requests

from .conftest import encoded, picture, picture_bytes

if TYPE_CHECKING:
    from .conftest import Api


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def upload(api: Api, project: str, name: str, data: bytes) -> dict[str, str]:
    place = api("GET", "files", project=project, fileName=name, fileType="application/zip")
    requests.put(place["url"], data=data, timeout=9)
    return {"project": project, "fileKey": place["name"]}


def dataset(api: Api) -> str:
    ident = api("POST", "datasets-v2", {"name": "my-data", "tags": ["x"]})["id"]
    drawn = [{"type": "bbox", "value": "cat", "points": [1, 2, 3, 4]}]
    body = {"datasetName": "my-data", "objectName": "in/a.png", "filePath": picture(), "tags": ["t"]}
    api("POST", "dataset-revision-objects", body | {"annotations": drawn, "customMetadata": {"k": "v"}})
    return ident


def test_datasets_and_their_objects(api: Api):
    ident = dataset(api)
    assert api("GET", f"datasets-v2/{ident}")["name"] == "my-data"
    assert [item["id"] for item in api("GET", "datasets-v2", keyword="my", tags=["x"])] == [ident]
    assert api("GET", "datasets-v2", keyword="other") == []
    api.refused(409, "POST", "datasets-v2", {"name": "my-data"})
    assert "name" in api.refused(422, "POST", "datasets-v2", {"name": "My Data"})
    assert api("PUT", f"datasets-v2/{ident}", {"name": None, "tags": []})["tags"] == []

    path = f"dataset-revision-objects/datasets/{ident}/objects/in%2Fa.png"
    found = api("GET", path)
    assert (found["name"], found["width"], found["size"]) == ("in/a.png", 8, len(picture_bytes()))
    assert found["customMetadata"] == {"k": "v"}
    assert api("GET", "dataset-revision-objects", datasetName="my-data", offset=0, limit=1000) == [found]
    (signed,) = api("GET", "dataset-revision-objects/signed-urls", datasetName="my-data", types=["none"])
    assert requests.get(signed["signedUrl"], timeout=9).content == picture_bytes()
    assert api("GET", "dataset-revision-objects/signed-urls", datasetName="my-data", types=["train"]) == []
    api.refused(404, "GET", path, version="v9")

    changed = api("PUT", "dataset-revision-objects", {"datasetId": ident, "objectName": "in/a.png", "annotations": []})
    assert (changed["annotations"], changed["tags"]) == ([], ["t"])
    assert api.send("DELETE", path).status_code == 204
    api.refused(404, "GET", path)
    assert api.send("DELETE", f"datasets-v2/{ident}").status_code == 204


def test_jobs_run_and_complete(api: Api):
    dataset(api)
    api.emulator.configure(job_seconds=100)
    training = api("POST", "trainings", {"datasetName": "my-data", "baseModelName": "base", "epoch": 3})
    assert (training["status"], training["completedAt"], training["contentCount"]) == ("in_progress", None, 1)
    assert training["customModel"]["modelName"] == ""
    api("POST", "evaluations", {"datasetName": "my-data", "modelName": "m"})
    api.project()
    auto = api("POST", "auto-annotations", {"project": "cats", "modelName": "m", "useTTA": True})
    api.emulator.advance(101)
    done = api("GET", f"trainings/{training['trainingJobId']}")
    assert done["status"] == "completed"
    assert done["customModel"]["classes"] == ["cat"]
    assert api("GET", "trainings", limit=10) == [done]
    assert [job["status"] for job in api("GET", "evaluations")] == ["completed"]
    assert [(job["id"], job["status"]) for job in api("GET", "auto-annotations", project="cats")] == [
        (auto, "completed")
    ]
    assert "other" in api.refused(404, "POST", "trainings", {"datasetName": "other", "baseModelName": "b", "epoch": 1})


def test_jobs_can_be_failed_by_hand(api: Api):
    dataset(api)
    api.emulator.configure(job_manual=True)
    job = api("POST", "evaluations", {"datasetName": "my-data", "modelName": "m"})
    api.emulator.advance(10_000)
    assert api("GET", f"evaluations/{job['id']}")["status"] == "in_progress"
    api.emulator.control("POST", "jobs", {"id": job["id"], "status": "failed"})
    assert api("GET", f"evaluations/{job['id']}")["status"] == "failed"


def test_an_endpoint_returns_what_was_set_and_the_picture(api: Api):
    detections = [{"value": "cat", "confidenceScore": 0.9, "points": [1, 2, 3, 4]}]
    api.emulator.control("PUT", "endpoints", {"name": "e", "detections": detections})
    body = {"modelEndpointName": "e", "file": picture()}
    answer = api("POST", "model-endpoints/execute", body)
    assert answer["json"] == detections
    assert base64.b64decode(answer["file"]) == picture_bytes()
    big = encoded(picture_bytes() + bytes(6 * 1024 * 1024))
    assert "6 MB" in api.refused(422, "POST", "model-endpoints/execute", body | {"file": big})
    api.emulator.configure(endpoint_names=[])
    assert "e" in api.refused(404, "POST", "model-endpoints/execute", body)


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


def test_appendix_pictures_are_found_by_task(api: Api):
    api.project("pcd_cuboid", "clouds")
    api("POST", "tasks/pcd", {"project": "clouds", "name": "drive", "file": encoded(b"# .PCD")})
    files = {"drive/01.pcd/000.png": picture_bytes(), "drive/01.pcd/000.yaml": b"k: 1", "other/02.pcd/000.png": b"x"}
    body = upload(api, "clouds", "app.zip", zipped(**files))
    assert len(api("POST", "contents/imports/appendix/batch", body)) == 2
    (entry,) = api("GET", "contents/export/appendix", project="clouds", limit=10_000)
    assert (entry["imageFileName"], entry["calibrationFileName"], entry["format"]) == ("000.png", "000.yaml", "yml")
    assert entry["calibration"] == "k: 1"
    assert requests.get(entry["url"], timeout=9).content == picture_bytes()
    names = [item["name"] for item in api("GET", "tasks/appendix", project="clouds")]
    assert names == ["drive/01.pcd/000.png", "other/02.pcd/000.png"]


def test_robotics_contents_go_to_the_task_the_zip_is_named_after(api: Api):
    api.project("robotics_task_classification", "arm")
    task = api("POST", "tasks/robotics", {"project": "arm", "name": "episode_1"})
    body = upload(api, "arm", "episode_1.zip", zipped(**{"episode_1/top.mp4": b"film"}))
    api("POST", "contents/imports/robotics-contents/batch", body)
    (content,) = api("GET", f"tasks/robotics/{task}")["contents"]
    assert (content["name"], requests.get(content["url"], timeout=9).content) == ("top.mp4", b"film")
    lost = upload(api, "arm", "episode_2.zip", zipped(a=b"x"))
    assert "episode_2" in api.refused(404, "POST", "contents/imports/robotics-contents/batch", lost)


def test_tags_of_many_tasks_change_at_once(cats):
    first, second = cats.image("a.png", tags=["x"]), cats.image("b.png")
    body = {"project": "cats", "taskIds": [first, second], "tags": ["x"]}
    assert cats("POST", "tasks/tags/add", body) == {"updatedTaskCount": 1}
    assert cats("POST", "tasks/tags/remove", body) == {"updatedTaskCount": 2}
    assert cats("GET", "tasks/count", project="cats", tags=["x"]) == 0
