"""The import manifest: one JSON line per item, written as it happens, so that a killed run leaves a true account.

Format (JSON Lines, UTF-8). A run starts with a header line::

    {"manifest": "fastlabel-import", "version": 1, "project": "cats", "kind": "image", "provider": "0.1.0", "at": "..."}

with ``"left": {"created": 7, "updated": 0}`` where earlier parts of the same import had brought so many and left,
because FastLabel or its quota wanted a wait; followed by one line per item::

    {"name": "a/1.jpg", "fate": "created", "task_id": "...", "why": null, "at": "...", "annotations": 3, ...}

``fate`` is one of ``creating`` (about to be sent; only written when existing tasks count as failures), ``created``,
``exists``, ``updated``, ``failed`` and ``left_out`` (a link out of the folder). The last line of a name wins.
``annotations`` counts the objects that were sent
with it; a task that was created with none gets them from the first run that has some. ``lost`` says what a failure
cost: ``{"unusable_object": 2}``. ``digest`` identifies what was sent besides the file, so that a repeated update of the
same values is recognised. ``file`` is the file that was sent, ``{"size": bytes, "sha256": "...", "stamp": "..."}``, of
a folder all its files together; ``stamp`` changes when it is written anew. Of a task that exists already and of which
nothing is known it is the file as it was met, with an empty ``sha256``. ``differs`` says in what the file that is
there now is another than the one that was sent.

A manifest in an object store is kept in a local spool file and uploaded at checkpoints and at the end, because objects
cannot be appended to.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from airflow_provider_fastlabel.disk_table import DiskTable
from airflow_provider_fastlabel.pipelines.files.journal import Journal, now_text
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NO_FILE = (None,) * 4
_OURS = ("creating", "created", "updated")

Fate = Literal["creating", "created", "exists", "updated", "failed", "left_out"]


class FileFacts(NamedTuple):
    """What was sent as the file of a task, or lay there when an import met a task that existed.

    :param task_id: the task's id.
    :param size: bytes; of a folder, of all its files.
    :param sha256: of the content; of a folder, of the names and digests of its files. Empty if it was only met.
    :param stamp: of the file when it was listed, as ``Source`` has it.
    """

    task_id: str
    size: int
    sha256: str
    stamp: str


class Record(NamedTuple):
    """What earlier runs wrote about an item.

    :param fate: the last word on it.
    :param digest: identifies what was sent last besides the file.
    :param ours: whether a task of its name may be one that this import created or was about to create.
    :param bare: whether this import created the task, without annotations, and has sent none since.
    :param file: what was sent as its file, where that is known.
    """

    fate: str
    digest: str | None
    ours: bool
    bare: bool
    file: FileFacts | None = None


class TaskIds(DiskTable[str]):
    """Task name -> task id."""

    columns: ClassVar[tuple[str, ...]] = ("task_id",)

    def to_row(self, value: str) -> tuple[Any, ...]:
        """Return the columns of an id; see the base class."""
        return (value,)

    def to_value(self, key: str, row: tuple[Any, ...]) -> str:  # noqa: ARG002
        """Return the id of a row; see the base class."""
        return str(row[0])


class Records(DiskTable[Record]):
    """Task name -> what earlier runs wrote about the item."""

    columns: ClassVar[tuple[str, ...]] = ("fate", "digest", "ours", "bare", "task_id", "size", "sha256", "stamp")

    def to_row(self, value: Record) -> tuple[Any, ...]:
        """Return the columns of a record; see the base class."""
        return *value[:4], *(value.file or _NO_FILE)

    def to_value(self, key: str, row: tuple[Any, ...]) -> Record:  # noqa: ARG002
        """Return the record of a row; see the base class."""
        fate, digest, ours, bare, task_id, *file = row
        return Record(fate, digest, bool(ours), bool(bare), None if task_id is None else FileFacts(task_id, *file))


class Manifest(Journal):
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

    journal: ClassVar[str] = "fastlabel-import"
    called: ClassVar[str] = "import manifest"
    foreign: ClassVar[str] = "exists and is not an import manifest"

    def __init__(self, target: Any, *, project: str, kind: str) -> None:
        super().__init__(target)
        self.earlier: Records = Records()
        self.left: dict[str, int] = {}
        self._project = project
        self._kind = kind

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
        file: FileFacts | None = None,
        differs: str | None = None,
    ) -> None:
        """Record the fate of an item.

        :param name: the task's name.
        :param fate: what became of it.
        :param task_id: its id in FastLabel, where known.
        :param why: the reason of a failure.
        :param annotations: how many objects were sent with it.
        :param lost: how many objects a failure cost, by reason.
        :param digest: identifies what was sent besides the file.
        :param file: what was sent as its file.
        :param differs: in what the file that is there now is another.
        :raises OSError: the record could not be written (disk full, for instance).
        """
        record: dict[str, Any] = {"name": name, "fate": fate, "task_id": task_id, "why": why, "at": now_text()}
        record |= {"annotations": annotations} if annotations is not None else {}
        record |= {"lost": dict(lost)} if lost else {}
        record |= {"digest": digest} if digest is not None else {}
        if file is not None:
            record["file"] = {"size": file.size, "sha256": file.sha256, "stamp": file.stamp}
        record |= {"differs": differs} if differs else {}
        self.append(record)

    def is_ours(self, name: str) -> bool:
        """Tell whether this import created the item's task, or was about to.

        :param name: of the item.
        """
        earlier = self.earlier.get(name)
        return earlier is not None and earlier.ours

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

    def header(self) -> dict[str, Any]:
        """Return whose manifest it is, and what the parts of the import have brought that left in the middle."""
        return {"project": self._project, "kind": self._kind, **({"left": self.left} if self.left else {})}

    def note_parts(self, created: int, updated: int) -> None:
        """Record how many items the parts of this import have brought so far; the last part counts them as its own.

        :param created: items that became tasks.
        :param updated: tasks that were updated. With none of either, the import is over.
        :raises OSError: the record could not be written.
        """
        before = self.left
        self.left = {"created": created, "updated": updated} if created or updated else {}
        if self.left != before:
            self.begin()

    def check_header(self, header: dict[str, Any]) -> None:
        """Refuse the manifest of another import; see the base class."""
        project, kind = header.get("project"), header.get("kind")
        if (project, kind) != (self._project, self._kind):
            raise self.refused(
                f"The manifest {self.target} belongs to an import of {shortened(kind)} tasks into project "
                f"{shortened(project)}, not of {self._kind!r} tasks into {self._project!r}"
            )
        left = header.get("left")
        counts = left if isinstance(left, dict) else {}
        self.left = {fate: counts[fate] for fate in ("created", "updated") if type(counts.get(fate)) is int}

    def refused(self, why: str) -> ImportRefused:
        """Return the error of a file that cannot be the manifest; see the base class."""
        return ImportRefused(f"{why}. Nothing was created. Give `manifest` another path.")

    def kept(self) -> str:
        """Say what is kept; see the base class."""
        return "What was created stays. Make room there and run the import again: it creates what is missing"

    def damage(self) -> str:
        """Say what damaged lines mean; see the base class."""
        return "What they said of tasks that exist is not known any more; nothing is created twice"

    def remember(self, record: dict[str, Any]) -> bool:
        """Take in what became of an item; see the base class."""
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
        file = _facts(record) or (before.file if before is not None else None)
        self.earlier[name] = Record(fate, record.get("digest"), ours, ours and bare, file)


def digest_of_values(payload: Mapping[str, Any]) -> str:
    """Return what identifies the values that are sent with an item, besides its file.

    :param payload: the values.
    """
    return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _is_record(record: dict[str, Any]) -> bool:
    """Tell whether a line of a manifest says what became of an item."""
    return (
        isinstance(record.get("name"), str)
        and isinstance(record.get("fate"), str)
        and isinstance(record.get("digest"), str | None)
        and type(record.get("annotations", 0)) is int
    )


def _facts(record: Mapping[str, Any]) -> FileFacts | None:
    """Return what a line says of the file that was sent."""
    file, task_id = record.get("file"), record.get("task_id")
    if not isinstance(file, dict) or not isinstance(task_id, str):
        return None
    size, sha256, stamp = file.get("size"), file.get("sha256"), file.get("stamp")
    if type(size) is not int or not isinstance(sha256, str) or not isinstance(stamp, str):
        return None
    return FileFacts(task_id, size, sha256, stamp)
