"""The sample files of the driver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.contract import samples

if TYPE_CHECKING:
    from pathlib import Path

_CAMERA = "observation.images.top"


def make(folder: Path) -> None:
    """Write everything the driver names."""
    samples.picture(folder / "a.jpg", 80, 60)
    samples.picture(folder / "b.png", 80, 60)
    samples.text(folder / "text.txt")
    samples.sound(folder / "sound.wav")
    samples.clip(folder / "clip.mp4")
    samples.cloud(folder / "cloud.pcd")
    samples.dicom_zip(folder / "dicom.zip")
    samples.appendix_zip(folder / "appendix.zip", "2cloud.pcd")
    samples.robotics_zip(folder / "episode.zip")
    for name in ("02.jpg", "01.jpg", "03.jpg"):
        samples.picture(folder / "images" / name, 80, 60)
    for name in ("2.pcd", "1.pcd"):
        samples.cloud(folder / "clouds" / name)
    for name in ("a.jpg", "in/b.jpg"):
        samples.picture(folder / "pictures" / name, 80, 60)
    _converted(folder)
    _lerobot(folder / "lerobot")


def _converted(folder: Path) -> None:
    samples.coco_file(folder / "coco.json", "a.jpg", "in/b.jpg")
    samples.text(folder / "classes.txt", "cat\n")
    for stem in ("a", "in/b"):
        samples.picture(folder / "data" / f"{stem}.jpg", 64, 48)
        samples.yolo_file(folder / "data" / f"{stem}.txt")
        samples.voc_file(folder / "data" / f"{stem}.xml", f"{stem}.jpg")
        samples.labelme_file(folder / "data" / f"{stem}.json", f"{stem}.jpg")
    samples.picture(folder / "outlines" / "a.jpg", 64, 48)
    samples.text(folder / "outlines" / "a.txt", "0 0.125 0.25 0.5 0.25 0.5 0.75\n")
    mask = np.zeros((20, 30), np.uint8)
    mask[2:12, 3:18] = 255
    mask[5:8, 6:10] = 0
    cv2.imwrite(str(folder / "mask.png"), mask)


def _lerobot(folder: Path, lengths: tuple[int, ...] = (3, 2), fps: int = 10) -> None:
    """Write a LeRobot dataset of version 3 with one camera."""
    named = {"dtype": "float32", "shape": [2], "names": ["shoulder", "elbow"]}
    features = {"observation.state": named, "action": named, _CAMERA: {"dtype": "video"}}
    info = {"codebase_version": "v3.0", "fps": fps, "features": features}
    samples.text(folder / "meta" / "info.json", json.dumps(info))
    frames: list[dict[str, Any]] = []
    episodes: list[dict[str, Any]] = []
    for episode, length in enumerate(lengths):
        start = len(frames)
        for frame in range(length):
            place = {"episode_index": episode, "frame_index": frame, "timestamp": frame / fps}
            frames.append({"observation.state": [1.5, float(frame)], "action": [0.5, 2.0], **place})
        video = f"videos/{_CAMERA}/"
        times = {f"{video}from_timestamp": start / fps, f"{video}to_timestamp": (start + length) / fps}
        files = {"data/chunk_index": 0, "data/file_index": 0, f"{video}chunk_index": 0, f"{video}file_index": 0}
        episodes.append({"episode_index": episode, "length": length, **files, **times})
    for name, rows in (("data", frames), ("meta/episodes", episodes)):
        path = folder / name / "chunk-000" / "file-000.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    clip = folder / "videos" / _CAMERA / "chunk-000" / "file-000.mp4"
    clip.parent.mkdir(parents=True)
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), fps, (32, 24))
    for level in range(len(frames)):
        writer.write(np.full((24, 32, 3), 40 * level, np.uint8))
    writer.release()
