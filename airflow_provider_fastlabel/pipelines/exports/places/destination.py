"""Where a data set is published, and how: what all ways share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.formats.writing.classes import LOCK_FILE
from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.pipelines.exports.places.pointer import POINTER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.pipelines.exports.manifest_file import Files, ManifestFile

    Row = Mapping[str, Any]

Way = Literal["versions", "in_place"]
"""``versions``: each data set in a folder of its own, and a file that says which is current. ``in_place``: the place
itself is the data set's folder."""
WAYS: tuple[Way, ...] = ("versions", "in_place")


class PublishedOtherwiseError(FastLabelInvalidException):
    """A place holds what was published in the other way. Nothing was read or changed."""


class FileGoneError(OSError):
    """A file that was to be taken from the earlier data set in an object store is gone. Nothing was changed."""


def holds_versions(target: Any) -> PublishedOtherwiseError:
    """Return the error for a place that holds versions, where one export publishes in place.

    :param target: the place.
    """
    return PublishedOtherwiseError(
        f"{target} holds versions of a data set ({POINTER} lies there), and this export publishes in place. Nothing "
        "was read or changed. Give publish='versions' to go on with them, or give `output` another place."
    )


def holds_in_place(target: Any) -> PublishedOtherwiseError:
    """Return the error for a place that holds a data set itself, where one export publishes versions.

    :param target: the place.
    """
    return PublishedOtherwiseError(
        f"{target} holds a data set that was published in place ({MANIFEST} lies there), and this export publishes "
        "versions. Nothing was read or changed. Give publish='in_place' to go on as before. Or remove "
        f"{MANIFEST} and, if it is there, {PREVIOUS}: the next export then publishes its version beside the old files, "
        f"takes the class numbers from {LOCK_FILE} among them, and leaves them to you."
    )


class Put(NamedTuple):
    """What became of a data set.

    :param changed: whether it was not there already.
    :param path: where it lies, relative to the place; empty for the place itself.
    """

    changed: bool
    path: str = ""


class Destination(ABC):
    """A place for data sets as it was found when an export began.

    :param target: the place: a local folder, or a path in an object store.

    :ivar dataset: where the data set lies that is there already; the place itself if there is none.
    """

    after_failure = "Readers find what was there before, or this data set, whole."
    """What a store that fails while a data set is put in its place leaves."""
    takes_from_elsewhere = False
    """Whether a file may be taken from another path of the earlier data set than its own."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.dataset = target

    def held(self, *, renew: bool = False) -> Mapping[str, Row]:
        """Find the files of the earlier data set from which publishing takes those that have not changed.

        :param renew: look at the place again, before publishing.
        :returns: path -> the file's row of the manifest; in a local folder nothing, for files are moved there.
        :raises DamagedFileError: there is a manifest, and no export can have written it.
        :raises OvertakenError: another export has published meanwhile.
        """
        del renew
        return {}

    @abstractmethod
    def put(self, staged: Path, files: Files, text: ManifestFile, there: Mapping[str, Row]) -> Put:
        """Put a data set in its place.

        :param staged: folder with its files, which are moved or copied.
        :param files: the rows of its manifest.
        :param text: its manifest.
        :param there: what :meth:`held` has just returned.
        :raises FileExistsError: the place holds files but no manifest of ours.
        :raises OddPlaceError: something else than a folder stands where one is needed.
        :raises OvertakenError: another export has published meanwhile.
        :raises FileGoneError: a file that was to be taken from the earlier data set is not there any more.
        :raises DiskFullError: there is no room.
        :raises OSError: a file cannot be read or written.
        """
