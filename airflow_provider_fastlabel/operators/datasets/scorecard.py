"""Counts what people have made of pre-annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.formats import AnnotationsFormat  # noqa: TC001 (arguments are checked by it)
from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import TO_NOTHING, is_nothing, refused, require_rendered, task_status
from airflow_provider_fastlabel.utils.asset_events import storage_uri, tell_outlets
from airflow_provider_fastlabel.utils.checked_arguments import holds_reference
from airflow_provider_fastlabel.utils.links import PROJECT, PUBLISHED, TASKS, facts_of_output
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.reviews.scorecard import Scorecard
    from airflow_provider_fastlabel.pipelines.reviews.scoring import Prelabels
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links

__all__ = ["FastLabelScorecardOperator"]

_MOST_VERSIONS = 20


class FastLabelScorecardOperator(FastLabelBaseOperator):
    """Count what people have made of pre-annotations: what they kept, moved, reclassed, deleted, and added.

    What was imported is held against what is there now, picture by picture, for each version of the model and each
    class. An object is kept if its class is the same and the box around it is, to a pixel; moved if that box is
    another; reclassed if it has another class. What overlaps by less than half is another object: the one is deleted,
    the other added. Pictures that are not there, or whose tasks have not come to the status, are counted and named.
    FastLabel is only read.

    Pushes ``{"status", "versions", "unread", "output", "markdown"}``: of each version the counts ``preannotated``,
    which is ``kept`` and ``moved`` and ``reclassed`` and ``deleted`` together, ``added``, ``waiting``, ``missing``,
    ``unread``, and the same of ``pictures``; how many labels of people cannot be compared; and a short text for the
    ``body`` of an approval or for a comment, which the log shows too. Assets in ``outlets`` get the counts.

    With ``output`` two files are written there: ``scorecard.json`` with all counts by class, and ``scorecard.md`` with
    the text.

    :param prelabels: what was imported: the name of each version of the model, and the place of its annotations: the
        COCO file, or for other formats the folder of the annotation files. Local paths on the worker, or URLs of an
        object store. Templated, but for the names.
    :param project: slug of the project. Give it or ``dataset``. Templated.
    :param dataset: the ``output`` of an export, to compare with instead of a project. Templated.
    :param status: only tasks of this status, of a project; ``None`` for any. Templated.
    :param annotations_format: of the pre-annotations: ``coco``, ``yolo``, ``pascalvoc``, ``labelme`` or ``masks``.
    :param annotations_arguments: further arguments of the format's reader, as for the import.
    :param folder: the pictures with which they were imported, for other formats than COCO, and where there is a COCO
        file in each of several folders. Templated.
    :param source_conn_id: Airflow connection of the object store of ``prelabels`` and ``folder``. Templated.
    :param dataset_conn_id: Airflow connection of the object store of ``dataset``. Templated.
    :param output: folder for the files: local path on the worker, or URL of an object store that Airflow knows
        (``s3://bucket/prefix``), whose bucket must exist. ``None`` to write none. Templated.
    :param output_conn_id: Airflow connection of the object store of ``output``. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "prelabels",
        "project",
        "dataset",
        "status",
        "folder",
        "source_conn_id",
        "dataset_conn_id",
        "output_path",
        "output_conn_id",
    )
    operator_extra_links: Links = (PROJECT, TASKS, PUBLISHED)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "status": "status"}
    renamed: ClassVar[Mapping[str, str]] = {"output": "output_path"}
    ui_color = "#e6f4e1"

    def __init__(
        self,
        *,
        prelabels: Mapping[str, str],
        project: str | None = None,
        dataset: str | None = None,
        status: str | None = "approved",
        annotations_format: AnnotationsFormat = "coco",
        annotations_arguments: Mapping[str, Any] | None = None,
        folder: str | None = None,
        source_conn_id: str | None = None,
        dataset_conn_id: str | None = None,
        output: str | None = None,
        output_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (project is None) == (dataset is None):
            raise refused("Give project or dataset, one of them.")
        if annotations_format != "coco" and folder is None:
            raise refused(f"annotations_format {annotations_format!r} needs folder, the pictures of the import.")
        if not holds_reference(prelabels):
            self._check_versions(prelabels)
        self.prelabels = prelabels
        self.project = project
        self.dataset = dataset
        self.status = status
        self.annotations_format: AnnotationsFormat = annotations_format
        self.annotations_arguments = annotations_arguments
        self.folder = folder
        self.source_conn_id = source_conn_id
        self.dataset_conn_id = dataset_conn_id
        self.output_path = output
        self.output_conn_id = output_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read, count and write.

        :param context: Airflow's task context.
        :returns: the summary, see the class.
        :raises FastLabelInvalidException: an argument rendered to what cannot be meant, the project does not exist or
            is not one of pictures, pre-annotations cannot be read, or no labels can be read back from the data set.
        :raises FileNotFoundError: there is no data set at ``dataset``, or the bucket of ``output`` does not exist.
        :raises DamagedFileError: the data set's manifest is not as an export writes it.
        :raises OSError: the data set cannot be read, or ``output`` cannot be written.
        """
        from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
        from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        with self.working(context):
            output = self.output_path and storage_path("output", self.output_path, self.output_conn_id)
            if output:
                output = real_place(output)
                refuse_missing_bucket(output, "output")
                self.show_links(context, **facts_of_output(output, str(self.output_path)))
            card = self._score(self._prelabels(), output or None)
        text, counts = card.markdown(), card.counts()
        self.log.info("Scorecard:\n%s", text)
        tell_outlets(self, context, counts, storage_uri(output) if output else None)
        return {**counts, "output": shown_place(self.output_path) if self.output_path else None, "markdown": text}

    def _score(self, prelabels: Prelabels, output: Any) -> Scorecard:
        """Hold the pre-annotations against the project or the data set."""
        from airflow_provider_fastlabel.pipelines.reviews.scoring import score_dataset, score_project
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        if self.dataset is not None:
            return score_dataset(storage_path("dataset", self.dataset, self.dataset_conn_id), prelabels, output=output)
        require_rendered("project", self.project, "No scorecard was made.")
        status = task_status("status", self.status)
        return score_project(self.client, str(self.project), prelabels, status=status, output=output)

    def _prelabels(self) -> Prelabels:
        """Open the places of the pre-annotations, as they rendered."""
        from airflow_provider_fastlabel.pipelines.reviews.scoring import Prelabels
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        self._check_versions(self.prelabels)
        return Prelabels(
            places={
                version: storage_path(f"prelabels[{version!r}]", place, self.source_conn_id)
                for version, place in self.prelabels.items()
            },
            form=self.annotations_format,
            folder=None if self.folder is None else storage_path("folder", self.folder, self.source_conn_id),
            arguments=self.annotations_arguments or {},
        )

    @staticmethod
    def _check_versions(value: Any) -> None:
        """Refuse what is no dictionary of versions and places."""
        if not isinstance(value, Mapping) or not 0 < len(value) <= _MOST_VERSIONS:
            raise refused(
                f"prelabels must be a dictionary of 1 to {_MOST_VERSIONS} versions and their places, not "
                f"{shortened(value)}. No scorecard was made."
            )
        for version, place in value.items():
            for what, text in (("the name of a version", version), (f"the place of {version!r}", place)):
                if not isinstance(text, str) or is_nothing(text):
                    raise refused(f"prelabels: {what} must be a text, not {text!r}; {TO_NOTHING}.")

    def what_stays(self) -> str:
        """Say what a call that failed leaves behind; see the base class."""
        return "No scorecard was made; one that was there before stays."

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the labels and the pre-annotations to what was written."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        labels = storage_place(self.dataset) if self.dataset else project_place(self.client, str(self.project))
        read = [labels, *map(storage_place, self.prelabels.values())]
        return Edge(read, [storage_place(self.output_path)]) if complete and self.output_path else Edge(read)
