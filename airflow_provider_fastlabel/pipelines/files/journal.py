"""A journal: one JSON line per thing done, written as it happens, so that a killed run leaves a true account.

A local journal reaches the kernel line by line and survives SIGKILL. One in an object store is kept in a local spool
file and uploaded at checkpoints and at the end, because objects cannot be appended to.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import threading
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError, make_folder, store_asked
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.placed import stored_whole
from airflow_provider_fastlabel.pipelines.files.room import room_needed
from airflow_provider_fastlabel.regular_files import NotRegularError, open_regular, regular_descriptor
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

log: logging.Logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0
"""Time between two uploads of a journal that lives in an object store."""

_LONGEST_LINE = 1 << 20
"""Bytes of a line that is read; a record has some hundred."""


class Journal(ABC):
    """An append-only file of JSON lines that earlier runs have begun. Use as a context manager.

    A run begins with a header line, ``{"manifest": <kind>, "version": 1, ..., "at": ...}``: it tells the file from any
    other. Lines may be written from any thread.

    :param target: a local path, or any object with the ``pathlib`` interface that lives elsewhere (such as Airflow's
        ``ObjectStoragePath``).
    :raises DiskFullError: on entering and in all that writes: there is no room; the message names the place.
    :raises StoreFailedError: on entering, and on leaving a block that ended well: its object store has failed.
    :raises OSError: on entering, when it cannot be read or written.
    """

    journal: ClassVar[str]
    """What the header calls files of this kind."""
    called: ClassVar[str]
    """What messages call it."""
    foreign: ClassVar[str]
    """What messages say of a file that is not one."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self._local = local_path(target)
        self._lock = threading.Lock()
        self._uploaded_at = 0.0
        self._descriptor = -1
        self._torn = False
        self._spool: Path | None = None
        self._aside = contextlib.ExitStack()

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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._spool is not None:
                self._upload()
        except OSError:
            if error is None:
                raise
            log.exception("The %s could not be uploaded to %s", self.called, self.target)
        finally:
            self._drop()

    def checkpoint(self) -> None:
        """Upload the journal if it lives in an object store and the last upload is a while ago.

        If the store fails, the work goes on: the journal is kept here, and the next checkpoint and the end try again.
        """
        if self._spool is not None and time.monotonic() - self._uploaded_at >= CHECKPOINT_SECONDS:
            try:
                self._upload()
            except StoreFailedError as error:
                log.warning("%s It is tried again in %.0f seconds", error, CHECKPOINT_SECONDS)

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """Return what the header says besides kind, version and time."""

    @abstractmethod
    def check_header(self, header: dict[str, Any]) -> None:
        """Refuse a journal of other work, by raising what :meth:`refused` made.

        :param header: as an earlier run wrote it.
        """

    @abstractmethod
    def remember(self, record: dict[str, Any]) -> bool:
        """Take in a line that an earlier run wrote.

        :param record: the line.
        :returns: false for one that says nothing.
        """

    @abstractmethod
    def refused(self, why: str) -> Exception:
        """Return the error of a file that cannot be used, with what to do.

        :param why: a sentence without its end.
        """

    @abstractmethod
    def kept(self) -> str:
        """Say what is kept and what to do where there is no room to write."""

    @abstractmethod
    def damage(self) -> str:
        """Say what lines that cannot be read mean."""

    def begin(self) -> None:
        """Write a header line: when a run begins, and again when what it says has changed."""
        self.append(
            {"manifest": self.journal, "version": 1, **self.header(), "provider": __version__, "at": now_text()}
        )

    def append(self, record: dict[str, Any]) -> None:
        """Write a line; in a local journal it is there when this returns.

        :param record: JSON values.
        """
        with self._lock:
            self._append(record)

    def _open(self, path: Path) -> None:
        """Read what is there, and begin a run."""
        try:
            self._torn = self._read(path)
            # Unbuffered append: every line reaches the kernel in one write and survives SIGKILL.
            self._descriptor = regular_descriptor(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except NotRegularError as error:
            raise self.refused(f"The {self._noun()} {self.target} cannot be written: {error.strerror}") from None
        self.begin()

    def _noun(self) -> str:
        return self.called.split()[-1]

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
        return f"the {self.called} {self.target}{aside} was written. {self.kept()}"

    def _read(self, path: Path) -> bool:
        """Take in what earlier runs wrote.

        :returns: whether the last line was cut off by a kill and needs an end.
        """
        if not path.exists():
            return False
        raw, ours = b"", False
        damaged: list[int] = []
        header = f'{{"manifest": "{self.journal}"'.encode()
        with open_regular(path) as file:
            # Of a line that is longer than any of ours, each piece is a line that cannot be read.
            for number, raw in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
                # The first line is ours, or the beginning of ours when a kill cut it off.
                ours = ours or (number == 1 and header.startswith(raw.rstrip(b"\n")[: len(header)]))
                if not ours:
                    raise self.refused(f"{self.target} {self.foreign}")
                if raw.strip() and not self._take(raw):
                    damaged.append(number)
        if damaged:
            log.warning(
                "%d lines of the %s %s are damaged or were cut off by a kill, and are ignored (first: line %d). %s",
                len(damaged),
                self._noun(),
                self.target,
                damaged[0],
                self.damage(),
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
            self.check_header(record)
            return True
        return isinstance(record, dict) and self.remember(record)

    def _fetch(self) -> Path:
        """Copy a journal from its object store into a local spool file."""
        self._spool = self._aside.enter_context(scratch_folder("fastlabel-manifest-")) / "manifest.jsonl"
        with (
            store_asked(self.target, f"cannot be read as the {self.called} of earlier runs", "Nothing was done now."),
            contextlib.suppress(FileNotFoundError),
            self.target.open("rb") as source,
            self._spool.open("wb") as spool,
        ):
            shutil.copyfileobj(source, spool)
        self._uploaded_at = time.monotonic()
        return self._spool

    def _upload(self) -> None:
        assert self._spool is not None
        self._uploaded_at = time.monotonic()
        with contextlib.suppress(OSError, NotImplementedError):
            make_folder(self.target.parent)
        what, kept = (
            f"cannot be written as the {self.called}",
            "What was done stays; run again, it does what is missing.",
        )
        with (
            room_needed(self._writing),
            store_asked(self.target, what, kept),
            self._spool.open("rb") as spool,
            stored_whole(self.target) as sink,
        ):
            shutil.copyfileobj(spool, sink)

    def _drop(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._aside.close()


def now_text() -> str:
    """Return the time as FastLabel writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
