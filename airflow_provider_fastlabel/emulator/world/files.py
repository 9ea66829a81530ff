"""Stored files, named by their SHA-256, and the signed addresses they are up- and downloaded at."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode

from airflow_provider_fastlabel.emulator.world.errors import ApiError, invalid, not_found
from airflow_provider_fastlabel.emulator.world.kinds import LARGEST_FILE, MB
from airflow_provider_fastlabel.emulator.world.settings import Clock

_IN_MEMORY = 1024 * 1024
_STORED = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"[0-9a-f]{32}\.part")
_KEY_BYTES = 32
_OWNER = ".fastlabel-emulator"
"""The file that makes a folder the emulator's."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One stored file.

    :param sha256: hex digest, also its name; empty when it was too large to be kept.
    :param size: bytes.
    """

    sha256: str
    size: int


@dataclass(slots=True)
class _Claims:
    """Who is at work on one stored file: it goes with the last of them, unless it was there before or one keeps it."""

    open: int
    keep: bool


class Batch:
    """The files that one piece of work stores. They are deleted again when it ends without :meth:`keep`."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.writers: set[BlobWriter] = set()
        self.passing: set[str] = set()
        self.kept: bool = False

    def keep(self) -> None:
        """Let the files stay."""
        self.kept = True


_batch: ContextVar[Batch | None] = ContextVar("batch", default=None)


class BlobWriter:
    """Takes a file in pieces; small ones stay in memory until they are complete.

    :param files: where it will be stored.
    :param most: bytes from which on it is only counted, no longer kept; ``None`` for no limit.
    """

    def __init__(self, files: Files, most: int | None = None) -> None:
        self._files = files
        self._most = most
        self._digest = hashlib.sha256()
        self._small = bytearray()
        self._big: IO[bytes] | None = None
        self._part: Path = files.part()
        self.size: int = 0

    @property
    def over(self) -> bool:
        """Whether it grew beyond its limit."""
        return self._most is not None and self.size > self._most

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.size += len(data)
        if self.over:
            self.discard()
            return
        self._digest.update(data)
        if self._big is None and self.size > _IN_MEMORY:
            self._big = _new(self._part)
            self._big.write(self._small)
            self._small.clear()
        if self._big is None:
            self._small += data
        else:
            self._big.write(data)

    def commit(self) -> Blob:
        """Keep what was written and say what it is; nothing is kept of a file over the limit."""
        if self.over:
            return Blob("", self.size)
        blob = Blob(self._digest.hexdigest(), self.size)
        if self._big is None:
            # Imports store files in threads of their own; a file that is there must be there whole.
            self._big = _new(self._part)
            self._big.write(self._small)
        self._big.close()
        self._files.claim(blob, self._part, self)
        self._big = None
        self._small.clear()
        return blob

    def discard(self) -> None:
        """Forget what was written."""
        self._small.clear()
        if self._big is not None:
            self._big.close()
            self._part.unlink(missing_ok=True)
            self._big = None


def _new(path: Path) -> IO[bytes]:
    """Open a file that is new and its owner's only."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def keep_private(path: Path) -> None:
    """Make a file, new or old, its owner's only.

    :param path: the file; made when missing.
    :raises ValueError: when something else lies there, such as a folder or a pipe.
    :raises OSError: when it belongs to somebody else.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"{path} is not a file")
        os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def secret_of(folder: Path | None) -> bytes:
    """Return the signing key: kept beside the files, so that addresses outlive a restart.

    :param folder: where it is kept, or ``None`` for a key that dies with the process.
    :raises ValueError: when what lies there is no key.
    """
    if folder is None:
        return secrets.token_bytes(_KEY_BYTES)
    path = folder / "signing.key"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not path.exists():
        with _new(path) as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
    keep_private(path)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{path} holds no key of {_KEY_BYTES} bytes; delete it and start again: "
                         "addresses that were signed before are void then")  # fmt: skip
    return key


class Base64Writer:
    """Decodes base64 text in pieces into a :class:`BlobWriter`.

    :param writer: where the bytes go.
    """

    def __init__(self, writer: BlobWriter) -> None:
        self._writer = writer
        self._carry = b""
        self.valid: bool = True

    def feed(self, text: bytes) -> None:
        """Take the next piece of text, cut anywhere."""
        # JSON may write a slash with a backslash before it, and the cut may fall between the two.
        data = (self._carry + text).replace(b"\\/", b"/")
        whole = len(data) - data.endswith(b"\\")
        usable = whole - whole % 4
        self._carry = data[usable:]
        try:
            self._writer.write(binascii.a2b_base64(data[:usable], strict_mode=True))
        except binascii.Error:
            self.valid = False

    def finish(self) -> Blob | None:
        """Return the file, or ``None`` when the text was not base64."""
        if not self.valid or self._carry:
            self._writer.discard()
            return None
        return self._writer.commit()


def _is_stored(name: str) -> bool:
    return _STORED.fullmatch(name) is not None


