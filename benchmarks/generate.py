"""Make task sets for the benchmarks: deterministic, shaped like real projects, as JSON Lines.

``mixed``: 50 % bbox (2 % of them rotated), 30 % polygon (20 to 60 corners, 2 decimals), 15 % segmentation (1 to 3
regions, 25 % with a hole), 5 % pose (17 keypoints); 80 classes, 0 to 14 annotations a task, mostly 640 x 480 images.
``bbox``: the same counts, boxes only.

    python -m benchmarks.generate 5000 tasks.jsonl [mixed|bbox]
"""

from __future__ import annotations

import json
import math
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = [f"class_{number:02d}" for number in range(80)]
COLORS = [f"#{(number * 2654435761) % 0xFFFFFF:06x}" for number in range(80)]
KEYPOINTS = [f"point_{number}" for number in range(17)]
_SIZES = [(640, 480)] * 8 + [(480, 640), (1280, 720)]


def tasks(count: int, kind: str = "mixed", seed: int = 7) -> Iterator[dict[str, Any]]:
    """Yield task objects as the API returns them.

    :param count: how many.
    :param kind: ``mixed`` or ``bbox``.
    :param seed: same seed, same tasks.
    """
    dice = random.Random(seed)
    for number in range(count):
        width, height = dice.choice(_SIZES)
        yield {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "name": f"batch_{number // 1000:03d}/image_{number:06d}.jpg",
            "width": width,
            "height": height,
            "status": "approved",
            "externalStatus": "registered",
            "url": f"https://example.invalid/{number}",
            "annotations": [_annotation(dice, width, height, kind) for _ in range(round(dice.triangular(0, 14, 7.5)))],
            "tags": ["benchmark"],
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
        }


def _annotation(dice: random.Random, width: int, height: int, kind: str) -> dict[str, Any]:
    """One annotation of a type drawn by the shares above."""
    number = dice.randrange(80)
    annotation: dict[str, Any] = {
        "type": "bbox",
        "value": CLASSES[number],
        "title": CLASSES[number].title(),
        "color": COLORS[number],
        "attributes": [{"key": "occluded", "name": "Occluded", "type": "switch", "value": dice.random() < 0.2}],
        "confidenceScore": -1,
        "keypoints": [],
        "rotation": 0,
    }
    x, y = dice.uniform(60, width - 60), dice.uniform(60, height - 60)
    radius = dice.uniform(12, 58)
    share = dice.random() if kind == "mixed" else 0.0
    if share < 0.5:
        annotation["points"] = [round(x - radius, 2), round(y - radius, 2), round(x + radius, 2), round(y + 12, 2)]
        if kind == "mixed" and share < 0.01:
            annotation["rotation"] = round(dice.uniform(-180, 180), 1)
    elif share < 0.8:
        annotation.update(type="polygon", points=_ring(dice, x, y, radius))
    elif share < 0.95:
        annotation.update(type="segmentation", points=_regions(dice, x, y, radius))
    else:
        annotation.update(type="pose_estimation", keypoints=_pose(dice, x, y, radius))
    return annotation


def _ring(dice: random.Random, x: float, y: float, radius: float, turn: int = 1) -> list[float]:
    """Return a star-shaped ring, clockwise on screen for ``turn`` 1."""
    corners = dice.randint(20, 60)
    ring: list[float] = []
    for corner in range(corners):
        angle = turn * 2 * math.pi * corner / corners
        distance = radius * dice.uniform(0.7, 1)
        ring += [round(x + distance * math.cos(angle), 2), round(y + distance * math.sin(angle), 2)]
    return ring


def _regions(dice: random.Random, x: float, y: float, radius: float) -> list[list[list[float]]]:
    """One to three regions side by side, closed; the first of every fourth annotation has a hole."""
    count = dice.randint(1, 3)
    regions = []
    for number in range(count):
        middle = x + (2 * number + 1 - count) * radius / count
        ring = _ring(dice, middle, y, radius / count)
        regions.append([ring + ring[:2]])
    if dice.random() < 0.25:
        hole = _ring(dice, x + (1 - count) * radius / count, y, radius / count / 2, -1)
        regions[0].append(hole + hole[:2])
    return regions


def _pose(dice: random.Random, x: float, y: float, radius: float) -> list[dict[str, Any]]:
    """Seventeen keypoints in a chain, a few of them not set."""
    return [
        {
            "key": key,
            "name": key,
            "value": []
            if dice.random() < 0.1
            else [
                round(x + dice.uniform(-radius, radius)),
                round(y + dice.uniform(-radius, radius)),
                dice.randint(0, 1),
            ],
            "edges": [other for other in (KEYPOINTS[n - 1] if n else "", KEYPOINTS[n + 1] if n < 16 else "") if other],
        }
        for n, key in enumerate(KEYPOINTS)
    ]


def write(path: Path, count: int, kind: str = "mixed") -> None:
    """Write a set as JSON Lines.

    :param path: file to write.
    :param count: number of tasks.
    :param kind: ``mixed`` or ``bbox``.
    """
    with path.open("w", encoding="utf-8") as file:
        for task in tasks(count, kind):
            file.write(json.dumps(task, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]), *sys.argv[3:4])
