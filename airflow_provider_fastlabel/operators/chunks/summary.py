"""Tells what an import in chunks has done as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.operators.chunks.base import PlannedOperator
from airflow_provider_fastlabel.utils.arguments import refused
from airflow_provider_fastlabel.utils.asset_events import tell_of_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.imports import ImportSummary
    from airflow_provider_fastlabel.utils.lineage import Edge

__all__ = ["FastLabelImportSummaryOperator"]


class FastLabelImportSummaryOperator(PlannedOperator):
    """Succeed only when every file of a plan has its fate, with the summary that an import in one task would give.

    The chunks' manifests are put together into ``manifest`` of the plan, also if a chunk has failed, so let the task
    run then too (``trigger_rule="none_skipped"``): the next run is to know what this one has created. More failures
    than ``max_failures``, counted over all chunks, fail it. Makes no call, but perhaps one for its link. When all is
    well the plan's files go.

    :param plan: what :class:`~airflow_provider_fastlabel.operators.chunks.plan.FastLabelPlanImportOperator` returned.
        Templated.
    """

    template_fields: Sequence[str] = (*PlannedOperator.template_fields, "plan")
    project: str

    def __init__(self, *, plan: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan

    def execute(self, context: Context) -> ImportSummary:
        """Put the accounts together, and count.

        :param context: Airflow's task context.
        :returns: the counts of the whole, and the manifest's place.
        :raises FastLabelInvalidException: there is no plan.
        :raises ImportIncomplete: a chunk has not come to a good end, or too much failed; what was created stays.
        """
        from airflow_provider_fastlabel.pipelines.imports.chunks.account import Account
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        with self.working(context):
            chunk = self.plan[0] if isinstance(self.plan, list) and self.plan else None
            folder, index = self.planned("plan", chunk, context)
            if index is None:
                raise refused(f"There is no plan at {folder.place}. Clear the task that plans, and all after it.")
            places, self.project = index["places"], index["project"]
            summary = Account(folder, storage_path("manifest", places["manifest"], places["manifest_conn_id"])).sum_up()
        self._summary = summary
        self._folder = places["folder"]
        result: ImportSummary = {**summary, "manifest": places["manifest"]}
        tell_of_project(self, context, result)
        return result

    def lineage(self, *, complete: bool) -> Edge | None:
        """Return the edge from the folder to the project, once all is there."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        if not complete:
            return None
        rows = self._summary["created"] + self._summary["updated"]
        return Edge([storage_place(self._folder)], [project_place(self.client, self.project, rows)])