def _own(root: Path) -> None:
    """Make a folder the emulator's: a new or empty one gets the file that says so, which any other must have."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {path.name for path in root.iterdir()}
    foreign = {name for name in names - {_OWNER} if not _PART.fullmatch(name) and not _is_stored(name)}
    if names and _OWNER not in names:
        foreign = names  # other stores, too, name their files by what is in them
    if foreign:
        raise ValueError(f"the folder {root} holds files that are not the emulator's, such as {min(foreign)!r}, and a "
                         "reset would delete files; give it a folder of its own. If the emulator of an earlier version "
                         f"filled it, put an empty file {_OWNER!r} there")  # fmt: skip
    root.chmod(0o700)
    keep_private(root / _OWNER)


class Files:
    """All stored files of one emulator.

    :param root: folder; created when missing.
    :param secret: key of the signatures.
    :param clock: decides whether an address has expired.
    :raises ValueError: when the folder is another's: a reset deletes what lies there.
    """

    def __init__(self, root: Path, secret: bytes, clock: Clock) -> None:
        self.root = root
        self.marker: str = f"\x00blob:{secrets.token_hex(16)}:"
        self._secret = secret
        self._clock = clock
        self._claims: dict[str, _Claims] = {}
        self._lock = threading.Lock()
        _own(root)
        self._delete(_PART)

    def reset(self) -> None:
        """Delete all stored files."""
        with self._lock:
            self._delete(_STORED)
            self._claims.clear()

    def _delete(self, names: re.Pattern[str]) -> None:
        for path in self.root.iterdir():
            if names.fullmatch(path.name):
                path.unlink(missing_ok=True)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Delete at the end what is stored meanwhile, by this call and the threads it starts, unless it is kept."""
        batch = Batch()
        token = _batch.set(batch)
        try:
            yield batch
        finally:
            _batch.reset(token)
            for writer in batch.writers:
                writer.discard()
            self.settle(batch)

    def settle(self, batch: Batch) -> None:
        """Decide about the files of a batch that are complete: they stay, or they go unless others have them too.

        :param batch: the batch; it may go on.
        """
        names, batch.names = batch.names, []
        with self._lock:
            for name in names:
                claims = self._claims.get(name)
                if claims is None:  # a reset came between
                    continue
                claims.open -= 1
                claims.keep |= batch.kept and name not in batch.passing
                if not claims.open:
                    del self._claims[name]
                    if not claims.keep:
                        self.path(name).unlink(missing_ok=True)

    def claim(self, blob: Blob, part: Path, writer: BlobWriter) -> None:
        """Store a complete file under its name.

        :param blob: what it is.
        :param part: where it lies; moved.
        :param writer: who wrote it.
        """
        batch, path = _batch.get(), self.path(blob.sha256)
        with self._lock:
            claims = self._claims.setdefault(blob.sha256, _Claims(0, path.exists()))
            part.replace(path)
            if batch is None:
                claims.keep = True
                return
            claims.open += 1
            batch.names.append(blob.sha256)
            batch.writers.discard(writer)

    def forget(self, blob: Blob) -> None:
        """Let a file that was only looked at go with this batch, even if the batch is kept.

        :param blob: the file.
        """
        batch = _batch.get()
        if batch is not None:
            batch.passing.add(blob.sha256)

    def part(self) -> Path:
        """Return a new name for a file that is being written."""
        return self.root / f"{uuid.uuid4().hex}.part"

    def writer(self, most: int | None = None) -> BlobWriter:
        """Return a writer for one new file.

        :param most: bytes from which on it is only counted.
        """
        writer, batch = BlobWriter(self, most), _batch.get()
        if batch is not None:
            batch.writers.add(writer)
        return writer

    def path(self, sha256: str) -> Path:
        """Return where a stored file lies.

        :raises ApiError: 404 for anything but a digest, such as a path that leads elsewhere.
        """
        if not _is_stored(sha256):
            raise not_found("file", sha256)
        return self.root / sha256

    def mark(self, blob: Blob | None) -> str:
        """Return the text that stands in a JSON body for a file that was taken out of it.

        :param blob: the file; ``None`` for what was not base64.
        """
        return self.marker + (f"{blob.sha256}:{blob.size}" if blob else ":0")

    def marked(self, text: str) -> Blob | None:
        """Return the file that a text stands for: none unless :meth:`mark` wrote it, which no caller can."""
        if not text.startswith(self.marker):
            return None
        sha256, _, size = text[len(self.marker) :].partition(":")
        return Blob(sha256, int(size))

    def receive(self, text: str, field: str) -> Blob:
        """Return the file a JSON body carried in one field.

        :param text: the marker that the body reader left in the file's place, or base64 where it saw no file, as in
            a field whose name is spelt with escapes.
        :param field: name of the field, for the error.
        :raises ApiError: 422 when it is not base64, empty or too large.
        """
        blob = self.marked(text) or self._decoded(text)
        if blob is not None and not blob.sha256 and blob.size:
            raise invalid(f"{field} is too large: {blob.size} bytes, at most {LARGEST_FILE // MB} MB")
        if blob is None or not blob.sha256:
            raise invalid(f"{field} is not valid base64")
        if not blob.size:
            raise invalid(f"{field} is empty")
        return blob

    def _decoded(self, text: str) -> Blob | None:
        decoder = Base64Writer(self.writer(LARGEST_FILE))
        decoder.feed(text.encode())
        return decoder.finish()

    # Signed addresses

    def sign(self, method: str, path: str, life: float) -> str:
        """Return ``path`` with the query that makes it valid for one method.

        :param method: ``GET`` or ``PUT``.
        :param path: absolute path without query.
        :param life: seconds.
        """
        expires = str(int(self._clock.now() + life))
        query = urlencode({"expires": expires, "signature": self._signature(method, path, expires)})
        return f"{quote(path)}?{query}"

    def check(self, method: str, path: str, expires: str, signature: str) -> None:
        """Check a signed address.

        :raises ApiError: 403 when the signature is wrong or has expired.
        """
        # Digits only: a line break in them could be one of the path instead, under the same signature.
        if not (expires.isascii() and expires.isdecimal()):
            raise ApiError(403, "the signature of the address does not match")
        if not hmac.compare_digest(signature.encode(), self._signature(method, path, expires).encode()):
            raise ApiError(403, "the signature of the address does not match")
        if int(expires) < self._clock.now():
            raise ApiError(403, "the signed address has expired")

    def _signature(self, method: str, path: str, expires: str) -> str:
        text = f"{method}\n{path}\n{expires}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, text, "sha256").hexdigest()
