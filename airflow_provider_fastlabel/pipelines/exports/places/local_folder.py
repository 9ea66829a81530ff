"""A finished data set takes its place in a local folder, by renaming.

The new one is completed beside the target (``.<name>.publishing``) and renamed into place; the old one is renamed away
(``.<name>.previous``) just before. Then the files that a user has put into the old one are carried over, and only when
all are, the rest is removed, ``manifest.json`` among it. A publish killed at any moment is set right by :func:`settle`,
with which the next one begins: an old data set that has its manifest is put back or gives the user's files; of one
without, nothing is wanted any more.

No link is followed here: :func:`real_place` resolves the target once, before the work, and what then stands in one of
the three places must be a folder.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.pipelines.exports.manifests import is_there, load
from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination, Put, holds_versions
from airflow_provider_fastlabel.pipelines.exports.places.pointer import POINTER
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.regular_files import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_fastlabel.pipelines.exports.manifest_file import Files, ManifestFile
    from airflow_provider_fastlabel.pipelines.exports.manifests import Earlier

    Row = Mapping[str, Any]

_TOGETHER = 1000

log: logging.Logger = logging.getLogger(__name__)


class OddPlaceError(FastLabelInvalidException):
    """Something stands in the way of a data set that is not followed, renamed or removed."""


def real_place(target: Any) -> Any:
    """Resolve the links of a target once, before any work: the data set appears at the folder that they lead to.

    :param target: a local path, or an object-store path, which is returned as it is.
    :returns: the path without links.
    :raises OddPlaceError: a link leads nowhere, the target is no folder, the root or a mount point, or something else
        than a folder has the name of one that publishing needs beside it.
    """
    local = local_path(target)
    if local is None:
        return target
    for path in (local, *local.parents):
        if path.is_symlink() and not path.exists():
            raise OddPlaceError(
                f"{path} is a symbolic link that leads to no folder ({os.readlink(path)!r}). Nothing was read or "  # noqa: PTH115
                "changed. Create the folder it should lead to, or give `output` another."
            )
    place = Path(os.path.realpath(local))
    if not place.name or os.path.ismount(place):
        raise OddPlaceError(
            f"{place} is the root or a mount point, which cannot be renamed, so nothing can be published there whole. "
            "Nothing was read or changed. Give `output` a folder in it."
        )
    refuse_odd(place, beside(place, "publishing"), beside(place, "previous"))
    return place


def beside(target: Path, what: str) -> Path:
    """Return the name of a folder that publishing needs beside a target.

    :param target: the data set's folder.
    :param what: ``publishing`` or ``previous``.
    """
    return target.with_name(f".{target.name}.{what}")


def refuse_odd(*places: Path) -> None:
    """Refuse what is there and no folder, links to folders among it.

    :param places: local paths.
    :raises OddPlaceError: there is such a thing.
    """
    for place in places:
        if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
            what = "a symbolic link" if place.is_symlink() else kind_of(place.lstat().st_mode)
            raise OddPlaceError(
                f"{place} is {what}, where a folder belongs. It was left alone, and so was what it leads to. Move it "
                "away and repeat the export, or give `output` another folder."
            )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one publish at a time work in a folder; the lock goes with the process.

    :param folder: the folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def settle(target: Any) -> None:
    """End a publish into a local folder that was killed between its renames or while it removed the old data set.

    Call it before anything is read from the target: the old data set may lie beside it. :func:`.publish` does so
    itself.

    :param target: as :func:`real_place` returned it; an object store needs nothing.
    :raises FileExistsError: somebody has put files where the old data set is to come back; nothing was changed.
    :raises OddPlaceError: something else than a folder has the name of the old data set.
    :raises DamagedFileError: the old data set's manifest is not as an export writes it; nothing was changed.
    :raises OSError: files cannot be renamed or removed.
    """
    local = local_path(target)
    if local is None or not os.path.lexists(beside(local.absolute(), "previous")):
        return
    with locked(local.absolute().parent):
        _settle(local.absolute(), beside(local.absolute(), "previous"))


class Renamed(Destination):
    """A local folder that is the data set's own; a new one takes its place by renaming.

    :param target: the folder; what leads to it may be links, it itself is none.
    :raises FileExistsError: it holds files, and none of them is the manifest of an earlier export.
    :raises OddPlaceError: it is no folder.
    :raises PublishedOtherwiseError: it holds versions.
    :raises DamagedFileError: its manifest is not as an export writes it.
    """

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        refuse_odd(target)
        if not target.exists() or is_there(target, MANIFEST):
            return
        if os.path.lexists(target / POINTER):
            raise holds_versions(target)
        if any(target.iterdir()):
            raise FileExistsError(
                f"{target} holds files but no {MANIFEST} of an earlier export. Nothing was read or changed. "
                "Give `output` an empty or new folder."
            )

    def put(self, staged: Path, files: Files, text: ManifestFile, there: Mapping[str, Row]) -> Put:
        """See the base class."""
        del there
        return Put(_publish(staged, self.target, files, text))


def _publish(staged: Path, target: Path, files: Files, text: ManifestFile) -> bool:
    """Put a data set in its place; return whether it was not there already."""
    target.absolute().parent.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(target.absolute().parent), target.name)
    coming, leaving = beside(target, "publishing"), beside(target, "previous")
    with locked(target.parent):
        refuse_odd(target, coming)
        _settle(target, leaving)
        old = load(target, MANIFEST)
        if old is not None and old.sha256 == text.sha256 and is_untouched(target, files):
            return False
        if old is None and target.exists() and any(target.iterdir()):
            raise FileExistsError(
                f"{target} holds files but no {MANIFEST} of an earlier export: nothing was changed. "
                f"Give an empty or new folder, or remove its content first."
            )
        shutil.rmtree(coming, ignore_errors=True)
        complete(staged, coming, text)
        if target.exists():
            target.rename(leaving)
        coming.rename(target)
        if os.path.lexists(leaving):
            refuse_odd(leaving)  # somebody may have put a link into the old one's place just now
            _carry_over(leaving, target, old)
            _clear(leaving)
    return True


def is_untouched(target: Path, files: Files) -> bool:
    """Tell whether a folder holds every file of a data set, with its size and not written after the manifest.

    :param target: the folder.
    :param files: the rows of the manifest.
    """
    try:
        until = (target / MANIFEST).stat().st_mtime_ns
        # Of a link that somebody has put into a file's place, neither is what it leads to.
        seen = ((row["size"], os.lstat(f"{target}/{row['path']}")) for row in files)
        return all(stat.st_size == size and stat.st_mtime_ns <= until for size, stat in seen)
    except OSError:
        return False


def complete(staged: Path, coming: Path, text: ManifestFile) -> None:
    """Bring staged files into a new folder, by rename where that is possible, and write the manifest.

    The folder itself is new: a staging folder is often readable by its owner only.

    :param staged: folder with the files.
    :param coming: the new folder.
    :param text: the manifest.
    :raises OSError: a file cannot be moved or written.
    """
    coming.mkdir()
    while names := _some_names(staged):
        for name in names:
            shutil.move(f"{staged}/{name}", f"{coming}/{name}")
    with (coming / MANIFEST).open("wb") as file:
        text.copy_to(file)
        file.flush()
        os.fsync(file.fileno())


def _some_names(folder: Path) -> list[str]:
    """List a folder in part: all at once could be many."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in islice(entries, _TOGETHER)]


