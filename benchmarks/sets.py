"""The input of the jobs: task sets, and the files the imports read, made by the floor's writers.

python -m benchmarks.sets FOLDER 5000 mixed|bbox|imports|images|video
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import generate

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATTERN = 5000
_VIDEO_BYTES = 250 * 1_000_000
_JPEG_QUALITY = 90


def make(folder: Path, size: int, part: str) -> None:
    """Make one part of a set.

    :param folder: existing folder of this size.
    :param size: number of tasks.
    :param part: ``mixed`` or ``bbox``: the tasks, as JSON Lines; ``imports``: COCO, YOLO, Pascal VOC and labelme files
        of them; ``images``: a JPEG for each task; ``video``: a file that begins like an H.264 video.
    """
    if part in ("mixed", "bbox"):
        _write_tasks(folder / f"{part}.jsonl", size, part)
    elif part == "imports":
        _write_imports(folder, size)
    elif part == "images":
        _write_images(folder / "images", _names_and_sizes(size))
    else:
        _write_video(folder / "video.mp4")


def _write_tasks(path: Path, size: int, kind: str) -> None:
    """Write a set; beyond 5,000 tasks the first 5,000 come again under new names, which is far faster to make."""
    generate.write(path, min(size, _PATTERN), kind)
    if size <= _PATTERN:
        return
    ends = [line.split(b'.jpg","width"', 1)[1] for line in path.read_bytes().splitlines(keepends=True)]
    with path.open("wb") as file:
        for number in range(size):
            head = f'{{"id":"{number}","name":"batch_{number // 1000:03d}/image_{number:06d}.jpg","width"'
            file.write(head.encode() + ends[number % _PATTERN])


def _names_and_sizes(size: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each task's image."""
    pattern = [(task["width"], task["height"]) for task in generate.tasks(min(size, _PATTERN))]
    for number in range(size):
        yield f"batch_{number // 1000:03d}/image_{number:06d}.jpg", pattern[number % _PATTERN]


def _write_imports(folder: Path, size: int) -> None:
    """Write what the imports read: boxes, and for labelme the mixed set."""
    from benchmarks import floor, floors
    from benchmarks.given import Given

    for job, kind in (("coco", "bbox"), ("yolo", "bbox"), ("pascalvoc", "bbox"), ("labelme", "mixed")):
        out = folder / f"{job}.making"
        out.mkdir()
        floors.JOBS[job](Given("floor", job, size, str(folder), str(out), kind, stream=True))()
        if job == "coco":
            (folder / "coco/images").mkdir(parents=True)
            (folder / "coco/annotations").mkdir()
            (out / "annotations.json").replace(folder / "coco/annotations/instances_train.json")
            out.rmdir()
        elif job == "yolo":
            (out / "classes.txt").replace(folder / "classes.txt")
            (out / "annotations").replace(folder / "yolo")
            out.rmdir()
        else:
            out.replace(folder / job)
    for path in (folder / "pascalvoc").rglob("*.xml"):
        if b"<object>" not in path.read_bytes():  # the SDK stops at a file without objects
            path.unlink()
    bbox_tasks = floor.read_lines(folder / "bbox.jsonl")
    _write_images(folder / "yolo", ((task["name"], (task["width"], task["height"])) for task in bbox_tasks))


def _write_images(folder: Path, wanted: Iterator[tuple[str, tuple[int, int]]]) -> None:
    """Write an image per task: one file per size, and links to it."""
    folder.mkdir(exist_ok=True)
    made: dict[tuple[int, int], Path] = {}
    for name, size in wanted:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if size not in made:
            path.write_bytes(_jpeg(*size))
            made[size] = path
        else:
            os.link(made[size], path)


def _jpeg(width: int, height: int) -> bytes:
    """Return a JPEG with about as much detail as a photograph: 640 x 480 takes some 136 KB."""
    import cv2
    import numpy as np

    dice = np.random.default_rng(7)
    coarse = dice.integers(0, 256, (height // 32, width // 32, 3), np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = np.asarray(dice.normal(0, 13, smooth.shape))
    pixels = np.clip(smooth + noise, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _write_video(path: Path) -> None:
    """Write an MP4 (ISO 14496-12) of 250 MB whose only video track says ``avc1``; its pictures are noise."""

    def box(kind: bytes, *content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)

    entries = box(b"stsd", bytes(4), struct.pack(">I", 1), box(b"avc1", bytes(78)))
    media = box(b"minf", box(b"vmhd", bytes(12)), box(b"stbl", entries))
    media = box(b"mdia", box(b"hdlr", bytes(8), b"vide", bytes(13)), media)
    head = box(b"ftyp", b"isom", bytes(4))
    head += box(b"moov", box(b"mvhd", bytes(100)), box(b"trak", box(b"tkhd", bytes(84)), media))
    noise = os.urandom(1 << 20)
    with path.open("wb") as file:
        file.write(head + struct.pack(">I4s", _VIDEO_BYTES - len(head), b"mdat"))
        while (missing := _VIDEO_BYTES - file.tell()) > 0:
            file.write(noise[:missing])


if __name__ == "__main__":
    for chosen in sys.argv[3:]:
        make(Path(sys.argv[1]), int(sys.argv[2]), chosen)
