"""Calls every public method of a FastLabel client against the emulator and writes down what happened.

Run twice, with the official SDK and with ours, each in its own environment; needs nothing but the standard library and
the client. Calls and order are the same in both runs, and the emulator counts its ids up from the same start, so that
the records can be compared call by call.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import importlib
import inspect
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

USERS = {"assignee": "worker", "reviewer": "worker", "external_assignee": None}
TEXT = {"type": "text", "name": "Kind", "key": "kind"}
SELECT = {
    "type": "select",
    "name": "Size",
    "key": "size",
    "options": [{"title": "Large", "value": "large"}, {"title": "Small", "value": "small"}],
}
KIND = [{"key": "kind", "value": "Scottish fold"}]
METADATA = [{"key": "camera", "value": "front"}]
COMMON = {"status": "completed", "external_status": "registered", "priority": 0, "tags": ["tag1", "tag2"]}


class Emulator:
    """The control plane of the emulator.

    :param address: ``http://.../_emulator/``
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control plane and return its answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class Recorder:
    """Passes calls on to a client and records each: its result or error, its requests, the files it wrote.

    :param client: a FastLabel client
    :param emulator: the emulator it is connected to
    """

    def __init__(self, client: Any, emulator: Emulator) -> None:
        self._client = client
        self._emulator = emulator
        self.records: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return self._recorded(name, refused=False)

    def refused(self, name: str) -> Any:
        """Return a method whose next call must raise."""
        return self._recorded(name, refused=True)

    def _recorded(self, name: str, *, refused: bool) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(name, copy.deepcopy(args), copy.deepcopy(kwargs), refused)

        return call

    def _call(self, name: str, args: Any, kwargs: Any, refused: bool) -> Any:
        log = self._emulator("GET", "requests")
        before = files()
        record: dict[str, Any] = {"method": name, "error": None, "refused": refused, "result": None}
        try:
            record["result"] = getattr(self._client, name)(*args, **kwargs)
        except Exception as error:  # the comparison decides what an error means
            record["error"] = f"{type(error).__name__}: {error}"
        after = files()
        record["files"] = {path: digest for path, digest in after.items() if before.get(path) != digest}
        last = log[-1]["id"] if log else 0
        kept = ("method", "path", "query", "body", "status")
        record["requests"] = [
            {key: call[key] for key in kept} for call in self._emulator("GET", f"requests?after={last}")
        ]
        self.records.append(record)
        return record["result"]


def files() -> dict[str, str]:
    """Return the digest of every file in the working folder by path."""
    return {
        path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in Path().rglob("*") if path.is_file()
    }


def public_methods(module: Any) -> list[str]:
    """Return the names of the methods of a module's ``Client``."""
    found = inspect.getmembers(module.Client, inspect.isroutine)
    return sorted(name for name, _ in found if not name.startswith("_"))


# Each section prepares what it needs through the client itself, so that every preparation is a recorded call as well.


def projects(c: Recorder, _emulator: Emulator, _samples: Path) -> None:
    """Call projects, their codes, members and copies."""
    ident = c.create_project(type="image_bbox", name="ImageNet", slug="image-net")
    c.create_project("image_segmentation", "Pixels", "pixels", True, 20, "three_step", "three_step")
    c.find_project(project_id=ident)
    c.find_project_by_slug(slug="image-net")
    c.find_project_by_slug(slug="nobody")
    c.get_projects()
    c.get_projects(slug="image-net", offset=0, limit=10)
    c.get_projects(offset=1, limit=1)
    c.get_project_id_slug_map()
    c.get_project_id_slug_map(offset=1, limit=1)
    c.update_project(project_id=ident, name="NewImageNet", slug="new-image-net", job_size=20)
    c.update_project(project_id=ident, slug="image-net", workflow="three_step", external_workflow="two_step")
    c.update_project_metadata(project_id=ident, external_code_1="a", external_code_2=None, external_code_3="c")
    c.update_project_user_permission(project="image-net", email="admin@example.com", role="owner")
    copied = c.copy_project(project_id=ident)
    c.copy_project(project_id=ident, project_name="Copy", project_slug="copied")
    c.delete_project(project_id=copied)
    c.refused("find_project")(project_id=copied)


