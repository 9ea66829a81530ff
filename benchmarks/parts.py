"""Parts of our side of the exports alone, to see where the time goes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from benchmarks.generate import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.given import Given


def _tasks(given: Given) -> Callable[[], object]:
    tasks = given.tasks()
    return lambda: deque(tasks, maxlen=0)


def _shapes(given: Given) -> Callable[[], object]:
    from airflow_provider_fastlabel.formats.geometry.shapes import AREA_KINDS
    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.stage import Stage

    tasks = given.tasks()
    return lambda: deque(Stage(AREA_KINDS, ClassMap.of(CLASSES)).shapes(tasks), maxlen=0)


JOBS: dict[str, Callable[[Given], Callable[[], object]]] = {"tasks": _tasks, "shapes": _shapes}
