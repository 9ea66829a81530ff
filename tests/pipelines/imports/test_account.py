"""For any tree of pictures and annotation files the account of an import is right: read = sent + lost."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.imports import ImportRefused, find_sources, import_files
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader

FORMS = ("coco", "yolo", "pascalvoc", "labelme")


@dataclass(frozen=True)
class Picture:
    """A picture to be, and what its annotation file says.

    :param there: whether the picture is there.
    :param objects: for each object whether it is sound; None: there is no annotation file.
    :param cut: whether the annotation file is cut off.
    :param ending: the ending that the annotation file states.
    """

    name: str
    there: bool
    objects: tuple[bool, ...] | None
    cut: bool
    ending: str

    def complete(self, form: str) -> bool:
        """Whether all that is said of the picture can be taken."""
        return self.there and all(self.objects or ()) and not self.is_cut(form)

    def is_cut(self, form: str) -> bool:
        """Whether nobody can tell what its annotation file holds; one COCO file is not cut for one picture."""
        return self.cut and self.objects is not None and form != "coco"

    def known(self, form: str) -> int:
        """How many objects the reader can know of."""
        return 0 if self.is_cut(form) else len(self.objects or ())


pictures = st.lists(
    st.builds(
        Picture,
        name=st.sampled_from(["a", "b", "c", "sub/d", "sub/deep/e", "x y/f"]),
        there=st.sampled_from([True, True, True, False]),
        objects=st.none() | st.lists(st.sampled_from([True, True, True, False]), max_size=3).map(tuple),
        cut=st.sampled_from([False, False, False, True]),
        ending=st.sampled_from([".png", ".png", ".jpg", ".PNG"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda picture: picture.name,
)

_BUFFER = io.BytesIO()
Image.new("RGB", (40, 30)).save(_BUFFER, "PNG")


def write(form: str, root: Path, tree: list[Picture]) -> None:
    """Lay out a tree."""
    (root / "classes.txt").write_text("cat\n")
    for picture in tree:
        path = root / f"{picture.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if picture.there:
            path.write_bytes(_BUFFER.getvalue())
        if picture.objects is not None and form != "coco":
            text = {"yolo": _rows, "pascalvoc": _xml, "labelme": _shapes}[form](picture)
            ending = {"yolo": ".txt", "pascalvoc": ".xml", "labelme": ".json"}[form]
            data = text.encode()
            if picture.cut:
                data = b"\xff\xfe\x00" if form == "yolo" else data[:-10]
            path.with_suffix(ending).write_bytes(data)
    if form == "coco":
        (root / "annotations.json").write_text(json.dumps(_coco(tree)))


def _coco(tree: list[Picture]) -> dict[str, Any]:
    annotations = [
        {"image_id": number, "category_id": 1, "bbox": [1, 2, 10, 20 if sound else "high"]}
        for number, picture in enumerate(tree)
        for sound in picture.objects or ()
    ]
    images = [
        {"id": number, "file_name": picture.name + picture.ending}
        for number, picture in enumerate(tree)
        if picture.objects is not None
    ]
    return {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": annotations}


def _rows(picture: Picture) -> str:
    return "".join(f"0 0.5 0.5 0.5 {'0.5' if sound else 'high'}\n" for sound in picture.objects or ())


def _xml(picture: Picture) -> str:
    objects = "".join(
        "<object><name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>11</xmax>"
        f"<ymax>{22 if sound else 'high'}</ymax></bndbox></object>"
        for sound in picture.objects or ()
    )
    name = picture.name.rpartition("/")[2]
    return f"<annotation><filename>{name}{picture.ending}</filename>{objects}</annotation>"


def _shapes(picture: Picture) -> str:
    name = picture.name.rpartition("/")[2]
    shapes = [
        {"label": "cat", "shape_type": "rectangle", "points": [[1, 2], [11, 22 if sound else "high"]]}
        for sound in picture.objects or ()
    ]
    return json.dumps({"shapes": shapes, "imagePath": name + picture.ending, "flags": {}})


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url) as client:
        yield client


def run(client: FastLabelClient, form: str, tree: list[Picture], project: str, limit: int | None) -> Any:
    """Import a tree; None when it was refused."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        folder.mkdir()
        write(form, folder, tree)
        found = find_sources(folder, extensions=("png", "jpg"), pictures_only=True)
        classes = list(client.iter_annotations(project))
        try:
            read = Reader(form, folder, None, "image_bbox", classes, {}).read(found)  # type: ignore[arg-type]
            return import_files(
                client,
                project,
                found.sources,
                manifest=Path(name) / "m.jsonl",
                annotations=read,
                problems=found.problems,
                max_failures=limit,
            )
        except ImportRefused:
            return None


@pytest.mark.slow
@pytest.mark.parametrize("limit", [None, 100])
@pytest.mark.parametrize("form", FORMS)
def test_read_is_sent_and_lost(client, form, limit):
    count = 0

    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(tree=pictures)
    def check(tree: list[Picture]) -> None:
        nonlocal count
        count += 1
        project = f"p{count}"
        client.create_project("image_bbox", project, project)
        client.create_annotation(project, "bbox", "cat", "Cat")
        result = run(client, form, tree, project, limit)
        tasks = {task["name"]: len(task["annotations"]) for task in client.iter_image_tasks(project)}
        said = [picture for picture in tree if picture.known(form)]
        if result is None:
            assert tasks == {}
            # Refused with reason: something is lost, or nothing would arrive.
            lost = any(not picture.complete(form) for picture in tree if picture.objects is not None)
            assert lost if limit is None and said else not any(p.complete(form) and p.objects for p in tree) or not said
            return
        counts = result["annotations"]
        assert counts["read"] == sum(picture.known(form) for picture in tree)
        assert counts["read"] == counts["sent"] + sum(counts["lost"].values())
        assert counts["sent"] == sum(tasks.values())
        assert result["total"] == result["with_annotations"] + result["without_annotations"] + result["failed"]
        if limit is None:
            assert (counts["lost"], result["failed"]) == ({}, 0)
        expected = {f"{p.name}.png": len(p.objects or ()) for p in tree if p.complete(form)}
        assert tasks == expected

    check()
