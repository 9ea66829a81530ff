"""One round of labelling: files become tasks, people label them, a function checks, a dataset comes out.

The group stands in a DAG like a task: ``before >> labeling_round(...) >> after``. Inside a mapped ``@task_group`` each
index is a round of its own. Each task retries for itself.

The wait ends when all tasks have reached the status: those that carry ``tags``, which the import gives to what it
creates, or without tags all of the project. If there are none, because nothing new has come, it ends at once. With a
check it ends when all are ``completed``, ``reviewed`` or ``approved``; the check sees those that are not ``approved``
yet, and what it sends back comes with a later round. The dataset holds what is ``approved`` then, also of earlier
rounds, unless ``export_arguments`` names tags.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import TaskGroup, conf

from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.operators.decide import FastLabelDecideTasksOperator
from airflow_provider_fastlabel.operators.exports import FastLabelExportCocoOperator
from airflow_provider_fastlabel.operators.imports import FastLabelCreateTasksFromFolderOperator
from airflow_provider_fastlabel.sensors.task_status import FastLabelTaskStatusSensor
from airflow_provider_fastlabel.utils.arguments import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from airflow_provider_fastlabel.operators.export_base import FastLabelExportOperator


def labeling_round(
    group_id: str = "labeling_round",
    *,
    project: str,
    folder: str,
    output: str,
    tags: Sequence[str] | None = None,
    status: str | Sequence[str] | None = None,
    check: Callable[..., Any] | None = None,
    export: type[FastLabelExportOperator] = FastLabelExportCocoOperator,
    fastlabel_conn_id: str = FastLabelHook.default_conn_name,
    source_conn_id: str | None = None,
    output_conn_id: str | None = None,
    deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
    poll_interval: float | timedelta = 300,
    timeout: float | timedelta = 14 * 24 * 3600,
    import_arguments: Mapping[str, Any] | None = None,
    check_arguments: Mapping[str, Any] | None = None,
    export_arguments: Mapping[str, Any] | None = None,
    default_args: dict[str, Any] | None = None,
) -> TaskGroup:
    """Return a group of tasks: ``import_folder``, ``wait_for_people``, ``check`` if there is one, and ``export``.

    :param group_id: name of the group, another one for each in a DAG.
    :param project: project slug. Templated, as are all texts and lists that follow.
    :param folder: where the files are: a local folder, or the URL of an object store.
    :param output: where the dataset goes: a local folder, or the URL of an object store.
    :param tags: what the tasks of this round are marked with, such as ``["{{ ds }}"]``.
    :param status: status, or several, that end the wait. Default: ``approved``, or as the module says of a check.
    :param check: a function that decides on each labelled task, see
        :class:`~airflow_provider_fastlabel.operators.decide.FastLabelDecideTasksOperator`.
    :param export: operator of the dataset's format.
    :param fastlabel_conn_id: id of the Airflow connection of FastLabel.
    :param source_conn_id: Airflow connection of the object store of ``folder``.
    :param output_conn_id: Airflow connection of the object store of ``output``.
    :param deferrable: wait in the triggerer, without a worker slot.
    :param poll_interval: seconds between two looks, or a ``timedelta``.
    :param timeout: seconds, or a ``timedelta``, that people have.
    :param import_arguments: further arguments of ``FastLabelCreateTasksFromFolderOperator``.
    :param check_arguments: further arguments of ``FastLabelDecideTasksOperator``.
    :param export_arguments: further arguments of ``export``.
    :param default_args: arguments of all tasks, such as ``{"retries": 3}``.
    :raises ValueError: an argument cannot be meant.
    """
    if check_arguments and check is None:
        raise refused("check_arguments are for a check, and there is none; give `check` or leave them out.")
    ours: dict[str, Any] = {"project": project, "fastlabel_conn_id": fastlabel_conn_id}
    places = {"folder": folder, "source_conn_id": source_conn_id, **(import_arguments or {})}
    wait = {"deferrable": deferrable, "poll_interval": poll_interval, "timeout": timeout}
    target: dict[str, Any] = {"output": output, "output_conn_id": output_conn_id, **(export_arguments or {})}
    given: Any = default_args or {}
    with TaskGroup(group_id, default_args=given, tooltip=_TOOLTIP) as group:
        steps = [*_people(ours, tags, status, check, places, wait, check_arguments or {})]
        for step, following in pairwise([*steps, export(task_id="export", **ours, **target)]):
            step.set_downstream(following)
    return group


_TOOLTIP = "Files become tasks, people label them, a dataset comes out"


def _people(
    ours: dict[str, Any],
    tags: Sequence[str] | None,
    status: str | Sequence[str] | None,
    check: Callable[..., Any] | None,
    places: dict[str, Any],
    wait: dict[str, Any],
    check_arguments: Mapping[str, Any],
) -> Iterator[Any]:
    """Yield the tasks of a round up to the dataset."""
    if status is None:
        status = "approved" if check is None else ["completed", "reviewed", "approved"]
    yield FastLabelCreateTasksFromFolderOperator(task_id="import_folder", **{**ours, "tags": tags, **places})
    # All there are, which may be none: the import is over.
    needed: dict[str, Any] = {"min_count": 0, "min_share": 1.0}
    yield FastLabelTaskStatusSensor(task_id="wait_for_people", **ours, **needed, **wait, status=status, tags=tags)
    if check is not None:
        still_open = status if isinstance(status, str) else [each for each in status if each != "approved"]
        chosen = {"filter_status": still_open or status, "filter_tags": tags, **check_arguments}
        yield FastLabelDecideTasksOperator(task_id="check", python_callable=check, **ours, **chosen)
