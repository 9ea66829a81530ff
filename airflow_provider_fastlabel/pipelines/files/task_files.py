"""Brings the file of a task from its signed address, which may have expired since the task was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelException
from airflow_provider_fastlabel.client.http.shapes import needed

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from airflow_provider_fastlabel.client import FastLabelClient

_REFUSED = (400, 403)
"""What a signed address answers once its time is over."""


def download_task_file(
    client: FastLabelClient,
    kind: str,
    task_id: str,
    url: str,
    target: str | os.PathLike[str],
    *,
    name: str,
    is_content: Callable[[Any], bool],
    **how: Any,
) -> bool:
    """Download the file of a task; an address that has expired is asked for anew.

    :param client: the client.
    :param kind: name of the task's kind.
    :param task_id: id of the task.
    :param url: the address.
    :param target: file that it is written to.
    :param name: what to call it in errors.
    :param is_content: of a task with several files, tells of a file's name whether it is this one.
    :param how: what :meth:`.Transfers.download` takes beside.
    :returns: what that returns: whether it had to be downloaded.
    :raises FastLabelException: it cannot be downloaded, or the task is gone.
    """
    try:
        return client.transport.download(url, target, **how)
    except FastLabelException as error:
        if error.code not in _REFUSED:
            raise
        now: Any = client.find_task(kind, task_id)
        contents = now.get("contents") or ()
        fresh = next((content for content in contents if is_content(content.get("name"))), now)
        return client.transport.download(str(needed(fresh, "url", f"task {name}")), target, **how)
