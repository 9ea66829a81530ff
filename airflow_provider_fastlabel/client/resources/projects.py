"""Projects."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.arguments import optional, paging, required
from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.client.http.paging import exactly, iterate
from airflow_provider_fastlabel.client.http.settling import require_ours
from airflow_provider_fastlabel.client.http.shapes import a_list, a_map, an_id, an_object, needed
from airflow_provider_fastlabel.client.kinds import kind_of_project_type
from airflow_provider_fastlabel.client.resources.resource import Resource, present, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_fastlabel.client.kinds import Kind
    from airflow_provider_fastlabel.client.types import Project

PAGE_MAXIMUM = 1000


class Projects(Resource):
    """Calls on projects."""

    def find_project(self, project_id: str) -> Project:
        """Return a project by its id.

        :param project_id: id of the project.
        :raises NotFound: if there is none.
        """
        return self._transport.get(f"projects/{segment(project_id)}", shape=an_object)

    def find_project_by_slug(self, slug: str) -> Project | None:
        """Return the project of exactly this slug, or ``None``.

        :param slug: slug of the project.
        """
        page = self.get_projects(required(slug=slug)["slug"])
        return exactly("projects", "slug", slug, page, lambda: self.iter_projects(slug))

    def kind_of_project(self, slug: str) -> Kind:
        """Return the kind of a project's tasks; its ``name`` is for example ``image`` or ``video_classification``.

        :param slug: slug of the project.
        :raises NotFound: if there is none.
        """
        project = self.find_project_by_slug(slug)
        if project is None:
            raise NotFound(
                f"There is no project with the slug {slug!r}. Check the slug, and the token's workspace.", 404
            )
        return kind_of_project_type(needed(project, "type", f"project {slug}"))

    def get_projects(
        self, slug: str | None = None, offset: int | None = None, limit: int | None = 100
    ) -> list[Project]:
        """Return a page of the workspace's projects.

        :param slug: keep the project of this slug.
        :param offset: position of the first project, from 0.
        :param limit: projects per page, at most 1000.
        """
        return self._transport.get(
            "projects", present({**optional(slug=slug), **paging(offset, limit, PAGE_MAXIMUM)}), shape=a_list
        )

    def iter_projects(self, slug: str | None = None) -> Iterator[Project]:
        """Yield all projects, page by page, each once.

        :param slug: keep the project of this slug.
        """
        return iterate("projects", lambda offset, limit: self.get_projects(slug, offset, limit), PAGE_MAXIMUM)

    def get_project_id_slug_map(self, offset: int | None = None, limit: int | None = PAGE_MAXIMUM) -> dict[str, str]:
        """Return a page of the slugs of projects by their ids.

        :param offset: position of the first project, from 0.
        :param limit: projects per page, at most 1000.
        """
        return self._transport.get("projects/map/id-slug", present(paging(offset, limit, PAGE_MAXIMUM)), shape=a_map)

    def iter_project_id_slug_map(self) -> Iterator[tuple[str, str]]:
        """Yield the id and slug of all projects, page by page, each once."""

        def page(offset: int, limit: int) -> list[tuple[str, str]]:
            return list(self.get_project_id_slug_map(offset, limit).items())

        return iterate("projects/map/id-slug", page, PAGE_MAXIMUM, key=0)

    def create_project(
        self,
        type: str,
        name: str,
        slug: str,
        is_pixel: bool = False,
        job_size: int = 10,
        workflow: str = "two_step",
        external_workflow: str = "two_step",
    ) -> str:
        """Create a project.

        :param type: what is labelled and how, e.g. ``image_bbox``.
        :param name: shown to people.
        :param slug: short name in addresses, unique in the workspace.
        :param is_pixel: whether annotations are made of whole pixels.
        :param job_size: tasks handed to one person at a time.
        :param workflow: ``two_step`` (annotate, approve) or ``three_step`` (annotate, review, approve).
        :param external_workflow: the same for people outside of the workspace.
        :returns: the id of the project.
        :raises Conflict: if the slug is taken.
        """
        body = required(type=type, name=name, slug=slug)
        body |= {"workflow": workflow, "externalWorkflow": external_workflow}
        body |= present({"isPixel": is_pixel, "jobSize": job_size})
        return self._transport.post("projects", body, settle=self._by_slug(slug), shape=an_id)

    def update_project(
        self,
        project_id: str,
        name: str | None = None,
        slug: str | None = None,
        job_size: int | None = None,
        workflow: str | None = None,
        external_workflow: str | None = None,
    ) -> str:
        """Update a project; what is not given stays. Parameters as in :meth:`create_project`.

        :param project_id: id of the project.
        :returns: the id of the project.
        """
        fields = {"name": name, "slug": slug, "jobSize": job_size, "workflow": workflow}
        body = present(fields | {"externalWorkflow": external_workflow})
        return self._transport.put(f"projects/{segment(project_id)}", body)

    def delete_project(self, project_id: str) -> None:
        """Delete a project with all its tasks.

        :param project_id: id of the project.
        :raises NotFound: if there is none.
        """
        self._transport.delete(f"projects/{segment(project_id)}")

    def copy_project(self, project_id: str, project_name: str | None = None, project_slug: str | None = None) -> str:
        """Copy a project's settings and classes, without its tasks.

        :param project_id: id of the project.
        :param project_name: name of the copy; chosen by FastLabel if not given.
        :param project_slug: slug of the copy; chosen by FastLabel if not given.
        :returns: the id of the copy.
        :raises OutcomeUnknown: if the answer was lost and no slug was given to look the copy up by.
        """
        required(project_id=project_id)
        body = {"id": project_id} | present({"name": project_name, "slug": project_slug})
        settle = self._by_slug(project_slug) if project_slug else None
        return self._transport.post("projects/copy", body, settle=settle)

    def update_project_metadata(
        self,
        project_id: str,
        external_code_1: str | None,
        external_code_2: str | None,
        external_code_3: str | None,
    ) -> str:
        """Set the three external codes of a project; ``None`` clears one.

        :param project_id: id of the project.
        :param external_code_1: first code.
        :param external_code_2: second code.
        :param external_code_3: third code.
        :returns: the id of the metadata.
        """
        codes = (external_code_1, external_code_2, external_code_3)
        body = {f"externalCode{number}": code for number, code in enumerate(codes, start=1)}
        return self._transport.put(f"projects/{segment(project_id)}/metadata", body)

    def update_project_user_permission(self, project: str, email: str, role: str) -> bool:
        """Give a person a role in a project.

        :param project: slug of the project.
        :param email: email address of the person.
        :param role: ``annotator``, ``reviewer``, ``owner``, ``external_annotator``, ``external_reviewer``,
            ``external_approver``, ``external_sub_owner``, ``external_owner``, or ``none`` to remove the person.
        """
        return self._transport.put("projects-users", required(project=project, email=email, role=role))

    def _by_slug(self, slug: str) -> Callable[[Callable[[object], bool]], str | None]:
        def settle(is_ours: Callable[[object], bool]) -> str | None:
            found = self.find_project_by_slug(slug)
            if found is None:
                return None
            require_ours(f"project {slug!r} (id {found['id']})", found, is_ours)
            return found["id"]

        return settle
