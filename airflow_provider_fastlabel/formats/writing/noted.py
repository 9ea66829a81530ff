"""A folder of which somebody keeps account: whoever writes a file into it says what was written while it is at hand.

So a file need not be read again to be hashed. Files that nobody speaks of are no fault: the keeper of the account finds
them in the folder and reads them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_fastlabel.digests import Facts


class Account(Protocol):
    """Where facts are kept; both methods may be called from any thread."""

    def note(self, path: str, facts: Facts) -> None:
        """Keep the facts of a file, in place of any earlier ones of the same path."""

    def facts_of(self, path: str) -> Facts | None:
        """Return the facts of a file; None where nobody told them."""


A = TypeVar("A", bound=Account)


class NotedFolder(Generic[A]):
    """A folder with its account; where a path is wanted, it is one.

    :param path: the folder.
    :param account: where the facts of its files are kept.
    :param prefix: what the paths of its files begin with there; empty, or with a slash at the end.
    """

    def __init__(self, path: Path, account: A, prefix: str = "") -> None:
        self.path: Path = path
        self.prefix: str = prefix
        self.account: A = account

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def at(self, folder: Path) -> NotedFolder[A]:
        """Return a folder below this one, with the same account.

        :param folder: its path, which begins with this one's.
        """
        inside = folder.relative_to(self.path).as_posix()
        return NotedFolder(folder, self.account, f"{self.prefix}{inside}/")

    def note(self, path: str, facts: Facts) -> None:
        """Tell what was written.

        :param path: of the file, relative to the folder, with forward slashes.
        :param facts: of its bytes.
        """
        self.account.note(self.prefix + path, facts)

    def facts_of(self, path: str) -> Facts | None:
        """Return what was told of a file.

        :param path: as for :meth:`note`.
        :returns: its facts; None where nobody told them.
        """
        return self.account.facts_of(self.prefix + path)


Place: TypeAlias = "Path | NotedFolder[Any]"
"""A folder that a writer writes into, with an account or without."""
