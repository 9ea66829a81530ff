"""Contents of robotics tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.resources.resource import Resource
from airflow_provider_fastlabel.client.resources.zips import upload_zip

if TYPE_CHECKING:
    import os


class RoboticsContents(Resource):
    """The import of contents into robotics tasks."""

    def import_robotics_contents_file(self, project: str, file_path: str | os.PathLike[str]) -> Any:
        """Import the clips and telemetry of an episode from a zip. The zip bears the name of its task.

        :param project: slug of a robotics project.
        :param file_path: the zip. It is read while it is sent, of any size.
        :returns: what FastLabel answers.
        :raises FastLabelInvalidException: (422) if it is no zip, or cannot be read.
        :raises OutcomeUnknown: the answer was lost; look at the task's ``contents`` before importing again.
        """
        body = {"project": project, "fileKey": upload_zip(self._transport, project, file_path)}
        return self._transport.post("contents/imports/robotics-contents/batch", body)
