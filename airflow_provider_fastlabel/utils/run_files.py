"""Where a task keeps the account of what it has done, so that every try of it finds it again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name, place_below
from airflow_provider_fastlabel.hooks import settings
from airflow_provider_fastlabel.utils.arguments import refused

if TYPE_CHECKING:
    from airflow.sdk import Context


def run_file(context: Context, work: str, argument: str, done: str) -> str:
    """Return a path or URL that is the same for every try of a task instance, and no other task instance's.

    It lies below the configured place (``[fastlabel] manifests_path``), else below ``$AIRFLOW_HOME/fastlabel``.

    :param context: Airflow's task context.
    :param work: what the task does, a folder's name.
    :param argument: the operator's argument that gives another place.
    :param done: a sentence for the error: what has happened so far.
    :raises FastLabelInvalidException: DAG, run and task have names that make no path.
    """
    ti: Any = context["ti"]
    base = settings.manifests_path() or str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")) / "fastlabel")
    parts = [quote(str(part), safe=" +:@=,") for part in (ti.dag_id, ti.run_id, ti.task_id)]
    mapped = "" if ti.map_index is None or ti.map_index < 0 else f".{ti.map_index}"
    name = f"{work}/{'/'.join(parts)}{mapped}.jsonl"
    # Quoting leaves dots: a run may be called "..", and its manifest would be that of another task.
    try:
        if "://" in base:
            return f"{base.rstrip('/')}/{checked_name(name)}"
        return str(place_below(Path(base).expanduser(), name))
    except UnsafeNameError as error:
        raise refused(
            f"The {argument} cannot be named after DAG, run and task: {error}. {done} Give `{argument}`."
        ) from error
