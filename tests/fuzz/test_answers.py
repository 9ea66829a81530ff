"""Whatever FastLabel answers, each piece of work ends with a result or with an error that was written for a reader.

``FUZZ_EXAMPLES=20000 pytest tests/fuzz/test_answers.py`` tries more than the few of every day.
"""

from __future__ import annotations

import io
import itertools
import os
import shutil
import traceback
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import airflow_provider_fastlabel
from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.yolo import export_yolo
from airflow_provider_fastlabel.pipelines.exports.publish import destination
from airflow_provider_fastlabel.pipelines.exports.run import Export
from airflow_provider_fastlabel.pipelines.imports import find_sources, import_files
from airflow_provider_fastlabel.pipelines.projects.apply import write_class, write_project
from airflow_provider_fastlabel.pipelines.projects.definition import read_definition
from airflow_provider_fastlabel.pipelines.projects.plan import plan
from airflow_provider_fastlabel.pipelines.updates.run import Changes, delete_tasks, update_tasks
from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection
from airflow_provider_fastlabel.pipelines.waits import conditions
from tests.fuzz.changing_proxy import ChangingProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
PARTS = 4
"""So that several processes can share the work."""
CALLS = 10**7
"""More than one run makes, so that it waits for no quota of its own."""
PACKAGE = Path(airflow_provider_fastlabel.__file__).parent
WRITERS: dict[str, Any] = {
    "coco": export_coco, "yolo": export_yolo, "pascalvoc": export_pascalvoc, "labelme": export_labelme,
    "masks": partial(export_masks, kind="semantic"),
}  # fmt: skip
ANNOTATIONS: list[dict[str, Any]] = [
    {"type": "bbox", "value": "cat", "points": [4, 5, 20, 25], "attributes": [{"key": "age", "value": "old"}]},
    {"type": "polygon", "value": "cat_polygon", "points": [4, 5, 20, 25, 4, 25]},
    {"type": "segmentation", "value": "cat_segmentation", "points": [[[4, 5, 20, 5, 20, 25, 4, 25, 4, 5]]]},
    {"type": "keypoint", "value": "cat_keypoint", "points": [7, 8]},
]
DEFINITION = {
    "name": "Dogs", "slug": "dogs", "type": "image_bbox",
    "classes": [{"type": "bbox", "value": "dog", "title": "Dog", "attributes": [
        {"type": "select", "key": "age", "name": "Age", "options": [{"title": "Old", "value": "old"}]}]}],
}  # fmt: skip


def export(format_: str, on_error: str) -> Callable[[FastLabelClient, Path], Any]:
    """Return an export with pictures."""

    def work(client: FastLabelClient, folder: Path) -> Any:
        options = {"on_error": on_error}
        return Export(
            client=client, destination=destination(folder / "out"), kinds=("image",), format=format_, workers=1,
            filters={"project": "cats", "status": None, "external_status": None, "tags": []},
            write=lambda tasks, into, classes, images, left_out: WRITERS[format_](
                tasks, into, classes=classes, left_out=left_out, **options
            ),
            images_folder=lambda _, into: into / "images", on_error="skip" if on_error == "skip" else "raise",
        ).run()  # fmt: skip

    return work


def import_folder(client: FastLabelClient, folder: Path) -> Any:
    photos = folder / "photos"
    photos.mkdir()
    for number in range(3):
        (photos / f"new{number}.png").write_bytes(PNG)
    found = find_sources(photos, extensions=("png",))
    annotations = {f"new{number}.png": ANNOTATIONS[:2] for number in range(3)}
    manifest = folder / "m.jsonl"
    return import_files(
        client, "cats", found.sources, manifest=manifest, annotations=annotations, on_exists="update", max_workers=1
    )


def apply_definition(client: FastLabelClient, _: Path) -> Any:
    definition = read_definition(DEFINITION)
    for _round in range(2):
        found = client.find_project_by_slug("dogs")
        made = plan(definition, found, [] if found is None else list(client.iter_annotations("dogs")))
        write_project(client, made)
        for change in made.classes:
            write_class(client, "dogs", change)


def start_and_wait(client: FastLabelClient, _: Path) -> Any:
    from airflow_provider_fastlabel.pipelines.waits.model_jobs import id_in, job_kind

    kind = job_kind("training")
    job = id_in(kind.start(client, {"dataset_name": "d", "base_model_name": "b", "epoch": 1}), kind.identity) or "none"
    wait = conditions.ModelJobWait("training", job)
    return wait.look(client), wait.decide(wait.read(client))


def dicom(client: FastLabelClient, folder: Path) -> Any:
    (folder / "a.zip").write_bytes(b"PK\5\6" + bytes(18))
    return client.create_dicom_task("scans", folder / "a.zip")


def look(wait: conditions.Wait) -> Callable[[FastLabelClient, Path], Any]:
    return lambda client, _: (wait.look(client), wait.decide(wait.read(client)))


