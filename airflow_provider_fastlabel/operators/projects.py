"""Makes projects: from a definition kept in git, or as a copy of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import require_rendered
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.words import firsts_and_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.projects.definition import ProjectDefinition

__all__ = ["FastLabelApplyProjectOperator", "FastLabelCopyProjectOperator"]


class FastLabelApplyProjectOperator(FastLabelBaseOperator):
    """Makes a project and its annotation classes what a definition says; run again, it writes nothing.

    What is missing is created, what differs is updated, and nothing is ever deleted: classes, attributes and options
    that are not in the definition stay, and are reported. The whole definition is checked before the first call, and
    compared with the project before the first write; an error names every entry that is wrong.

    FastLabel cannot change the type and ``is_pixel`` of a project and the type of a class or attribute: a difference
    there fails. It does not show the workflows, so these count only when the project is created. Pose keypoints can be
    set on its screens only.

    Returns ``{"project", "project_id", "created", "updated", "classes", "classes_created", "classes_updated",
    "extra", "counts"}``: whether the project was created or its own fields updated, the number of classes defined, the
    values of the classes written, and what is there beyond the definition (``class``, ``class.attribute`` or
    ``class.attribute.option``). Of the lists the first 100 entries are returned; ``counts`` says how long each is.
    A class that is renamed in the definition is another class to FastLabel: the new one is created, the earlier one
    stays with its annotations and is ``extra``, and the log says that the two may be one.

    :param definition: the definition as a dictionary, or the path or URL of a YAML or JSON file with it; the form is
        described in :mod:`~airflow_provider_fastlabel.pipelines.projects.definition`. Templated.
    :param source_conn_id: Airflow connection of the object store, where ``definition`` is a URL. Templated.
    """

    template_fields: Sequence[str] = (*FastLabelBaseOperator.template_fields, "definition", "source_conn_id")

    def __init__(
        self, *, definition: Mapping[str, Any] | str, source_conn_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.definition = definition
        self.source_conn_id = source_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Check, compare, then write what differs.

        :raises InvalidDefinitionError: the definition is wrong, or demands what FastLabel cannot change; nothing was
            sent.
        """
        from airflow_provider_fastlabel.pipelines.projects.apply import tell_extra, write_class, write_project
        from airflow_provider_fastlabel.pipelines.projects.plan import plan

        with self.working():
            definition = self._read()
            project = self.client.find_project_by_slug(definition.slug)
            if project is not None:
                self.show_links(context, project=definition.slug, project_id=str(project["id"]))
            classes = [] if project is None else list(self.client.iter_annotations(definition.slug))
            made = plan(definition, project, classes)
            project_id = write_project(self.client, made)
            self.show_links(context, project=definition.slug, project_id=project_id)
            for change in made.classes:
                write_class(self.client, definition.slug, change)
        tell_extra(definition.slug, made)
        lists = {
            "classes_created": [c.definition.value for c in made.classes if c.class_id is None],
            "classes_updated": [c.definition.value for c in made.classes if c.class_id is not None],
            "extra": list(made.extra),
        }
        summary = {
            "project": definition.slug,
            "project_id": project_id,
            "created": made.project_id is None,
            "updated": made.project_id is not None and bool(made.project_fields),
            "classes": len(definition.classes),
            **firsts_and_counts(lists),
        }
        self.log.info("Applied: %s", summary)
        told = {name: value for name, value in summary.items() if name not in lists}
        tell_of_project(self, context, told, definition.slug)
        return summary

    def _read(self) -> ProjectDefinition:
        """Read and check the definition."""
        from airflow_provider_fastlabel.pipelines.files.local_path import open_place
        from airflow_provider_fastlabel.pipelines.projects.definition import MOST_BYTES, parse_bytes, read_definition
        from airflow_provider_fastlabel.regular_files import NotRegularError
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        if not isinstance(self.definition, str):
            return read_definition(self.definition)
        path = storage_path("definition", self.definition, self.source_conn_id)
        try:
            with open_place(path) as source:
                data = source.read(MOST_BYTES + 1)
        except FileNotFoundError:
            raise ValueError(f"There is no definition file {self.definition}. Nothing was sent.") from None
        except NotRegularError as error:
            raise ValueError(
                f"The definition {self.definition} cannot be read: {error.strerror}. Nothing was sent."
            ) from None
        return read_definition(parse_bytes(data, self.definition))


class FastLabelCopyProjectOperator(FastLabelBaseOperator):
    """Copies a project's settings and annotation classes, without its tasks; a copy that exists is left as it is.

    Returns ``{"project", "project_id", "copied"}``; ``copied`` is false when the target existed.

    :param source_project: slug of the project to copy. Templated.
    :param target_project: slug of the copy; it decides whether the copy exists. Templated.
    :param name: name of the copy; chosen by FastLabel if not given. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "source_project",
        "target_project",
        "name",
    )

    link_arguments: ClassVar[Mapping[str, str]] = {"project": "target_project"}

    def __init__(self, *, source_project: str, target_project: str, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source_project = source_project
        self.target_project = target_project
        self.name = name

    def execute(self, context: Context) -> dict[str, Any]:
        """Copy the project unless the target exists.

        :raises NotFound: when there is no source.
        :raises FastLabelInvalidException: when the target is nothing or the source, or a project of another type has
            its slug.
        """
        from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound

        with self.working():
            require_rendered("target_project", self.target_project, "Nothing was sent.")
            if self.source_project == self.target_project:
                raise FastLabelInvalidException(
                    f"source_project and target_project are both {self.source_project!r}. Nothing was sent."
                )
            source = self.client.find_project_by_slug(self.source_project)
            if source is None:
                raise NotFound(f"There is no project {self.source_project!r} to copy. Check the slug.", 404)
            target = self.client.find_project_by_slug(self.target_project)
            if target is None:
                project_id = self.client.copy_project(source["id"], self.name, self.target_project)
            elif target.get("type") != source.get("type"):
                raise FastLabelInvalidException(
                    f"Project {self.target_project!r} exists and is of type {target.get('type')}, so it is no copy of "
                    f"{self.source_project!r} ({source.get('type')}). Nothing was changed; choose another "
                    "target_project."
                )
            else:
                project_id = target["id"]
            self.show_links(context, project_id=str(project_id))
        self.log.info("Project %s is %s", self.target_project, "copied" if target is None else "there already")
        summary = {"project": self.target_project, "project_id": str(project_id), "copied": target is None}
        tell_of_project(self, context, summary, self.target_project)
        return summary
