"""Creates tasks from the files of a folder, each file exactly once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.formats import AnnotationsFormat  # noqa: TC001 (arguments are checked by it)
from airflow_provider_fastlabel.operators.people import PeopleArguments
from airflow_provider_fastlabel.pipelines.choices import OnDifference, OnExists, UnknownAttributes  # noqa: TC001
from airflow_provider_fastlabel.utils.arguments import rendered_texts, task_status
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.utils.links import PROJECT, TASKS
from airflow_provider_fastlabel.utils.numbers import FAILURES, PRIORITY, WORKERS
from airflow_provider_fastlabel.utils.run_files import run_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.imports import ImportSummary
    from airflow_provider_fastlabel.pipelines.imports.folder import FolderImport
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.numbers import Number
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelCreateTasksFromFolderOperator"]


class FastLabelCreateTasksFromFolderOperator(PeopleArguments):
    """Create one task per file of a folder; run again, or retried after a kill, it creates only what is missing.

    A task is named after the file's path relative to ``folder``. For projects whose tasks are folders (sequential
    images, sequential point clouds, multi-image classification) each direct sub-folder is one task. Hidden files are
    left out. Everything that can be known beforehand (file types, sizes, codecs, names, classes and geometry of
    pre-annotations) is checked for all files before the first task is created, and reported in one error.

    Who labels and who reviews what it creates is said with ``assignee``, ``reviewer`` and their like, see
    :class:`~airflow_provider_fastlabel.operators.people.PeopleArguments`: one person, or several who share.

    Pushes :class:`~airflow_provider_fastlabel.pipelines.files.problems.ImportSummary`: how many pictures were created,
    existed, were updated or failed, how many have annotations; how many annotations were read, sent, and lost by
    reason; and the place of the manifest, a JSON Lines file with the fate, the task id and the reason of failure of
    every file. Files of an object store are downloaded one at a time per worker to the temporary folder, and removed
    after their upload.

    A picture whose annotations cannot all be taken fails, and is not created; so does a picture that annotations speak
    of and that is not there. Whatever ``max_failures`` allows, annotations that were asked for and of which none
    arrives fail the task.

    :param project: slug of the project. Templated.
    :param folder: local path on the worker, or URL of an object store that Airflow knows (``s3://bucket/prefix``).
        Templated.
    :param source_conn_id: Airflow connection of the object store; also for ``annotations_path`` and ``manifest`` where
        these are URLs. Templated.
    :param kind: kind of the tasks, ``image`` or ``video`` for instance; by default that of the project's type.
    :param pattern: glob that the path relative to ``folder`` must match; ``**`` crosses folders. Templated.
    :param annotations_format: read pre-annotations in this format: ``coco``, ``yolo``, ``pascalvoc``, ``labelme`` or
        ``masks``. For image and sequential image projects.
    :param annotations_path: where they are: the COCO file, or the folder of the others; by default beside the media
        (``annotations.json``; ``classes.txt`` or ``data.yaml`` and the label files). Templated.
    :param annotations_arguments: further arguments of the format's reader, for instance
        ``{"corners": "zero_based"}`` for Pascal VOC or ``{"task": "obb"}`` for YOLO.
    :param attributes: what becomes of attributes that the class does not have in the project: ``fail``; ``ignore``
        leaves them out and counts them; ``create`` adds them to the class, as a switch where all values are true or
        false, else as text. What a format or tool notes of itself (``truncated``, ``iscrowd``, ``occluded`` ...) never
        fails: it is left out and counted where the class has no such attribute, unless they are created. A value that
        an attribute does not take fails; ``ignore`` leaves it out and counts it.
    :param tags: tags of every task; a single text is one tag, whatever commas it has. Templated.
    :param status: status of every task, ``registered`` if not given. Templated.
    :param priority: 0 none, 10 low, 20 medium, 30 high. Templated.
    :param on_exists: what to do with a file whose name is a task already: ``skip`` it; ``update`` the task with
        pre-annotations, tags, status and priority, once per manifest; or ``fail``.
    :param on_difference: what to do where the file is another one than its task was made of, which keeps the old one,
        for FastLabel cannot replace it: ``warn``, or ``fail`` before anything is created. What ``manifest`` knows is
        compared by size and content, so give one place for all runs. With ``fail`` also pictures that it does not know,
        by the width and height that FastLabel tells: one call per 1000 tasks, and the beginning of each such picture is
        read. The result counts ``differs`` and ``not_compared``.
    :param max_failures: how many pictures (or other files) may fail with the task still succeeding. By default none:
        any problem found by the checks ends the task before anything is created, failures met later fail it after all
        others were tried. Templated.
    :param max_workers: how many files are uploaded at a time. Templated.
    :param follow_links: whether links that lead out of ``folder``, or out of ``annotations_path``, are followed: only
        where whoever writes there may read whatever this worker may. By default such links are left out and counted in
        the result as ``links_left_out``, and annotations of such a picture or in such a file are lost; links inside
        work.
    :param manifest: where the manifest goes: local path or URL. Default:
        ``imports/<dag_id>/<run_id>/<task_id>.<map_index>.jsonl`` (``.jsonl`` without the index for a task that is not
        mapped) below the folder or URL that is configured (``[fastlabel] manifests_path``), else below
        ``$AIRFLOW_HOME/fastlabel``, which a retry on the same machine continues. Templated.
    """

    template_fields: Sequence[str] = (
        *PeopleArguments.template_fields,
        "project",
        "folder",
        "source_conn_id",
        "pattern",
        "annotations_path",
        "tags",
        "status",
        "manifest",
        "priority",
        "max_failures",
        "max_workers",
    )
    operator_extra_links: Links = (PROJECT, TASKS)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "status": "status", "tags": "tags"}
    after_leaving: ClassVar[AfterLeaving] = "goes on"
    numbers: ClassVar[Mapping[str, Number]] = {"priority": PRIORITY, "max_failures": FAILURES, "max_workers": WORKERS}
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        project: str,
        folder: str,
        source_conn_id: str | None = None,
        kind: str | None = None,
        pattern: str = "**/*",
        annotations_format: AnnotationsFormat | None = None,
        annotations_path: str | None = None,
        annotations_arguments: Mapping[str, Any] | None = None,
        attributes: UnknownAttributes = "fail",
        tags: Sequence[str] | None = None,
        status: str | None = None,
        priority: int | str | None = None,
        on_exists: OnExists = "skip",
        on_difference: OnDifference = "warn",
        max_failures: int | str | None = None,
        max_workers: int | str = 4,
        follow_links: bool = False,
        manifest: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.folder = folder
        self.source_conn_id = source_conn_id
        self.kind = kind
        self.pattern = pattern
        self.annotations_format: AnnotationsFormat | None = annotations_format
        self.annotations_path = annotations_path
        self.annotations_arguments = annotations_arguments
        self.attributes: UnknownAttributes = attributes
        self.tags = tags
        self.status = status
        self.priority: Any = priority
        self.on_exists: OnExists = on_exists
        self.on_difference: OnDifference = on_difference
        self.max_failures: Any = max_failures
        self.max_workers: Any = max_workers
        self.follow_links = follow_links
        self.manifest = manifest
        if self.annotations_format is None and (self.annotations_path or self.annotations_arguments):
            raise ValueError("annotations_path and annotations_arguments need annotations_format")

    def execute(self, context: Context) -> ImportSummary:
        """Check the folder against the project, then create what is missing.

        :param context: Airflow's task context.
        :returns: the counts and the manifest's place.
        :raises FastLabelInvalidException: an argument rendered to what cannot be meant; nothing was created.
        :raises ImportRefused: the folder, the files or the pre-annotations are not right; nothing was created.
        :raises ImportIncomplete: more files failed than tolerated; what was created stays.
        """
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        self._stop = threading.Event()
        with self.working(context):
            manifest, conn_id = self._manifest(context)
            summary = self._job(storage_path("manifest", manifest, conn_id)).run(self._stop)
        self._summary = summary
        result: ImportSummary = {**summary, "manifest": shown_place(manifest)}
        tell_of_project(self, context, result)
        return result

    def _manifest(self, context: Context) -> tuple[str, str | None]:
        """Return where the manifest goes, and the connection that opens it."""
        if self.manifest is not None:
            return self.manifest, self.source_conn_id
        return run_file(context, "imports", "manifest", "Nothing was created."), None

    def _job(self, manifest: Any) -> FolderImport:
        """Return what is asked, of the arguments as they rendered.

        :param manifest: where the manifest goes, opened.
        """
        from airflow_provider_fastlabel.pipelines.imports.folder import FolderImport
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        status, tags = task_status("status", self.status), rendered_texts("tags", self.tags)
        path = self.annotations_path
        return FolderImport(
            client=self.client,
            project=self.project,
            folder=storage_path("folder", self.folder, self.source_conn_id),
            manifest=manifest,
            kind=self.kind,
            pattern=self.pattern,
            annotations_format=self.annotations_format,
            annotations=None if path is None else storage_path("annotations_path", path, self.source_conn_id),
            annotations_arguments=self.annotations_arguments or {},
            attributes=self.attributes,
            fields={"tags": tags, "status": status, "priority": self.priority},
            people=self.people(),
            on_exists=self.on_exists,
            on_difference=self.on_difference,
            max_failures=self.max_failures,
            max_workers=self.max_workers,
            follow_links=self.follow_links,
        )

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the folder to the project."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        rows = self._summary["created"] + self._summary["updated"] if complete else None
        return Edge([storage_place(self.folder)], [project_place(self.client, self.project, rows)])

    def on_kill(self) -> None:
        """Hand out no more files; uploads under way end by themselves or with the process. The next run goes on."""
        if self._stop is not None:
            self._stop.set()
            self.log.info("Stopping the import; what was created stays, the next run creates the rest")
