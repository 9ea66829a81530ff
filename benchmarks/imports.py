"""Measures one import into the sink: its peak of memory, its time to the first create, and its time per file.

    python -m benchmarks.imports FOLDER FILES [--polygons N] [--record FILE] [--workers N]

The folder gets the pictures once and keeps them; with polygons, a COCO file beside them. Prints a JSON line.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from benchmarks.generate import CLASSES

_LINKS = 30_000
"""Names of one file; file systems bound them."""


def make(folder: Path, files: int, polygons: int) -> None:
    """Make what is not there: pictures, as links to few files, and a COCO file whose categories come last."""
    pictures = folder / f"pictures-{files}"
    if not pictures.exists():
        making = folder / f"pictures-{files}.making"
        content = _flat_jpeg()
        for number in range(files):
            path = making / _name(number)
            if number % 1000 == 0:
                path.parent.mkdir(parents=True)
            if number % _LINKS == 0:
                path.write_bytes(content)
                original = path
            else:
                os.link(original, path)
        making.rename(pictures)
    coco = folder / f"coco-{files}-{polygons}.json"
    if polygons and not coco.exists():
        making = coco.with_suffix(".making")
        _write_coco(making, files, polygons)
        making.rename(coco)


def _flat_jpeg() -> bytes:
    """Return a small picture: what a byte of one costs is another benchmark's."""
    import cv2
    import numpy as np

    return cv2.imencode(".jpg", np.full((480, 640, 3), 127, np.uint8))[1].tobytes()


def _name(number: int) -> str:
    return f"batch_{number // 1000:04d}/image_{number:07d}.jpg"


def _write_coco(path: Path, files: int, polygons: int) -> None:
    """Write a file like COCO's own: objects of all images in any order, and an outline of 22 points on average."""
    dice = random.Random(7)
    with path.open("w") as file:
        file.write('{"info": {"year": 2017}, "images": [')
        for number in range(files):
            row = {"license": 3, "file_name": _name(number), "height": 480, "width": 640, "id": number + 1}
            file.write((", " if number else "") + json.dumps(row))
        file.write('], "annotations": [')
        for number in range(polygons):
            x, y, size = dice.uniform(50, 500), dice.uniform(50, 380), dice.uniform(5, 45)
            count = dice.randint(4, 40)
            ring = [
                round(value, 2)
                for step in range(count)
                for value in (x + size * (step / count), y + size * abs(2 * step / count - 1) ** 2)
            ]
            row = {
                "segmentation": [ring],
                "area": round(size * size / 3, 4),
                "iscrowd": 0,
                "image_id": dice.randrange(files) + 1,
                "bbox": [round(x, 2), round(y, 2), round(size, 2), round(size, 2)],
                "category_id": dice.randrange(80) + 1,
                "id": number + 1,
            }
            file.write((", " if number else "") + json.dumps(row))
        rows = [{"supercategory": "thing", "id": n, "name": name} for n, name in enumerate(CLASSES, 1)]
        file.write('], "categories": ' + json.dumps(rows) + "}")


def _import(arguments: argparse.Namespace) -> None:
    """Import in this process, and print the figures."""
    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.imports import find_items, import_files, resolve_destination
    from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader

    logging.disable(logging.INFO)
    began = time.time()
    client = FastLabelClient("benchmark", api_url=os.environ["SINK_URL"], calls_per_10_minutes=100_000_000)
    folder = Path(arguments.folder) / f"pictures-{arguments.files}"
    into = resolve_destination(client, "benchmark")
    form: Literal["coco"] | None = "coco" if arguments.polygons else None
    found = find_items(folder, into, pattern="**/*", annotated=form)
    read = None
    if form:
        coco = Path(arguments.folder) / f"coco-{arguments.files}-{arguments.polygons}.json"
        read = Reader(form, folder, coco, into.type, list(client.iter_annotations("benchmark")), {}).read(found)
    read_at = time.time()
    with tempfile.TemporaryDirectory() as place:
        import_files(
            client,
            into,
            found.sources,
            manifest=Path(place) / "manifest.jsonl",
            annotations=read,
            max_workers=arguments.workers,
        )
    used = resource.getrusage(resource.RUSAGE_SELF)
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    figures = {
        "files": arguments.files,
        "polygons": arguments.polygons,
        "peak_mb": round(peak / 1024),
        "began": began,
        "read_s": round(read_at - began, 1),
        "seconds": round(time.time() - began, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
    }
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Make the data, start the sink, import in a process of its own, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("files", type=int)
    parser.add_argument("--polygons", type=int, default=0)
    parser.add_argument("--record")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        _import(arguments)
        return
    make(Path(arguments.folder), arguments.files, arguments.polygons)
    command = [sys.executable, "-m", "benchmarks.creates", *([arguments.record] if arguments.record else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sink:
        assert sink.stdout is not None
        assert sink.stdin is not None
        url = json.loads(sink.stdout.readline())["url"]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.imports", *sys.argv[1:], "--inside"],
            env=os.environ | {"SINK_URL": url},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        sink.stdin.close()
        told = json.loads(sink.stdout.readline())
    figures = json.loads(done.stdout)
    began = figures.pop("began")
    figures |= {"creates": told["creates"], "first_create_s": round(told["first"] - began, 1)}
    figures["ms_per_file"] = round((figures["seconds"] - figures["first_create_s"]) * 1000 / arguments.files, 3)
    figures["ms_per_file_in_all"] = round(figures["seconds"] * 1000 / arguments.files, 3)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
