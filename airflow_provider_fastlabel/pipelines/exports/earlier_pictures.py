"""Pictures of the data set that lies at the output already, so that they need not come from FastLabel again.

Nothing is believed of them: the store that FastLabel keeps its pictures in must confirm their MD5.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.exports.publish import held
from airflow_provider_fastlabel.pipelines.files.local_path import local_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class EarlierPictures(ABC):
    """Offers pictures of the published data set."""

    stand_ins: Mapping[str, Mapping[str, Any]]
    """What :func:`.publish` must know of the files that were put."""

    @staticmethod
    def of(target: Any, folders: Sequence[str]) -> EarlierPictures:
        """Look at a published data set; it need not exist.

        :param target: its local folder, or its path in an object store.
        :param folders: folders in it where pictures lie, ``""`` for itself.
        """
        local = local_path(target)
        return _Stored(target, folders) if local is None else _Local(local, folders)

    @abstractmethod
    def offer(self, name: str, target: Path) -> str | None:
        """Put the picture of this name, or what stands for it, to its new place, and return the picture's MD5.

        :param name: relative path that stays inside its folder.
        :param target: its new place, where nothing is yet.
        :returns: the MD5, hexadecimal; ``None`` where there is no such picture.
        """


class _Local(EarlierPictures):
    """Links pictures of a local folder. Their MD5 is that of their bytes as they are now."""

    def __init__(self, root: Path, folders: Sequence[str]) -> None:
        self.stand_ins = {}
        self._places = [root / folder for folder in folders]

    def offer(self, name: str, target: Path) -> str | None:
        """See the base class."""
        for place in self._places:
            try:
                os.link(place / name, target)
            except OSError:  # it is not there, or the file system has no links
                continue
            # A link stands for the very file, whatever becomes of the old name meanwhile.
            if stat.S_ISREG(target.lstat().st_mode):
                with target.open("rb") as file:
                    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            target.unlink()
        return None


class _Stored(EarlierPictures):
    """Puts a line of text for a picture of an object store, which is not read: its MD5 is what the manifest says."""

    def __init__(self, target: Any, folders: Sequence[str]) -> None:
        self.stand_ins: dict[str, Mapping[str, Any]] = {}
        self._rows = held(target)
        self._folders = [f"{folder}/" if folder else "" for folder in folders]
        self._secret = secrets.token_hex()  # no picture has the same bytes as what stands for one

    def offer(self, name: str, target: Path) -> str | None:
        """See the base class."""
        for folder in self._folders:
            row = self._rows.get(folder + name, {})
            if "md5" in row:
                text = f"{self._secret} {row['path']}".encode()
                target.write_bytes(text)
                self.stand_ins[hashlib.sha256(text).hexdigest()] = row
                return str(row["md5"])
        return None
