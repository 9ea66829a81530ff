"""Removes the plans of earlier runs that nobody needs any more.

A run that ends well leaves a small file, one that never does leaves all of its plan. Nothing says that a run will not
be taken up again, so age decides, of the last write into the plan: by the planner, by a chunk or by the summary. All
plans of a task of a DAG lie in one folder, and what lies there and is no plan is left alone.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.written import written_at
from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder, is_of_a_plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log: logging.Logger = logging.getLogger(__name__)

KEPT_DAYS = 30
"""Days that a plan stays after the last write into it: longer than a run rests that somebody takes up again. Retries
and waits for a quota end within hours, but the person who clears what is red may be on holiday. It costs little: some
hundred bytes for each file of the folder, and its annotations."""
_NAME = re.compile(r"[0-9a-f]{12}")


def remove_old_plans(plan: PlanFolder) -> None:
    """Remove the plans beside one that are older than :data:`KEPT_DAYS`; one that cannot be removed is told.

    :param plan: the plan of this run, which stays.
    """
    beside, removed = plan.place.parent, 0
    try:
        old = _old_plans(beside, time.time() - KEPT_DAYS * 86_400)
    except Exception as error:  # stores fail with their own kinds of errors
        log.warning("Plans of earlier runs in %s cannot be listed (%s). The next planner tries again.", beside, error)
        return
    for name in sorted(set(old) - {plan.place.name}):
        try:
            PlanFolder(beside / name).remove()
            removed += 1
        except FileNotFoundError:
            log.debug("Another planner has removed %s", beside / name)
        except Exception as error:
            log.warning(
                "%s is the plan of an earlier run that nobody needs any more, and cannot be removed (%s). The next "
                "planner tries again.",
                beside / name,
                error,
            )
    if removed:
        log.info("Removed %d plans of earlier runs, untouched for %d days, in %s", removed, KEPT_DAYS, beside)


def _old_plans(beside: Any, before: float) -> list[str]:
    """Return the names of the plans into which nobody has written since then."""
    last: defaultdict[str, float] = defaultdict(float)
    local = local_path(beside)
    for name, file, written in _stored(beside) if local is None else _local(local):
        ours = _NAME.fullmatch(name) and (not file or is_of_a_plan(file)) and written is not None
        last[name] = max(last[name], written) if ours and written is not None else float("inf")
    return [name for name, written in last.items() if written < before]


def _local(beside: Path) -> Iterator[tuple[str, str, float | None]]:
    """Yield folder, name and time of each file; of an empty folder its own time."""
    if not beside.is_dir():
        return
    with os.scandir(beside) as folders:
        for folder in folders:
            if folder.is_dir(follow_symlinks=False):
                with os.scandir(folder) as entries:
                    files = list(entries)
                for file in files:
                    regular = file.is_file(follow_symlinks=False)
                    yield folder.name, file.name, file.stat().st_mtime if regular else None
                if not files:
                    yield folder.name, "", folder.stat().st_mtime


def _stored(beside: Any) -> Iterator[tuple[str, str, float | None]]:
    """Yield folder, name and time of each file."""
    beside.fs.invalidate_cache()
    root = f"{beside.path.strip('/')}/"
    for key, info in beside.fs.find(beside.path, detail=True).items():
        folder, _, name = str(key).strip("/").removeprefix(root).partition("/")
        yield folder, name, written_at(info)
