"""What the operators share that take up a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import refused
from airflow_provider_fastlabel.utils.links import PROJECT

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
    from airflow_provider_fastlabel.utils.links import Links

__all__ = ["PlannedOperator"]


class PlannedOperator(FastLabelBaseOperator):
    """Base of the operators that take up what a planner has written."""

    operator_extra_links: Links = (PROJECT,)

    def planned(self, name: str, chunk: Any, context: Context) -> tuple[PlanFolder, dict[str, Any] | None]:
        """Return the plan that a chunk is of, and what is known of the whole; and show the link to its project.

        :param name: of the argument, for the message.
        :param chunk: what a planner returned.
        :param context: Airflow's task context.
        :returns: the folder, and ``plan.json``, ``None`` if that is gone.
        :raises FastLabelInvalidException: it is no chunk.
        :raises ImportRefused: ``plan.json`` is damaged.
        """
        from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        if not isinstance(chunk, dict) or not {"plan", "conn_id", "number", "sha256"} <= chunk.keys():
            raise refused(
                f"{name} is no chunk that FastLabelPlanImportOperator returned. Nothing was created. Map this task "
                "over the planner's output."
            )
        folder = PlanFolder(storage_path(name, chunk["plan"], chunk["conn_id"]))
        if (index := folder.read_index()) is not None:
            self.show_links(context, project=index["project"])
        return folder, index
