"""An import in chunks, step by step, and what is compared of it with another one."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path

from PIL import Image

from airflow_provider_fastlabel.pipelines.imports.chunks.account import Account
from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
from airflow_provider_fastlabel.pipelines.imports.chunks.planner import plan_import
from airflow_provider_fastlabel.pipelines.imports.chunks.work import import_chunk
from airflow_provider_fastlabel.pipelines.imports.folder import FolderImport


def png(colour: int = 10, width: int = 40, height: int = 30) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (colour % 256, 200, 30)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()
REFUSED = PNG[:24] + PNG[-12:]
"""A picture that the checks find no fault with, and FastLabel does."""


def place_of(path, _=None):
    return Path(path)


class Parts:
    """An import in chunks, step by step, as three tasks do it."""

    def __init__(self, client, folder, base, project="parts", *, size=5, plan=".plan", **arguments):
        self.client, self.folder, self.size = client, folder, size
        self.manifest = base / "parts.jsonl"
        self.plan_folder = PlanFolder(base / plan)
        self.job = FolderImport(client=client, project=project, folder=folder, manifest=self.manifest, **arguments)

    def plan(self, most=1024):
        places = {"folder": str(self.folder), "source_conn_id": None}
        places |= {"manifest": str(self.manifest), "manifest_conn_id": None}
        self.chunks = plan_import(self.job, self.plan_folder, size=self.size, most=most, people={}, places=places)
        return self.chunks

    def chunk(self, number, opened=place_of):
        sha256 = self.chunks[number]["sha256"]
        return import_chunk(self.client, self.plan_folder, number, sha256, opened=opened)

    def summary(self):
        return Account(self.plan_folder, self.manifest).sum_up()

    def all(self):
        self.plan()
        for chunk in reversed(self.chunks):  # in any order
            self.chunk(chunk["number"])
        return self.summary()


def whole(client, folder, base, project="whole", **arguments):
    job = FolderImport(client=client, project=project, folder=folder, manifest=base / "whole.jsonl", **arguments)
    return job.run()


def told(summary):
    return {name: value for name, value in summary.items() if name != "manifest"}


def tasks_of(client, project, kind="image"):
    """Return all that an import decides of the tasks of a project."""
    return sorted(
        (
            task["name"],
            tuple(task["tags"]),
            task["priority"],
            tuple((a["value"], *a.get("points", ())) for a in task["annotations"]),
        )
        for task in client.iter_tasks(project, kind)
    )


def fates(manifest):
    """Return the last word on each item, without what differs between any two imports."""
    last = {}
    for line in lines_on_items(manifest):
        file = line.get("file") or {}
        last[line["name"]] = (line["fate"], line["why"], line.get("annotations"), line.get("lost"), file.get("sha256"))
    return last


def lines_on_items(manifest):
    """Yield the lines on items, but for those that a kill has cut off."""
    for raw in manifest.read_text().splitlines():
        with suppress(json.JSONDecodeError):
            line = json.loads(raw)
            if "name" in line:
                yield line


def coco(folder, boxes):
    """Write annotations.json: picture -> how many boxes; of a name that begins with a minus one of them is bad."""
    images: list[dict] = []
    annotations: list[dict] = []
    for name, count in boxes.items():
        images.append({"id": len(images) + 1, "file_name": name.removeprefix("-"), "width": 40, "height": 30})
        for number in range(count):
            box = [1, 2, 0 if name.startswith("-") and not number else 5 + number, 6]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": len(images), "category_id": 1, "bbox": box, "iscrowd": 0}
            )
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (folder / "annotations.json").write_text(json.dumps(content))
