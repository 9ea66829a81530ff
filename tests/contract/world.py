"""A FastLabel workspace as the seed document takes it for granted: a project of each kind with classes and a task."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import samples

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.emulator import Emulator

SLUG = "your-project-slug"
TASK_NAME = "YOUR_TASK_NAME"
USER = "USER_SLUG"
TEXT: dict[str, Any] = {"type": "text", "name": "Kind", "key": "kind"}
SELECT: dict[str, Any] = {
    "type": "select",
    "name": "Size",
    "key": "size",
    "options": [{"title": "Large", "value": "large"}, {"title": "Small", "value": "small"}],
}
FREE = {"type": "text", "name": "Attribute", "key": "attribute-key"}
ATTRIBUTE = {"key": "attribute-key", "value": "attribute-value"}


@dataclass
class Setup:
    """What the document presupposes for one kind of task.

    :param type: type of the project
    :param classes: annotation classes as (type, value, attributes); for classification kinds only the attributes count
    :param suffix: extension of the file of a task, ``""`` for a folder
    """

    type: str
    classes: list[tuple[str, str, list[dict[str, Any]]]] = field(default_factory=list)
    suffix: str = ""


_CLASSIFICATION = [("classification", "classification", [FREE])]
SETUPS = {
    "image": Setup("image_all", [("bbox", "annotation-value", [FREE]), ("bbox", "cat", [TEXT])], ".jpg"),
    "image_classification": Setup("image_classification", _CLASSIFICATION, ".jpg"),
    "sequential_image": Setup(
        "sequential_image_segmentation",
        [
            ("segmentation", "annotation-value", [FREE]),
            ("bbox", "cat", [{"type": "text", "name": "Key", "key": "key"}]),
        ],
    ),
    "video": Setup("video_bbox", [("bbox", "person", []), ("bbox", "bird", [])], ".mp4"),
    "video_classification": Setup("video_single_classification", _CLASSIFICATION, ".mp4"),
    "text": Setup("text_ner", [("ner", "person", []), ("ner", "bird", [])], ".txt"),
    "text_classification": Setup("text_single_classification", _CLASSIFICATION, ".txt"),
    "audio": Setup("audio_segmentation", [("segmentation", "person", []), ("segmentation", "bird", [])], ".mp3"),
    "audio_classification": Setup("audio_single_classification", _CLASSIFICATION, ".mp3"),
    "pcd": Setup("pcd_cuboid", [("cuboid", "car", [])], ".pcd"),
    "pcd_segmentation": Setup("pcd_segmentation", [("segmentation", "car", [])], ".pcd"),
    "sequential_pcd": Setup("sequential_pcd_cuboid", [("cuboid", "human", [])]),
    "dicom": Setup("dicom_bbox", [("bbox", "heart", [])], ".zip"),
}
"""Setup by kind of task; ``pcd_segmentation`` is a second one of kind ``pcd``."""


class World:
    """The workspace of one test.

    :param client: our client, connected to the emulator
    :param emulator: the emulator, freshly reset
    :param folder: an empty folder
    """

    def __init__(self, client: FastLabelClient, emulator: Emulator, folder: Path) -> None:
        self.client = client
        self.emulator = emulator
        self.folder = folder
        emulator.configure(history_seconds=0, job_seconds=0)
        emulator.add_user(USER, "ASSIGNEE_NAME")

    def project(self, kind: str, slug: str = SLUG, *, classes: bool = True) -> str:
        """Create the project of a kind with its classes and return its id."""
        setup = SETUPS[kind]
        ident = self.client.create_project(setup.type, slug, slug)
        for type_, value, attributes in setup.classes if classes else ():
            if type_ == "classification":
                self.client.create_classification_annotation(slug, attributes)
            else:
                self.client.create_annotation(slug, type_, value, value.title(), attributes=attributes)
        return ident

    def sample(self, kind: str, stem: str = "sample") -> Path:
        """Write the file or folder a task of this kind is made of."""
        suffix = SETUPS[kind].suffix
        if suffix:
            return samples.MAKERS[suffix](self.folder / f"{stem}{suffix}")
        names = ("01.jpg", "cat1.jpg") if kind == "sequential_image" else ("0001.pcd", "0002.pcd")
        for name in names:
            samples.MAKERS[name[-4:]](self.folder / stem / name)
        return self.folder / stem

    def task(self, kind: str, name: str = TASK_NAME, slug: str = SLUG, **fields: Any) -> str:
        """Create a task of a kind and return its id."""
        kind = kind.removesuffix("_segmentation")
        if kind == "dicom":
            return self._dicom(name, slug)
        path = self.sample(kind, f"made-for-{kind}")
        ident: str = getattr(self.client, f"create_{kind}_task")(slug, name, path, **fields)
        return ident

    def _dicom(self, name: str, slug: str) -> str:
        history = self.client.create_dicom_task(slug, samples.dicom_zip(self.folder / f"{name}.zip"))
        self.completed(history["id"])
        task = self.client.find_dicom_task_by_name(slug, name)
        assert task is not None
        return task["id"]

    def completed(self, history_id: str) -> dict[str, Any]:
        """Read an import until it has ended; it does as soon as the emulator has read its source."""
        for _ in range(1000):
            history = dict(self.client.find_history(history_id))
            if history["status"] != "running":
                return history
            time.sleep(0.01)
        raise AssertionError("the import never ended")

    def bucket(self, address: str, name: str, region: str, objects: Mapping[str, Path]) -> None:
        """Make a bucket of files by key, and tell the emulator where it is."""
        import boto3

        access = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator"}
        s3 = boto3.client("s3", endpoint_url=address, region_name=region, **access)
        s3.create_bucket(Bucket=name)
        for key, path in objects.items():
            s3.put_object(Bucket=name, Key=key, Body=path.read_bytes())
        s3.close()
        self.emulator.configure(s3_endpoint=address)

    def calls(self) -> list[dict[str, Any]]:
        """Return the API calls received so far; transfers to signed addresses are left out."""
        return [call for call in self.emulator.requests() if not call["path"].startswith("storage/")]
