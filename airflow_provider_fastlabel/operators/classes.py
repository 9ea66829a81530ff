"""Creates the annotation classes that a data set needs, so that it can be imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.formats import AnnotationsFormat  # noqa: TC001 (arguments are checked by it)
from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.utils.numbers import FAILURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.imports import Destination
    from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.numbers import Number

__all__ = ["FastLabelCreateClassesFromDatasetOperator"]


class FastLabelCreateClassesFromDatasetOperator(FastLabelBaseOperator):
    """Create the classes and attributes that a project lacks for a data set; run again, it writes nothing.

    The data set is read as :class:`.FastLabelCreateTasksFromFolderOperator` reads it: give both the same arguments, and
    the import finds every class and attribute that it asks for. A class gets the type that the import would give its
    annotations; a class without annotations is not created. An attribute becomes a switch where all values are true or
    false, else a text. What a format or tool notes of itself (``truncated``, ``iscrowd``, ``occluded`` ...) does not
    become one. Nothing that exists is changed or deleted, but for attributes that are added.

    Everything is checked before the first write, and one error names all of it: values that FastLabel does not take,
    types that differ from those of the project, attributes without the option that an annotation has. FastLabel's API
    cannot set the keypoints of pose classes: a pose class that is missing, or lacks keypoints, is refused with their
    keys, for a person to make it on FastLabel's screens.

    Returns ``{"project", "classes", "classes_created", "classes_updated", "annotations", "attributes_left_out",
    "links_left_out", "counts"}``: how many classes the data set has, the values of those created and of those that got
    attributes, the numbers of annotations read and, by reason, lost, how many annotations have an attribute that nobody
    asked for, and how many links out of the folder were left out.
    Of the lists the first 100 entries are returned; ``counts`` says how long each is.

    :param project: slug of the project, which must exist. Templated.
    :param folder: the pictures: local path on the worker, or URL of an object store that Airflow knows
        (``s3://bucket/prefix``). Templated.
    :param annotations_format: ``coco``, ``yolo``, ``pascalvoc``, ``labelme`` or ``masks``.
    :param annotations_path: where the annotation files are: the COCO file, or the folder of the others; by default
        beside the pictures. Templated.
    :param annotations_arguments: further arguments of the format's reader.
    :param pattern: glob that the path relative to ``folder`` must match; ``**`` crosses folders. Templated.
    :param source_conn_id: Airflow connection of the object store; also for ``annotations_path`` where it is a URL.
        Templated.
    :param max_failures: how many pictures may have annotations that cannot be read, whose classes nobody knows. By
        default none.
    :param follow_links: whether links that lead out of ``folder``, or out of ``annotations_path``, are followed; as for
        the import.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "folder",
        "annotations_path",
        "pattern",
        "source_conn_id",
        "max_failures",
    )
    numbers: ClassVar[Mapping[str, Number]] = {"max_failures": FAILURES}

    def __init__(
        self,
        *,
        project: str,
        folder: str,
        annotations_format: AnnotationsFormat,
        annotations_path: str | None = None,
        annotations_arguments: Mapping[str, Any] | None = None,
        pattern: str = "**/*",
        source_conn_id: str | None = None,
        max_failures: int | str | None = None,
        follow_links: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.folder = folder
        self.annotations_format: AnnotationsFormat = annotations_format
        self.annotations_path = annotations_path
        self.annotations_arguments = annotations_arguments
        self.pattern = pattern
        self.source_conn_id = source_conn_id
        self.max_failures: Any = max_failures
        self.follow_links = follow_links

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the data set, compare it with the project, then create what is missing.

        :raises FastLabelInvalidException: an argument rendered to what cannot be meant; nothing was created.
        :raises ImportRefused: the data set cannot be read, or needs what no call can create; nothing was created.
        """
        from airflow_provider_fastlabel.pipelines.imports import resolve_destination
        from airflow_provider_fastlabel.pipelines.projects.apply import write_class
        from airflow_provider_fastlabel.pipelines.projects.dataset_classes import plan_dataset_classes, refuse_losses
        from airflow_provider_fastlabel.words import firsts_and_counts, top_counts

        with self.working(context):
            into = resolve_destination(self.client, self.project)
            classes = list(self.client.iter_annotations(self.project))
            read, links = self._read(into, classes)
            with read:
                refuse_losses(read, self.max_failures)
                made = plan_dataset_classes(read.by_name.values(), into, classes)
            for change in made.changes:
                write_class(self.client, self.project, change)
        lists = {
            "classes_created": [c.definition.value for c in made.changes if c.class_id is None],
            "classes_updated": [c.definition.value for c in made.changes if c.class_id is not None],
        }
        summary = {
            "project": self.project,
            "classes": len(made.values),
            **firsts_and_counts(lists),
            "annotations": {"read": read.read, "lost": read.lost},
            "attributes_left_out": top_counts(read.settled.left_out + made.left_out),
            "links_left_out": links,
        }
        self.log.info("Classes of the data set: %s", summary)
        tell_of_project(self, context, {name: value for name, value in summary.items() if name not in lists})
        return summary

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the data set to the project."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        del complete
        return Edge([storage_place(self.folder)], [project_place(self.client, self.project)])

    def _read(self, into: Destination, classes: Sequence[Mapping[str, Any]]) -> tuple[PreAnnotations, int]:
        """Read the data set as the import does; return how many links were left out, too."""
        from airflow_provider_fastlabel.pipelines.imports import find_items
        from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        folder, path = storage_path("folder", self.folder, self.source_conn_id), self.annotations_path
        found = find_items(
            folder,
            into,
            pattern=self.pattern,
            annotated=self.annotations_format,
            follow_links=self.follow_links,
        )
        reader = Reader(
            self.annotations_format,
            folder,
            storage_path("annotations_path", path, self.source_conn_id) if path is not None else None,
            into.type,
            classes,
            self.annotations_arguments or {},
            follow_links=self.follow_links,
        )
        return reader.read(found), len(found.links)
