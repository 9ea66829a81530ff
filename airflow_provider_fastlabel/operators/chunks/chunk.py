"""Imports one chunk of a planned folder, on any worker."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.chunks.base import PlannedOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.imports import ImportSummary
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelImportChunkOperator"]


class FastLabelImportChunkOperator(PlannedOperator):
    """Create the tasks of one chunk, each file exactly one task; made to be mapped: ``expand(chunk=plan.output)``.

    What is asked stands in the plan. A first try makes no look at the project's names: the planner did. A retry after
    a kill goes on where the try before was, wherever it runs. Pushes the
    :class:`~airflow_provider_fastlabel.pipelines.files.problems.ImportSummary` of the chunk, whose manifest is the
    chunk's. ``max_failures`` of the plan bounds each chunk; all together are counted at the end.

    :param chunk: one of the objects that
        :class:`~airflow_provider_fastlabel.operators.chunks.plan.FastLabelPlanImportOperator` returned. Templated.
    """

    template_fields: Sequence[str] = (*PlannedOperator.template_fields, "chunk")
    after_leaving: ClassVar[AfterLeaving] = "goes on"
    _stop: threading.Event | None = None

    def __init__(self, *, chunk: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk

    def execute(self, context: Context) -> ImportSummary:
        """Create what is missing of the chunk.

        :param context: Airflow's task context.
        :returns: the counts of the chunk, and its manifest's place.
        :raises FastLabelInvalidException: ``chunk`` is none.
        :raises ImportRefused: the chunk is not the one that was planned, or its files are not right any more.
        :raises ImportIncomplete: more of its files failed than tolerated; what was created stays.
        """
        from airflow_provider_fastlabel.pipelines.imports.chunks.work import import_chunk
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        self._stop = threading.Event()
        with self.working(context):
            plan, _ = self.planned("chunk", self.chunk, context)
            return import_chunk(
                self.client,
                plan,
                self.chunk["number"],
                self.chunk["sha256"],
                opened=lambda place, conn_id: storage_path("folder", place, conn_id),
                stop=self._stop,
            )

    def on_kill(self) -> None:
        """Hand out no more files; uploads under way end by themselves or with the process. The next run goes on."""
        if self._stop is not None:
            self._stop.set()
            self.log.info("Stopping the chunk; what was created stays, the next run creates the rest")
