"""Plans the import of a large folder, so that many mapped tasks on any workers can do it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import conf

from airflow_provider_fastlabel.operators.imports import FastLabelCreateTasksFromFolderOperator
from airflow_provider_fastlabel.utils.numbers import Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelPlanImportOperator"]


class FastLabelPlanImportOperator(FastLabelCreateTasksFromFolderOperator):
    """Check a folder as :class:`FastLabelCreateTasksFromFolderOperator` does, and cut it into chunks; creates nothing.

    Returns a small object for each chunk, to be mapped over by
    :class:`~airflow_provider_fastlabel.operators.chunks.chunk.FastLabelImportChunkOperator`;
    :func:`~airflow_provider_fastlabel.task_groups.chunks.import_in_chunks` puts the tasks together. What the folder
    holds, which names the project has, what earlier runs have done and all pre-annotations are read once, here, and
    written to ``.plans`` beside ``manifest`` (by default in the folder of the DAG, beside those of its runs): a place
    that all workers must reach, as they must ``folder``. Everything is checked before the first chunk begins; what is
    refused by an import as a whole is refused here. Plans of earlier runs of the task into which nobody has written for
    30 days are removed.

    :param chunk_size: how many tasks a chunk creates at most. Where that made more chunks than Airflow maps
        (``[core] max_map_length``, 1024), they are larger. All chunks are as large as each other. Templated.
    """

    template_fields: Sequence[str] = (*FastLabelCreateTasksFromFolderOperator.template_fields, "chunk_size")
    after_leaving: ClassVar[AfterLeaving] = "starts again"
    numbers: ClassVar[Mapping[str, Number]] = {
        **FastLabelCreateTasksFromFolderOperator.numbers,
        "chunk_size": Number(least=1),
    }

    def __init__(self, *, chunk_size: int | str = 5000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk_size: Any = chunk_size

    def execute(self, context: Context) -> list[dict[str, Any]]:  # type: ignore[override]
        """List and check the folder, and write the plan.

        :param context: Airflow's task context.
        :returns: the chunks.
        :raises FastLabelInvalidException: an argument rendered to what cannot be meant; nothing was created.
        :raises ImportRefused: the folder, the files or the pre-annotations are not right; nothing was created.
        """
        from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
        from airflow_provider_fastlabel.pipelines.imports.chunks.planner import plan_import
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        self._stop = threading.Event()
        with self.working(context):
            place, conn_id = self._manifest(context)
            plan = self._plan(place, context)
            places = {"folder": shown_place(self.folder), "source_conn_id": self.source_conn_id}
            chunks = plan_import(
                self._job(storage_path("manifest", place, conn_id)),
                PlanFolder(storage_path("manifest", plan, conn_id)),
                size=self.chunk_size,
                most=conf.getint("core", "max_map_length", fallback=1024),
                people=self.given_people(),
                places={**places, "manifest": shown_place(place), "manifest_conn_id": conn_id},
                stop=self._stop,
            )
        return [{"plan": shown_place(plan), "conn_id": conn_id, **chunk} for chunk in chunks]

    def lineage(self, *, complete: bool) -> Edge:
        """Return no edge: the chunks write to the project, not the plan."""
        from airflow_provider_fastlabel.utils.lineage import Edge

        del complete
        return Edge()

    def _plan(self, manifest: str, context: Context) -> str:
        """Return where the plan lies: the same for every try, no other run's, and hidden, so that it is no item.

        The plans of all runs of the task lie in one folder, so that a later run finds what an earlier one has left.
        """
        from airflow_provider_fastlabel.pipelines.imports.chunks.plan import plan_place

        ti: Any = context["ti"]
        parent, slash, _ = str(manifest).rpartition("/")
        if self.manifest is None:  # which lies in a folder of the run
            parent = parent.rpartition("/")[0]
        return plan_place(f"{parent}{slash}", (ti.dag_id, ti.task_id), (ti.run_id, str(ti.map_index)))
