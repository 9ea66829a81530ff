"""Metadata of tasks and projects, rights in a project, and the map of project ids."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.paging import iterate
from airflow_provider_fastlabel.client.resource import Resource, present, segment, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_fastlabel.client.types import MetadataDefinition

MAXIMUM = 1000


class Metadata(Resource):
    """The calls on metadata and on the settings of a project that are not part of it."""

    def get_metadatas(
        self, project: str | None = None, offset: int | None = None, limit: int | None = 100
    ) -> list[MetadataDefinition]:
        """Return the metadata fields that tasks may carry.

        :param project: slug of a project; those of the workspace if ``None``.
        :param offset: position of the first field, from 0.
        :param limit: fields per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        params = {"project": project, **present({"offset": offset, "limit": within(limit, MAXIMUM)})}
        return self._transport.get("metadatas", params)

    def iter_metadatas(self, project: str | None = None) -> Iterator[MetadataDefinition]:
        """Yield all metadata fields.

        :param project: slug of a project; those of the workspace if ``None``.
        """
        return iterate(lambda offset, limit: self.get_metadatas(project, offset, limit), MAXIMUM)

    def update_project_metadata(
        self,
        project_id: str,
        external_code_1: str | None,
        external_code_2: str | None,
        external_code_3: str | None,
    ) -> str:
        """Set the three external codes of a project. All three are set; ``None`` clears one.

        :param project_id: id of the project.
        :param external_code_1: first code.
        :param external_code_2: second code.
        :param external_code_3: third code.
        :return: id of the metadata.
        """
        codes = (external_code_1, external_code_2, external_code_3)
        body = {f"externalCode{number}": code for number, code in enumerate(codes, 1)}
        return self._transport.put(f"projects/{segment(project_id)}/metadata", body)

    def update_project_user_permission(self, project: str, email: str, role: str) -> bool:
        """Give a user a role in a project.

        :param project: slug of the project.
        :param email: email address of the user.
        :param role: ``annotator``, ``reviewer``, ``owner``, ``external_annotator``, ``external_reviewer``,
            ``external_approver``, ``external_sub_owner``, ``external_owner``, or ``none`` to take the user out.
        :return: whether FastLabel did so.
        """
        return self._transport.put("projects-users", {"project": project, "email": email, "role": role})

    def get_project_id_slug_map(self, offset: int | None = None, limit: int | None = 1000) -> dict[str, str]:
        """Return the slugs of projects by their ids.

        :param offset: position of the first project, from 0.
        :param limit: projects per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        params = present({"offset": offset, "limit": within(limit, MAXIMUM)})
        return self._transport.get("projects/map/id-slug", params)

    def iter_project_id_slug_map(self) -> Iterator[tuple[str, str]]:
        """Yield id and slug of all projects."""

        def page(offset: int, limit: int) -> list[tuple[str, str]]:
            return list(self.get_project_id_slug_map(offset, limit).items())

        return iterate(page, MAXIMUM, identity=lambda pair: pair[0])
