"""SQLite: one table for tasks, one for every other record, both ordered by creation."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from airflow_provider_fastlabel.emulator.world.errors import conflict, not_found
from airflow_provider_fastlabel.emulator.world.files import keep_private
from airflow_provider_fastlabel.emulator.world.settings import Clock

_IDS = uuid.UUID("6f1a3b5c-5d2e-4c1b-9a53-0fa57ab1e100")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, collection TEXT NOT NULL, scope TEXT NOT NULL,
  name TEXT, body BLOB NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  UNIQUE (collection, id), UNIQUE (collection, scope, name));
CREATE TABLE IF NOT EXISTS tasks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL, kind TEXT NOT NULL,
  name TEXT NOT NULL, status TEXT NOT NULL, external_status TEXT NOT NULL, custom_status TEXT,
  priority INTEGER NOT NULL, users TEXT NOT NULL, annotations BLOB NOT NULL, attributes BLOB NOT NULL,
  relations BLOB NOT NULL, metadatas BLOB NOT NULL, media BLOB NOT NULL, contents BLOB NOT NULL, operator TEXT,
  revision INTEGER NOT NULL DEFAULT 0, labelled_at REAL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  UNIQUE (project_id, name));
CREATE INDEX IF NOT EXISTS tasks_by_project ON tasks (project_id, kind, seq);
CREATE INDEX IF NOT EXISTS tasks_in_order ON tasks (project_id, seq);
CREATE INDEX IF NOT EXISTS tasks_by_status ON tasks (project_id, status, seq);
CREATE TABLE IF NOT EXISTS task_tags (
  task_id TEXT NOT NULL, tag_id TEXT NOT NULL, UNIQUE (task_id, tag_id));
CREATE INDEX IF NOT EXISTS task_tags_by_tag ON task_tags (tag_id, task_id);
"""

IN_MEMORY = ":memory:"
_HEADER = b"SQLite format 3\x00"
_TABLES = ("records", "tasks", "task_tags")


@dataclass(slots=True)
class Record:
    """Anything but a task.

    :param id: UUID string.
    :param scope: id of what it belongs to (a project, a dataset, a comment), or empty.
    :param name: what is unique within the scope, or ``None``.
    :param body: its own fields.
    :param created_at: ISO timestamp.
    :param updated_at: ISO timestamp.
    """

    id: str
    scope: str
    name: str | None
    body: dict[str, Any]
    created_at: str
    updated_at: str

    def out(self) -> dict[str, Any]:
        """Return it as the API shows it: id, its fields, timestamps."""
        return {"id": self.id, **self.body, "createdAt": self.created_at, "updatedAt": self.updated_at}


