"""Compares a published data set with its manifest: which files are missing, changed, or were never part of it."""

from __future__ import annotations

import errno
import logging
import os
import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.digests import Facts, facts_of_file
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS, REPORT_FILES
from airflow_provider_fastlabel.pipelines.exports.manifests import load
from airflow_provider_fastlabel.pipelines.exports.places.local_folder import files_below
from airflow_provider_fastlabel.pipelines.exports.places.pointer import read_published
from airflow_provider_fastlabel.pipelines.files.buckets import store_listed, store_read
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.stored import list_files
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded
from airflow_provider_fastlabel.pipelines.running.progress import Progress
from airflow_provider_fastlabel.regular_files import LEAVES, NotRegularError, open_below
from airflow_provider_fastlabel.words import firsts_and_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Row = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

BESIDE = frozenset({MANIFEST, PREVIOUS, *REPORT_FILES})
"""Files that belong to a data set's place and not to the data set: its manifest, and the report about it."""


@dataclass
class Verification:
    """What became of the files that a manifest names, and of others.

    :param output: the place.
    :param sha256: of the manifest, as the export's result told it.
    :param files: how many files the manifest names.
    :param missing: those that are not there.
    :param changed: those that are not what was published: another size, another content, no regular file.
    :param additional: files that the manifest does not name.
    """

    output: str
    sha256: str
    files: int
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    additional: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether the data set is what was published, and nothing else lies there."""
        return not (self.missing or self.changed or self.additional)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, with the first hundred names of each list and the numbers of all."""
        lists = {name: sorted(getattr(self, name)) for name in ("missing", "changed", "additional")}
        return {
            "output": self.output,
            "whole": self.whole,
            "files": self.files,
            "sha256": self.sha256,
            **firsts_and_counts(lists),
        }


def verify_dataset(target: Any, *, workers: int = 4) -> Verification:
    """Read every file of a published data set and compare it with the manifest; nothing is changed.

    :param target: the data set's local folder, or its path in an object store, or the place in which it is the current
        version.
    :param workers: how many files are read at a time.
    :returns: what differs.
    :raises NoDatasetError: there is no data set.
    :raises DamagedFileError: the manifest is not as an export writes it.
    :raises OSError: a file is there and cannot be read.
    """
    target, manifest = read_published(target, load)
    with closing(manifest.rows) as rows:
        found = Verification(str(target), manifest.sha256, len(rows))
        progress = Progress(found.files)

        def judge(row: Row) -> None:
            fault = _fault(target, row)
            if fault:
                (found.missing if fault == _MISSING else found.changed).append(row["path"])
                log.warning("%s %s", foreign_text(repr(row["path"])), fault)
            progress.count("wrong" if fault else "right")

        run_bounded(judge, rows.below(""), workers=workers, stop=threading.Event(), tick=progress.beat)
        for path in _paths(target):
            if path not in BESIDE and path not in rows:
                found.additional.append(path)
                log.warning("%s is there, and the manifest does not name it", foreign_text(repr(path)))
    return found


_MISSING = "is missing"
_LINK = "it is a link"


def _fault(target: Any, row: Row) -> str:
    """Say what is wrong with a file; empty if nothing is."""
    try:
        facts = _facts(target, row["path"], row.get("size"))
    except (FileNotFoundError, NotADirectoryError):
        return _MISSING
    except IsADirectoryError:
        return "is not the file that was published: it is a folder"
    except OSError as error:
        if isinstance(error, NotRegularError) or error.strerror in (LEAVES, _LINK):
            return f"is not the file that was published: {error.strerror}"
        raise
    if facts.size != row.get("size"):
        return f"has {facts.size:,} bytes, not {row.get('size', 0):,}"
    return "" if facts.sha256 == row.get("sha256") else "has another content than was published"


def _facts(target: Any, path: str, size: int | None) -> Facts:
    """Read a file; one of another size than it should have is not read."""
    local = local_path(target)
    if local is None:
        with store_read(target / path), target.fs.open((target / path).path, "rb") as file:
            return facts_of_file(file)
    if os.path.islink(local / path):  # noqa: PTH114
        raise OSError(errno.ELOOP, _LINK, path)
    with open_below(os.path.realpath(local), path) as file:
        found = os.fstat(file.fileno()).st_size
        return facts_of_file(file) if found == size else Facts(found, "", "")


def _paths(target: Any) -> Iterator[str]:
    """Yield the paths of all files at a place, relative to it."""
    local = local_path(target)
    if local is not None:
        yield from (path for path, _ in files_below(local))
        return
    root = str(target.path).strip("/") + "/"
    target.fs.invalidate_cache()
    with store_listed(target):
        found = list_files(target)
    yield from (path.lstrip("/").removeprefix(root) for path in found)
