"""Fetching the objects of a dataset into a folder: in parallel, checked, resumable, and never outside the folder."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelException, FastLabelInvalidException
from airflow_provider_fastlabel.client.http.retry import timestamp
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, place_below
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.regular_files import read_regular
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_fastlabel.client.http.transport import Transport
    from airflow_provider_fastlabel.client.types import DatasetObject

OBJECT_TYPES = ("none", "train", "valid", "test")
ANNOTATIONS_FILE = "annotations.json"
ASIDE = ".download-"
WORKERS = 4
CLOCK_GRAIN = 2.0
"""Seconds within which two times of a file are the same: the coarsest grain of common file systems (FAT)."""
SHOWN_FAILURES = 10


@dataclass(frozen=True)
class Wanted:
    """An object and where it goes."""

    object: DatasetObject
    folder: Path
    target: Path


class DatasetDownload:
    """One download into one folder.

    :param transport: the transport to the API.
    :param base: the folder; it is made if it is missing.
    :param by_type: whether objects go into one folder per type (``train``, ...) below it.
    """

    def __init__(self, transport: Transport, base: Path, *, by_type: bool) -> None:
        self._transport = transport
        self._base = base
        self._by_type = by_type
        self._failed: dict[str, str] = {}
        self._count = 0

    def fetch(self, objects: Sequence[DatasetObject]) -> None:
        """Fetch objects and note them in ``annotations.json``. What cannot be fetched is remembered, not raised.

        :raises FastLabelInvalidException: (422) if an ``annotations.json`` is there that is not a list of objects;
            nothing was downloaded then.
        """
        unique = {str(each.get("name") or ""): each for each in objects}
        self._count += len(unique)
        wanted = [place for each in unique.values() if (place := self._place(each)) is not None]
        notes = {folder: read_notes(folder / ANNOTATIONS_FILE) for folder in dict.fromkeys(w.folder for w in wanted)}
        self._base.mkdir(parents=True, exist_ok=True)
        with scratch_folder(ASIDE, self._base) as aside:
            done = self._fetch_all(wanted, aside)
        for folder, known in notes.items():
            present = [place.object for place in done if place.folder == folder]
            if present:
                write_notes(folder / ANNOTATIONS_FILE, known, present)

    def finish(self, dataset: str) -> None:
        """Tell what failed.

        :param dataset: name of the dataset, for the message.
        :raises FastLabelException: if anything failed.
        """
        if not self._failed:
            return
        shown = [
            f"{foreign_text(name, 200)} ({foreign_text(why)})"
            for name, why in list(self._failed.items())[:SHOWN_FAILURES]
        ]
        if len(self._failed) > SHOWN_FAILURES:
            shown.append(f"and {len(self._failed) - SHOWN_FAILURES} more")
        raise FastLabelException(
            f"{len(self._failed)} of {self._count} objects of dataset {dataset} were not downloaded: "
            f"{'; '.join(shown)}. The other {self._count - len(self._failed)} are in {self._base} and stay; "
            "the same call again fetches what is missing."
        )

    def _place(self, each: DatasetObject) -> Wanted | None:
        """Decide where an object goes; one that may go nowhere is noted as failed."""
        name = str(each.get("name") or "")
        try:
            kind = str(each.get("type"))
            if self._by_type and kind not in OBJECT_TYPES:
                raise FastLabelInvalidException(f"unknown type {kind!r}", 422)
            folder = self._base / kind if self._by_type else self._base
            return Wanted(each, folder, safe_target(folder, name))
        except FastLabelInvalidException as error:
            self._failed[name] = error.message
            return None

    def _fetch_all(self, wanted: Iterable[Wanted], aside: Path) -> list[Wanted]:
        """Fetch in parallel; returns what is there now, in the order given."""
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="fastlabel-download")
        try:
            futures = [
                (place, pool.submit(self._fetch_one, place, aside / str(number))) for number, place in enumerate(wanted)
            ]
            done = []
            for place, future in futures:
                try:
                    future.result()
                except (FastLabelException, OSError) as error:
                    strerror = None if isinstance(error, FastLabelException) else error.strerror
                    self._failed[place.object["name"]] = strerror or str(error)
                else:
                    done.append(place)
            return done
        finally:
            pool.shutdown(cancel_futures=True)

    def _fetch_one(self, place: Wanted, aside: Path) -> None:
        if is_complete(place.target, place.object):
            return
        url = place.object.get("signedUrl")
        if not url:
            raise FastLabelException("FastLabel gave no address for it")
        aside.mkdir()
        staged = aside / place.target.name
        self._transport.download(url, staged)
        size, expected = staged.stat().st_size, place.object.get("size")
        if expected is not None and size != expected:
            raise FastLabelException(f"{size} bytes arrived, but the object has {expected}")
        if (updated := timestamp(place.object.get("updatedAt"))) is not None:
            with contextlib.suppress(OSError):  # some mounts keep no times; then only the size tells next time
                os.utime(staged, (updated, updated))
        place.target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(place.target)


def safe_target(folder: Path, name: str) -> Path:
    """Return where an object goes below a folder.

    :param folder: the folder.
    :param name: name of the object, with ``/`` between folders.
    :raises FastLabelInvalidException: (422) if :func:`.place_below` refuses the name, or it leads onto
        ``annotations.json``, or holds backslashes or control characters.
    """
    if "\\" in name or not name.isprintable():
        raise FastLabelInvalidException("unsafe name: it has backslashes or control characters", 422)
    if name == ANNOTATIONS_FILE or name.startswith(ASIDE):
        raise FastLabelInvalidException("unsafe name: a file of this name is needed for the download itself", 422)
    try:
        return place_below(folder, name)
    except UnsafeNameError as error:
        raise FastLabelInvalidException(f"unsafe name: it {error.why}", 422) from error


def is_complete(target: Path, each: Mapping[str, Any]) -> bool:
    """Tell whether an earlier call has fetched this object as it is now: same size, and the time of its last update."""
    try:
        found = target.stat()
    except OSError:
        return False
    if each.get("size") is None or found.st_size != each["size"]:
        return False
    updated = timestamp(each.get("updatedAt"))
    return updated is None or abs(found.st_mtime - updated) <= CLOCK_GRAIN


def read_notes(file: Path) -> list[dict[str, Any]]:
    """Return the entries of an ``annotations.json``; none if it is missing.

    :raises FastLabelInvalidException: (422) if it is something else.
    """
    try:
        notes = parse_json(read_regular(file))
    except FileNotFoundError:
        return []
    except (OSError, UnusableJsonError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise FastLabelInvalidException(
            f"{file} cannot be read: {why}. Move it away; nothing was downloaded.", 422
        ) from None
    if not isinstance(notes, list) or not all(
        isinstance(note, dict) and isinstance(note.get("name"), str) for note in notes
    ):
        raise FastLabelInvalidException(f"{file} is not a list of objects. Move it away; nothing was downloaded.", 422)
    return notes


def write_notes(file: Path, known: Iterable[dict[str, Any]], objects: Iterable[DatasetObject]) -> None:
    """Write ``annotations.json`` whole: one entry per object name, new ones in place of old ones."""
    merged = {note["name"]: note for note in known}
    for each in objects:
        merged[each["name"]] = {
            "name": each["name"],
            "annotations": each.get("annotations") or [],
            "customMetadata": each.get("customMetadata"),
            "tags": each.get("tags") or [],
            "object_type": each.get("type"),
        }
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        aside.write_text(json.dumps(list(merged.values()), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
