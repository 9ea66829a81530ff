"""Appendix data: camera images and calibrations that accompany point clouds."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import optional, paging, required, texts
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.shapes import a_list
from airflow_provider_fastlabel.client.resources.resource import Resource, present
from airflow_provider_fastlabel.client.resources.zips import upload_zip

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from airflow_provider_fastlabel.client.types import AppendixData

MAXIMUM = 10_000


class Appendix(Resource):
    """The calls on appendix data."""

    def import_appendix_file(self, project: str, file_path: str | os.PathLike[str]) -> Any:
        """Import images and calibrations from a zip of ``task name/content name.pcd/NNN.png`` and ``NNN.yaml``.

        :param project: slug of a point cloud project.
        :param file_path: the zip. It is read while it is sent, of any size.
        :returns: what FastLabel answers.
        :raises FastLabelInvalidException: (422) if it is no zip, or cannot be read.
        :raises OutcomeUnknown: the answer was lost; look with :meth:`get_appendix_data` before importing again.
        """
        file_key = upload_zip(self._transport, project, file_path)
        return self._transport.post("contents/imports/appendix/batch", {"project": project, "fileKey": file_key})

    def get_appendix_data(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
        offset: int | None = None,
        limit: int | None = MAXIMUM,
    ) -> list[AppendixData]:
        """Return the appendix data of a project.

        :param project: slug of the project.
        :param status: only of tasks with this status.
        :param external_status: only of tasks with this external status.
        :param tags: only of tasks with these tags.
        :param task_name: only of this task.
        :param offset: position of the first entry, from 0.
        :param limit: entries per call, at most 10,000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        optional(status=status, external_status=external_status, task_name=task_name)
        filters = {
            "status": status,
            "externalStatus": external_status,
            "tags": texts("tags", tags),
            "taskName": task_name,
            **paging(offset, limit, MAXIMUM),
        }
        return self._transport.get(
            "contents/export/appendix", required(project=project) | present(filters), shape=a_list
        )

    def iter_appendix_data(
        self,
        project: str,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        task_name: str | None = None,
    ) -> Iterator[AppendixData]:
        """Yield all appendix data of a project. Parameters as in :meth:`get_appendix_data`."""
        names = texts("tags", tags)
        return iterate(
            "contents/export/appendix",
            lambda offset, limit: self.get_appendix_data(
                project, status, external_status, names, task_name, offset, limit
            ),
            MAXIMUM,
        )

    def get_task_appendix_data(
        self, project: str, task_name: str | None = None, offset: int | None = None, limit: int | None = MAXIMUM
    ) -> list[AppendixData]:
        """Return the appendix data of tasks; ``name`` of an entry is ``task/content/file``.

        :param project: slug of the project.
        :param task_name: only of this task.
        :param offset: position of the first entry, from 0.
        :param limit: entries per call, at most 10,000.
        :raises FastLabelInvalidException: (422) if ``limit`` is larger.
        """
        optional(task_name=task_name)
        filters = present({"taskName": task_name, **paging(offset, limit, MAXIMUM)})
        return self._transport.get("tasks/appendix", required(project=project) | filters, shape=a_list)

    def iter_task_appendix_data(self, project: str, task_name: str | None = None) -> Iterator[AppendixData]:
        """Yield all appendix data of tasks. Parameters as in :meth:`get_task_appendix_data`."""
        return iterate(
            "tasks/appendix",
            lambda offset, limit: self.get_task_appendix_data(project, task_name, offset, limit),
            MAXIMUM,
        )
