"""Pictures of the data set that lies at the output already, so that they need not come from FastLabel again.

Nothing is believed of them: the store that FastLabel keeps its pictures in must confirm their MD5.
"""

from __future__ import annotations

import os
import secrets
import stat
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_fastlabel.digests import Facts, facts_of, facts_of_file
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, place_below
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
from airflow_provider_fastlabel.pipelines.files.local_path import local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination

    Places = Callable[[str], Iterable[str]]


class Offer(NamedTuple):
    """What was put in the place of a picture.

    :param md5: of the picture, hexadecimal.
    :param facts: of the file that lies there.
    """

    md5: str
    facts: Facts


class EarlierPictures(ABC):
    """Offers pictures of the published data set."""

    stand_ins: Mapping[str, Mapping[str, Any]]
    """What :func:`.publish` must know of the files that were put."""

    @staticmethod
    def of(destination: Destination, places: Places) -> EarlierPictures:
        """Look at a published data set; it need not exist.

        :param destination: where it is published.
        :param places: where the picture of a task may lie in it: the task's name -> relative paths.
        """
        local = local_path(destination.dataset)
        return _Stored(destination.held(), places) if local is None else _Local(local, places)

    @abstractmethod
    def offer(self, name: str, target: str) -> Offer | None:
        """Put the picture of a task, or what stands for it, to its new place.

        :param name: the task's name.
        :param target: its new place, where nothing is yet.
        :returns: what was put there; ``None`` where there is no such picture.
        """


class _Local(EarlierPictures):
    """Links pictures of a local folder. Their MD5 is that of their bytes as they are now."""

    def __init__(self, root: Path, places: Places) -> None:
        self.stand_ins = {}
        self._root = root
        self._places = places

    def offer(self, name: str, target: str) -> Offer | None:
        """See the base class."""
        for place in self._places(name):
            try:
                os.link(place_below(self._root, place), target)
            except (OSError, UnsafeNameError):  # not there, behind a link that leads out, or no links can be made
                continue
            # A link stands for the very file, whatever becomes of the old name meanwhile.
            if stat.S_ISREG(os.lstat(target).st_mode):
                with open(target, "rb") as file:
                    facts = facts_of_file(file)
                return Offer(facts.md5, facts)
            os.unlink(target)
        return None


class _Stored(EarlierPictures):
    """Puts a line of text for a picture of an object store, which is not read: its MD5 is what the manifest says."""

    def __init__(self, rows: Mapping[str, Any], places: Places) -> None:
        self.stand_ins: Rows = Rows()
        self._rows = rows
        self._places = places
        self._secret = secrets.token_hex()  # no picture has the same bytes as what stands for one

    def offer(self, name: str, target: str) -> Offer | None:
        """See the base class."""
        for place in self._places(name):
            row = self._rows.get(place, {})
            if "md5" in row:
                text = f"{self._secret} {row['path']}".encode()
                with open(target, "wb") as file:
                    file.write(text)
                facts = facts_of((text,))
                self.stand_ins.put(row, facts.sha256)
                return Offer(str(row["md5"]), facts)
        return None
