"""Brings the pictures of tasks beside their labels, a few ahead of the writer."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.http.shapes import needed
from airflow_provider_fastlabel.formats.writing.naming import safe_name
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from pathlib import Path

log: logging.Logger = logging.getLogger(__name__)

AHEAD = 4
"""Downloads waiting per worker, so that the writer never waits for one slow picture while others could come."""


class Pictures:
    """Downloads the picture of each task into a folder, under the task's name.

    :param fetch: brings the picture of a task to a place, whole or not at all; returns whether it was downloaded.
    :param folder: existing folder. A name that could leave it is made safe; no two tasks may want one path.
    :param workers: how many pictures come at a time.
    :param missing: is told each task that has no picture, and its number; in the order of the tasks.
    """

    def __init__(
        self,
        fetch: Callable[[Mapping[str, Any], str], bool],
        folder: Path,
        *,
        workers: int,
        missing: Callable[[Mapping[str, Any], int], None],
    ) -> None:
        self._root = os.fspath(folder)
        self._missing = missing
        self.kept: int = 0
        self._lock = threading.Lock()
        self._fetch = fetch
        self._workers = workers

    def ahead_of(self, tasks: Iterable[Mapping[str, Any]]) -> Generator[Mapping[str, Any]]:
        """Yield the tasks, each once its picture is there; closed early, wait only for the pictures that are under way.

        :param tasks: task objects with ``id``, ``name`` and ``url``; read a few ahead.
        :returns: the same tasks, in the same order.
        :raises FastLabelException: a picture cannot be fetched, still after the retries.
        """
        waiting: deque[tuple[int, Mapping[str, Any], Future[bool]]] = deque()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="fastlabel-picture")
        try:
            for number, task in enumerate(tasks):
                waiting.append((number, task, pool.submit(self._bring, task)))
                if len(waiting) > AHEAD * self._workers:
                    yield self._arrived(*waiting.popleft())
            while waiting:
                yield self._arrived(*waiting.popleft())
        finally:
            # A download that went on would write into a folder that is about to be removed.
            pool.shutdown(cancel_futures=True)

    def _arrived(self, number: int, task: Mapping[str, Any], picture: Future[bool]) -> Mapping[str, Any]:
        if not picture.result():
            self._missing(task, number)
        return task

    def _bring(self, task: Mapping[str, Any]) -> bool:
        """Bring one picture; return whether there is one."""
        name = str(needed(task, "name", f"task {task.get('id')}"))
        target = f"{self._root}/{safe_name(name)}"
        if not task.get("url"):
            log.warning("The picture of task %s is left out: it has no address", shortened(task["name"], 300))
            return False
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not self._fetch(task, target):
            with self._lock:
                self.kept += 1
        return True
