"""A finished folder appears at its target whole or not at all.

An exporter writes into a staging folder; :func:`publish` adds ``manifest.json`` (files with size, SHA-256 and MD5,
counts, class ids, filters, provider version; no timestamps, so the same content has the same bytes) and puts it in its
place: by renaming in a local folder (:mod:`.local_folder`), as a version beside the others in an object store
(:mod:`.versions`; any object with the pathlib methods over an fsspec file system, such as Airflow's
``ObjectStoragePath``). By argument a local folder has versions too, or an object store is changed in place, file by
file (:mod:`.object_store`), which is not whole while it lasts.

Files are hashed while they are written (:mod:`~.writing.noted`), and the rows of the manifest are kept on disk, so that
none is read twice and memory stays flat. What lies in the staging folder and is unknown there, or has another size than
was written, is read; nobody else has a business in that folder.

Publishing the same content again changes nothing, unless a file of the data set is missing, has another size, or was
written after the manifest: then somebody has overwritten it, and it is put right.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.digests import facts_of_file
from airflow_provider_fastlabel.formats.writing.naming import MANIFEST, PREVIOUS
from airflow_provider_fastlabel.formats.writing.noted import NotedFolder
from airflow_provider_fastlabel.pipelines.exports.manifest_file import Files, Placed, manifest_file
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, load_whole
from airflow_provider_fastlabel.pipelines.exports.places.destination import Destination, FileGoneError, holds_in_place
from airflow_provider_fastlabel.pipelines.exports.places.local_folder import Renamed, files_below, settle
from airflow_provider_fastlabel.pipelines.exports.places.object_store import InPlace
from airflow_provider_fastlabel.pipelines.exports.places.versions import LocalVersions, StoredVersions
from airflow_provider_fastlabel.pipelines.exports.rows import Rows
from airflow_provider_fastlabel.pipelines.files.buckets import bucket_needed, refuse_missing_bucket, store_asked
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.stored import kind_at
from airflow_provider_fastlabel.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from airflow_provider_fastlabel.formats.writing.classes import ClassMap
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.pipelines.exports.places.destination import Way

    Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did.

    :param digest: SHA-256 of ``manifest.json``, hexadecimal: the same for the same data set.
    :param changed: false if the target already held this very data set.
    :param path: where the data set lies, relative to the target; empty for the target itself.
    """

    digest: str
    changed: bool
    path: str = ""


