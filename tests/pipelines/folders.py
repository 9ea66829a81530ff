"""A store with folders, each of which is listed by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem

if TYPE_CHECKING:
    from collections.abc import Mapping


class Folders(MemoryFileSystem):
    """The file system, which finds files as that of SFTP does; it holds what each one in memory holds.

    :ivar says: path -> the error that listing it, looking at it or opening it raises.
    """

    cachable = False
    find = AbstractFileSystem.find
    says: Mapping[str, Exception] = {}

    def ls(self, path: str, *args: Any, **more: Any) -> Any:
        """List a folder."""
        self._refuse(path)
        return super().ls(path, *args, **more)

    def info(self, path: str, **more: Any) -> Any:
        """Look at a file or folder."""
        self._refuse(path)
        return super().info(path, **more)

    def _open(self, path: str, *args: Any, **more: Any) -> Any:
        """Open a file."""
        self._refuse(path)
        return super()._open(path, *args, **more)

    def _refuse(self, path: str) -> None:
        if (error := self.says.get(path.rstrip("/"))) is not None:
            raise error