class Store:
    """The database of one emulator. Used from the event loop's thread only.

    :param path: file to keep it in, or :data:`IN_MEMORY`.
    :param clock: gives the timestamps.
    :raises ValueError: when the file is no database, or that of another program.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        if path != IN_MEMORY:
            _own(Path(path))
        self.db: sqlite3.Connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.clock = clock
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.executescript(_SCHEMA)
        self._next = self._read_sequences()

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def reset(self) -> None:
        """Forget everything; ids start again from the first."""
        with self.transaction():
            for table in _TABLES:
                self.db.execute(f"DELETE FROM {table}")
            self.db.execute("DELETE FROM sqlite_sequence")
        self._next = self._read_sequences()

    def _read_sequences(self) -> dict[str, int]:
        rows = self.db.execute("SELECT name, seq FROM sqlite_sequence")
        return {"records": 0, "tasks": 0} | {row["name"]: row["seq"] for row in rows}

    def next_id(self, table: str) -> tuple[int, str]:
        """Return the next sequence number of a table and the id made from it, the same after every reset.

        :param table: ``tasks`` or ``records``.
        """
        self._next[table] += 1
        number = self._next[table]
        return number, str(uuid.uuid5(_IDS, f"{table}:{number}"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all statements inside or none."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self.db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query, or ``None``."""
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def run(self, sql: str, *values: Any) -> int:
        """Execute a statement and return how many rows it touched."""
        return self.db.execute(sql, values).rowcount

    # Records

    def insert(self, collection: str, body: Mapping[str, Any], *, scope: str = "", name: str | None = None) -> Record:
        """Add a record.

        :param collection: what it is, such as ``project``.
        :param body: its own fields.
        :param scope: id of what it belongs to.
        :param name: what shall be unique within collection and scope.
        :raises ApiError: 409 when the name is taken.
        """
        if name is not None and self.by_name(collection, name, scope) is not None:
            raise conflict(f"{collection} already exists: {name}")
        seq, ident = self.next_id("records")
        now = self.clock.iso()
        self.db.execute(
            "INSERT INTO records VALUES (?,?,?,?,?,?,?,?)",
            (seq, ident, collection, scope, name, orjson.dumps(body), now, now),
        )
        return Record(ident, scope, name, dict(body), now, now)

    def find(self, collection: str, ident: str) -> Record | None:
        """Return the record with this id, or ``None``."""
        row = self.row("SELECT * FROM records WHERE collection=? AND id=?", collection, ident)
        return _record(row) if row else None

    def get(self, collection: str, ident: str) -> Record:
        """Return the record with this id.

        :raises ApiError: 404 when there is none.
        """
        record = self.find(collection, ident)
        if record is None:
            raise not_found(collection, ident)
        return record

    def by_name(self, collection: str, name: str, scope: str = "") -> Record | None:
        """Return the record with this name in its scope, or ``None``."""
        sql = "SELECT * FROM records WHERE collection=? AND scope=? AND name=?"
        row = self.row(sql, collection, scope, name)
        return _record(row) if row else None

    def list(
        self, collection: str, *, scope: str | None = None, offset: int = 0, limit: int = -1, newest: bool = False
    ) -> list[Record]:
        """Return records in creation order.

        :param collection: what to list.
        :param scope: only those of this owner; ``None`` for all.
        :param offset: how many to leave out at the start.
        :param limit: how many at most; -1 for all.
        :param newest: last created first.
        """
        where, values = "collection=?", [collection]
        if scope is not None:
            where, values = where + " AND scope=?", [collection, scope]
        order = "DESC" if newest else "ASC"
        sql = f"SELECT * FROM records WHERE {where} ORDER BY seq {order} LIMIT ? OFFSET ?"
        return [_record(row) for row in self.rows(sql, *values, limit, offset)]

    def count(self, collection: str, scope: str) -> int:
        """Return how many records of a collection belong to one owner."""
        row = self.row("SELECT count(*) AS n FROM records WHERE collection=? AND scope=?", collection, scope)
        return int(row["n"]) if row else 0

    def save(self, collection: str, record: Record) -> None:
        """Write a changed record back.

        :raises ApiError: 409 when its name is taken by another one.
        """
        if record.name is not None:
            other = self.by_name(collection, record.name, record.scope)
            if other is not None and other.id != record.id:
                raise conflict(f"{collection} already exists: {record.name}")
        record.updated_at = self.clock.iso()
        self.run(
            "UPDATE records SET name=?, body=?, updated_at=? WHERE collection=? AND id=?",
            record.name,
            orjson.dumps(record.body),
            record.updated_at,
            collection,
            record.id,
        )

    def delete(self, collection: str, ident: str) -> None:
        """Remove a record.

        :raises ApiError: 404 when there is none.
        """
        if not self.run("DELETE FROM records WHERE collection=? AND id=?", collection, ident):
            raise not_found(collection, ident)

    def delete_scope(self, collection: str, scope: str) -> None:
        """Remove all records of a collection that belong to one owner."""
        self.run("DELETE FROM records WHERE collection=? AND scope=?", collection, scope)


def _own(path: Path) -> None:
    """Make a database file, and what SQLite keeps beside it, its owner's only. New ones get the mode of the first."""
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise ValueError(f"{path} is not a SQLite database")
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            foreign = _layout(db) - _own_layout()
        if foreign:
            raise ValueError(f"{path} is a database, but not the emulator's: it holds {min(foreign)[0]!r}; a reset "
                             "would empty it, so name a file that does not exist yet")  # fmt: skip
    keep_private(path)
    for beside in (Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}-journal")):
        if beside.exists():
            keep_private(beside)


def _layout(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the tables, indexes and views of a database, each with the statement that made it."""
    found = db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return {(name, sql or "") for name, sql in found}


def _own_layout() -> set[tuple[str, str]]:
    with closing(sqlite3.connect(IN_MEMORY)) as db:
        db.executescript(_SCHEMA)
        return _layout(db)


def _record(row: sqlite3.Row) -> Record:
    body = orjson.loads(row["body"])
    return Record(row["id"], row["scope"], row["name"], body, row["created_at"], row["updated_at"])