def _settle(target: Path, leaving: Path) -> None:
    """Put the old data set back if the new one had not arrived, else carry a user's files over; then clear."""
    refuse_odd(target, leaving)
    old = load(leaving, MANIFEST)
    if old is not None and not os.path.lexists(target / MANIFEST):
        if target.exists() and any(target.iterdir()):
            raise FileExistsError(
                f"A publish to {target} was killed, and since then somebody has put files there. The data set that was "
                f"published before lies whole in {leaving}; nothing was changed. Move the files of {target} elsewhere "
                "and repeat the export: it puts the data set back."
            )
        if target.exists():
            target.rmdir()
        leaving.rename(target)
    elif leaving.exists():
        if old is not None:
            _carry_over(leaving, target, old)
        _clear(leaving)


def _clear(leaving: Path) -> None:
    """Remove the old data set, first of all its manifest: without it nothing in the folder is wanted any more."""
    (leaving / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(leaving)


def _carry_over(leaving: Path, target: Path, old: Earlier | None) -> None:
    """Move what a user has put into the old data set to the new one; where that has a file, it stays."""
    for path, _ in files_below(leaving):
        if old is not None and (path == MANIFEST or path in old.rows):
            continue
        try:
            if not (taken := os.path.lexists(target / path)):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (leaving / path).rename(target / path)
        except (FileExistsError, NotADirectoryError):  # a file has the name of its folder
            taken = True
        if taken:
            log.warning("%s of the earlier data set is replaced by the new one's", target / path)


def files_below(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Find all files under a folder, links to folders among them, which are not entered; in no order.

    :param folder: the folder. Files may be moved out of it meanwhile.
    :returns: relative path with forward slashes, and the entry.
    :raises OSError: a folder cannot be read.
    """
    left = [""]
    while left:
        inside = left.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(f"{inside}{entry.name}/")
                else:
                    yield inside + entry.name, entry
