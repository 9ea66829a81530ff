"""Imports that run on FastLabel's side: from a bucket, or from an uploaded zip; and their histories."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.arguments import paging, required, texts
from airflow_provider_fastlabel.client.exceptions import OutcomeUnknown
from airflow_provider_fastlabel.client.http.paging import iterate
from airflow_provider_fastlabel.client.http.shapes import a_list, a_thing, an_object, perhaps
from airflow_provider_fastlabel.client.resources.resource import Resource, present, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_fastlabel.client.types import ImportHistory

PAGE_MAXIMUM = 1000


class ImportResource(Resource):
    """Import histories, and what the calls that start an import share."""

    def find_history(self, history_id: str) -> ImportHistory:
        """Return an import history by its id.

        :param history_id: id of the history.
        :raises NotFound: if there is none.
        """
        return self._transport.get(f"tasks/import/histories/{segment(history_id)}", shape=an_object)

    def get_histories(self, project: str, offset: int | None = None, limit: int | None = 100) -> list[ImportHistory]:
        """Return a page of a project's import histories.

        :param project: slug of the project.
        :param offset: position of the first history, from 0.
        :param limit: histories per page, at most 1000.
        """
        query = required(project=project) | present(paging(offset, limit, PAGE_MAXIMUM))
        return self._transport.get("tasks/import/histories", query, shape=a_list)

    def iter_histories(self, project: str) -> Iterator[ImportHistory]:
        """Yield all import histories of a project, page by page, each once.

        :param project: slug of the project.
        """
        return iterate(
            "tasks/import/histories", lambda offset, limit: self.get_histories(project, offset, limit), PAGE_MAXIMUM
        )

    def _started_import(self, project: str) -> Callable[[Callable[[object], bool]], ImportHistory]:
        """Return how to settle the lost answer to a call that starts an import.

        A history that is not older than the call, and the only such one, is the one this call started. If there is
        none, the request may still be on its way, and a second one could import everything twice: then, and when there
        are several, nobody can tell.
        """

        def settle(is_ours: Callable[[object], bool]) -> ImportHistory:
            new = [history for history in self.iter_histories(project) if is_ours(history.get("createdAt"))]
            if len(new) == 1:
                return new[0]
            raise OutcomeUnknown(
                f"The answer to the import into project {project!r} was lost, and {len(new)} imports began since then. "
                "Look at get_histories() and the project before starting it again."
            )

        return settle


class Imports(ImportResource):
    """Import of tasks from a bucket of AWS S3."""

    def update_aws_s3_storage(
        self, project: str, bucket_name: str, bucket_region: str, prefix: str | None = None
    ) -> str:
        """Connect a project with a bucket, or replace the connection. The role for FastLabel must exist in AWS.

        :param project: slug of the project.
        :param bucket_name: name of the bucket.
        :param bucket_region: e.g. ``ap-northeast-1``.
        :param prefix: connect only this folder of the bucket.
        """
        required(project=project, bucket_name=bucket_name, bucket_region=bucket_region)
        body = {"bucketName": bucket_name, "bucketRegion": bucket_region} | present({"prefix": prefix})
        return self._transport.put(f"storages/aws-s3/{segment(project)}", body)

    def create_task_from_aws_s3(
        self, project: str, status: str = "registered", tags: Sequence[str] | None = None, priority: int = 0
    ) -> ImportHistory:
        """Start the import of all files of the connected bucket as tasks.

        :param project: slug of an image, video, audio or text project.
        :param status: status of the new tasks.
        :param tags: tags of the new tasks.
        :param priority: 0 none, 10 low, 20 medium, 30 high.
        :returns: the import history, first ``running``, at last ``completed``; ask with ``find_history``.
        :raises OutcomeUnknown: if the answer was lost and the histories do not tell what became of it.
        """
        body = required(project=project)
        body |= {"status": status, "tags": texts("tags", tags) or [], "priority": priority}
        return self._transport.post("tasks/aws-s3", body, settle=self._started_import(project), shape=a_thing)

    def get_aws_s3_import_status_by_project(self, project: str) -> ImportHistory:
        """Return the state of the last import of a project from its bucket.

        :param project: slug of the project.
        """
        return self._transport.get(f"tasks/import/status/aws-s3/{segment(project)}", shape=perhaps(an_object))
