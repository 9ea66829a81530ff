"""What all exports share: the labelled tasks of a project become a data set that appears whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import external_status, rendered_texts, task_status
from airflow_provider_fastlabel.utils.numbers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_provider_fastlabel.client.kinds import Kind
    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.pipelines.exports.earlier_pictures import EarlierPictures
    from airflow_provider_fastlabel.pipelines.exports.publish import Published
    from airflow_provider_fastlabel.utils.numbers import Number

    Task = Mapping[str, Any]

__all__ = ["FastLabelExportOperator"]


class FastLabelExportOperator(FastLabelBaseOperator):
    """What all exports share; use one of its subclasses.

    Tasks flow page by page into the writer, so memory stays flat. The data set is put together aside and published at
    the end: a reader of ``output`` finds the old one or the new one, never half of one. It holds ``manifest.json``
    (files with size and SHA-256, counts, class ids, filters) and ``classes.lock.json``, from which the next export to
    the same place takes the class ids: they never move. The same tasks give the same bytes; if nothing has changed,
    nothing is published.

    Pushes ``{"output", "format", "images", "annotations_in", "annotations", "skipped", "adjusted", "files", "classes",
    "sha256", "changed"}``: counts, left-out annotations by reason, the digest of the manifest, and whether anything was
    published; never annotations. Assets in ``outlets`` get output, digest and counts as the event's ``extra``.

    :param project: slug of the project. Templated.
    :param output: folder the data set is published as: local path on the worker, or URL of an object store that Airflow
        knows (``s3://bucket/prefix``), whose bucket must exist. Templated.
    :param output_conn_id: Airflow connection of the object store. Templated.
    :param status: export tasks of this status; ``None`` or an empty text for any. Templated.
    :param external_status: export tasks of this external status. Templated.
    :param tags: export tasks that carry these tags, at most 10. Templated.
    :param include_images: also download the images, to ``images/``. An image of the earlier export to the same place is
        kept if the store it would come from confirms that it is still the same (by its MD5, as S3 does for objects
        without KMS). In an object store it must also be there with its size and not be written after the manifest; it
        is not read. The frames of videos come from their clip, which is downloaded at every export.
    :param on_error: ``raise`` fails on the first malformed annotation, naming it; ``skip`` leaves such out and counts
        them.
    :param allow_empty: publish an empty data set if no task matches, instead of failing.
    :param max_workers: how many images are downloaded at a time. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "output_path",
        "output_conn_id",
        "status",
        "external_status",
        "tags",
        "max_workers",
    )
    numbers: ClassVar[Mapping[str, Number]] = {"max_workers": WORKERS}
    renamed: ClassVar[Mapping[str, str]] = {"output": "output_path"}
    ui_color = "#e6f4e1"

    format: ClassVar[str]
    first_class_id: int = 0
    kinds: ClassVar[tuple[str, ...]] = ("image", "sequential_image", "video")

    def __init__(
        self,
        *,
        project: str,
        output: str,
        output_conn_id: str | None = None,
        status: str | None = "approved",
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        include_images: bool = False,
        on_error: Literal["raise", "skip"] = "raise",
        allow_empty: bool = False,
        max_workers: int | str = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        # `output` is taken: on an operator it is the reference to its XCom.
        self.output_path = output
        self.output_conn_id = output_conn_id
        self.status = status
        self.external_status = external_status
        self.tags = tags
        self.include_images = include_images
        self.on_error: Literal["raise", "skip"] = on_error
        self.allow_empty = allow_empty
        self.max_workers: Any = max_workers

    def write(self, tasks: Iterable[Task], folder: Path, classes: ClassMap, images: Path | None) -> ExportReport:
        """Write the tasks in the operator's format.

        :param tasks: image tasks, or the frames of sequences and videos as such; to be read once.
        :param folder: existing folder of the data set.
        :param classes: the project's classes with their ids.
        :param images: folder in which a task's image lies when the task comes; ``None`` if images are not wanted.
        :returns: what was done.
        """
        raise NotImplementedError

    def images_folder(self, work: Path, folder: Path) -> Path | None:
        """Say where images are downloaded to.

        :param work: folder for work, on the same file system; it is not published.
        :param folder: folder of the data set.
        :returns: the folder, or ``None`` when images are not wanted.
        """
        del work
        return folder / "images" if self.include_images else None

    def earlier_folders(self) -> Sequence[str]:
        """Return in which folders of the published data set its images lie, ``""`` for itself."""
        return ("images",)

    def execute(self, context: Context) -> dict[str, Any]:
        """Export what matches, and publish it if it differs from what is there.

        :param context: Airflow's task context.
        :returns: the summary, see the class.
        :raises FastLabelInvalidException: the project does not exist or has no images, or an argument rendered to what
            cannot be meant.
        :raises ValueError: no task matches.
        :raises FileExistsError: ``output`` holds files that are no earlier export.
        :raises FileNotFoundError: the bucket of ``output`` does not exist; none is created.
        :raises OSError: the disk is full, or the output cannot be written; what was published before stays.
        """
        from airflow_provider_fastlabel.pipelines.exports.earlier_pictures import EarlierPictures
        from airflow_provider_fastlabel.pipelines.exports.publish import FileGoneError
        from airflow_provider_fastlabel.pipelines.exports.staging import refuse_foreign_files
        from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        with self.working():
            target = storage_path("output", self.output_path, self.output_conn_id)
            self._filters()  # a wrong argument is named before any call
            refuse_foreign_files(target)
            refuse_missing_bucket(target, "output")
            kind = self._exportable_kind()
            count = self._count()
            classes = self._class_map(target)
            earlier = EarlierPictures.of(target, self.earlier_folders()) if self.include_images else None
            try:
                report, published = self._publish(kind, count, classes, target, earlier)
            except FileGoneError as gone:
                self.log.warning("%s: the export starts again and downloads every image", gone)
                report, published = self._publish(kind, count, classes, target, None)
        counts = {**report.to_dict(), "sha256": published.digest, "changed": published.changed}
        summary = {"output": str(self.output_path), "format": self.format, **counts}
        self._tell(summary, context)
        return summary

    def _publish(
        self, kind: Kind, count: int, classes: ClassMap, target: Any, earlier: EarlierPictures | None
    ) -> tuple[ExportReport, Published]:
        from airflow_provider_fastlabel.formats.writing.classes import LOCK_FILE
        from airflow_provider_fastlabel.pipelines.exports.publish import manifest_of, publish
        from airflow_provider_fastlabel.pipelines.exports.staging import staging

        with staging(target) as work:
            folder = work / "dataset"
            folder.mkdir()
            report = self._stage(kind, count, work, folder, classes, earlier)
            (folder / LOCK_FILE).write_bytes(classes.to_lock())
            described = manifest_of(
                report,
                format=self.format,
                classes=classes,
                first_class_id=self.first_class_id,
                filters=self._filters(),
            )
            return report, publish(folder, target, described, stand_ins=earlier.stand_ins if earlier else None)

    def _exportable_kind(self) -> Kind:
        from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound
        from airflow_provider_fastlabel.client.kinds import kind_of_project_type

        project = self.client.find_project_by_slug(self.project)
        if project is None:
            raise NotFound(
                f"Project {self.project!r} does not exist, or the token may not see it. Nothing was published. "
                "Check `project` (the slug, as in the address of the project's page)."
            )
        kind = kind_of_project_type(project["type"])
        if kind.name not in self.kinds:
            raise FastLabelInvalidException(
                f"Project {self.project!r} is of type {project['type']}; {self.format} exports are for "
                f"{', '.join(self.kinds)} tasks. Nothing was published."
            )
        return kind

    def _filters(self) -> dict[str, Any]:
        """Return what the tasks are selected by, for the manifest.

        :raises FastLabelInvalidException: an argument is of a wrong type, or no status of FastLabel.
        """
        return {
            "project": self.project,
            "status": task_status("status", self.status),
            "external_status": external_status("external_status", self.external_status),
            "tags": sorted(rendered_texts("tags", self.tags)),
        }

    def _count(self) -> int:
        filters = self._filters()
        count = self.client.count_tasks(**filters)
        if count or self.allow_empty:
            return count
        asked = ", ".join(f"{name}={value!r}" for name, value in filters.items() if value and name != "project")
        raise ValueError(
            f"No task of project {self.project!r} matches {asked or 'at all'}; the project has "
            f"{self.client.count_tasks(self.project)} tasks. Nothing was published. Wait for the labels with "
            "FastLabelTaskStatusSensor, change the filters, or set allow_empty=True."
        )

    def _class_map(self, target: Any) -> ClassMap:
        """Return the project's classes; ids that an earlier export to the same place gave stay."""
        from airflow_provider_fastlabel.formats.writing.classes import LOCK_FILE, ClassMap

        current = ClassMap.of(list(self.client.iter_annotations(self.project)))
        try:
            lock = (target / LOCK_FILE).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return current
        return ClassMap.from_lock(lock).extended(current)

    def _stage(
        self, kind: Kind, count: int, work: Path, folder: Path, classes: ClassMap, earlier: EarlierPictures | None
    ) -> ExportReport:
        from airflow_provider_fastlabel.pipelines.exports.image_tasks import Frames

        images = self.images_folder(work, folder)
        if images is not None:
            images.mkdir(parents=True, exist_ok=True)
        frames = Frames(
            self.client, kind.name, images, workers=self.max_workers, on_error=self.on_error, earlier=earlier
        )
        report = self.write(frames.of(self._tasks(kind, count)), folder, classes, images)
        frames.account(report)
        return report

    def _tasks(self, kind: Kind, count: int) -> Iterator[Task]:
        """Read the tasks page by page and say every now and then how far it is."""
        from airflow_provider_fastlabel.pipelines.running.progress import Progress

        progress = Progress(count, calls_left=self.client.quota.remaining)
        filters = self._filters()
        for task in self.client.iter_tasks(filters.pop("project"), kind.name, **filters):
            yield task
            progress.count("exported")

    def _tell(self, summary: Mapping[str, Any], context: Context) -> None:
        words = "Published" if summary["changed"] else "Nothing has changed, so nothing was published:"
        self.log.info(
            "%s %s with %d images and %d annotations (left out: %s; adjusted: %s)",
            words,
            self.output_path,
            summary["images"],
            summary["annotations"],
            summary["skipped"] or "none",
            summary["adjusted"] or "none",
        )
        extra = {name: summary[name] for name in ("output", "format", "images", "annotations", "sha256", "changed")}
        for outlet in self.outlets or ():
            context["outlet_events"][outlet].extra.update(extra)
