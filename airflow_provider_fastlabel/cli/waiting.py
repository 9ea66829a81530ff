"""``wait``: until tasks have reached a status, or an import has ended."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Annotated

import typer

from airflow_provider_fastlabel.cli.connection import connect
from airflow_provider_fastlabel.cli.ends import BAD_INPUT, DONE, FAILED, TIMED_OUT
from airflow_provider_fastlabel.cli.options import AsJson, ConnId, Project, Tags, seconds
from airflow_provider_fastlabel.cli.output import command
from airflow_provider_fastlabel.cli.progress import WAIT_LINES
from airflow_provider_fastlabel.client.statuses import TASK_STATUSES

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.waits.conditions import Wait

EXAMPLE = "fastlabel-pipelines wait photos --status approved --min-share 0.9 --timeout 12h"
KEPT = "Only the waiting has ended; what is waited for goes on."


def run(
    project: Project,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help=f"Status that counts as reached: {', '.join(TASK_STATUSES)}. Repeatable. Default: approved.",
            autocompletion=lambda: list(TASK_STATUSES),
        ),
    ] = None,
    tag: Tags = None,
    min_count: Annotated[int | None, typer.Option(min=0, help="Number of tasks that must have reached it.")] = None,
    min_share: Annotated[
        float | None, typer.Option(max=1, help="Share of the tasks that must have. Default: all, 1.0.")
    ] = None,
    history_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Wait for the end of this import instead.")
    ] = None,
    poll_interval: Annotated[str, typer.Option(metavar="TIME", help="Time between two looks: 30s, 5m.")] = "30s",
    timeout: Annotated[str, typer.Option(metavar="TIME", help="When to give up, with exit code 3: 12h, 2d.")] = "7d",
    conn_id: ConnId = None,
    as_json: AsJson = False,
) -> None:
    """Wait for people, or for an import. Errors that may pass do not end it."""
    from airflow_provider_fastlabel.pipelines.waits import events
    from airflow_provider_fastlabel.pipelines.waits.watch import Watch, wait_in_worker

    codes = {events.SUCCESS: DONE, events.FAILED: FAILED, events.ERROR: BAD_INPUT, events.TIMEOUT: TIMED_OUT}
    with command("Waiting", as_json=as_json, kept=KEPT) as said:
        wait = _wait(project, status, tag, (min_count, min_share), history_id)
        interval, until = seconds(poll_interval), time.time() + seconds(timeout)
        with connect(conn_id) as client:
            watch = Watch(logging.getLogger(WAIT_LINES), end_time=until, store=said.bar)
            end = wait_in_worker(wait, client, watch, poll_interval=interval)
        said.tell({"end": end.status, **end.facts}, codes[end.status])
        if end.status != events.SUCCESS:
            said.complain(end.message)


def _wait(
    project: str,
    statuses: list[str] | None,
    tags: list[str] | None,
    demand: tuple[int | None, float | None],
    history_id: str | None,
) -> Wait:
    """Return what is waited for."""
    from airflow_provider_fastlabel.pipelines.waits.conditions import ImportHistoryWait, TaskCountWait

    min_count, min_share = demand
    if history_id is not None:
        if statuses or tags or min_count is not None or min_share is not None:
            raise ValueError("--history-id waits for an import; the options about tasks do not go with it.")
        return ImportHistoryWait(project, history_id)
    if min_share is not None and not 0 < min_share <= 1:
        raise ValueError(f"--min-share is above 0 and at most 1, not {min_share}.")
    if unknown := set(statuses or ()) - set(TASK_STATUSES):
        raise ValueError(f"--status is one of {', '.join(TASK_STATUSES)}, not {', '.join(sorted(unknown))}.")
    if min_count is None and min_share is None:
        min_share = 1.0
    return TaskCountWait(
        project, statuses or ["approved"], sorted(set(tags or ())), min_count=min_count, min_share=min_share
    )
