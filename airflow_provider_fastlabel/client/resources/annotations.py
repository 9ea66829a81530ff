"""Annotation classes: what may be labelled in a project."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import items, optional, paging, required
from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.client.http.paging import exactly, iterate
from airflow_provider_fastlabel.client.http.settling import require_ours
from airflow_provider_fastlabel.client.http.shapes import a_list, an_id, an_object, needed, unexpected
from airflow_provider_fastlabel.client.resources.resource import Resource, present, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.client.types import AnnotationClass

PAGE_MAXIMUM = 1000
CLASSIFICATION = "classification"
"""The value of the one class of a classification project."""


class AnnotationClasses(Resource):
    """Calls on annotation classes.

    ``attributes`` are definitions ``{"type": ..., "name": ..., "key": ...}``; those of type ``select``, ``radio`` and
    ``checkbox`` have ``options``, a list of ``{"title": ..., "value": ...}``. In updates each carries its ``id``, as
    read.
    """

    def find_annotation(self, annotation_id: str) -> AnnotationClass:
        """Return a class by its id.

        :param annotation_id: id of the class.
        :raises NotFound: if there is none.
        """
        return self._transport.get(f"annotations/{segment(annotation_id)}", shape=an_object)

    def find_annotation_by_value(self, project: str, value: str) -> AnnotationClass | None:
        """Return the class of exactly this value, or ``None``.

        :param project: slug of the project.
        :param value: in a classification project always ``classification``.
        """
        page = self.get_annotations(project, required(value=value)["value"])
        return exactly("annotations", "value", value, page, lambda: self.iter_annotations(project, value))

    def get_annotations(
        self, project: str, value: str | None = None, offset: int | None = None, limit: int | None = 10
    ) -> list[AnnotationClass]:
        """Return a page of a project's classes.

        :param project: slug of the project.
        :param value: keep the class of this value.
        :param offset: position of the first class, from 0.
        :param limit: classes per page, at most 1000.
        """
        filters = present({**optional(value=value), **paging(offset, limit, PAGE_MAXIMUM)})
        return self._transport.get("annotations", required(project=project) | filters, shape=a_list)

    def iter_annotations(self, project: str, value: str | None = None) -> Iterator[AnnotationClass]:
        """Yield all classes of a project, page by page, each once.

        :param project: slug of the project.
        :param value: keep the class of this value.
        """
        for each in iterate(
            "annotations", lambda offset, limit: self.get_annotations(project, value, offset, limit), PAGE_MAXIMUM
        ):
            what = f"class {each['id']} of project {project}"
            for key in ("value", "type"):
                needed(each, key, what)
            for attribute in each.get("attributes") or ():
                if not isinstance(attribute, dict):
                    raise unexpected("GET annotations", f"{what}, whose attributes are no objects")
                needed(attribute, "key", f"an attribute of {what}")
            yield each

    def create_annotation(
        self,
        project: str,
        type: str,
        value: str,
        title: str,
        color: str | None = None,
        order: int | None = None,
        attributes: Sequence[Mapping[str, Any]] | None = None,
        max_area_count: int | None = 0,
    ) -> str:
        """Create a class.

        :param project: slug of the project.
        :param type: ``bbox``, ``polygon``, ``keypoint``, ``line``, ``segmentation``, ...
        :param value: unique in the project; letters, digits and underscore.
        :param title: shown to people.
        :param color: ``#rrggbb``; chosen by FastLabel if not given.
        :param order: position among the classes, from 1.
        :param attributes: ``{"type": ..., "name": ..., "key": ...}`` definitions; those of type ``select``, ``radio``
            and ``checkbox`` have ``options``, a list of ``{"title": ..., "value": ...}``.
        :param max_area_count: regions a segmentation may have, 1 to 1000; ``None`` for any number, 0 leaves it to
            FastLabel (1).
        :returns: the id of the class.
        :raises Conflict: if the value is taken.
        """
        body = required(project=project, type=type, value=value, title=title)
        optional = {"color": color, "order": order, "attributes": items("attributes", attributes)}
        body |= present(optional) | _max_areas(max_area_count)
        return self._transport.post("annotations", body, settle=self._by_value(project, value), shape=an_id)

    def create_classification_annotation(self, project: str, attributes: Sequence[Mapping[str, Any]]) -> str:
        """Create the one class of a classification project.

        :param project: slug of the project.
        :param attributes: as in :meth:`create_annotation`.
        :returns: the id of the class.
        """
        body = required(project=project) | {"attributes": items("attributes", attributes)}
        settle = self._by_value(project, CLASSIFICATION)
        return self._transport.post("annotations/classification", body, settle=settle, shape=an_id)

    def update_annotation(
        self,
        annotation_id: str,
        value: str | None = None,
        title: str | None = None,
        color: str | None = None,
        order: int | None = None,
        attributes: Sequence[Mapping[str, Any]] | None = None,
        max_area_count: int | None = 0,
    ) -> str:
        """Update a class; what is not given, or empty, stays. Parameters as in :meth:`create_annotation`.

        :param annotation_id: id of the class.
        :param attributes: each with its ``id``, as read.
        :returns: the id of the class.
        """
        fields = {"value": value, "title": title, "color": color, "order": order}
        body = present(fields | {"attributes": items("attributes", attributes)}) | _max_areas(max_area_count)
        return self._transport.put(f"annotations/{segment(annotation_id)}", body)

    def update_classification_annotation(
        self,
        annotation_id: str | None = None,
        attributes: Sequence[Mapping[str, Any]] | None = None,
        *,
        project: str | None = None,
    ) -> str:
        """Update the one class of a classification project.

        :param annotation_id: id of the class; or else
        :param attributes: each with its ``id``, as read.
        :param project: slug of the project, as FastLabel's README once wrote it.
        :returns: the id of the class.
        :raises NotFound: if the project has no such class.
        """
        if annotation_id is None:
            if project is None:
                raise TypeError("update_classification_annotation() needs annotation_id or project")
            found = self.find_annotation_by_value(project, CLASSIFICATION)
            if found is None:
                raise NotFound(f"Project {project!r} has no classification class. Create it first.", 404)
            annotation_id = found["id"]
        body = {"attributes": items("attributes", attributes) or []}
        return self._transport.put(f"annotations/classification/{segment(annotation_id)}", body)

    def delete_annotation(self, annotation_id: str) -> None:
        """Delete a class.

        :param annotation_id: id of the class.
        :raises NotFound: if there is none.
        """
        self._transport.delete(f"annotations/{segment(annotation_id)}")

    def _by_value(self, project: str, value: str) -> Callable[[Callable[[object], bool]], str | None]:
        def settle(is_ours: Callable[[object], bool]) -> str | None:
            found = self.find_annotation_by_value(project, value)
            if found is None:
                return None
            require_ours(f"class {value!r} in project {project!r} (id {found['id']})", found, is_ours)
            return found["id"]

        return settle


def _max_areas(count: int | None) -> dict[str, Any]:
    """Return the limit of regions as FastLabel takes it: ``null`` means none, absence means it stays."""
    return {} if count == 0 else {"maxAreaCount": count}
