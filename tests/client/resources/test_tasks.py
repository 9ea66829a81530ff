"""The wire form of task calls, as FastLabel's own SDK sends it (reference 2.0 to 2.6)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from airflow_provider_fastlabel.client import FastLabelInvalidException

SINGLE = {  # kind: path and file
    "image": ("tasks/image", "a.png"),
    "video": ("tasks/video", "a.mp4"),
    "text": ("tasks/text", "a.txt"),
    "audio": ("tasks/audio", "a.mp3"),
    "pcd": ("tasks/pcd", "a.pcd"),
}
CLASSIFICATION = {
    "image_classification": ("tasks/image/classification", "a.png"),
    "multi_image_classification": ("tasks/multi-image/classification", "png"),
    "video_classification": ("tasks/video/classification", "a.mp4"),
    "text_classification": ("tasks/text/classification", "a.txt"),
    "audio_classification": ("tasks/audio/classification", "a.mp3"),
}
FOLDER = {"sequential_image": ("tasks/sequential-image", "png"), "sequential_pcd": ("tasks/sequential-pcd", "pcd")}
OTHER = {
    "dicom": ("tasks/dicom", ""),
    "robotics": ("tasks/robotics", ""),
    "multi_modal_video_audio": ("tasks/multi-modal-video-audio", ""),
}
ALL = SINGLE | CLASSIFICATION | FOLDER | OTHER
DEFAULT_LIMIT = {"sequential_image": 10, "video": 10, "sequential_pcd": 10, "multi_modal_video_audio": 10}
CHECKED_LIMIT = {
    **dict.fromkeys(("image", "text", "audio", "pcd", "dicom"), 1000),
    **dict.fromkeys(("sequential_image", "video", "sequential_pcd", "multi_modal_video_audio"), 10),
    "robotics": 100,
}
ANNOTATIONS: list[dict[str, Any]] = [
    {
        "id": "i", "title": "Cat", "color": "#fff000", "type": "bbox", "value": "cat", "points": [1, 2, 3.5, 4],
        "rotation": 30, "confidenceScore": -1,
        "attributes": [{"key": "k", "value": "v", "name": "N", "type": "radio", "title": "V"}],
    },
    {
        "type": "pose_estimation", "value": "person",
        "keypoints": [{"key": "nose", "value": [1, 2, 1], "name": "Nose", "edges": ["ear"]}],
    },
]  # fmt: skip


def cleaned(**content):
    return [
        {
            "type": "bbox", "value": "cat", "points": [1, 2, 3.5, 4], "rotation": 30, "confidenceScore": -1,
            "attributes": [{"key": "k", "value": "v"}], **content,
        },
        {
            "type": "pose_estimation", "value": "person", "keypoints": [{"key": "nose", "value": [1, 2, 1]}],
            "attributes": [], **content,
        },
    ]  # fmt: skip


@pytest.fixture
def files(tmp_path, video_file):
    for name in ("a.png", "a.txt", "a.mp3", "a.pcd"):
        (tmp_path / name).write_bytes(b"hello")
    for extension in ("png", "pcd"):
        (tmp_path / extension).mkdir()
        for number in (2, 1):
            (tmp_path / extension / f"{number}.{extension}").write_bytes(b"hello")
    video_file(tmp_path / "a.mp4")
    return tmp_path


def payload(kind, files):
    """What the file or folder becomes in a body."""
    name = ALL[kind][1]
    if (files / name).is_dir():
        return {"contents": [{"name": f"{n}.{name}", "file": "aGVsbG8="} for n in (1, 2)]}
    return {"file": "aGVsbG8="} if name != "a.mp4" else {}


def without_video(body):
    return {key: value for key, value in body.items() if not (key == "file" and value != "aGVsbG8=")}


@pytest.mark.parametrize("kind", ALL)
def test_find(client, wire, kind):
    wire.answer("GET", f"{ALL[kind][0]}/t1", {"id": "t1"})
    assert getattr(client, f"find_{kind}_task")("t1") == {"id": "t1"}
    assert getattr(client, f"find_{kind}_task")(task_id="t1") == {"id": "t1"}
    assert wire.sent == [("GET", f"{ALL[kind][0]}/t1", [], None)] * 2


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "multi_modal_video_audio"])
def test_find_by_name(client, wire, kind):
    find = getattr(client, f"find_{kind}_task_by_name")
    path = ALL[kind][0]
    task = {"id": "1", "name": "dir/a b.x"}
    wire.answer("GET", path, [{"id": "2", "name": "dir/a b.xx"}, task])
    assert find("p", "dir/a b.x") == task
    wire.mock.reset()
    wire.answer("GET", path, [])
    assert find(project="p", task_name="dir/a b.x") is None
    limit = ("limit", str(DEFAULT_LIMIT.get(kind, 100)))
    offset = [("offset", "0")] if kind == "robotics" else []
    assert wire.sent == [("GET", path, [("project", "p"), ("taskName", "dir/a b.x"), *offset, limit], None)]


@pytest.mark.parametrize("kind", ALL)
def test_list(client, wire, kind):
    path = ALL[kind][0]
    wire.answer("GET", path, [{"id": "1"}])
    get = getattr(client, f"get_{kind}_tasks")
    assert get("p") == [{"id": "1"}]
    get("p", "approved", "declined", ["a", "b c"], "n/m.png", 20, 10)
    get("p", status="", external_status=None, tags=[], task_name="", offset=0, limit=None)
    zero = [("offset", "0")] if kind == "robotics" else []
    filters = [("status", "approved"), ("externalStatus", "declined"), ("tags", "a"), ("tags", "b c")]
    more = [("taskName", "n/m.png"), ("offset", "20"), ("limit", "10")]
    assert [query for _, _, query, _ in wire.sent] == [
        [("project", "p"), *zero, ("limit", str(DEFAULT_LIMIT.get(kind, 100)))],
        [("project", "p"), *filters, *more],
        [("project", "p"), *zero],
    ]


@pytest.mark.parametrize("kind", ALL)
def test_a_limit_above_the_maximum_is_refused_where_the_sdk_refuses_it(client, wire, kind):
    wire.answer("GET", ALL[kind][0], [])
    get = getattr(client, f"get_{kind}_tasks")
    maximum = CHECKED_LIMIT.get(kind)
    if maximum is None:
        assert get("p", limit=5000) == []
        return
    assert get("p", limit=maximum) == []
    with pytest.raises(FastLabelInvalidException, match=f"{maximum} or less") as caught:
        get("p", limit=maximum + 1)
    assert caught.value.code == 422
    assert len(wire.sent) == 1


PEOPLE = {
    "assignee": "bob", "reviewer": None, "approver": "c", "external_assignee": "d", "external_reviewer": "e",
    "external_approver": "f", "workflow_1_user": "g", "workflow_6_user": None,
}  # fmt: skip
PEOPLE_SENT = {
    "assignee": "bob", "reviewer": None, "approver": "c", "externalAssignee": "d", "externalReviewer": "e",
    "externalApprover": "f", "workflow1User": "g", "workflow6User": None,
}  # fmt: skip
COMMON = {"status": "approved", "external_status": "declined", "tags": ["a", "日本"], "priority": 0}
COMMON_SENT = {"status": "approved", "externalStatus": "declined", "tags": ["a", "日本"], "priority": 0}
METADATA = {"metadatas": [{"key": "k", "value": "v"}]}
ATTRIBUTES = {"attributes": [{"key": "k", "value": ["v"]}]}


@pytest.mark.parametrize("kind", SINGLE | CLASSIFICATION | FOLDER)
def test_create_with_the_least(client, wire, files, kind):
    path, source = ALL[kind]
    wire.answer("POST", path, "id-1")
    assert getattr(client, f"create_{kind}_task")("p", "dir/n.x", str(files / source)) == "id-1"
    assert client.create_task("p", kind, "dir/n.x", files / source) == "id-1"
    for method, sent_path, query, body in wire.sent:
        assert (method, sent_path, query) == ("POST", path, [])
        assert without_video(body) == {"project": "p", "name": "dir/n.x", **payload(kind, files)}


@pytest.mark.parametrize("kind", SINGLE | FOLDER)
def test_create_with_everything(client, wire, files, kind):
    path, source = ALL[kind]
    wire.answer("POST", path, "id-1")
    annotations = copy.deepcopy(ANNOTATIONS)
    extra: dict[str, Any] = {"is_delete_exif": True} if "image" in kind else {}
    extra |= {"custom_task_status": "workflow_1_completed"} if kind == "image" else {}
    create = getattr(client, f"create_{kind}_task")
    create("p", "n", files / source, annotations=annotations, **COMMON, **METADATA, **extra, **PEOPLE)
    sent: dict[str, Any] = {"isDeleteExif": True} if "image" in kind else {}
    sent |= {"customTaskStatus": "workflow_1_completed"} if kind == "image" else {}
    content = {"content": "n"} if kind in SINGLE else {}
    assert without_video(wire.sent[0][3]) == {
        "project": "p", "name": "n", **payload(kind, files), "annotations": cleaned(**content),
        **COMMON_SENT, **METADATA, **sent, **PEOPLE_SENT,
    }  # fmt: skip
    assert annotations == ANNOTATIONS


@pytest.mark.parametrize("kind", CLASSIFICATION)
def test_create_a_classification_task_with_everything(client, wire, files, kind):
    path, source = ALL[kind]
    wire.answer("POST", path, "id-1")
    extra: dict[str, Any] = {"is_delete_exif": True} if "image" in kind else {}
    getattr(client, f"create_{kind}_task")("p", "n", files / source, **COMMON, **ATTRIBUTES, **extra, **PEOPLE)
    sent: dict[str, Any] = {"isDeleteExif": True} if "image" in kind else {}
    assert without_video(wire.sent[0][3]) == {
        "project": "p", "name": "n", **payload(kind, files), **COMMON_SENT, **ATTRIBUTES, **sent, **PEOPLE_SENT,
    }  # fmt: skip


@pytest.mark.parametrize("kind", SINGLE | FOLDER)
def test_update(client, wire, kind):
    path = f"{ALL[kind][0]}/t1"
    wire.answer("PUT", path, "t1")
    update = getattr(client, f"update_{kind}_task")
    annotations = copy.deepcopy(ANNOTATIONS)
    extra = {"relations": [{"startIndex": 0, "endIndex": 1}]} if kind == "image" else {}
    assert update("t1", annotations=annotations, **COMMON, **METADATA, **extra, **PEOPLE) == "t1"
    assert update("t1", annotations=[], tags=[], status="") == "t1"
    content = {} if kind == "sequential_image" else {"content": ""}
    full = {"annotations": cleaned(**content), **COMMON_SENT, **METADATA, **extra, **PEOPLE_SENT}
    assert [line[0] for line in wire.sent] == ["PUT", "PUT"]
    assert [line[3] for line in wire.sent] == [full, {}]
    assert annotations == ANNOTATIONS


@pytest.mark.parametrize("kind", CLASSIFICATION)
def test_update_a_classification_task(client, wire, kind):
    path = f"{ALL[kind][0]}/t1"
    wire.answer("PUT", path, "t1")
    update = getattr(client, f"update_{kind}_task")
    assert update("t1", **COMMON, **ATTRIBUTES, **PEOPLE) == "t1"
    assert update("t1") == "t1"
    assert [line[3] for line in wire.sent] == [{**COMMON_SENT, **ATTRIBUTES, **PEOPLE_SENT}, {}]


def test_content_of_sequential_annotations_stays(client, wire, files):
    wire.answer("POST", "tasks/sequential-image", "id")
    given = [{"type": "bbox", "value": "cat", "points": [1, 2, 3, 4], "content": "1.png"}]
    client.create_sequential_image_task("p", "n", files / "png", annotations=given)
    assert wire.sent[0][3]["annotations"] == [{**given[0], "attributes": []}]


def test_what_was_read_can_be_sent_back_and_exported_afterwards(client, wire):
    wire.answer("PUT", "tasks/image/t1", "t1")
    task: dict[str, Any] = {"id": "t1", "annotations": copy.deepcopy(ANNOTATIONS)}
    client.update_image_task("t1", annotations=task["annotations"])
    assert task["annotations"][0]["color"] == "#fff000"
    assert task["annotations"][0]["attributes"][0]["type"] == "radio"


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.update_task("t", asignee="bob"),  # codespell:ignore asignee
        lambda c: c.update_image_task("t", anotations=[]),  # codespell:ignore anotations
        lambda c: c.create_robotics_task("p", "n", file_path="x"),
        lambda c: c.create_integrated_image_task("p", "gcp", "a.png", priority=10),
    ],
)
def test_a_keyword_that_means_nothing_is_not_swallowed(client, wire, call):
    misspelt = "asignee|anotations"  # codespell:ignore asignee,anotations
    with pytest.raises(TypeError, match=f"unexpected keyword argument '({misspelt}|file_path|priority)'"):
        call(client)
    assert wire.sent == []


# What is not alike ----------------------------------------------------------------------------------------------------


def test_integrated_images(client, wire):
    wire.answer("POST", "tasks/integrated-image", "id-1")
    wire.answer("POST", "tasks/integrated-image/classification", "id-2")
    annotations = copy.deepcopy(ANNOTATIONS)
    common = {key: COMMON[key] for key in ("status", "external_status", "tags")}
    sent = {key: COMMON_SENT[key] for key in ("status", "externalStatus", "tags")}
    bucket = {"project": "p", "storageType": "gcp", "filePath": "b/c.png"}
    first = client.create_integrated_image_task(
        "p", "gcp", "b/c.png", annotations=annotations, **common, **METADATA, **PEOPLE
    )
    second = client.create_integrated_image_classification_task("p", "b/c.png", "gcp", **COMMON, **ATTRIBUTES, **PEOPLE)
    assert (first, second) == ("id-1", "id-2")
    assert [line[3] for line in wire.sent] == [
        {**bucket, "annotations": cleaned(content="b/c.png"), **sent, **METADATA, **PEOPLE_SENT},
        {**bucket, **COMMON_SENT, **ATTRIBUTES, **PEOPLE_SENT},
    ]
    assert annotations == ANNOTATIONS


def test_the_earlier_spelling_of_integrated_images(client, wire):
    """Seed, L64-84: create_image_task with a storage type."""
    wire.answer("POST", "tasks/integrated-image", "id-1")
    client.create_image_task(
        project="p", file_path="b/c.png", storage_type="gcp", annotations=ANNOTATIONS, assignee="b"
    )
    body = {"project": "p", "storageType": "gcp", "filePath": "b/c.png", "annotations": cleaned(content="b/c.png")}
    assert wire.sent == [("POST", "tasks/integrated-image", [], body | {"assignee": "b"})]


@pytest.mark.parametrize("given", [{}, {"name": "n"}, {"file_path": "a.png"}])
def test_an_image_task_needs_a_name_and_a_file(client, wire, given):
    with pytest.raises(TypeError, match="name and file_path"):
        client.create_image_task("p", **given)


def test_a_sequential_pcd_task_by_name_under_either_name(client, wire):
    """Seed, L1189."""
    wire.answer("GET", "tasks/sequential-pcd", [{"id": "1", "name": "n"}])
    assert client.find_sequential_pcd_task(project="p", task_name="n") == {"id": "1", "name": "n"}
    assert client.find_sequential_pcd_task_by_name(project="p", task_name="n") == {"id": "1", "name": "n"}
    assert wire.sent[0] == wire.sent[1]
    with pytest.raises(TypeError, match="task_id"):
        client.find_sequential_pcd_task(project="p")


def test_dicom(client, wire, tmp_path):
    (tmp_path / "series.zip").write_bytes(b"PK-zip-bytes")
    wire.answer("GET", "files", {"url": "http://store.test/up?sig=1", "name": "key/1"})
    wire.mock.add("PUT", "http://store.test/up", status=200)
    wire.answer("POST", "tasks/dicom", {"id": "h1", "status": "running"})
    wire.answer("PUT", "tasks/dicom/t1", "t1")
    common = {key: COMMON[key] for key in ("status", "external_status", "tags")}
    sent = {key: COMMON_SENT[key] for key in ("status", "externalStatus", "tags")}
    history = client.create_dicom_task("p", tmp_path / "series.zip", **common, **METADATA, **PEOPLE)
    assert history == {"id": "h1", "status": "running"}
    assert client.create_task("p", "dicom", "unused", tmp_path / "series.zip")["id"] == "h1"
    client.update_dicom_task("t1", **common, **METADATA, **PEOPLE)
    requests = [call.request for call in wire.mock.calls]
    assert requests[0].url.partition("?")[2] == "project=p&fileName=series.zip&fileType=application%2Fzip"
    assert requests[1].url == "http://store.test/up?sig=1"
    assert "Authorization" not in requests[1].headers
    assert requests[1].headers["Content-Length"] == "12"
    bodies = [wire._line(requests[index])[3] for index in (2, 5, 6)]
    assert bodies == [
        {"project": "p", "fileKey": "key/1", **sent, **METADATA, **PEOPLE_SENT},
        {"project": "p", "fileKey": "key/1"},
        {**sent, **METADATA, **PEOPLE_SENT},
    ]


def test_robotics(client, wire):
    wire.answer("POST", "tasks/robotics", "id")
    wire.answer("PUT", "tasks/robotics/t", "t")
    client.create_robotics_task("p", "n", **COMMON, operator="op", **METADATA, **PEOPLE)
    client.create_task("p", "robotics", "n", "unused")
    client.update_robotics_task("t", annotations=[], operator="")
    client.update_robotics_task("t", annotations=[{"id": "x", "type": "sub_task", "value": "v", "start": 1, "end": 3}])
    client.update_robotics_task("t")
    sub_task = {"type": "sub_task", "value": "v", "start": 1, "end": 3, "attributes": []}
    assert [line[3] for line in wire.sent] == [
        {"project": "p", "name": "n", **COMMON_SENT, "operator": "op", **METADATA, **PEOPLE_SENT},
        {"project": "p", "name": "n"},
        {"annotations": [], "operator": ""},
        {"annotations": [sub_task]},
        {},
    ]


@pytest.mark.parametrize("kind", ["multi_modal_video_audio", "smell"])
def test_kinds_that_cannot_be_created_are_refused(client, wire, kind):
    with pytest.raises(FastLabelInvalidException, match=kind):
        client.create_task("p", kind, "n", "a.png")


@pytest.mark.parametrize("kind", ["multi_modal_video_audio", "smell"])
def test_kinds_that_cannot_be_updated_are_refused(client, wire, kind):
    with pytest.raises(FastLabelInvalidException, match=kind):
        client.update_task_of(kind, "t", tags=["a"])
    assert wire.sent == []


@pytest.mark.parametrize("kind", sorted(ALL.keys() - {"multi_modal_video_audio"}))
def test_a_task_is_found_and_updated_by_its_kind(client, wire, kind):
    path, _ = ALL[kind]
    wire.answer("GET", f"{path}/t", {"id": "t"})
    wire.answer("GET", path, [{"id": "t", "name": "n"}])
    wire.answer("PUT", f"{path}/t", "t")
    assert client.find_task(kind, "t") == {"id": "t"}
    assert client.find_task_by_name(kind, "p", "n") == {"id": "t", "name": "n"}
    assert client.update_task_of(kind, "t", tags=["a"]) == "t"
    found, named, updated = wire.sent
    assert (found[1], found[2]) == (f"{path}/t", [])
    assert (named[1], named[2][:2]) == (path, [("project", "p"), ("taskName", "n")])
    assert updated == ("PUT", f"{path}/t", [], {"tags": ["a"]})
    with pytest.raises(TypeError, match="colour"):
        client.update_task_of(kind, "t", colour="red")


def test_tasks_of_any_kind(client, wire):
    wire.answer("PUT", "tasks/t", "t")
    wire.answer("DELETE", "tasks/t", status=204)
    wire.answer("DELETE", "tasks/t/task-annotations", status=204)
    wire.answer("GET", "tasks/count", 7)
    wire.answer("GET", "tasks/map/id-name", {"1": "n"})
    assert client.update_task("t", **COMMON, **METADATA, **PEOPLE) == "t"
    assert client.update_task("t") == "t"
    assert client.delete_task("t") is None
    assert client.delete_task_annotations("t") is None
    assert client.count_tasks("p") == 7
    assert client.count_tasks("p", "approved", "declined", ["a", "b"]) == 7
    assert client.get_task_id_name_map("p") == {"1": "n"}
    assert client.get_task_id_name_map("p", 10, 20) == {"1": "n"}
    tags = [("status", "approved"), ("externalStatus", "declined"), ("tags", "a"), ("tags", "b")]
    assert wire.sent == [
        ("PUT", "tasks/t", [], {**COMMON_SENT, **METADATA, **PEOPLE_SENT}),
        ("PUT", "tasks/t", [], {}),
        ("DELETE", "tasks/t", [], None),
        ("DELETE", "tasks/t/task-annotations", [], None),
        ("GET", "tasks/count", [("project", "p")], None),
        ("GET", "tasks/count", [("project", "p"), *tags], None),
        ("GET", "tasks/map/id-name", [("project", "p"), ("limit", "1000")], None),
        ("GET", "tasks/map/id-name", [("project", "p"), ("offset", "10"), ("limit", "20")], None),
    ]


@pytest.mark.parametrize("media", ["image", "video", "audio"])
def test_merging(client, wire, media):
    wire.answer("GET", f"tasks/integrate/{media}s", {"name": "m/cat.x", "annotations": []})
    merged = getattr(client, f"find_integrated_{media}_task_by_prefix")(project="p", prefix="m/cat")
    assert merged == {"name": "m/cat.x", "annotations": []}
    assert wire.sent == [("GET", f"tasks/integrate/{media}s", [("project", "p"), ("prefix", "m/cat")], None)]