WORK: dict[str, Callable[[FastLabelClient, Path], Any]] = {
    **{f"export {name} {rule}": export(name, rule) for name in WRITERS for rule in ("raise", "skip")},
    "import a folder": import_folder,
    "apply a definition": apply_definition,
    "update": lambda c, _: update_tasks(
        c, TaskSelection("cats", filter_status="registered"), Changes(add_tags=["t"]), max_workers=1
    ),
    "update by name": lambda c, _: update_tasks(
        c, TaskSelection("cats", task_names=["0.png", "no"]), Changes(status="approved"), max_workers=1
    ),
    "delete": lambda c, _: delete_tasks(c, TaskSelection("cats", filter_status="registered"), max_workers=1),
    "download a dataset": lambda c, folder: c.download_dataset_objects("d", folder, types=["train"]),
    "wait for tasks": look(conditions.TaskCountWait("cats", ["registered"], min_share=0.5)),
    "wait for a list": look(conditions.TaskListWait("cats", ["registered"], task_names=["0.png"], min_count=1)),
    "wait for an import": look(conditions.S3ImportWait("cats")),
    "wait for imports": look(conditions.ImportHistoriesWait("cats", {"a": "nothing"})),
    "wait for a job": start_and_wait,
    "start a DICOM import": dicom,
    "create by name": lambda c, folder: c.create_image_task("cats", "one", folder / "p.png"),
    "create a class": lambda c, _: c.create_annotation("cats", "bbox", "dog", "Dog"),
    "create a project": lambda c, _: c.create_project("image_bbox", "Mice", "mice"),
    "copy a project": lambda c, _: c.copy_project((c.find_project_by_slug("cats") or {"id": "-"})["id"], "C", "copy"),
    "add tags": lambda c, _: c.add_task_tags("cats", [t["id"] for t in c.iter_image_tasks("cats")], ["t"]),
    "classification": lambda c, _: c.update_classification_annotation(project="kinds", attributes=[]),
    "users": lambda c, _: c.create_workspace_user("N", "n@example.com", "en", "member"),
    "an endpoint": lambda c, folder: c.execute_endpoint("e", folder / "p.png"),
    "everything": lambda c, _: [
        list(each)
        for each in (
            c.iter_projects(), c.iter_project_id_slug_map(), c.task_ids_by_name("cats"), c.iter_annotations("cats"),
            c.iter_tags("cats"), c.iter_histories("cats"), c.iter_metadatas("cats"), c.iter_project_comments("cats"),
            c.iter_workspace_users(), c.iter_dataset_objects("d"), c.iter_evaluation_jobs(),
        )
    ],
}  # fmt: skip

buffer = io.BytesIO()
Image.new("RGB", (40, 30), (9, 200, 30)).save(buffer, "PNG")
PNG = buffer.getvalue()


@pytest.fixture
def proxy(fastlabel_emulator) -> Iterator[ChangingProxy]:
    proxy = ChangingProxy(fastlabel_emulator.url.removesuffix("/v1/"))
    yield proxy
    proxy.stop()


def client_of(token: str, url: str, max_retries: int) -> FastLabelClient:
    return FastLabelClient(token, api_url=url, max_retries=max_retries, calls_per_10_minutes=CALLS)


def fill(client: FastLabelClient, folder: Path) -> None:
    """Put something of everything into the emulator."""
    picture = folder / "p.png"
    picture.write_bytes(PNG)
    client.create_project("image_all", "Cats", "cats")
    client.create_project("image_classification", "Kinds", "kinds")
    client.create_project("dicom_bbox", "Scans", "scans")
    for kind in ("bbox", "polygon", "segmentation", "keypoint"):
        value = "cat" if kind == "bbox" else f"cat_{kind}"
        client.create_annotation("cats", kind, value, "Cat", attributes=[{"type": "text", "key": "age", "name": "Age"}])
    for number in range(3):
        client.create_image_task("cats", f"{number}.png", picture, annotations=ANNOTATIONS, tags=["a"])
    client.create_dataset("d")
    client.create_dataset_object("d", "a.png", picture)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_answer_ends_in_a_raw_error(fastlabel_emulator, proxy, tmp_path, part):
    raw: dict[str, str] = {}
    changed = refused = 0
    names = sorted(WORK)
    for number in range(FIRST + part, FIRST + EXAMPLES, PARTS):
        random = Random(number)
        name = names[number // PARTS % len(names)]
        folder = tmp_path / str(number)
        folder.mkdir()
        fastlabel_emulator.reset()
        with client_of(fastlabel_emulator.token, fastlabel_emulator.url, 0) as direct:
            fill(direct, folder)
        with client_of(fastlabel_emulator.token, f"{proxy.address}/v1/", 1) as client:
            client.transport.sleep = lambda _: None
            proxy.change(random, after=random.choice((0, 0, 0, 1, 1, 2, 3)))
            try:
                WORK[name](client, folder)
            except Exception as error:
                refused += 1
                if (why := _not_for_readers(error, fastlabel_emulator.token)) is not None:
                    tops = traceback.extract_tb(error.__traceback__)
                    place = next((top for top in reversed(tops) if PACKAGE.name in top.filename), tops[-1])
                    raw.setdefault(
                        f"{Path(place.filename).name}:{place.lineno}", f"{number} {name}: {proxy.changed}: {why}"
                    )
        changed += bool(proxy.changed)
        shutil.rmtree(folder)
    assert not raw, "\n".join(itertools.chain([f"{len(raw)} places:"], (f"{k}: {v}" for k, v in raw.items())))
    assert changed > EXAMPLES // PARTS // 2, "most runs met no changed answer"
    assert refused > changed // 10, "almost nothing was noticed"


def _not_for_readers(error: Exception, token: str) -> str | None:
    """Tell why an error says nothing to who reads it; ``None`` if it does."""
    text = f"{error}{getattr(error, '__notes__', '')}"
    if token in text or "X-Signature" in text:
        return f"it tells a secret: {text:.200}"
    if not all(line.isprintable() for line in text.split("\n")) or len(text) > 5000:
        return f"it acts on a terminal, or has no end: {text[:200]!r}"
    if type(error).__module__.startswith(PACKAGE.name):
        return None
    raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
    if type(error) in (ValueError, OSError) and Path(raised_in).is_relative_to(PACKAGE):
        return None  # of the classes Python has for it, in words of ours
    return f"{type(error).__name__}: {text:.200}"
