"""Waits until enough labelling tasks have reached a status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.pipelines.waits.conditions import TaskCountWait, TaskListWait, Wait
from airflow_provider_fastlabel.sensors.base import FastLabelSensor
from airflow_provider_fastlabel.utils.arguments import rendered_list, rendered_texts, task_status
from airflow_provider_fastlabel.utils.links import PROJECT, TASKS
from airflow_provider_fastlabel.utils.numbers import Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.utils.links import Links


class FastLabelTaskStatusSensor(FastLabelSensor):
    """Waits until a number or a share of tasks is in a status: of a project, of its tasks with some tags, or of a list.

    Only the named statuses count: a task that was ``completed`` and is now ``approved`` is not ``completed`` any
    more, so name all that will do, as in ``status=["completed", "reviewed", "approved"]``. As long as there is no
    task at all the sensor waits, unless ``min_count`` is 0.

    A look costs one call per status, and one for the total if a share is demanded and, deferred, the number has moved
    or some looks have passed; sensors that defer on the same tasks share it. With a list, a look usually costs one call
    and at most one per task; for long lists a tag is cheaper.

    Returns ``{"done", "total", "needed", "statuses"}``; ``total`` is ``None`` where only a number was demanded of a
    project or a tag.

    For ``deferrable``, ``poll_interval`` and ``timeout`` see :class:`FastLabelSensor`.

    :param project: project slug. Templated.
    :param status: the status, or several, that count as reached. Templated.
    :param tags: watch only tasks that carry these tags. Templated.
    :param task_ids: watch only these tasks, by id. Templated.
    :param task_names: watch only these tasks, by name; one that does not exist yet has not reached the status.
        Templated.
    :param min_count: number of tasks that must have reached it, for instance as many as an earlier task has created. 0
        ends the wait at once. Templated.
    :param min_share: share of the tasks that must have reached it, above 0 up to 1. When neither is given, all (1.0);
        when both are, both must be met. Templated.
    :raises ValueError: when a demand is impossible.
    """

    template_fields: Sequence[str] = (
        *FastLabelSensor.template_fields,
        "status",
        "tags",
        "task_ids",
        "task_names",
        "min_count",
        "min_share",
    )
    operator_extra_links: Links = (PROJECT, TASKS)
    link_arguments: ClassVar[Mapping[str, str]] = {
        "project": "project", "status": "status", "tags": "tags", "task_id": "task_ids",
    }  # fmt: skip
    numbers: ClassVar[Mapping[str, Number]] = {
        "min_count": Number(least=0, optional=True),
        "min_share": Number(whole=False, above=0, most=1, optional=True),
    }

    def __init__(
        self,
        *,
        status: str | Sequence[str],
        tags: Sequence[str] | None = None,
        task_ids: Sequence[str] | None = None,
        task_names: Sequence[str] | None = None,
        min_count: int | str | None = None,
        min_share: float | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.status = status
        self.tags = tags
        self.task_ids = task_ids
        self.task_names = task_names
        self.min_count: Any = min_count
        self.min_share: Any = min_share

    def build_wait(self) -> Wait:
        """Return the wait on counts, or on a list of tasks.

        :raises ValueError: when the statuses are unknown, the demands impossible, or the tasks chosen in several ways.
        """
        statuses = rendered_texts("status", self.status)
        for status in statuses:
            task_status("status", status)
        if not statuses:
            raise ValueError("status must name at least one task status")
        min_share = 1.0 if self.min_count is None and self.min_share is None else self.min_share
        chosen: dict[str, list[str] | None] = {
            name: None if value is None else rendered_list(name, value)
            for name, value in (("tags", self.tags), ("task_ids", self.task_ids), ("task_names", self.task_names))
        }
        used = [name for name, values in chosen.items() if values is not None]
        if len(used) > 1:
            raise ValueError(f"Choose the tasks in one way, not by {' and '.join(used)} together")
        if used in ([], ["tags"]):
            return TaskCountWait(
                self.project, statuses, chosen["tags"] or [], min_count=self.min_count, min_share=min_share
            )
        given = chosen[used[0]] or []
        if not given:
            raise ValueError(f"{used[0]} is empty: there is nothing to wait for")
        if self.min_count is not None and self.min_count > len(set(given)):
            raise ValueError(f"min_count {self.min_count} cannot be met by {len(set(given))} tasks")
        return TaskListWait(
            self.project,
            statuses,
            task_ids=chosen["task_ids"] or [],
            task_names=chosen["task_names"] or [],
            min_count=self.min_count,
            min_share=min_share,
        )
