"""Zip files, which FastLabel takes at a signed address before the call that names them (reference 1.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.arguments import required
from airflow_provider_fastlabel.client.checks.media import checked_zip
from airflow_provider_fastlabel.client.exceptions import FastLabelException
from airflow_provider_fastlabel.client.http.shapes import an_object
from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    import os

    from airflow_provider_fastlabel.client.http.transport import Transport

ZIP_TYPE = "application/zip"


def upload_zip(transport: Transport, project: str, file_path: str | os.PathLike[str]) -> str:
    """Upload a zip as it is, in flat memory, and return the key by which further calls name it.

    :param transport: the transport to the API.
    :param project: slug of the project it is for.
    :param file_path: the zip.
    :returns: the file key.
    :raises FastLabelInvalidException: (422) if the project is empty, or the file is no ``.zip``, is empty or cannot be
        read; nothing was sent then.
    :raises FastLabelException: if the store does not take it, or FastLabel names no place for it.
    """
    query = required(project=project)
    path = checked_zip(file_path, "this import").path
    place = transport.get("files", {**query, "fileName": path.name, "fileType": ZIP_TYPE}, shape=an_object)
    if not place.get("url") or not place.get("name"):
        raise FastLabelException(
            f"FastLabel named no place to upload {foreign_text(path.name)} to. Nothing was uploaded; try again."
        )
    transport.upload(place["url"], path, ZIP_TYPE)
    key: str = place["name"]
    return key
