"""Where the "Dataset" tab of a task is in Airflow's screens, and what a task must say for it to find a report.

All addresses are relative to Airflow's own, which need not be the root of its host.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_provider_fastlabel.pipelines.reports.page_file import SHEET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

PREFIX = "fastlabel"
"""Below this, Airflow's API server has our pages."""
TAB = "fastlabel-dataset"
"""Last part of the address of the tab, below that of the task."""


def readable(result: Mapping[str, Any], conn_id: str | None) -> dict[str, Any]:
    """Return the result of a task that has published, with what else another process needs to find the place.

    :param result: with the place as ``output``.
    :param conn_id: id of the Airflow connection of an object store, added as ``output_conn_id``; ``None`` for none.
    :returns: with ``worked_in`` too, the folder that a relative path is meant from.
    """
    place = str(result["output"])
    relative = "://" not in place and not os.path.isabs(place)  # noqa: PTH117 - it is a text still
    return {
        **result,
        **({"output_conn_id": conn_id} if conn_id else {}),
        **({"worked_in": os.getcwd()} if relative else {}),  # noqa: PTH109
    }


def report_markdown(context: Context) -> str:
    """Return the contact sheet of a task's report, and a link to its tab, for the text of an approval.

    :param context: Airflow's context of the task that makes the report.
    """
    ti: Any = context["ti"]
    dag, run, task = (quote(str(each), safe="") for each in (ti.dag_id, ti.run_id, ti.task_id))
    index = getattr(ti, "map_index", -1)
    index = -1 if index is None else index
    mapped = "" if index < 0 else f"/mapped/{index}"
    picture = f"{PREFIX}/datasets/{dag}/{run}/{task}/{index}/{SHEET}"
    tab = f"dags/{dag}/runs/{run}/tasks/{task}{mapped}/plugin/{TAB}"
    return f"[![The most suspicious labels]({picture})]({tab})\n\n[The whole report]({tab})\n"
