"""``current.json`` says which version of a data set is the current one, where versions lie beside each other.

A place with versions holds ``versions/<id>/``, each a whole data set with a manifest of its own, and this one small
file, which is written once a version is complete. A reader takes ``path`` from it, relative to the place.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from airflow_provider_fastlabel.formats.writing.naming import MANIFEST
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError, read_own
from airflow_provider_fastlabel.pipelines.files.buckets import BUCKET_STORES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

POINTER = "current.json"
VERSIONS = "versions"
_FORMAT = 1
_MOST_BYTES = 1 << 20
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}-[0-9a-f]{8}")
_ASIDE = re.compile(r"\.current-[0-9a-f]{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WITH_MATCH = frozenset({"s3", "s3a", "s3n"})
"""Stores whose file system passes on ``If-Match`` and ``If-None-Match``, so that the slower of two writes fails."""
_WITH_CREATE = frozenset({"gs", "gcs", "abfs", "abfss", "az", "adl"})
"""Stores whose file system can only be told that a file must not be there yet."""


class OvertakenError(OSError):
    """Another export has published to the same place meanwhile; its data set stands there, whole."""

    def __init__(self, target: Any) -> None:
        super().__init__(
            f"Another export has published to {target} while this one ran. What that has published stays, whole; this "
            "one's data set is not published, and what was copied of it is removed. Repeat this export, and let one "
            "at a time write to a place (max_active_runs=1)."
        )


class NoDatasetError(FileNotFoundError):
    """There is no published data set at a place."""

    def __init__(self, target: Any) -> None:
        super().__init__(
            f"{target} holds no {MANIFEST} of an export, so it is no published data set. Nothing was made of it. Give "
            "the `output` of an export; where one was killed, repeat it first."
        )


class Version(NamedTuple):
    """One version of a data set.

    :param id: its name: when it was begun (UTC), the beginning of its digest, and what no other attempt has.
    :param sha256: of its manifest, hexadecimal.
    """

    id: str
    sha256: str

    @property
    def path(self) -> str:
        """Where it lies, relative to its place."""
        return f"{VERSIONS}/{self.id}"

    def row(self) -> dict[str, str]:
        """Return what the pointer says of it."""
        return {"id": self.id, "path": self.path, "sha256": self.sha256}


class Seen(NamedTuple):
    """The pointer of a place at one moment.

    :param current: the version that readers see; ``None`` where there is no pointer.
    :param earlier: versions that are kept beside it, the newest first.
    :param raw: bytes of the pointer.
    :param etag: the store's word for them; not of every store.
    """

    current: Version | None
    earlier: tuple[Version, ...]
    raw: bytes | None
    etag: str | None


def new_version(sha256: str) -> Version:
    """Return a version for an attempt to publish; no other attempt has its name.

    :param sha256: of its manifest.
    """
    return Version(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{sha256[:12]}-{secrets.token_hex(4)}", sha256)


def new_aside() -> str:
    """Return where a pointer may be written before it is moved to its place, relative to that."""
    return f"{VERSIONS}/.current-{secrets.token_hex(4)}"


def is_ours(name: str) -> bool:
    """Tell whether something in the folder of versions has a name that only an export gives.

    :param name: its name.
    """
    return bool(_ID.fullmatch(name) or _ASIDE.fullmatch(name))


def pointer_bytes(current: Version, earlier: Iterable[Version]) -> bytes:
    """Return a pointer; no two are the same, so that a store sees each write as a change.

    :param current: the version that readers are to see.
    :param earlier: versions that are kept beside it, the newest first.
    """
    about = {**current.row(), "earlier": [one.row() for one in earlier], "written": secrets.token_hex(8)}
    return json.dumps({**about, "version": _FORMAT}, indent=1, sort_keys=True).encode() + b"\n"


def read_raw(target: Any) -> bytes | None:
    """Read the pointer as it is.

    :param target: the place: a local folder, or a path in an object store.
    :returns: its bytes; ``None`` if there is none.
    :raises DamagedFileError: it is no regular file, or too large for one.
    :raises OSError: it cannot be read.
    """
    return read_own(target, POINTER, _MOST_BYTES)


def read_pointer(target: Any) -> Seen:
    """Read the pointer of a place.

    :param target: as for :func:`read_raw`.
    :raises DamagedFileError: it is not as an export writes it.
    :raises OSError: it cannot be read.
    """
    # The tag first: if the pointer changes in between, the tag is the older one, and the write fails, as it must.
    etag, raw = _etag(target), read_raw(target)
    if raw is None:
        return Seen(None, (), None, None)
    current, *earlier = _versions(raw, target / POINTER)
    return Seen(current, tuple(earlier), raw, etag or _etag(target))


def read_published(target: Any, read: Callable[[Any, str], T | None]) -> tuple[Any, T]:
    """Read the manifest of the data set at a place.

    :param target: its folder, or the place in which it is the current version.
    :param read: reads a manifest: :func:`.manifests.load` or :func:`.load_whole`.
    :returns: the folder of the data set, and what ``read`` returned.
    :raises NoDatasetError: there is none.
    :raises DamagedFileError: the manifest or the pointer is not as an export writes it, or the version that it names is
        not there.
    :raises OSError: they cannot be read.
    """
    if (found := read(target, MANIFEST)) is not None:
        return target, found
    looked: Version | None = None
    while (current := read_pointer(target).current) is not None:
        place = target / current.path
        if (found := read(place, MANIFEST)) is not None:
            return place, found
        if current == looked:
            raise DamagedFileError(target / POINTER, f"the version that it names, {current.path}, is not there")
        looked = current  # exports may have moved on since it was named, and have removed it
    raise NoDatasetError(target)


def version_before(target: Any) -> Any:
    """Return the folder of the version before the one that is meant, where the place keeps versions.

    :param target: the place, whose current version is meant, or the folder of one of its versions.
    :returns: the folder; ``None`` if there is no earlier version, or the place keeps none.
    :raises DamagedFileError: the pointer is not as an export writes it.
    :raises OSError: it cannot be read.
    """
    within = target.parent.name == VERSIONS and _ID.fullmatch(target.name)
    place = target.parent.parent if within else target
    seen = read_pointer(place)
    if seen.current is None:
        return None
    versions = [seen.current, *seen.earlier]
    names = [version.id for version in versions]
    if within and target.name not in names:
        return None
    at = names.index(target.name) + 1 if within else 1
    return place / versions[at].path if at < len(versions) else None


def version_time(folder: Any) -> datetime | None:
    """Return when a version was begun, UTC, by the name of its folder; ``None`` for a folder that is none.

    :param folder: the folder.
    """
    if not _ID.fullmatch(folder.name):
        return None
    try:
        return datetime.strptime(folder.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:  # a name that only looks like one of ours
        return None


def _etag(target: Any) -> str | None:
    if getattr(target, "protocol", None) not in _WITH_MATCH:
        return None
    target.fs.invalidate_cache()
    try:
        found = target.fs.info((target / POINTER).path).get("ETag")
    except FileNotFoundError:
        return None
    return None if found is None else str(found)


def _versions(raw: bytes, place: Any) -> list[Version]:
    try:
        data = parse_json(raw)
    except UnusableJsonError as error:
        raise DamagedFileError(place, f"it is {error}") from None
    earlier = data.get("earlier") if isinstance(data, dict) else None
    if not isinstance(earlier, list) or data.get("version") != _FORMAT:
        raise DamagedFileError(place, "it does not say which versions there are")
    versions = []
    for row in (data, *earlier):
        name, sha256 = (row.get("id"), row.get("sha256")) if isinstance(row, dict) else (None, None)
        if not (isinstance(name, str) and _ID.fullmatch(name) and row.get("path") == f"{VERSIONS}/{name}"):
            raise DamagedFileError(place, "it names a version as no export does")
        if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
            raise DamagedFileError(place, f"it has no digest of the version {name}")
        versions.append(Version(name, sha256))
    return versions


def write_stored(target: Any, data: bytes, seen: Seen) -> None:
    """Write the pointer of a place in an object store, if it is still the one that was seen.

    :param target: the place. Where its store has no conditional writes, a pointer that another export writes within the
        milliseconds between the last look and this write is lost.
    :param data: the pointer.
    :param seen: the pointer as it was when the export began.
    :raises OvertakenError: it is another now; nothing was written.
    :raises OSError: it cannot be written. It may be there nevertheless, or later.
    """
    when = _condition(target, seen)
    if not when:
        refuse_overtaken(target, seen)
    try:
        _put(target, data, when)
    except Exception as error:  # stores fail with their own kinds of errors
        now = read_raw(target)
        if now == data:  # only the answer was lost
            return
        if when and now != seen.raw:
            raise OvertakenError(target) from error
        raise


def refuse_overtaken(target: Any, seen: Seen) -> None:
    """Refuse to go on if a place has another pointer than when the export began.

    :param target: the place.
    :param seen: the pointer as it was.
    :raises OvertakenError: it is another now.
    """
    if read_raw(target) != seen.raw:
        raise OvertakenError(target)


def _condition(target: Any, seen: Seen) -> dict[str, str]:
    """Return what makes a store refuse a write if the pointer is not as it was; empty if nothing does."""
    if target.protocol in _WITH_MATCH:
        if seen.raw is None:
            return {"IfNoneMatch": "*"}
        return {"IfMatch": seen.etag} if seen.etag else {}
    return {"mode": "create"} if seen.raw is None and target.protocol in _WITH_CREATE else {}


def _put(target: Any, data: bytes, when: dict[str, str]) -> None:
    """Write it so that a reader finds the old one or the new one."""
    place = target / POINTER
    if target.protocol in BUCKET_STORES:
        target.fs.pipe_file(place.path, data, **when)
        return
    aside = target / new_aside()
    target.fs.pipe_file(aside.path, data)
    target.fs.mv(aside.path, place.path)
