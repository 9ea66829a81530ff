"""A published data set as reports and checks need it: its files and splits, and what its export left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.writing.naming import LEFT_OUT_FILE, safe_name, split_extension
from airflow_provider_fastlabel.json_text import UnusableJsonError, is_number, parse_json
from airflow_provider_fastlabel.pipelines.exports.manifests import load_whole, read_own
from airflow_provider_fastlabel.pipelines.exports.places.pointer import read_published
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.stored import read_beginning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.pipelines.reports.spool import Record

_FOLDERS = ("images", "labels")
_MOST_PICTURE_BYTES = 1 << 28
_MOST_LIST_BYTES = 1 << 28
_MOST_NAMES = 50_000


class PublishedDataset:
    """Reads the manifest of a data set once.

    :param target: its folder, or the place in which it is the current version: a local path, or an object with its
        interface in an object store.
    :raises NoDatasetError: there is no data set.
    :raises DamagedFileError: the manifest, or the file that says which version is current, is not as an export writes
        it.

    :ivar place: its folder, which is that of its current version where the place has versions.
    :ivar manifest: what the manifest says beside its files.
    :ivar splits: names of its splits.
    :ivar files: path -> SHA-256 of each file, hexadecimal; empty where the manifest has none.
    """

    def __init__(self, target: Any) -> None:
        target, manifest = read_published(target, load_whole)
        rows = manifest.pop("files")
        self.manifest: Mapping[str, Any] = manifest
        self.files: dict[str, str] = {row["path"]: row.get("sha256", "") for row in rows}
        counts = manifest.get("counts")
        self._counts: Mapping[str, Any] = counts if isinstance(counts, dict) else {}
        self.place: Any = target
        self._local = local_path(target)
        splits = self._counts.get("splits")
        self.splits: frozenset[str] = frozenset(splits) if isinstance(splits, dict) else frozenset()
        self._pictures: dict[str, str] = {}
        self._split: dict[str, str] = {}
        for path in self.files:
            self._note(path)
        self._reasons: dict[str, dict[str, None]] = {}
        self._read_left_out()

    def _note(self, path: str) -> None:
        """Note what a file says about the picture it belongs to."""
        name, split = self.told_apart(path)
        if split:
            self._split[split_extension(name)[0]] = split
        if path.startswith("images/"):
            self._pictures[name] = path
            self._pictures.setdefault(split_extension(name)[0], path)

    def told_apart(self, path: str) -> tuple[str, str]:
        """Return the name of a picture, without the folders that the layout puts before it, and its split.

        :param path: of the picture or its labels, relative to the data set.
        :returns: the name, and the split, empty for none.
        """
        folder, _, rest = path.partition("/")
        if folder not in _FOLDERS or path not in self.files:
            return path, ""
        split, _, below = rest.partition("/")
        return (below, split) if split in self.splits else (rest, "")

    def _read_left_out(self) -> None:
        """Note of which pictures the export left something out, as its list says; the first that many lines tell of."""
        raw = read_own(self.place, LEFT_OUT_FILE, _MOST_LIST_BYTES)
        for line in (raw or b"").splitlines():
            try:
                row = parse_json(line)
            except UnusableJsonError:
                continue  # a list that somebody wrote into: what it says is only where a click leads
            name = (row.get("image") or row.get("task")) if isinstance(row, dict) else None
            if isinstance(name, str) and isinstance(row.get("reason"), str):
                if name not in self._reasons and len(self._reasons) >= _MOST_NAMES:
                    return
                self._reasons.setdefault(name, {}).setdefault(row["reason"])

    def reasons_of(self, name: str) -> Iterable[str]:
        """Return why the export left out what of a picture.

        :param name: the picture's name.
        """
        return self._reasons.get(name, ())

    def split_of(self, name: str) -> str:
        """Return in which split a picture is, empty for none.

        :param name: the task's name.
        """
        return self._split.get(split_extension(safe_name(name))[0], "")

    def pictures_said(self) -> int | None:
        """Return how many pictures the export has counted; ``None`` if the manifest does not say it."""
        count = self._counts.get("images")
        return count if type(count) is int else None

    def left_out(self) -> dict[str, dict[str, int]]:
        """Return what the export counted: ``skipped`` and ``adjusted``, each by reason."""
        found: dict[str, dict[str, int]] = {}
        for name in ("skipped", "adjusted"):
            rows = self._counts.get(name)
            rows = rows if isinstance(rows, dict) else {}
            found[name] = {str(reason): int(count) for reason, count in rows.items() if is_number(count)}
        return found

    def picture(self, record: Record) -> Path | bytes | None:
        """Say where the photograph of a picture is; ``None`` if it is not in the data set.

        :param record: the picture.
        :raises OSError: the object store cannot be read.
        """
        name = safe_name(record.name)
        path = self._pictures.get(name) or self._pictures.get(split_extension(name)[0])
        if path is None:
            return None
        if self._local is not None:
            return self._local / path
        return read_beginning(self.place / path, _MOST_PICTURE_BYTES)
