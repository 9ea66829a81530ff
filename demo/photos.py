"""The photographs of the demo: those without copyright restrictions that the scikit-image wheel ships."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import skimage

GROUND_TRUTH = Path(__file__).with_name("ground_truth.json")


def load_ground_truth() -> dict[str, list[dict[str, Any]]]:
    """Return the labels drawn by hand: task name -> annotations in FastLabel's form."""
    labels: dict[str, list[dict[str, Any]]] = json.loads(GROUND_TRUTH.read_text(encoding="utf-8"))
    return labels


def copy_photos(folder: Path) -> None:
    """Copy the photographs that the ground truth names into ``folder``, in its sub-folders."""
    shipped = Path(skimage.__file__).parent / "data"
    for name in load_ground_truth():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shipped / target.name, target)
