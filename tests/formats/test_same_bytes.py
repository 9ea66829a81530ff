"""The same tasks make the same bytes: run after run, whatever the hash seed, the locale and the way tasks come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import hashlib, json, sys
from pathlib import Path
from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.coco import read_coco
from airflow_provider_fastlabel.formats.drawings import export_drawings
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.labelme import read_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc
from airflow_provider_fastlabel.pipelines.exports.publish import manifest_of, publish
from airflow_provider_fastlabel.formats.yolo import export_yolo
from airflow_provider_fastlabel.formats.yolo import read_yolo
from PIL import Image
from tests.formats import hostile

root, classes, streamed = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "streamed"
tasks = [task for task in hostile.TASKS if task["name"].isascii() and task["name"].isprintable()]
photos = root / "photos"
for task in tasks:
    if task["name"] in ("a.jpg", "a.png", "many.png"):
        photos.mkdir(exist_ok=True, parents=True)
        Image.new("RGB", (hostile.WIDTH, hostile.HEIGHT), "#808080").save(photos / task["name"])
given = {"given": hostile.CLASSES, "found": None}[classes]
exports = {
    "coco": export_coco,
    "labelme": export_labelme,
    "voc": export_pascalvoc,
    "semantic": lambda *a, **k: export_masks(*a, kind="semantic", **k),
    "instance": lambda *a, **k: export_masks(*a, kind="instance", **k),
    "drawn": lambda t, f, **k: export_drawings(t, photos, f, **k),
}
for kind in ("detect", "segment", "pose", "obb"):
    exports[kind] = lambda *a, kind=kind, **k: export_yolo(*a, task=kind, layout="ultralytics", image_dir=photos, **k)
digests = {}
for name, export in exports.items():
    folder = root / "work" / name
    folder.mkdir(parents=True)
    report = export(iter(tasks) if streamed else tasks, folder, classes=given, on_error="skip")
    digests[name] = publish(folder, root / "out" / name, manifest_of(report, format=name)).digest
found = [
    read_coco(root / "out/coco/annotations.json"),
    read_labelme(root / "out/labelme"),
    read_pascalvoc(root / "out/voc"),
    read_yolo(root / "out/segment/data.yaml", root / "out/segment", task="segment"),
]
for result in found:
    assert any("\\u65e5 \\u672c" == row["value"] for rows in result.by_image.values() for row in rows)
digests["imported"] = hashlib.sha256(json.dumps([result.by_image for result in found]).encode()).hexdigest()
print(json.dumps(digests))
"""
ROOT = Path(__file__).parents[2]


def run(folder, classes="given", streamed="streamed", **environment):
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-c", RUN, str(folder), classes, streamed]
    finished = subprocess.run(command, env=env, capture_output=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr.decode(errors="replace")
    return json.loads(finished.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("classes", ["given", "found"])
def test_c19_same_bytes_in_any_locale_and_order_of_sets(tmp_path, classes):
    first = run(tmp_path / "1", classes, PYTHONHASHSEED="1")
    bare = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert run(tmp_path / "2", classes, "listed", PYTHONHASHSEED="4711", TZ="Asia/Tokyo", **bare) == first
    assert len(first) == 11