def classes(c: Recorder, emulator: Emulator, _samples: Path) -> None:
    """Call annotation classes."""
    project = "image-net"
    ident = c.create_annotation(project=project, type="bbox", value="cat", title="Cat")
    c.create_annotation(project, "bbox", "dog", "Dog", "#FF0000", 2, [TEXT, SELECT])
    c.refused("create_annotation")(project=project, type="bbox", value="cat", title="Cat")
    c.create_annotation(project=project, type="segmentation", value="area", title="Area", max_area_count=3)
    c.find_annotation(annotation_id=ident)
    c.find_annotation_by_value(project=project, value="cat")
    c.find_annotation_by_value(project=project, value="nobody")
    c.get_annotations(project=project)
    c.get_annotations(project=project, value="dog", offset=0, limit=1000)
    c.update_annotation(annotation_id=ident, title="Cat2", color="#00FF00", attributes=[TEXT, SELECT])
    attributes = c.find_annotation(annotation_id=ident)["attributes"]
    changed = [attributes[0] | {"name": "Kind2"}, attributes[1]]
    c.update_annotation(ident, "cat", "Cat", None, 1, [without(item, "order", "value") for item in changed])
    c.update_annotation(annotation_id=ident, max_area_count=None)
    c.create_project(type="image_pose_estimation", name="Poses", slug="poses")
    pose = c.create_annotation(project="poses", type="pose_estimation", value="person", title="Person")
    points = [{"key": "head", "name": "Head"}, {"key": "hand", "name": "Hand", "edges": ["head"]}]
    emulator("PUT", "keypoints", {"annotation_id": pose, "keypoints": points})
    gone = c.create_annotation(project=project, type="bbox", value="gone", title="Gone")
    c.delete_annotation(annotation_id=gone)
    c.create_project(type="image_classification", name="Sorts", slug="image-classification")
    sort = c.create_classification_annotation(project="image-classification", attributes=[TEXT])
    c.update_classification_annotation(annotation_id=sort, attributes=[TEXT, SELECT])
    c.find_annotation_by_value(project="image-classification", value="classification")


