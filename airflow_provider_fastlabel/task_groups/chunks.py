"""An import of a folder that is too large for one task: planned once, done in chunks on any workers, told as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.operators.chunks.chunk import FastLabelImportChunkOperator
from airflow_provider_fastlabel.operators.chunks.plan import FastLabelPlanImportOperator
from airflow_provider_fastlabel.operators.chunks.summary import FastLabelImportSummaryOperator

if TYPE_CHECKING:
    from collections.abc import Sequence


def import_in_chunks(
    group_id: str = "import_in_chunks",
    *,
    project: str,
    folder: str,
    chunk_size: int | str = 5000,
    at_once: int | None = None,
    outlets: Sequence[Any] = (),
    fastlabel_conn_id: str = FastLabelHook.default_conn_name,
    default_args: dict[str, Any] | None = None,
    **import_arguments: Any,
) -> TaskGroup:
    """Return a group of tasks: ``plan``, ``create``, which is mapped over the chunks, and ``summary``.

    The return value of ``summary`` is that of ``FastLabelCreateTasksFromFolderOperator`` for the same folder. A chunk
    that fails or is killed is retried, or cleared, for itself; ``summary`` is red until all of them are through.

    :param group_id: name of the group, another one for each in a DAG.
    :param project: project slug. Templated, as are all texts and lists that follow.
    :param folder: where the files are: a folder that all workers reach, or the URL of an object store.
    :param chunk_size: how many tasks a chunk creates at most.
    :param at_once: how many chunks may run at a time in one run of the DAG; ``None`` for as many as Airflow runs.
    :param outlets: assets that have an event when all is done.
    :param fastlabel_conn_id: id of the Airflow connection of FastLabel.
    :param default_args: arguments of all tasks, such as ``{"retries": 3, "pool": "fastlabel"}``.
    :param import_arguments: further arguments of ``FastLabelCreateTasksFromFolderOperator``.
    """
    ours: dict[str, Any] = {"fastlabel_conn_id": fastlabel_conn_id}
    given: Any = default_args or {}
    with TaskGroup(group_id, default_args=given, tooltip="A large folder becomes tasks, on many workers") as group:
        asked = {"project": project, "folder": folder, "chunk_size": chunk_size, **import_arguments}
        plan = FastLabelPlanImportOperator(task_id="plan", **ours, **asked)
        limit = {} if at_once is None else {"max_active_tis_per_dagrun": at_once}
        create = FastLabelImportChunkOperator.partial(task_id="create", **ours, **limit).expand(chunk=plan.output)
        # Also after a failure: what the other chunks have done goes into the manifest.
        summary = FastLabelImportSummaryOperator(
            task_id="summary", plan=plan.output, outlets=list(outlets), trigger_rule="none_skipped", **ours
        )
        create.set_downstream(summary)
    return group
