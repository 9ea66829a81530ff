"""What a task has published is found by its own XCom and read, as far as this server may show it.

The place comes from the XCom ``return_value`` of the task, never from a request. A DAG's author writes that, and could
name any place: so only the two files of a report are read there, by their fixed names, only regular files that are no
links, of at most 10 MB, and only what begins as a report of ours does is shown. Whoever may write a DAG can read no
more by it than files that are reports already.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, read_own
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.reports.page_file import PAGE, SHEET, is_sheet, policy_of
from airflow_provider_fastlabel.utils.object_stores import storage_path

log: logging.Logger = logging.getLogger(__name__)

MOST_BYTES = 10_000_000
"""A larger file is not shown; no report is."""
NOTHING = "This task has published no data set, or none yet: there is no report to show."
_USER = re.compile(r"://[^/@]*@")


class NothingToShowError(Exception):
    """There is nothing to show; the message says why in one line for people, and holds no secret."""


@dataclass(frozen=True)
class Task:
    """One instance of a task.

    :param dag_id: of its DAG.
    :param run_id: of the run.
    :param task_id: its name in the DAG.
    :param map_index: -1 for one that is not mapped.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int


@dataclass(frozen=True)
class Published:
    """What a task says that it has published.

    :param folders: where its report may lie, the likeliest first.
    :param conn_id: Airflow connection of their object store; ``None`` for none.
    :param sha256: of the report that the task itself has made; ``None`` if it has made none.
    """

    folders: tuple[str, ...]
    conn_id: str | None
    sha256: str | None

    def report(self) -> tuple[bytes, str, bool]:
        """Read the report.

        :returns: the page, its policy, and whether another task has written it than the one that is asked about.
        :raises NothingToShowError: it cannot be shown.
        """
        page = self._read(PAGE)
        if (policy := policy_of(page)) is None:
            raise NothingToShowError(_no_report(self.folders[0]))
        changed = self.sha256 is not None and hashlib.sha256(page).hexdigest() != self.sha256
        return page, policy, changed

    def sheet(self) -> bytes:
        """Read the contact sheet of the report, a JPEG.

        :raises NothingToShowError: it cannot be shown.
        """
        picture = self._read(SHEET)
        if not is_sheet(picture):
            raise NothingToShowError(_no_report(self.folders[0]))
        return picture

    def _read(self, name: str) -> bytes:
        for folder in self.folders:
            if (data := _read(folder, self.conn_id, name)) is not None:
                return data
        shown = _shown(self.folders[-1])
        if self.sha256 is None:
            raise NothingToShowError(
                f"No report lies with the data set at {shown}. FastLabelReportOperator with the same output makes one."
            )
        raise NothingToShowError(f"The report is no longer at {shown}.")


def published_by(task: Task) -> Published:
    """Return what a task has published, by the XCom of its newest try.

    :param task: which one.
    :raises NothingToShowError: it has published nothing that has a report.
    """
    value = _result_of(task)
    texts = {name: value.get(name) for name in ("output", "path", "report", "output_conn_id", "worked_in", "sha256")}
    known = {name: text for name, text in texts.items() if isinstance(text, str) and text}
    if "output" not in known or not {"report", "path"} & set(known):
        raise NothingToShowError(NOTHING)
    is_report = "report" in known
    places = (known["output"],) if is_report else dict.fromkeys((known["path"], known["output"]))
    base = known.get("worked_in")
    folders = tuple(each if base is None or "://" in each else str(Path(base, each)) for each in places)
    return Published(folders, known.get("output_conn_id"), known.get("sha256", "") if is_report else None)


def _result_of(task: Task) -> Mapping[str, Any]:
    """Return what a task has returned, empty if that is no object; nothing in it is made into an object of Python."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(XComModel.value).where(
        XComModel.dag_id == task.dag_id,
        XComModel.run_id == task.run_id,
        XComModel.task_id == task.task_id,
        XComModel.map_index == task.map_index,
        XComModel.key == "return_value",
    )
    with create_session() as session:
        value = session.scalar(query)
    try:
        found = parse_json(value.encode()) if isinstance(value, str) else value
    except UnusableJsonError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _read(folder: str, conn_id: str | None, name: str) -> bytes | None:
    """Read a file of a report; ``None`` if it is not there."""
    try:
        place = storage_path("output", folder, conn_id)
        local = local_path(place)
        if local is not None and not (local.is_absolute() and local.is_dir()):
            raise NothingToShowError(
                f"The report lies on the worker, at {_shown(folder)}, which Airflow's API server cannot read. What is "
                "in an object store, or in a folder that both mount, is shown here."
            )
        return read_own(place, name, MOST_BYTES)
    except NothingToShowError:
        raise
    except DamagedFileError:
        raise NothingToShowError(_no_report(folder)) from None
    except Exception as error:  # a store's own errors, whose texts may hold what nobody is to see
        log.warning("A report cannot be read: %s", type(error.__cause__ or error).__name__)
        raise NothingToShowError(
            f"Airflow's API server cannot read {_shown(folder)}. It needs the provider package of that store, and the "
            "connection and the rights that the workers have."
        ) from None


def _no_report(folder: str) -> str:
    return f"What lies at {_shown(folder)} is not shown: it is no report of this provider, or has more than 10 MB."


def _shown(place: str) -> str:
    return foreign_text(_USER.sub("://", place))
