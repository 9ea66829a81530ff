"""Pictures of the data set that lies at the output already, so that they need not come from FastLabel again."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class EarlierPictures:
    """Offers pictures of the published data set. Nothing is believed of them: the store must confirm their MD5.

    :param root: local folder of the published data set; it need not exist.
    :param folders: folders in it where pictures lie, ``""`` for itself.
    """

    def __init__(self, root: Path, folders: Sequence[str]) -> None:
        self._places = [root / folder for folder in folders]

    def offer(self, name: str, target: Path) -> str | None:
        """Link the picture of this name to its new place, and return its MD5; ``None`` where there is none.

        :param name: relative path that stays inside its folder.
        :param target: its new place, where nothing is yet.
        """
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
