"""Reads an S3-compatible bucket."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any

from airflow_provider_fastlabel.emulator.world.errors import ApiError, invalid
from airflow_provider_fastlabel.emulator.world.files import Blob, Files
from airflow_provider_fastlabel.emulator.world.kinds import Kind
from airflow_provider_fastlabel.emulator.world.media import image_size, video_facts

_PIECE = 1024 * 1024
FAKE_KEY = "emulator"
"""Access key and secret for a server that the environment does not name together with its own keys."""


def fetch(
    storage: Mapping[str, str], endpoint: str | None, kind: Kind, files: Files, known: Collection[str]
) -> list[tuple[str, dict[str, Any]]]:
    """Copy every fitting object of a bucket and return task names with file descriptions, in key order.

    Objects of other types, over the size limit, unreadable, or whose name is already a task are left out.

    :param storage: ``bucketName``, ``bucketRegion`` and ``prefix``.
    :param endpoint: address of the S3-compatible server; ``None`` for AWS itself.
    :param kind: kind of the project's tasks.
    :param files: where the copies go.
    :param known: names of existing tasks.
    :raises ApiError: 422 when the bucket cannot be read.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = _client(storage["bucketRegion"], endpoint)
        found = []
        for key, size in _keys(client, storage["bucketName"], storage["prefix"] or ""):
            suffix = PurePosixPath(key).suffix.lower().lstrip(".")
            if suffix in kind.extensions and size <= kind.file_bytes and key not in known:
                with files.batch() as batch:
                    media = _describe(kind, files, _copy(client, storage["bucketName"], key, files, kind), key)
                    if media is not None:
                        batch.keep()
                        found.append((key, media))
        return found
    except (BotoCoreError, ClientError, ValueError) as error:
        raise invalid(f"bucket {storage['bucketName']} cannot be read: {error}") from error


def _client(region: str, endpoint: str | None) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}, s3={"addressing_style": "path"})
    # Keys of the environment go to AWS, or to the server that the environment names beside them, and nowhere else.
    together = "AWS_ACCESS_KEY_ID" in os.environ and endpoint == os.environ.get("AWS_ENDPOINT_URL_S3")
    if endpoint is None or together:
        return boto3.client("s3", region_name=region, endpoint_url=endpoint, config=config)
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        config=config,
        aws_access_key_id=FAKE_KEY,
        aws_secret_access_key=FAKE_KEY,
    )


def _keys(client: Any, bucket: str, prefix: str) -> list[tuple[str, int]]:
    folder = prefix.strip("/")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/" if folder else "")
    return [(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", [])]


def _copy(client: Any, bucket: str, key: str, files: Files, kind: Kind) -> Blob:
    writer = files.writer(kind.file_bytes)
    body = client.get_object(Bucket=bucket, Key=key)["Body"]
    for piece in body.iter_chunks(_PIECE):
        writer.write(piece)
    return writer.commit()


def _describe(kind: Kind, files: Files, blob: Blob, key: str) -> dict[str, Any] | None:
    if not blob.sha256:  # longer than the bucket's list said
        return None
    media = {"sha256": blob.sha256, "size": blob.size}
    path = files.path(blob.sha256)
    try:
        if kind.media == "image":
            return media | image_size(path, key)
        if kind.media == "video":
            return media | video_facts(path, key)
    except ApiError:
        return None
    return media
