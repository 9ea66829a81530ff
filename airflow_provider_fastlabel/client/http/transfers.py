"""Files to and from signed addresses: other hosts, no token, no quota, flat memory."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from airflow_provider_fastlabel.client.exceptions import ConnectionFailed, FastLabelException
from airflow_provider_fastlabel.client.http import retry
from airflow_provider_fastlabel.client.http.answers import pieces
from airflow_provider_fastlabel.client.http.bodies import FilePart, RawBody
from airflow_provider_fastlabel.client.http.session import Connections
from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_fastlabel.digests import Digest


class Transfers(Connections):
    """Uploads and downloads."""

    def upload(self, url: str, file_path: str | os.PathLike[str], content_type: str) -> None:
        """Put a file to a signed address as it is.

        :param url: the address.
        :param content_type: the ``Content-Type`` it was signed for.
        :raises FastLabelException: if the file cannot be read or changes meanwhile, or the store does not take it.
        """
        file = FilePart(file_path)
        # A body without a length would go in chunks, which stores do not take.
        body = RawBody(file) if file.size else b"".join(file.chunks())
        call = f"upload of {foreign_text(os.path.basename(file_path))} to {_host(url)}"

        def send() -> FastLabelException | None:
            file.refuse_changes()
            with self._signed("PUT", url, body, {"Content-Type": content_type}) as response:
                if response.request.method != "PUT":
                    return FastLabelException(f"{call}: the store redirected it as a reading. Nothing was uploaded.")
                return _refusal(call, response)

        self._persist(call, send)

    def download(
        self, url: str, target: str | os.PathLike[str], *, known_md5: str | None = None, digest: Digest | None = None
    ) -> bool:
        """Fetch a signed address into a file, which appears complete or not at all.

        It is written aside, its length checked, then renamed. An interrupted transfer goes on where it stopped if the
        store can do that.

        :param url: the address.
        :param target: the file; its folder must exist.
        :param known_md5: MD5 of the bytes that ``target`` holds already, hexadecimal. A store that names its objects by
            their MD5, as S3 does without KMS, then only confirms that they are the same.
        :param digest: takes in the bytes of the file as they pass.
        :returns: whether the file was fetched; false if it was confirmed.
        :raises FastLabelException: if the store does not answer, or not with the whole file.
        """
        folder, name = os.path.split(target)
        call = f"download of {foreign_text(name)} from {_host(url)}"
        aside = os.path.join(folder, f".{secrets.token_hex(8)}.part")  # never longer than a name may be
        tag = ""
        fetched = True

        def fetch() -> FastLabelException | None:
            nonlocal tag, fetched
            have = os.stat(aside).st_size if tag else 0
            headers = {"Accept-Encoding": "identity"}
            if have:
                headers |= {"Range": f"bytes={have}-", "If-Range": tag}
            elif known_md5:
                headers["If-None-Match"] = f'"{known_md5}"'
            with self._signed("GET", url, None, headers) as response:
                if response.status_code == 304 and "If-None-Match" in headers:
                    fetched = False
                    return None
                if response.status_code == 416 and have:
                    tag = ""
                    return ConnectionFailed(f"{call}: it broke off, and cannot go on from there.")
                if (refusal := _refusal(call, response)) is not None:
                    return refusal
                etag = response.headers.get("ETag", "")
                # How far an encoded file has come tells nothing of where in it to go on.
                tag = "" if etag.startswith("W/") or "Content-Encoding" in response.headers else etag
                if response.status_code != 206:
                    have = 0
                elif not _is_rest(response.headers.get("Content-Range", ""), have):
                    tag = ""
                    return ConnectionFailed(f"{call}: another part arrived than asked for.")
                return _save(call, response, aside, have, digest)

        try:
            self._persist(call, fetch)
            if fetched:
                os.replace(aside, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(aside)
        return fetched

    def _persist(self, call: str, transfer: Callable[[], FastLabelException | None]) -> None:
        """Repeat a transfer until it succeeds or the retries are used up."""
        for attempt in range(self._max_retries + 1):
            try:
                error = transfer()
            except requests.RequestException as problem:
                error = retry.network_error(call, problem)[0]
            if error is None:
                return
            self._pause(call, attempt, error)

    @contextlib.contextmanager
    def _signed(self, method: str, url: str, data: Any, headers: dict[str, str]) -> Iterator[requests.Response]:
        with self._send(self._transfers, method, str(url), data=data, headers=headers) as response:
            yield response


def _host(url: object) -> str:
    """Return the host of an address, for messages: the rest of it is signed."""
    try:
        return foreign_text(urlsplit(str(url)).hostname or "nowhere", 200)
    except ValueError:
        return "nowhere"


def _refusal(call: str, response: requests.Response) -> FastLabelException | None:
    """Return the error of an answer outside 2xx; not its text, where stores repeat parts of the signature."""
    if response.ok and response.status_code < 300:
        return None
    said = http.client.responses.get(response.status_code, "")
    return retry.error_for(call, response.status_code, said, retry.asked_pause(response.headers))


def _is_rest(content_range: str, start: int) -> bool:
    """Return whether a part goes from ``start`` to the end of the whole (RFC 9110, 14.4)."""
    match = re.fullmatch(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})", content_range)
    return match is not None and int(match[1]) == start and int(match[2]) + 1 == int(match[3])


def _save(
    call: str, response: requests.Response, aside: str, have: int, digest: Digest | None
) -> FastLabelException | None:
    """Write the body behind the ``have`` bytes of ``aside``, and check that the promised length arrived."""
    got = 0
    if digest is not None and not have:
        digest.restart()
    with open(aside, "r+b" if have else "wb") as file:
        file.seek(have)
        for piece in pieces(response):
            got += file.write(piece)
            if digest is not None:
                digest.update(piece)
        file.truncate()
    promised = response.headers.get("Content-Length", "")
    # As texts: not everything that stands there is a number, or one that Python would read.
    lengths = {part.strip().lstrip("0") or "0" for part in promised.split(",")}
    if promised and lengths != {str(got)} and "Content-Encoding" not in response.headers:
        return ConnectionFailed(f"{call}: {got} bytes arrived instead of {foreign_text(promised, 40)}.")
    return None