def image_tasks(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Call image tasks and what is common to all kinds."""
    project, path = "image-net", str(samples / "a.jpg")
    box = {"type": "bbox", "value": "cat", "attributes": KIND, "points": [10, 20, 60, 80]}
    ident = c.create_image_task(project=project, name="a.jpg", file_path=path)
    c.create_image_task(
        project=project, name="in/b.png", file_path=str(samples / "b.png"), annotations=[box, box | {"rotation": 30}],
        metadatas=METADATA, is_delete_exif=True, custom_task_status="workflow_1_completed", **COMMON, **USERS,
    )  # fmt: skip
    c.refused("create_image_task")(project=project, name="a.jpg", file_path=path)
    c.refused("create_image_task")(project=project, name="a.gif", file_path=str(samples / "text.txt"))
    c.refused("create_image_task")(project="nobody", name="a.jpg", file_path=path)
    lists(c, "image", project, ident, "a.jpg")
    c.get_image_tasks(project=project, status="registered", external_status="registered", tags=[], task_name="a.jpg")
    c.get_image_tasks(project=project, tags=["tag1", "tag2"], offset=0, limit=1)
    c.get_image_tasks(project=project, offset=1, limit=1000)
    c.refused("get_image_tasks")(project=project, limit=1001)
    links = [{"startIndex": 0, "endIndex": 1}]
    c.update_image_task(
        task_id=ident, annotations=[box, box], relations=links, custom_task_status="pending", metadatas=METADATA,
        **COMMON, **USERS,
    )  # fmt: skip
    c.update_image_task(task_id=ident, annotations=(c.find_image_task(task_id=ident) or {}).get("annotations"))
    c.update_image_task(task_id=ident, assignee=None, workflow_1_user="worker")
    c.create_integrated_image_task(project=project, storage_type="gcp", file_path="dir/c.jpg")
    c.create_integrated_image_task(
        project, "gcp", "dir/d.jpg", "completed", "registered", [box], ["tag1"], METADATA, assignee="worker"
    )
    c.refused("create_integrated_image_task")(project=project, storage_type="gcp", file_path="dir/c.gif")
    c.update_task(task_id=ident, metadatas=METADATA, **COMMON, **USERS)
    c.update_task(task_id=ident)
    c.count_tasks(project=project)
    c.count_tasks(project=project, status="completed", external_status="registered", tags=["tag1"])
    c.get_task_id_name_map(project=project)
    c.get_task_id_name_map(project=project, offset=1, limit=1)
    first = c.get_tags(project=project)
    c.get_tags(project=project, keyword="tag2", offset=0, limit=1000)
    c.delete_tags(tag_ids=[first[0]["id"]])
    c.add_task_tags(project=project, task_ids=[ident], tags=["tag3"])
    c.remove_task_tags(project=project, task_ids=[ident], tags=["tag3"])
    for number in range(1, 10):
        corner = [60, 20, 80, 30] if number == 1 else [0, 20, 10, 30]
        near = [box | {"points": corner}] if number < 3 else []
        c.create_image_task(project, f"image/cat/{number}.jpg", path, annotations=near)
    c.find_integrated_image_task_by_prefix(project=project, prefix="image/cat")
    c.delete_task_annotations(task_id=ident)
    c.delete_task(task_id=ident)
    c.refused("find_image_task")(task_id=ident)
    c.get_metadatas()
    c.get_metadatas(project=project, offset=0, limit=1000)


def lists(c: Recorder, kind: str, project: str, ident: Any, name: str) -> None:
    """Find, find by name and list tasks of one kind."""
    getattr(c, f"find_{kind}_task")(task_id=ident)
    getattr(c, f"find_{kind}_task_by_name")(project=project, task_name=name)
    getattr(c, f"find_{kind}_task_by_name")(project=project, task_name="nobody")
    getattr(c, f"get_{kind}_tasks")(project=project)
    getattr(c, f"get_{kind}_tasks")(project=project, tags=["tag1"], offset=1, limit=10)


def classification_tasks(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Call the classification kinds of one file, and that of several images."""
    for family, type_, name in (
        ("image", "image_classification", "a.jpg"),
        ("video", "video_single_classification", "clip.mp4"),
        ("text", "text_single_classification", "text.txt"),
        ("audio", "audio_single_classification", "sound.wav"),
    ):
        kind = f"{family}_classification"
        slug = kind.replace("_", "-")
        if family != "image":
            c.create_project(type=type_, name=slug, slug=slug)
            c.create_classification_annotation(project=slug, attributes=[TEXT, SELECT])
        create = getattr(c, f"create_{kind}_task")
        ident = create(project=slug, name=name, file_path=str(samples / name))
        create(project=slug, name=f"2{name}", file_path=str(samples / name), attributes=KIND, **COMMON, **USERS)
        lists(c, kind, slug, ident, name)
        getattr(c, f"update_{kind}_task")(task_id=ident, attributes=KIND, **COMMON, **USERS)
    slug = "image-classification"
    c.create_integrated_image_classification_task(project=slug, file_path="dir/a.jpg", storage_type="gcp")
    c.create_integrated_image_classification_task(
        project=slug, file_path="dir/b.jpg", storage_type="gcp", attributes=KIND, **COMMON, **USERS
    )
    slug = "multi-image"
    c.create_project(type="multi_image_classification", name=slug, slug=slug)
    c.create_classification_annotation(project=slug, attributes=[TEXT])
    folder = str(samples / "images")
    ident = c.create_multi_image_classification_task(project=slug, name="a", folder_path=folder)
    c.create_multi_image_classification_task(
        project=slug, name="b", folder_path=folder, attributes=KIND, is_delete_exif=True, **COMMON, **USERS
    )
    lists(c, "multi_image_classification", slug, ident, "a")
    c.update_multi_image_classification_task(task_id=ident, attributes=KIND, **COMMON, **USERS)


def annotated_tasks(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Call the kinds of one file with annotations, beside images."""
    frames = {str(n): {"value": [n, n, n + 9, n + 9], "autogenerated": n == 2} for n in (1, 2, 3)}
    rows: dict[str, Any] = {
        "video": ("video_bbox", "bbox", "clip.mp4", {"points": frames}),
        "text": ("text_ner", "ner", "text.txt", {"start": 0, "end": 4, "text": "1234"}),
        "audio": ("audio_segmentation", "segmentation", "sound.wav", {"start": 0.25, "end": 1.0}),
        "pcd": ("pcd_cuboid", "cuboid", "cloud.pcd", {"points": [1, 2, 3, 1, 1, 1, 2, 2, 2]}),
    }
    for kind, (type_, shape, name, geometry) in rows.items():
        c.create_project(type=type_, name=kind, slug=kind)
        c.create_annotation(project=kind, type=shape, value="thing", title="Thing", attributes=[TEXT])
        labels = [{"type": shape, "value": "thing", "attributes": KIND} | geometry]
        create, update = getattr(c, f"create_{kind}_task"), getattr(c, f"update_{kind}_task")
        path = str(samples / name)
        ident = create(project=kind, name=name, file_path=path)
        more = {"annotations": labels, "metadatas": METADATA} | COMMON | USERS
        create(project=kind, name=f"2{name}", file_path=path, **more)
        lists(c, kind, kind, ident, name)
        update(task_id=ident, **more)
        found = getattr(c, f"find_{kind}_task")(task_id=ident)
        update(task_id=ident, annotations=(found or {}).get("annotations"))
        if kind in ("video", "audio"):
            for number in (1, 2):
                create(kind, f"{kind}/part/{number}.{name[-3:]}", path, annotations=labels)
            getattr(c, f"find_integrated_{kind}_task_by_prefix")(project=kind, prefix=f"{kind}/part")


def folder_tasks(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Call the kinds of several files with annotations."""
    project = "sequential-image"
    c.create_project(type="sequential_image_segmentation", name=project, slug=project)
    c.create_annotation(project=project, type="segmentation", value="thing", title="Thing", attributes=[TEXT])
    ring = [1, 1, 9, 1, 9, 9, 1, 9, 1, 1]
    region = {"type": "segmentation", "value": "thing", "content": "01.jpg", "points": [[ring]], "attributes": KIND}
    folder = str(samples / "images")
    ident = c.create_sequential_image_task(project=project, name="a", folder_path=folder)
    more = {"annotations": [region], "metadatas": METADATA} | COMMON | USERS
    c.create_sequential_image_task(project=project, name="b", folder_path=folder, is_delete_exif=True, **more)
    c.refused("create_sequential_image_task")(project=project, name="c", folder_path=str(samples / "nowhere"))
    lists(c, "sequential_image", project, ident, "a")
    c.refused("get_sequential_image_tasks")(project=project, limit=11)
    c.update_sequential_image_task(task_id=ident, **more)

    project = "sequential-pcd"
    c.create_project(type="sequential_pcd_cuboid", name=project, slug=project)
    c.create_annotation(project=project, type="cuboid", value="thing", title="Thing", attributes=[TEXT])
    cuboid = {"value": [1, 2, 3, 1, 1, 1, 2, 2, 2], "autogenerated": False}
    labels = [{"type": "cuboid", "value": "thing", "points": {"1": cuboid, "2": cuboid}}]
    folder = str(samples / "clouds")
    ident = c.create_sequential_pcd_task(project=project, name="a", folder_path=folder)
    more = {"annotations": labels, "metadatas": METADATA} | COMMON | USERS
    c.create_sequential_pcd_task(project=project, name="b", folder_path=folder, **more)
    lists(c, "sequential_pcd", project, ident, "a")
    c.update_sequential_pcd_task(task_id=ident, **more)


def imported_tasks(c: Recorder, emulator: Emulator, samples: Path) -> None:
    """Call DICOM, S3 and their histories; multi-modal tasks, which no call creates."""
    c.create_project(type="dicom_bbox", name="dicom", slug="dicom")
    more = without(COMMON, "priority") | {"metadatas": METADATA} | USERS
    emulator("PUT", "config", {"history_manual": True})
    history = c.create_dicom_task(project="dicom", file_path=str(samples / "dicom.zip"), **more)
    c.find_history(history_id=history["id"])
    settle(emulator, history["id"])
    c.get_histories(project="dicom")
    c.get_histories(project="dicom", offset=0, limit=1000)
    tasks = c.get_dicom_tasks(project="dicom")
    lists(c, "dicom", "dicom", tasks[0]["id"], "dicom")
    c.update_dicom_task(task_id=tasks[0]["id"], **more)

    c.update_aws_s3_storage(project="image-net", bucket_name="photos", bucket_region="us-east-1")
    c.update_aws_s3_storage("image-net", "photos", "us-east-1", "in")
    history = c.create_task_from_aws_s3(project="image-net")
    settle(emulator, history["id"])
    c.get_aws_s3_import_status_by_project(project="image-net")
    history = c.create_task_from_aws_s3("image-net", "completed", ["tag1"], 10)
    settle(emulator, history["id"])

    project = "multi-modal"
    c.create_project(type="multi_modal_video_audio_segmentation", name=project, slug=project)
    ident = emulator("POST", "tasks", {"project": project, "name": "a"})
    c.find_multi_modal_video_audio_task(task_id=ident)
    c.get_multi_modal_video_audio_tasks(project=project)
    c.get_multi_modal_video_audio_tasks(project=project, status="registered", offset=0, limit=10)


def settle(emulator: Emulator, ident: str) -> None:
    """End an import as soon as the emulator has read its source."""
    for _ in range(1000):
        try:
            emulator("POST", "histories", {"id": ident})
        except urllib.error.HTTPError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError("the import never ended")


def robotics(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Call robotics tasks, their contents, LeRobot; appendix data."""
    project = "robotics"
    c.create_project(type="robotics_task_classification", name=project, slug=project)
    c.create_annotation(project=project, type="sub_task", value="grasp", title="Grasp")
    ident = c.create_robotics_task(project=project, name="episode")
    c.create_robotics_task(project=project, name="b", operator="me", metadatas=METADATA, **COMMON, **USERS)
    c.import_robotics_contents_file(project=project, file_path=str(samples / "episode.zip"))
    lists(c, "robotics", project, ident, "episode")
    label = {"type": "sub_task", "value": "grasp", "start": 1, "end": 4}
    c.update_robotics_task(task_id=ident, annotations=[label], operator="me", metadatas=METADATA, **COMMON, **USERS)
    c.update_robotics_task(task_id=ident, annotations=[])
    c.import_lerobot(project=project, lerobot_data_path=str(samples / "lerobot"), episode_indices=[0])
    c.import_lerobot(project=project, lerobot_data_path=str(samples / "lerobot"))
    c.import_appendix_file(project="pcd", file_path=str(samples / "appendix.zip"))
    c.refused("import_appendix_file")(project="pcd", file_path=str(samples / "a.jpg"))
    c.get_appendix_data(project="pcd")
    c.get_appendix_data("pcd", "completed", "registered", ["tag1"], "2cloud.pcd", 0, 10)
    c.get_task_appendix_data(project="pcd")
    c.get_task_appendix_data(project="pcd", task_name="cloud.pcd", offset=0, limit=10)


def datasets(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Call datasets and their objects."""
    dataset = c.create_dataset(name="photos")
    c.create_dataset(name="more", tags=["a", "b"], visibility="workspace")
    c.find_dataset(dataset_id=dataset["id"])
    c.get_datasets()
    c.get_datasets(keyword="mo", tags=["a"], visibility="workspace")
    c.update_dataset(dataset_id=dataset["id"], name="pictures", tags=["c"])
    c.update_dataset(dataset_id=dataset["id"], tags=[])
    box = {"type": "bbox", "value": "cat", "points": [1, 2, 30, 40]}
    path = str(samples / "a.jpg")
    c.create_dataset_object(dataset="pictures", name="a.jpg", file_path=path)
    c.create_dataset_object("pictures", "in/b.jpg", path, ["t"], ["cc0"], [box], {"from": "here"})
    c.find_dataset_object(dataset_id=dataset["id"], object_name="in/b.jpg")
    c.find_dataset_object(dataset_id=dataset["id"], object_name="a.jpg", version="latest")
    c.refused("find_dataset_object")(
        dataset_id=dataset["id"], object_name="a.jpg", version="latest", revision_id="12345678"
    )
    c.get_dataset_objects(dataset="pictures")
    c.get_dataset_objects("pictures", "latest", ["t"], ["cc0"], None, ["none", "train"], 0, 10)
    c.refused("get_dataset_objects")(dataset="pictures", types=["wrong"])
    c.update_dataset_object(dataset["id"], "a.jpg", ["x"], ["cc0"], [box], {"k": "v"})
    c.update_dataset_object(dataset_id=dataset["id"], object_name="a.jpg")
    c.download_dataset_objects(dataset="pictures", path="downloaded")
    c.download_dataset_objects(dataset="pictures", path="by-type", types=["none"], limit=10)
    c.delete_dataset_object(dataset_id=dataset["id"], object_name="in/b.jpg")


def models(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Call training, evaluation and auto-annotation jobs, endpoints, monitoring."""
    c.get_training_jobs()
    job = c.execute_training_job(dataset_name="pictures", base_model_name="fastlabel_u_net_general", epoch=3)
    c.execute_training_job(
        dataset_name="pictures", base_model_name="fastlabel_keypoint_rcnn", epoch=1, use_dataset_train_val=True,
        batch_size=2, learning_rate=0.1, resize_option="fixed", resize_dimension=512, annotation_value="cat",
        config_file_path=str(samples / "text.txt"),
    )  # fmt: skip
    c.find_training_job(id=job["trainingJobId"])
    c.get_training_jobs(offset=1, limit=1)
    job = c.execute_evaluation_job(dataset_name="pictures", model_name="mine")
    c.execute_evaluation_job("pictures", "mine", 0.25, 0.75, None, True, "ml.g4dn.xlarge", 4, 0.1)
    c.find_evaluation_job(id=job["id"])
    c.get_evaluation_jobs()
    c.get_evaluation_jobs(offset=1, limit=1)
    c.execute_auto_annotation_job(project="image-net", model_name="mine")
    c.execute_auto_annotation_job(
        "image-net", "mine", "object_detection", True, 0.5, True, True, "high", auto_creation=False
    )
    c.get_auto_annotation_jobs(project="image-net")
    c.get_auto_annotation_jobs(project="image-net", offset=1, limit=1)
    c.refused("get_auto_annotation_jobs")(project=None)
    c.execute_endpoint(endpoint_name="detector", file_path=str(samples / "a.jpg"))
    c.refused("execute_endpoint")(endpoint_name="detector", file_path=str(samples / "text.txt"))
    result = [{"value": "person", "confidenceScore": 0.92}]
    results = [{"status": "success", "result": result, "requestAt": "2023-05-08T12:10:53+09:00"}]
    c.create_model_monitoring_request_results(name="monitor", results=results)


def comments(c: Recorder, _emulator: Emulator, _samples: Path) -> None:
    """Call comments on tasks."""
    task = c.find_image_task_by_name(project="image-net", task_name="in/b.png")["id"]
    comment = c.create_task_comment(task_id=task, points=[1, 2], text="Look")
    c.create_task_comment(
        task_id=task, points=[1, 2], text="Look", type="text", scale=1.5, frame=0, status="todo", priority=10,
        is_resolved=True, color="#FF0000",
    )  # fmt: skip
    c.create_task_comment(comment_id=comment["id"], text="Again")
    several = c.find_sequential_image_task_by_name(project="sequential-image", task_name="a")["id"]
    c.create_task_comment(task_id=several, points=[1, 2], text="Here", content_name="01.jpg", frame=1)
    found = c.get_task_comments(project="image-net", task_id=task)
    c.get_task_comments(project="image-net", task_id=task, offset=1, limit=1)
    c.get_project_comments(project="image-net")
    c.get_project_comments("image-net", "completed", "registered", ["tag2"], None, 0, 1000)
    thread = found[0]["threads"][0]["id"]
    c.update_task_comment(thread_id=thread, text="Look again")
    c.delete_task_comment(thread_id=thread)


def users(c: Recorder, _emulator: Emulator, _samples: Path) -> None:
    """Call users of the workspace."""
    c.get_workspace_users()
    c.create_workspace_user(name="Ann", email="ann@example.com", language="en", role="member")
    c.get_workspace_users(keyword="ann", offset=0, limit=1)
    c.update_workspace_user(email="ann@example.com", role="owner")
    c.create_workspace_user_module_permissions(email="ann@example.com", modules=["annotation", "modelDev"])
    c.create_workspace_user_module_permissions(email="ann@example.com", modules="dataset")
    c.refused("create_workspace_user_module_permissions")(email="ann@example.com", modules="wrong")
    c.delete_workspace_user_module_permissions(email="ann@example.com", modules=["annotation", "dataset"])
    c.delete_workspace_user(email="ann@example.com")


def edges(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Send values between given and not given: empty, zero, None; and send back what was read."""
    project = "image-net"
    c.create_annotation(project=project, type="bbox", value="zero", title="Zero", color="", order=0, attributes=[])
    ident = c.create_image_task(
        project=project, name="edges.jpg", file_path=str(samples / "a.jpg"), status="", external_status=None,
        custom_task_status="", priority=None, annotations=[], tags=[], metadatas=[], is_delete_exif=False,
        assignee=None, workflow_6_user=None,
    )  # fmt: skip
    c.update_image_task(task_id=ident, status="", tags=[], annotations=[], relations=[], metadatas=[], reviewer=None)
    c.update_task(task_id=ident, status=None, priority=0, approver=None, external_approver=None)
    c.get_image_tasks(project, "", None, [], "", 0, 0)
    c.get_sequential_pcd_tasks(project="sequential-pcd", tags=None, offset=0)
    c.get_robotics_tasks(project="robotics", offset=0, limit=0)
    c.get_tags(project=project, keyword="", offset=0, limit=0)
    c.get_projects(slug="", offset=0, limit=0)
    c.get_annotations(project=project, value="", offset=0, limit=0)
    c.get_histories(project=project, offset=0, limit=0)
    c.get_workspace_users(keyword="", offset=0, limit=0)
    c.get_task_comments(project=project, task_id=ident, offset=0, limit=0)
    c.get_project_comments(project=project, tags=[], offset=0, limit=0)
    c.get_dataset_objects(dataset="pictures", version="", tags=[], licenses=[], types=[], offset=0, limit=0)
    c.get_training_jobs(offset=0, limit=0)
    c.get_evaluation_jobs(offset=0, limit=0)
    c.get_auto_annotation_jobs(project=project, offset=0, limit=0)
    c.get_appendix_data(project="pcd", tags=[], task_name="", offset=0, limit=0)
    c.get_metadatas(project=None, offset=0, limit=0)
    c.count_tasks(project=project, status="", tags=[])
    person = {"type": "pose_estimation", "value": "person", "keypoints": [{"key": "head", "value": [1, 2, 1]}]}
    pose = c.create_image_task(project="poses", name="pose.jpg", file_path=str(samples / "a.jpg"), annotations=[person])
    found = c.find_image_task(task_id=pose)
    c.update_image_task(task_id=pose, annotations=found["annotations"])
    c.update_dataset_object(c.get_datasets(keyword="pictures")[0]["id"], "a.jpg", [], [], [], {})
    c.create_dataset_object("pictures", "deep/er/c d#?.jpg", str(samples / "a.jpg"), [], [], [], {})
    c.delete_dataset_object(c.get_datasets(keyword="pictures")[0]["id"], "deep/er/c d#?.jpg")


def exports(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Export a project whose annotations every format knows, a video, and a pose."""
    slug = "shapes"
    c.create_project(type="image_all", name=slug, slug=slug)
    for shape in ("polygon", "bbox"):
        c.create_annotation(project=slug, type=shape, value=shape, title=shape.title(), color="#102030")
    shapes = [
        {"type": "bbox", "value": "bbox", "points": [1, 2, 31, 22]},
        {"type": "polygon", "value": "polygon", "points": [40, 10, 60, 10, 60, 40, 40, 40]},
    ]
    for name in ("a.jpg", "in/b.jpg"):
        c.create_image_task(project=slug, name=name, file_path=str(samples / "a.jpg"), annotations=shapes)
    tasks = c.get_image_tasks(project=slug)
    known = c.get_annotations(project=slug)
    c.export_coco(project=slug, tasks=tasks, output_dir="coco", output_file_name="plain.json")
    c.export_coco(slug, tasks, known, "coco", "classes.json")
    c.refused("export_coco")(project="nobody", tasks=tasks)
    c.export_yolo(project=slug, tasks=tasks, output_dir="yolo")
    c.export_yolo(slug, tasks, ["polygon", "bbox"], "yolo-classes")
    c.export_pascalvoc(project=slug, tasks=tasks, output_dir="voc")
    c.export_labelme(tasks, "labelme")
    c.export_instance_segmentation(tasks, output_dir="instances")
    c.export_semantic_segmentation(tasks, output_dir="classes")
    c.export_image_with_annotations(tasks=tasks, image_dir=str(samples / "pictures"), output_dir="drawn")
    poses = [{"key": "head", "value": [10, 20, 1]}, {"key": "hand", "value": [30, 40, 0]}]
    person = {"type": "pose_estimation", "value": "person", "keypoints": poses}
    c.create_image_task(project="poses", name="a.jpg", file_path=str(samples / "a.jpg"), annotations=[person])
    people = c.get_image_tasks(project="poses")
    c.export_coco("poses", people, c.get_annotations(project="poses"), "coco", "poses.json")
    clips = c.get_video_tasks(project="video")
    c.export_coco(project="video", tasks=clips, output_dir="video", output_file_name="video.json")


def converters(c: Recorder, _emulator: Emulator, samples: Path) -> None:
    """Convert from other formats."""
    for kind in ("bbox", "polygon"):
        c.convert_coco_to_fastlabel(file_path=str(samples / "coco.json"), annotation_type=kind)
    data = str(samples / "data")
    c.convert_yolo_to_fastlabel(str(samples / "classes.txt"), data, "bbox")
    c.convert_yolo_to_fastlabel(str(samples / "classes.txt"), str(samples / "outlines"), "segmentation")
    c.convert_pascalvoc_to_fastlabel(folder_path=data)
    c.convert_labelme_to_fastlabel(folder_path=data)
    c.mask_to_fastlabel_segmentation_points(str(samples / "mask.png"))


def endings(c: Recorder, _emulator: Emulator, _samples: Path) -> None:
    """Delete what the others stood on."""
    dataset = c.get_datasets(keyword="more")
    c.delete_dataset(dataset_id=dataset[0]["id"])


SECTIONS = (
    projects, classes, image_tasks, classification_tasks, annotated_tasks, folder_tasks, imported_tasks, robotics,
    datasets, models, comments, users, edges, exports, converters, endings,
)  # fmt: skip


def without(mapping: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a copy without some keys."""
    return {key: value for key, value in mapping.items() if key not in keys}


def main() -> None:
    """Run all sections and write the records."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", required=True, help="the module whose Client to call")
    parser.add_argument("--control", required=True, help="address of the emulator's control plane")
    parser.add_argument("--samples", required=True, type=Path, help="folder of sample files")
    parser.add_argument("--out", required=True, type=Path, help="where to write the records")
    given = parser.parse_args()
    emulator = Emulator(given.control)
    emulator("POST", "reset")
    emulator("PUT", "users", {"slug": "worker", "name": "Worker"})
    emulator("PUT", "config", {"job_manual": True, "endpoint_names": ["detector"]})
    module = importlib.import_module(given.module)
    recorder = Recorder(module.Client(), emulator)
    broken = {}
    for section in SECTIONS:
        try:
            section(recorder, emulator, given.samples)
        except Exception as error:  # a preparation failed: what follows in this section was not called
            broken[section.__name__] = f"{type(error).__name__}: {error}"
    value = {"methods": public_methods(module), "calls": recorder.records, "broken": broken}
    given.out.write_text(json.dumps(value, default=repr), encoding="utf-8")


if __name__ == "__main__":
    main()
