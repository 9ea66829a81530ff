"""The import manifest: one JSON line per item, written as it happens, so that a killed run leaves a true account.

Format (JSON Lines, UTF-8). A run starts with a header line::

    {"manifest": "fastlabel-import", "version": 1, "project": "cats", "kind": "image", "provider": "0.1.0", "at": "..."}

followed by one line per item::

    {"name": "a/1.jpg", "fate": "created", "task_id": "...", "why": null, "at": "...", "annotations": 3, ...}

``fate`` is one of ``creating`` (about to be sent; only written when existing tasks count as failures), ``created``,
``exists``, ``updated``, ``failed`` and ``left_out`` (a link out of the folder). The last line of a name wins.
``annotations`` counts the objects that were sent
with it; a task that was created with none gets them from the first run that has some. ``lost`` says what a failure
cost: ``{"unusable_object": 2}``. ``digest`` identifies what was sent besides the file, so that a repeated update of the
same values is recognised.

A manifest in an object store is kept in a local spool file and uploaded at checkpoints and at the end, because objects
cannot be appended to.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.files.buckets import make_folder
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.files.room import room_needed
from airflow_provider_fastlabel.regular_files import NotRegularError, open_regular, regular_descriptor
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Self

log: logging.Logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0
"""Time between two uploads of a manifest that lives in an object store."""

_HEADER = b'{"manifest": "fastlabel-import"'

_LONGEST_LINE = 1 << 20
"""Bytes of a line that is read; a record has some hundred."""

_OURS = ("creating", "created", "updated")

Fate = Literal["creating", "created", "exists", "updated", "failed", "left_out"]


class Record(NamedTuple):
    """What earlier runs wrote about an item.

    :param fate: the last word on it.
    :param digest: identifies what was sent last besides the file.
    :param ours: whether a task of its name may be one that this import created or was about to create.
    :param bare: whether this import created the task, without annotations, and has sent none since.
    """

    fate: str
    digest: str | None
    ours: bool
    bare: bool


class Manifest:
    """An append-only account of an import. Use as a context manager; :meth:`write` may be called from any thread.

    :param target: a local path, or any object with the ``pathlib`` interface that lives elsewhere (such as Airflow's
        ``ObjectStoragePath``).
    :param project: the project's slug.
    :param kind: the task kind's name.
    :raises ImportRefused: on entering, when the file exists and belongs to another project or kind, is no manifest, or
        no regular file.
    :raises DiskFullError: on entering and in all that writes: there is no room; the message names the place.
    :raises OSError: on entering, when it cannot be read or written.
    """

    def __init__(self, target: Any, *, project: str, kind: str) -> None:
        self.target = target
        self.earlier: dict[str, Record] = {}
        self._project = project
        self._kind = kind
        self._local = local_path(target)
        self._lock = threading.Lock()
        self._uploaded_at = 0.0
        self._descriptor = -1
        self._torn = False
        self._spool: Path | None = None

    def __str__(self) -> str:
        return str(self.target)

    def __enter__(self) -> Self:
        try:
            with room_needed(self._writing):
                path = self._local or self._fetch()
                path.parent.mkdir(parents=True, exist_ok=True)
                self._open(path)
        except BaseException:
            self._drop()
            raise
        return self

    def _open(self, path: Path) -> None:
        """Read what is there, and begin a run."""
        try:
            self._torn = self._read(path)
            # Unbuffered append: every line reaches the kernel in one write and survives SIGKILL.
            self._descriptor = regular_descriptor(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except NotRegularError as error:
            raise ImportRefused(
                f"The manifest {self.target} cannot be written: {error.strerror}. Nothing was created. "
                "Give `manifest` another path."
            ) from None
        self._append(
            {
                "manifest": "fastlabel-import",
                "version": 1,
                "project": self._project,
                "kind": self._kind,
                "provider": __version__,
                "at": _now(),
            }
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._spool is not None:
                self._upload()
        except OSError:
            if error is None:
                raise
            log.exception("The import manifest could not be uploaded to %s", self.target)
        finally:
            self._drop()

    def write(
        self,
        name: str,
        fate: Fate,
        *,
        task_id: str | None = None,
        why: str | None = None,
        annotations: int | None = None,
        lost: Mapping[str, int] | None = None,
        digest: str | None = None,
    ) -> None:
        """Record the fate of an item.

        :param name: the task's name.
        :param fate: what became of it.
        :param task_id: its id in FastLabel, where known.
        :param why: the reason of a failure.
        :param annotations: how many objects were sent with it.
        :param lost: how many objects a failure cost, by reason.
        :param digest: identifies what was sent besides the file.
        :raises OSError: the record could not be written (disk full, for instance).
        """
        record: dict[str, Any] = {"name": name, "fate": fate, "task_id": task_id, "why": why, "at": _now()}
        record |= {"annotations": annotations} if annotations is not None else {}
        record |= {"lost": dict(lost)} if lost else {}
        record |= {"digest": digest} if digest is not None else {}
        with self._lock:
            self._append(record)

    def announce(self, names: Iterable[str]) -> None:
        """Record that these items are about to be created; what a killed run made of them is known as ours.

        A local manifest says so of each item when its turn comes. One in an object store cannot be that quick: it says
        so of all of them at once, and is uploaded before the first is created.

        :param names: the tasks' names.
        :raises OSError: the record could not be written.
        """
        if self._spool is None:
            return
        for name in names:
            self.write(name, "creating")
        self._upload()

    def announce_now(self, name: str) -> None:
        """Record that this item is about to be created, unless :meth:`announce` has said so."""
        if self._spool is None:
            self.write(name, "creating")

    def checkpoint(self) -> None:
        """Upload the manifest if it lives in an object store and the last upload is a while ago."""
        if self._spool is not None and time.monotonic() - self._uploaded_at >= CHECKPOINT_SECONDS:
            self._upload()

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=True).encode() + b"\n"
        if self._torn:  # by a kill, or by a disk that was full for a while: the next line begins anew
            line = b"\n" + line
        with room_needed(self._writing):
            while line:
                written = os.write(self._descriptor, line)
                self._torn = written < len(line)
                line = line[written:]

    def _writing(self) -> str:
        """Say what cannot go on where there is no room."""
        aside = "" if self._spool is None else f" (kept meanwhile in {self._spool.parent})"
        return (
            f"the import manifest {self.target}{aside} was written. What was created stays. "
            "Make room there and run the import again: it creates what is missing"
        )

    def _read(self, path: Path) -> bool:
        """Take in what earlier runs wrote.

        :returns: whether the last line was cut off by a kill and needs an end.
        """
        if not path.exists():
            return False
        raw, ours = b"", False
        damaged: list[int] = []
        with open_regular(path) as file:
            # Of a line that is longer than any of ours, each piece is a line that cannot be read.
            for number, raw in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
                # The first line is ours, or the beginning of ours when a kill cut it off.
                ours = ours or (number == 1 and _HEADER.startswith(raw.rstrip(b"\n")[: len(_HEADER)]))
                if not ours:
                    raise ImportRefused(
                        f"{self.target} exists and is not an import manifest. Nothing was created. "
                        "Give `manifest` another path."
                    )
                if raw.strip() and not self._take(raw):
                    damaged.append(number)
        if damaged:
            log.warning(
                "%d lines of the manifest %s are damaged or were cut off by a kill, and are ignored (first: line %d). "
                "What they said of tasks that exist is not known any more; nothing is created twice",
                len(damaged),
                self.target,
                damaged[0],
            )
        return bool(raw) and not raw.endswith(b"\n")

    def _take(self, raw: bytes) -> bool:
        """Take in one line.

        :returns: false for one that says nothing.
        """
        try:
            record = parse_json(raw)
        except UnusableJsonError:
            return False
        if isinstance(record, dict) and "manifest" in record:
            self._check_header(record)
            return True
        if not _is_record(record):
            return False
        self._remember(record)
        return True

    def _remember(self, record: dict[str, Any]) -> None:
        name, fate = record["name"], record["fate"]
        if fate == "left_out":  # which says nothing of a task of that name
            return
        before = self.earlier.get(name)
        # A failure says nothing about whose a task is: the create before it may have arrived after all.
        ours = fate in _OURS or (fate == "failed" and before is not None and before.ours)
        bare = before is not None and before.bare if "annotations" not in record else record["annotations"] == 0
        self.earlier[name] = Record(fate, record.get("digest"), ours, ours and bare)

    def _check_header(self, record: dict[str, Any]) -> None:
        project, kind = record.get("project"), record.get("kind")
        if (project, kind) != (self._project, self._kind):
            raise ImportRefused(
                f"The manifest {self.target} belongs to an import of {shortened(kind)} tasks into project "
                f"{shortened(project)}, not of {self._kind!r} tasks into {self._project!r}. Nothing was created. Give "
                "`manifest` another path."
            )

    def _fetch(self) -> Path:
        """Copy a manifest from its object store into a local spool file."""
        folder = Path(tempfile.mkdtemp(prefix="fastlabel-manifest-"))
        self._spool = folder / "manifest.jsonl"
        with contextlib.suppress(FileNotFoundError), self.target.open("rb") as source, self._spool.open("wb") as spool:
            shutil.copyfileobj(source, spool)
        self._uploaded_at = time.monotonic()
        return self._spool

    def _upload(self) -> None:
        assert self._spool is not None
        self._uploaded_at = time.monotonic()
        with contextlib.suppress(OSError, NotImplementedError):
            make_folder(self.target.parent)
        with room_needed(self._writing), self._spool.open("rb") as spool, self.target.open("wb") as sink:
            shutil.copyfileobj(spool, sink)

    def _drop(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._spool is not None:
            shutil.rmtree(self._spool.parent, ignore_errors=True)


def _is_record(record: Any) -> bool:
    """Tell whether a line of a manifest says what became of an item."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("name"), str)
        and isinstance(record.get("fate"), str)
        and isinstance(record.get("digest"), str | None)
        and type(record.get("annotations", 0)) is int
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
