"""What an item holds, as a digest that the manifest keeps of what was sent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.pipelines.imports.manifest import FileFacts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.client.http.sent_files import SentFile
    from airflow_provider_fastlabel.pipelines.files.source import Source

_READ_BYTES = 1 << 20


def digest_of(source: Source) -> str:
    """Read an item and return its digest, as :func:`facts_of` makes it of what was sent.

    :param source: the item.
    :raises OSError: it cannot be read.
    """
    if not source.files:
        return _read(source)
    return _of_folder({one.name.rpartition("/")[2]: _read(one) for one in source.files})


def facts_of(source: Source, task_id: str, sent: Mapping[Path, SentFile]) -> FileFacts | None:
    """Return what was sent of an item, ``None`` where not all of it was.

    :param source: the item.
    :param task_id: the task's id.
    :param sent: what went out while its task was created.
    """
    if len(sent) != (len(source.files) or 1):
        return None
    size = sum(one.size for one in sent.values())
    if source.files:
        digest = _of_folder({path.name: one.sha256 for path, one in sent.items()})
    else:
        (digest,) = (one.sha256 for one in sent.values())
    return FileFacts(task_id, size, digest, source.stamp)


def _of_folder(digests: Mapping[str, str]) -> str:
    text = "".join(f"{digest} {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _read(source: Source) -> str:
    digest = hashlib.sha256()
    with source.open() as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()
