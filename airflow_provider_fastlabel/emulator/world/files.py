"""Stored files, named by their SHA-256, and the signed addresses they are up- and downloaded at."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode

from airflow_provider_fastlabel.emulator.world.errors import ApiError, invalid
from airflow_provider_fastlabel.emulator.world.settings import Clock

_IN_MEMORY = 1024 * 1024
MARKER = "\x00blob:"
"""Start of the text that stands in a JSON body for a file that was taken out of it."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One stored file.

    :param sha256: hex digest, also its name.
    :param size: bytes.
    """

    sha256: str
    size: int


class BlobWriter:
    """Takes a file in pieces; small ones stay in memory until they are complete.

    :param root: folder of the stored files.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digest = hashlib.sha256()
        self._small = bytearray()
        self._big: IO[bytes] | None = None
        self.size: int = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._digest.update(data)
        self.size += len(data)
        if self._big is None and self.size > _IN_MEMORY:
            self._big = tempfile.NamedTemporaryFile(dir=self._root, delete=False)  # noqa: SIM115
            self._big.write(self._small)
            self._small.clear()
        if self._big is None:
            self._small += data
        else:
            self._big.write(data)

    def commit(self) -> Blob:
        """Keep what was written and say what it is."""
        blob = Blob(self._digest.hexdigest(), self.size)
        path = self._root / blob.sha256
        if self._big is not None:
            self._big.close()
            Path(self._big.name).replace(path)
        elif not path.exists():
            # Imports store files in threads of their own; a file that is there must be there whole.
            aside = path.with_name(f"{blob.sha256}.{id(self)}.part")
            aside.write_bytes(self._small)
            aside.replace(path)
        return blob

    def discard(self) -> None:
        """Forget what was written."""
        if self._big is not None:
            self._big.close()
            Path(self._big.name).unlink(missing_ok=True)


@lru_cache(maxsize=4096)
def md5_of(path: Path) -> str:
    """Return the MD5 of a stored file, hexadecimal. A stored file never changes: it is named by its content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


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


class Files:
    """All stored files of one emulator.

    :param root: folder; created when missing.
    :param secret: key of the signatures.
    :param clock: decides whether an address has expired.
    """

    def __init__(self, root: Path, secret: bytes, clock: Clock) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self._secret = secret
        self._clock = clock

    def reset(self) -> None:
        """Delete all files."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True, exist_ok=True)

    def writer(self) -> BlobWriter:
        """Return a writer for one new file."""
        return BlobWriter(self.root)

    def path(self, sha256: str) -> Path:
        """Return where a stored file lies."""
        return self.root / sha256

    def receive(self, text: str, field: str) -> Blob:
        """Return the file a JSON body carried in one field.

        :param text: the marker that the body reader left in the file's place.
        :param field: name of the field, for the error.
        :raises ApiError: 422 when it is not base64 or empty.
        """
        sha256, _, size = text.removeprefix(MARKER).partition(":")
        if not text.startswith(MARKER) or not sha256 or not self.path(sha256).is_file():
            raise invalid(f"{field} is not valid base64")
        if size == "0":
            raise invalid(f"{field} is empty")
        return Blob(sha256, int(size))

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
        if not hmac.compare_digest(signature.encode(), self._signature(method, path, expires).encode()):
            raise ApiError(403, "the signature of the address does not match")
        if float(expires) < self._clock.now():
            raise ApiError(403, "the signed address has expired")

    def _signature(self, method: str, path: str, expires: str) -> str:
        text = f"{method}\n{path}\n{expires}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, text, "sha256").hexdigest()
