"""What all exports share: the labelled tasks of a project become a data set that appears whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import external_status, rendered_texts, task_status
from airflow_provider_fastlabel.utils.asset_events import silence_outlets, storage_uri, tell_outlets
from airflow_provider_fastlabel.utils.links import PROJECT, PUBLISHED, TASKS, facts_of_output
from airflow_provider_fastlabel.utils.numbers import VERSIONS, WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.pipelines.exports.dataset_formats import DatasetFormat
    from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination
    from airflow_provider_fastlabel.pipelines.exports.run import Export
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.numbers import Number
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

    Task = Mapping[str, Any]
    from airflow_provider_fastlabel.utils.links import Links

__all__ = ["FastLabelExportOperator"]

VERSION_LENGTH = 12
"""Characters of the digest that name a version in an asset's event."""


class FastLabelExportOperator(FastLabelBaseOperator):
    """What all exports share; use one of its subclasses.

    Tasks flow page by page into the writer, so memory stays flat. The data set is put together aside and published at
    the end: a reader finds the old one or the new one, never half of one. A local folder is the data set's own. In an
    object store each export publishes a version, ``versions/<id>/``, and then writes ``current.json``, whose ``path``
    says where in ``output`` the current one lies. The data set holds ``manifest.json`` (files with size and SHA-256,
    counts, class ids, filters) and ``classes.lock.json``, from which the next export to the same place takes the class
    ids: they never move. The same tasks give the same bytes; if nothing has changed, nothing is published.

    Pushes ``{"output", "path", "format", "images", "annotations_in", "annotations", "skipped", "adjusted", "files",
    "classes", "sha256", "changed", "class_changes", "left_out"}``: the place, where the data set lies (at the place, or
    in the version's folder), counts, left-out annotations by reason, the digest of the manifest, whether anything was
    published, what has become of the classes, and where the list of what was left out lies; never annotations. With
    ``output_conn_id`` if that is given, and ``worked_in``, the worker's folder, if the place is relative to it. Assets
    in ``outlets`` get place, path, digest and counts as the event's ``extra``; an ``AssetAlias`` gets the asset of
    ``output``, never of a version.
    ``left_out.jsonl`` beside the manifest says line by line which annotations, images and tasks were left out, and why;
    where nothing was there is no such file, and its place in the result is ``None``. ``class_changes`` says which
    classes are ``gone``, ``new``, ``renamed`` or ``retyped`` since the earlier export to the same place, the first 100
    of each; the manifest names all, and keeps them until the classes change again.
    Tasks that matched at the start and not any more when they were to be read are in ``adjusted`` as
    ``tasks_gone_meanwhile``.

    :param project: slug of the project. Templated.
    :param output: folder the data set is published as: local path on the worker, or URL of an object store that Airflow
        knows (``s3://bucket/prefix``), whose bucket must exist. Templated.
    :param output_conn_id: Airflow connection of the object store. Templated.
    :param publish: ``versions`` or ``in_place``; by default versions in an object store, and in place in a local
        folder, where it is whole at any moment, by renaming. Versions may be had in a local folder too. In an object
        store, in place replaces file by file in ``output`` itself: a reader meanwhile, or after a killed worker, finds
        no ``manifest.json`` and files of two data sets, and two exports at once mix.
    :param keep_versions: how many earlier versions stay beside the current one, at least 1, so that the next export
        takes nothing away from who reads one. Older ones are removed. Templated.
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
    :param emit: ``changed``: an export that found nothing changed makes no asset event, so DAGs that wait for one are
        not woken; a later try of the task always makes one, because an earlier try may have published and died.
        ``always``: each successful export makes one.
    :param keep_renamed: a class whose value was changed at FastLabel, which its id there shows, keeps its number. By
        default the number stays with the earlier value, unused, and the new value gets a new number, so that a number
        never means two values. A value that has a number from earlier keeps that one.
    :param max_workers: how many images are downloaded at a time. Templated.
    :raises ValueError: ``emit`` or ``publish`` is none of its words.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "output_path",
        "output_conn_id",
        "status",
        "external_status",
        "tags",
        "keep_versions",
        "max_workers",
    )
    operator_extra_links: Links = (PROJECT, TASKS, PUBLISHED)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "status": "status", "tags": "tags"}
    after_leaving: ClassVar[AfterLeaving] = "starts again"
    numbers: ClassVar[Mapping[str, Number]] = {"keep_versions": VERSIONS, "max_workers": WORKERS}
    renamed: ClassVar[Mapping[str, str]] = {"output": "output_path"}
    ui_color = "#e6f4e1"

    format: ClassVar[str]

    def __init__(
        self,
        *,
        project: str,
        output: str,
        output_conn_id: str | None = None,
        publish: Literal["versions", "in_place"] | None = None,
        keep_versions: int | str = 1,
        status: str | None = "approved",
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        include_images: bool = False,
        on_error: Literal["raise", "skip"] = "raise",
        allow_empty: bool = False,
        emit: Literal["changed", "always"] = "changed",
        keep_renamed: bool = False,
        max_workers: int | str = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        # `output` is taken: on an operator it is the reference to its XCom.
        self.output_path = output
        self.output_conn_id = output_conn_id
        self.keep_versions: Any = keep_versions
        self.status = status
        self.external_status = external_status
        self.tags = tags
        self.include_images = include_images
        self.on_error: Literal["raise", "skip"] = on_error
        self.allow_empty = allow_empty
        self.keep_renamed = keep_renamed
        self.max_workers: Any = max_workers
        if emit not in ("changed", "always"):
            raise ValueError(f"emit must be 'changed' or 'always', not {emit!r}")
        self.emit: Literal["changed", "always"] = emit
        if publish not in (None, "versions", "in_place"):
            raise ValueError(f"publish must be 'versions', 'in_place' or left out, not {publish!r}")
        self.publish: Literal["versions", "in_place"] | None = publish

    def write(
        self, tasks: Iterable[Task], folder: Place, classes: ClassMap, images: Place | None, left_out: LeftOut
    ) -> ExportReport:
        """Write the tasks in the operator's format.

        :param tasks: image tasks, or the frames of sequences and videos as such; to be read once.
        :param folder: existing folder of the data set.
        :param classes: the project's classes with their ids.
        :param images: folder in which a task's image lies when the task comes; ``None`` if images are not wanted.
        :param left_out: the list of what is left out, which a writer fills.
        :returns: what was done.
        """
        return self.dataset_format().write(tasks, folder, classes, images, left_out)

    def dataset_format(self) -> DatasetFormat:
        """Return the operator's format as its arguments rendered."""
        raise NotImplementedError

    def execute(self, context: Context) -> dict[str, Any]:
        """Export what matches, and publish it if it differs from what is there.

        :param context: Airflow's task context.
        :returns: the summary, see the class.
        :raises FastLabelInvalidException: the project does not exist or has no images, or an argument rendered to what
            cannot be meant.
        :raises ValueError: no task matches.
        :raises OddPlaceError: ``output``, or a folder needed beside it, is a link that leads nowhere, no folder, the
            root or a mount point. A link to a folder is followed once, at the start.
        :raises DamagedFileError: the manifest or the class lock there is not as an export writes it.
        :raises FileExistsError: ``output`` holds files that are no earlier export.
        :raises PublishedOtherwiseError: ``output`` holds versions and is to be published in place, or the reverse.
        :raises OvertakenError: another export has published to ``output`` meanwhile; what it has published stays.
        :raises FileNotFoundError: the bucket of ``output`` does not exist; none is created.
        :raises OSError: the disk is full, or the output cannot be written; what was published before stays.
        """
        from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
        from airflow_provider_fastlabel.pipelines.exports.publish import prepare
        from airflow_provider_fastlabel.pipelines.exports.result import result_of, say_result
        from airflow_provider_fastlabel.utils.dataset_tab import readable
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        with self.working(context):
            target = real_place(storage_path("output", self.output_path, self.output_conn_id))
            self.show_links(context, **facts_of_output(target, self.output_path))
            self._filters()  # a wrong argument is named before any call
            report, published = self._export(prepare(target, self.publish, self.keep_versions)).run()
        summary = readable(
            result_of(shown_place(self.output_path), self.format, report, published), self.output_conn_id
        )
        if published.path:
            self.show_links(context, **facts_of_output(target / published.path, summary["path"]))
        say_result(summary)
        self._summary = summary
        self._tell(summary, context, target)
        return summary

    def what_stays(self) -> str:
        """Say what a call that failed leaves behind; see the base class."""
        return "Nothing was published; what was there before stays."

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the project to the data set; a failed export has published nothing."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        source = project_place(self.client, self.project)
        if not complete:
            return Edge([source])
        done = self._summary
        written = storage_place(
            self.output_path, version=done["sha256"], rows=done["images"], files=done["files"], classes=done["classes"]
        )
        return Edge([source], [written])

    def _export(self, destination: Destination) -> Export:
        """Return the export that the rendered arguments ask for."""
        from airflow_provider_fastlabel.pipelines.exports.run import Export

        return Export.in_format(
            self.dataset_format(),
            client=self.client,
            destination=destination,
            filters=self._filters(),
            write=self.write,
            allow_empty=self.allow_empty,
            workers=self.max_workers,
            keep_renamed=self.keep_renamed,
        )

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

    def _tell(self, summary: Mapping[str, Any], context: Context, target: Any) -> None:
        if self.emit == "changed" and not summary["changed"] and context["ti"].try_number == 1:
            silence_outlets(self)
            return
        told = ("output", "path", "format", "images", "annotations_in", "annotations", "files", "sha256", "changed")
        facts = {**{name: summary[name] for name in told}, "version": summary["sha256"][:VERSION_LENGTH]}
        tell_outlets(self, context, facts, storage_uri(target))
