"""What the operators share that take up a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import refused

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
    from airflow_provider_fastlabel.utils.links import Links

__all__ = ["PlannedOperator"]


class PlannedOperator(FastLabelBaseOperator):
    """Base of the operators that take up what a planner has written."""

    operator_extra_links: Links = ()

    def planned(self, name: str, chunk: Any) -> PlanFolder:
        """Return the folder of the plan that a chunk is of.

        :param name: of the argument, for the message.
        :param chunk: what a planner returned.
        :raises FastLabelInvalidException: it is no chunk.
        """
        from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        if not isinstance(chunk, dict) or not {"plan", "conn_id", "number", "sha256"} <= chunk.keys():
            raise refused(
                f"{name} is no chunk that FastLabelPlanImportOperator returned. Nothing was created. Map this task "
                "over the planner's output."
            )
        return PlanFolder(storage_path(name, chunk["plan"], chunk["conn_id"]))
