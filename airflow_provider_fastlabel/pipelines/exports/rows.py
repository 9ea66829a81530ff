"""The rows of a manifest, one for each file, on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.digests import Facts
from airflow_provider_fastlabel.disk_table import DiskTable, as_bytes, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = Mapping[str, Any]


class Rows(DiskTable[Row]):
    """Path -> row of a manifest, in the order of the paths. May be used from any thread."""

    columns: ClassVar[tuple[str, ...]] = ("path", "size", "sha256", "md5")

    def to_value(self, key: str, row: tuple[Any, ...]) -> Row:
        """Return a row as it stands in the manifest; see the base class."""
        values = zip(self.columns, (row[0] if row[0] is not None else key, *row[1:]), strict=True)
        return {name: value for name, value in values if value is not None}

    def put(self, row: Row, key: str | None = None) -> None:
        """Take a row in, in place of any earlier one of the same key.

        :param row: of ``path``, ``size``, ``sha256`` and ``md5`` those that it has.
        :param key: the key, if it is not the path.
        """
        path = row["path"]
        self.put_row(path if key is None else key, (None if key is None else path, *map(row.get, self.columns[1:])))

    def note(self, path: str, facts: Facts) -> None:
        """Take in the row of a file; see :class:`~.noted.Account`.

        :param path: the file's path.
        :param facts: of the file.
        """
        self.put_row(path, (None, *facts))

    def facts_of(self, path: str) -> Facts | None:
        """Return the facts of a file, if there is a row of it.

        :param path: the file's path.
        """
        found = self.find_row(path)
        return None if found is None else Facts(*found[1:])

    def below(self, prefix: str) -> Iterator[Row]:
        """Yield the rows whose keys begin so, in order, without that beginning. Rows put in meanwhile may be missing.

        :param prefix: the beginning; empty for all.
        """
        start = as_bytes(prefix)
        for key, row in self.rows_from(prefix):
            if not key.startswith(start):
                return
            yield self.to_value(as_text(key[len(start) :]), row)
