"""Creates DICOM tasks from zip files, each by an import of its own at FastLabel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_fastlabel.operators.waiting import Deadlines, FastLabelWaitingOperator
from airflow_provider_fastlabel.pipelines.running.newcomers import Before
from airflow_provider_fastlabel.pipelines.waits.conditions import ImportHistoriesWait
from airflow_provider_fastlabel.pipelines.waits.decisions import decide_import
from airflow_provider_fastlabel.triggers.events import raise_unless_success
from airflow_provider_fastlabel.utils.arguments import external_status, rendered_texts, task_status
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.utils.links import IMPORT, PROJECT, TASKS
from airflow_provider_fastlabel.utils.task_memory import TaskMemory, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.waits.events import WaitEvent
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links

HISTORIES_XCOM = "history_ids"
"""XCom key under which the ids of the import histories are pushed before the waiting starts."""


class FastLabelCreateDicomTasksOperator(FastLabelWaitingOperator):
    """Uploads DICOM series, one zip each, and waits until FastLabel has made them tasks.

    All files are checked before the first upload (size, readable zip, no two of one name), and all problems come in one
    error. A file whose name, with or without ``.zip``, is a task of the project already is left out, so that running
    again creates what is missing. Files go up one after the other, in flat memory, to FastLabel's store; each starts an
    import of its own, and all are waited for together: one call per interval. Imports that failed are named.

    A retry attaches to the imports that earlier tries started and starts only those that are missing or have failed. On
    Airflow 3.3 and later it knows them by their remembered ids, or, had the worker died between starting an import and
    remembering it, by the one import that has begun since; if several have, nobody can tell, and the task fails for a
    person to decide. So let one task at a time import into a project. On earlier releases nothing is remembered: a
    retry uploads again what has not become a task yet; give the task ``retries=0`` there when that matters. Whoever
    clears the task has everything imported that is no task, except what is still being imported. Killing the task ends
    the waiting only, imports go on at FastLabel.

    Returns ``{"project", "total", "exists", "imported", "links_left_out"}``: files found, files that were tasks
    already, imports that have ended (begun, when not waiting), and links out of the folder, which are left out. The ids
    of the imports are pushed to XCom as ``history_ids`` before the waiting starts.

    For ``wait_for_completion``, ``deferrable`` and the rest see :class:`FastLabelWaitingOperator`.

    :param project: slug of a DICOM project. Templated.
    :param folder: local path on the worker, or URL of an object store that Airflow knows, from which the files are
        downloaded one at a time. Templated.
    :param source_conn_id: Airflow connection of the object store. Templated.
    :param pattern: glob that the path relative to ``folder`` must match; ``**`` crosses folders. Templated.
    :param status: status of the new tasks. Templated.
    :param external_status: external status of the new tasks. Templated.
    :param tags: tags of the new tasks. Templated.
    :param follow_links: whether links that lead out of ``folder`` are followed: only where whoever writes there may
        read whatever this worker may. Links inside work.
    """

    template_fields: Sequence[str] = (
        *FastLabelWaitingOperator.template_fields,
        "project",
        "folder",
        "source_conn_id",
        "pattern",
        "status",
        "external_status",
        "tags",
    )

    operator_extra_links: Links = (PROJECT, TASKS, IMPORT)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "status": "status", "tags": "tags"}

    def __init__(
        self,
        *,
        project: str,
        folder: str,
        source_conn_id: str | None = None,
        pattern: str = "**/*.zip",
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        follow_links: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.folder = folder
        self.source_conn_id = source_conn_id
        self.pattern = pattern
        self.status = status
        self.external_status = external_status
        self.tags = tags
        self.follow_links = follow_links

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the files, start the imports that are missing, then wait.

        :raises FastLabelInvalidException: an argument rendered to what cannot be meant; nothing was sent.
        :raises ImportRefused: a file is not right, or there is none; nothing was sent.
        :raises RunIncomplete: an import could not be started; those that have begun go on.
        :raises AirflowException: an import has failed.
        """
        from airflow_provider_fastlabel.pipelines.imports.dicom import find_zips, start_imports, task_name
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        with self.working(context):
            deadlines = Deadlines.starting_now(self, self.timeout)
            memory = self._memory(context)
            folder = storage_path("folder", self.folder, self.source_conn_id)
            found = find_zips(self.client, self.project, folder, self.pattern, follow_links=self.follow_links)
            sources = found.sources
            histories = self._attach(memory)
            rest = [source for source in sources if source.name not in histories]
            existing = {task_name(name) for name in self.client.task_ids_by_name(self.project)}
            todo = [source for source in rest if task_name(source.name) not in existing]
            self.log.info("%s of %s files are to be imported into %s", len(todo), len(sources), self.project)
            try:
                start_imports(self.client, self.project, todo, histories, remember=memory.write, **self._fields())
            finally:
                context["ti"].xcom_push(key=HISTORIES_XCOM, value=list(histories.values()))
                self.show_links(context, history_id=list(histories.values()))
            result = {
                "project": self.project,
                "total": len(sources),
                "exists": len(rest) - len(todo),
                "imported": len(histories),
                "links_left_out": len(found.links),
            }
            if not self.wait_for_completion or not histories:
                memory.forget()
                tell_of_project(self, context, result)
                return result
            wait = ImportHistoriesWait(self.project, histories)
            return self._finish(context, self.wait_for(wait, deadlines, result), result)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Take up the end of the wait from the trigger.

        :param event: payload of the trigger's event.
        """
        with self.working():
            end = self.taken_up(event)
            return self._finish(context, end, end.carry)

    def _memory(self, context: Context) -> TaskMemory:
        """Return the memory of these imports; other arguments make them others."""
        mark = fingerprint(
            self.fastlabel_conn_id,
            self.project,
            self.folder,
            self.pattern,
            *self._fields().values(),
        )
        return TaskMemory(context, "fastlabel_dicom_import", mark)

    def _attach(self, memory: TaskMemory) -> dict[str, str]:
        """Return the histories, by file name, of the imports that earlier tries started and this one may take up."""
        kept = memory.read()
        if not kept:
            return {}
        present = {str(h["id"]): h for h in self.client.iter_histories(self.project)}
        histories: dict[str, str] = dict(kept.get("histories") or {})
        if kept.get("starting"):
            found = self._begun_since(kept, present, memory)
            histories |= {kept["starting"]: found} if found else {}
        cleared = memory.cleared
        alive = {
            name: history_id
            for name, history_id in histories.items()
            if history_id in present
            and self.may_attach(decide_import(present[history_id], project=self.project), cleared=cleared)
        }
        memory.write(histories=alive)
        if alive:
            self.log.info("Attaching to %s imports that earlier tries started", len(alive))
        return alive

    def _begun_since(
        self, kept: Mapping[str, Any], present: Mapping[str, Mapping[str, Any]], memory: TaskMemory
    ) -> str | None:
        """Return the import that an earlier try started without living to remember it.

        :raises AirflowFailException: when several may be it; the file counts as not started afterwards.
        """
        known = set(kept["histories"].values())
        newer = [ident for h in Before.kept(kept).newcomers(present.values()) if (ident := str(h["id"])) not in known]
        if len(newer) <= 1:
            return newer[0] if newer else None
        memory.write(histories=kept["histories"])
        raise AirflowFailException(
            f"The worker died, or the answer was lost, while the import of {kept['starting']} into project "
            f"{self.project} was being started, and {len(newer)} imports began since: {', '.join(newer[:10])}. Nobody "
            f"can tell which is its own. Look at them in FastLabel; then clear the task to import {kept['starting']} "
            "again unless it has become a task."
        )

    def _fields(self) -> dict[str, Any]:
        """Return what every task gets.

        :raises FastLabelInvalidException: an argument rendered to what cannot be meant.
        """
        return {
            "status": task_status("status", self.status),
            "external_status": external_status("external_status", self.external_status),
            "tags": rendered_texts("tags", self.tags),
        }

    def _finish(self, context: Context, event: WaitEvent, result: dict[str, Any]) -> dict[str, Any]:
        """Forget the imports and return the result; raise on every end but success."""
        raise_unless_success(event, sensor=False)
        self._memory(context).forget()
        self.log.info("Imported: %s", result)
        self._summary = result
        tell_of_project(self, context, result)
        return result

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the folder to the project."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        rows = self._summary.get("imported") if complete else None
        return Edge([storage_place(self.folder)], [project_place(self.client, self.project, rows)])
