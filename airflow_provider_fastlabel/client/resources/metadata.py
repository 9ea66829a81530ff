"""Metadata fields that tasks may carry."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.arguments import paging
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.shapes import a_list
from airflow_provider_fastlabel.client.resources.resource import Resource, present

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_fastlabel.client.types import MetadataDefinition

MAXIMUM = 1000


class Metadata(Resource):
    """The call on metadata fields."""

    def get_metadatas(
        self, project: str | None = None, offset: int | None = None, limit: int | None = 100
    ) -> list[MetadataDefinition]:
        """Return the metadata fields that tasks may carry.

        :param project: slug of a project; those of the workspace if ``None``.
        :param offset: position of the first field, from 0.
        :param limit: fields per call, at most 1000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        params = {"project": project, **present(paging(offset, limit, MAXIMUM))}
        return self._transport.get("metadatas", params, shape=a_list)

    def iter_metadatas(self, project: str | None = None) -> Iterator[MetadataDefinition]:
        """Yield all metadata fields.

        :param project: slug of a project; those of the workspace if ``None``.
        """
        return iterate("metadatas", lambda offset, limit: self.get_metadatas(project, offset, limit), MAXIMUM)
