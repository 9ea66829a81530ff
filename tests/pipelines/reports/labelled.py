"""Sets of labelled tasks for the tests of reports."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u2028\u202e\"'`${x}"

# Middle and spread of width, of height over width, and of the place of the middle downwards, all in pixels or shares.
LOOKS = {
    "car": (70, 0.55, 0.62),
    "truck": (130, 0.7, 0.58),
    "person": (26, 2.6, 0.6),
    "traffic light": (12, 2.3, 0.25),
    "sign": (22, 1.0, 0.35),
    "bicycle": (45, 0.95, 0.66),
}


def box(value: str, *points: float, **more: Any) -> dict[str, Any]:
    return {"type": "bbox", "value": value, "title": value, "points": list(points), **more}


def task(name: str, *annotations: Any, **more: Any) -> dict[str, Any]:
    facts = {"id": f"id-{name}", "name": name, "status": "approved", "width": 640, "height": 480}
    return {**facts, "annotations": list(annotations), **more}


def streets(count: int, seed: int = 5) -> list[dict[str, Any]]:
    """Return pictures of streets: each class has its size, shape and height in the picture, with spreads."""
    dice = random.Random(seed)
    return [task(f"street/{number:05d}.jpg", *_objects(dice)) for number in range(count)]


def _objects(dice: random.Random) -> Iterator[dict[str, Any]]:
    taken: list[tuple[float, float]] = []
    for _ in range(dice.randint(3, 9)):
        value = dice.choices(list(LOOKS), [40, 12, 25, 8, 10, 5])[0]
        width, tall, down = LOOKS[value]
        across = width * dice.lognormvariate(0, 0.3)
        high = across * tall * dice.lognormvariate(0, 0.12)
        x, y = dice.uniform(across / 2, 640 - across / 2), 480 * min(max(dice.gauss(down, 0.06), 0.1), 0.9)
        y = min(max(y, high / 2), 480 - high / 2)
        if all(abs(x - a) > 25 or abs(y - b) > 25 for a, b in taken):
            taken.append((x, y))
            yield box(value, *(round(n, 1) for n in (x - across / 2, y - high / 2, x + across / 2, y + high / 2)))


def plant(tasks: list[dict[str, Any]], each: int = 10, seed: int = 9) -> dict[str, set[str]]:
    """Put label errors into tasks, each into one of its own, and return the names of those by the kind of the error."""
    dice = random.Random(seed)
    chosen = iter(dice.sample([one for one in tasks if len(one["annotations"]) >= 3], 4 * each))
    planted: dict[str, set[str]] = {}
    for kind in ("swapped class", "shifted box", "missing object", "duplicate"):
        planted[kind] = set()
        for _ in range(each):
            one = next(chosen)
            planted[kind].add(one["name"])
            at = dice.randrange(len(one["annotations"]))
            _spoil(one["annotations"], at, kind, dice)
    return planted


def _spoil(annotations: list[dict[str, Any]], at: int, kind: str, dice: random.Random) -> None:
    annotation = annotations[at]
    x1, y1, x2, y2 = annotation["points"]
    if kind == "missing object":
        del annotations[at]
    elif kind == "swapped class":
        annotation["value"] = annotation["title"] = dice.choice([each for each in LOOKS if each != annotation["value"]])
    elif kind == "duplicate":
        shift = (x2 - x1) * 0.04
        annotations.append({**annotation, "points": [x1 + shift, y1, x2 + shift, y2]})
    else:
        dx, dy = (x2 - x1) * dice.choice([-1.2, 1.2]), (y2 - y1) * dice.choice([-1.2, 1.2])
        annotation["points"] = [x1 + dx, y1 + dy, x2 + dx, y2 + dy]