def manifest_of(
    report: ExportReport,
    *,
    format: str,
    classes: ClassMap | None = None,
    first_class_id: int = 0,
    filters: Mapping[str, Any] | None = None,
    class_changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe an export for its manifest.

    :param report: what the exporter returned.
    :param format: name of the format, e.g. ``coco``.
    :param classes: class map, for the ids; without it the report's classes, in order.
    :param first_class_id: id of the first class in the format: 1 for COCO categories, 0 for YOLO.
    :param filters: what the tasks were selected by (project, status, tags ...); JSON types.
    :param class_changes: how the classes changed the last time they did.
    :returns: the manifest without its files, which :func:`publish` adds.
    """
    counts = report.to_dict(whole=True)
    values = counts.pop("classes") if classes is None else classes.values
    counts.pop("files")
    return {
        "format": format,
        "provider": f"airflow-provider-fastlabel {__version__}",
        "filters": dict(filters or {}),
        "counts": counts,
        "classes": {value: number for number, value in enumerate(values, first_class_id)},
        **({"class_changes": dict(class_changes)} if class_changes else {}),
    }


def prepare(target: Any, way: Way | None = None, keep_versions: int = 1) -> Destination:
    """Make a place ready for an export, and refuse one that cannot take it, before any work.

    :param target: where the data set will be published, as :func:`.real_place` returned it.
    :param way: as for :func:`destination`.
    :param keep_versions: as for :func:`destination`.
    :returns: the place as it is now, see :func:`destination` for what that refuses.
    :raises BucketMissingError: the bucket does not exist.
    :raises StoreFailedError: the object store was not reached, or refused.
    """
    settle(target)  # the class ids lie in the old data set, wherever a killed publish left it
    refuse_missing_bucket(target, "output")
    with looked_at(target):
        return destination(target, way, keep_versions)


def looked_at(target: Any) -> AbstractContextManager[None]:
    """Say what has happened if the store of a place fails while the block looks at what is published there.

    :param target: the place.
    :raises StoreFailedError: see :func:`.store_asked`.
    """
    return store_asked(target, "cannot be looked at", "Nothing was published or changed.", alone=False)


def destination(target: Any, way: Way | None = None, keep_versions: int = 1) -> Destination:
    """Look at a place before any work, and refuse what publishing would refuse at the end.

    :param target: where data sets shall be published, after :func:`.settle`: ``str`` or ``Path`` of a local folder that
        is no link, as :func:`.real_place` returns it, or an object-store path.
    :param way: ``versions`` or ``in_place``; by default the latter in a local folder, where it is done by renaming, and
        versions in an object store.
    :param keep_versions: how many earlier versions stay beside the current one; at least 1.
    :raises FileExistsError: a local folder holds files, and none of them is the manifest of an earlier export.
    :raises PublishedOtherwiseError: what is there was published in the other way.
    :raises OddPlaceError: something else than a folder stands where versions belong.
    :raises DamagedFileError: a file by which an earlier export says what it did is not as an export writes it.
    """
    local = local_path(target)
    if (way or ("versions" if local is None else "in_place")) == "in_place":
        return InPlace(target) if local is None else Renamed(local)
    place = target if local is None else local
    try:
        found = StoredVersions(target, keep_versions) if local is None else LocalVersions(local, keep_versions)
    except DamagedFileError:
        if _holds_one(place):  # of which that file may be
            raise holds_in_place(place) from None
        raise
    if found.dataset is place and _holds_one(place):
        raise holds_in_place(place)
    return found


def _found(target: Any) -> Destination:
    """Look at a place that nobody has looked at yet."""
    settle(target)
    return destination(target)


def _holds_one(place: Any) -> bool:
    """Tell whether a place itself is the folder of a data set, or was to become one."""
    if (local := local_path(place)) is not None:
        return any(os.path.lexists(local / name) for name in (MANIFEST, PREVIOUS))
    return any(kind_at(place / name) for name in (MANIFEST, PREVIOUS))


def publish(
    staged: Path | NotedFolder[Rows],
    target: Any,
    manifest: Mapping[str, Any],
    *,
    stand_ins: Mapping[str, Row] | None = None,
) -> Published:
    """Put a finished folder in its place.

    :param staged: folder with the files, on this machine. Its files are moved or copied; what is left is the
        caller's to remove. With an account (:class:`~.rows.Rows`), only files are read of which that knows nothing, or
        another size.
    :param target: where the data set shall be: what :func:`destination` has returned, or what that takes.
    :param manifest: what to say about it, see :func:`manifest_of`; ``version`` and ``files`` are added.
    :param stand_ins: for an object store: the SHA-256 of a staged file that only stands for one of the earlier data set
        -> the row of that file, as :meth:`.Destination.held` gave it.
    :returns: the digest of the manifest, whether anything changed, and where the data set lies.
    :raises FileExistsError: a local target holds files but no manifest of ours: it would be overwritten.
    :raises OddPlaceError: a local target, or a folder needed beside it, is a link or something else than a folder.
    :raises PublishedOtherwiseError: what the target holds was published in another way.
    :raises DamagedFileError: the target's manifest is not as an export writes it.
    :raises BucketMissingError: the bucket of the target does not exist; none is created.
    :raises OvertakenError: another export has published versions there meanwhile; this one's is removed.
    :raises FileGoneError: a file that a stand-in stands for is not at its path, or has changed.
    :raises OSError: files cannot be read, written or renamed; the old data set is then still there.
    """
    folder = Path(staged)
    (folder / MANIFEST).unlink(missing_ok=True)
    beside = folder.absolute().parent
    account = staged if isinstance(staged, NotedFolder) else NotedFolder(folder, Rows())
    with bucket_needed(target.target if isinstance(target, Destination) else target):
        place = target if isinstance(target, Destination) else _found(target)
        _complete(account)
        there = place.held(renew=True)
        files = _Files(account, stand_ins or {}, there, moves=place.takes_from_elsewhere)
        with manifest_file(beside, manifest, files) as text:
            done = place.put(account.path, files, text, there)
            return Published(text.sha256, done.changed, done.path)


def read_manifest(target: Any) -> dict[str, Any] | None:
    """Read the manifest of a data set at once.

    :param target: the data set's folder: ``str``, ``Path`` or an object-store path.
    :returns: the manifest, or None if there is no finished data set.
    :raises DamagedFileError: it is not as an export writes it.
    """
    return load_whole(Path(target) if isinstance(target, str) else target, MANIFEST)


def _complete(staged: NotedFolder[Rows]) -> None:
    """Bring the account of a folder to what lies there: read what is not in it as it is."""
    seen = 0
    for path, entry in files_below(staged.path):
        seen += 1
        facts = staged.facts_of(path)
        if facts is None or entry.stat(follow_symlinks=False).st_size != facts.size:
            with open_regular(entry.path) as file:
                staged.note(path, facts_of_file(file))
    if seen < staged.account.count(staged.prefix):
        for row in staged.account.below(staged.prefix):
            if not os.path.lexists(staged.path / row["path"]):
                staged.account.remove(staged.prefix + row["path"])


class _Files(Files):
    """The rows of a data set that is staged, with those that stand-ins stand for in their places."""

    def __init__(
        self, staged: NotedFolder[Rows], stand_ins: Mapping[str, Row], there: Mapping[str, Row], *, moves: bool
    ) -> None:
        self._staged = staged
        self._stand_ins = stand_ins
        self._there = there
        self._moves = moves

    def __contains__(self, path: str) -> bool:
        return self._staged.facts_of(path) is not None

    def placed(self) -> Iterator[Placed]:
        """See the base class."""
        for row in self._staged.account.below(self._staged.prefix):
            path = row["path"]
            meant = self._stand_ins.get(row["sha256"])
            if meant is None:
                same = self._there.get(path, {}).get("sha256") == row["sha256"]
                yield Placed(row, path if same else None)
                continue
            source = meant["path"] if self._moves else path
            if self._there.get(source) != meant:
                raise FileGoneError(f"{source} is not in the earlier data set any more, or not as it was")
            yield Placed({**meant, "path": path}, source)
