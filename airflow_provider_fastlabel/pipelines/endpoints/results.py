"""Where the answers of a model endpoint are kept: file by file while the work goes on, one JSON Lines file at the end.

Below the output, which is a local folder or an object store:

* ``images/<name>``: the drawn pictures;
* ``.parts/<name>.json``: the answers that are not yet in the results, one object each, so that a kill loses nothing;
* ``results.jsonl``: the results, one line per file in ascending order of names, ``{"name", "endpoint", "sha256",
  "image", "json"}``. It is replaced whole.

Every file appears whole or not at all: locally by rename, in an object store because writing an object is atomic.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import json
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name, place_below
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.files.buckets import store_asked, store_read
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.placed import stored_whole
from airflow_provider_fastlabel.pipelines.files.removal import remove_files
from airflow_provider_fastlabel.pipelines.files.room import room_needed
from airflow_provider_fastlabel.pipelines.files.stored import list_files
from airflow_provider_fastlabel.regular_files import NotRegularError, open_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

RESULTS = "results.jsonl"
PARTS = ".parts"
IMAGES = "images"

_SIGNATURES = {b"\x89PNG": (".png",), b"\xff\xd8\xff": (".jpg", ".jpeg")}


class Results:
    """The answers below one output; :meth:`add` may be called from any thread.

    :param output: a ``pathlib.Path``, or an object with its interface such as Airflow's ``ObjectStoragePath``.
    :raises FastLabelInvalidException: when ``results.jsonl`` or a piece is there and not ours, no regular file, or a
        link that leads out.
    """

    def __init__(self, output: Any) -> None:
        self._output = output
        self._local = local_path(output)
        self._done: dict[str, tuple[str, str]] = {}
        for line in self._published():
            self._done[line["name"]] = (line["endpoint"], line["sha256"])
        for part in self._read_parts():
            self._done[part["name"]] = (part["endpoint"], part["sha256"])

    def has(self, name: str, endpoint: str, sha256: str) -> bool:
        """Tell whether there is an answer of this endpoint to this very file.

        :param name: the file's path below its folder.
        :param endpoint: name of the endpoint.
        :param sha256: digest of the file, hexadecimal.
        """
        return self._done.get(name) == (endpoint, sha256)

    def refusal_of(self, name: str) -> str | None:
        """Say why nothing can be kept under a name; ``None`` if it can.

        :param name: a file's path below its folder.
        """
        try:
            checked_name(name)
            for place in (f"{PARTS}/{name}.json", f"{IMAGES}/{name}"):
                self._place(place)
        except UnsafeNameError as error:
            return f"cannot have its answer kept below the output under its own name: that {error.why}; rename the file"
        return None

    def add(self, name: str, endpoint: str, sha256: str, answer: Any, taken: Collection[str]) -> None:
        """Keep an answer: first the picture, then the rest, so that an answer that is there is complete.

        :param name: the file's path below its folder.
        :param endpoint: name of the endpoint.
        :param sha256: digest of the file, hexadecimal.
        :param answer: what the endpoint answered, ``{"json", "file"}``.
        :param taken: names of all files, which the picture of another one must not take.
        :raises ValueError: when the picture cannot be read, or the name leads out of the output.
        :raises OSError: when the output cannot be written.
        """
        picture = decode_image(answer.get("file"))
        image = None
        if picture is not None:
            image = f"{IMAGES}/{image_name(name, picture, taken)}"
            self._write(image, picture)
        record = {"name": name, "endpoint": endpoint, "sha256": sha256, "image": image, "json": answer.get("json")}
        self._write(f"{PARTS}/{name}.json", _line(record))

    def publish(self) -> str:
        """Put all answers into ``results.jsonl`` and return its place; pieces go only when that is done."""
        parts = sorted(self._part_paths())
        target = self._output / RESULTS
        if parts or not target.exists():
            new = sorted((self._load(path)["name"], path) for path in parts)
            replaced = {name for name, _ in new}
            kept = (line for line in self._published() if line["name"] not in replaced)
            lines = heapq.merge(kept, (self._load(path) for _, path in new), key=lambda line: str(line["name"]))
            self._replace(target, map(_line, lines))
        self._drop_parts(parts)
        return str(target)

    def _published(self) -> Iterator[dict[str, Any]]:
        """Read the results line by line."""
        try:
            with self._open(RESULTS) as file:
                for number, raw in enumerate(file, start=1):
                    line = _parsed(raw)
                    if line is None:
                        raise FastLabelInvalidException(
                            f"{self._output / RESULTS}, line {number}, is no result of an endpoint. Nothing was sent. "
                            "Give `output` another folder."
                        )
                    yield line
        except FileNotFoundError:
            return

    def _read_parts(self) -> Iterator[dict[str, Any]]:
        return (self._load(path) for path in self._part_paths())

    def _part_paths(self) -> list[str]:
        """Return the pieces' paths: local ones below the output, or keys of the object store."""
        if self._local is not None:
            # A folder of files that was called so has a folder of pieces that is called so.
            found = (path for path in (self._local / PARTS).rglob("*.json") if path.is_symlink() or not path.is_dir())
            return [path.relative_to(self._local).as_posix() for path in found]
        root = self._output / PARTS
        try:
            return [str(key) for key in list_files(root) if str(key).endswith(".json")]
        except FileNotFoundError:
            return []

    def _load(self, path: str) -> dict[str, Any]:
        """Read one piece."""
        if self._local is None:
            with store_read(path):
                raw = self._output.fs.cat_file(path)
        else:
            with self._open(path) as file:
                raw = file.read()
        found = _parsed(raw)
        if found is None:
            where = foreign_text(path if self._local is None else self._local / path)
            raise FastLabelInvalidException(
                f"{where} is no answer of an endpoint, or is damaged. Remove it: the next run sends its file again."
            )
        return found

    def _open(self, name: str) -> Any:
        """Open for reading bytes what an earlier run wrote, or whoever else may write into the output."""
        if self._local is None:
            with store_read(self._output / name):
                return (self._output / name).open("rb")
        try:
            return open_regular(self._place(name))
        except (UnsafeNameError, NotRegularError) as error:
            why = f"it {error.why}" if isinstance(error, UnsafeNameError) else error.strerror
            raise FastLabelInvalidException(
                f"{foreign_text(self._local / name)} cannot be an answer of an earlier run: {why}. Remove it, or give "
                "`output` another folder."
            ) from error

    def _drop_parts(self, parts: list[str]) -> None:
        if self._local is not None:
            shutil.rmtree(self._local / PARTS, ignore_errors=True)
        else:
            remove_files(self._output.fs, parts)

    def _write(self, name: str, data: bytes) -> None:
        self._replace(self._place(name), [data])

    def _place(self, name: str) -> Any:
        """Return where a name is below the output."""
        return self._output / checked_name(name) if self._local is None else place_below(self._local, name)

    def _replace(self, target: Any, pieces: Iterable[bytes]) -> None:
        """Write a file whole."""
        room = room_needed(
            lambda: (
                f"{foreign_text(target)} was written. The answers that are kept stay. Make room there and run it "
                "again: only files without an answer are sent"
            )
        )
        with room, _whole(target) as file:
            for piece in pieces:
                file.write(piece)


@contextmanager
def _whole(target: Any) -> Iterator[Any]:
    """Give a binary file to write, which takes its place when the block has ended well."""
    local = local_path(target)
    if local is None:
        # Spooled, because a block that fails must not have begun an object.
        with tempfile.TemporaryFile() as spool:
            yield spool
            spool.seek(0)
            with store_asked(target, "cannot be written", ""), stored_whole(target) as sink:
                shutil.copyfileobj(spool, sink)
        return
    local.parent.mkdir(parents=True, exist_ok=True)
    # Short, because the name of the target may be as long as the file system allows.
    aside = local.with_name(f".{secrets.token_hex(8)}.aside")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(local)
    finally:
        aside.unlink(missing_ok=True)


def decode_image(text: Any) -> bytes | None:
    """Return the picture in an endpoint's answer, ``None`` when there is none.

    :param text: base64 text, which may begin with ``data:...;base64,``.
    :raises ValueError: when it is neither.
    """
    if not text:
        return None
    if not isinstance(text, str):
        raise ValueError(f"the endpoint answered a picture that is no text but {type(text).__name__}")
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the endpoint answered a picture that is not base64 ({error})") from None


def image_name(name: str, picture: bytes, taken: Collection[str]) -> str:
    """Return the name of a drawn picture: that of the file, with its true extension put behind when it has another.

    :param name: the file's path below its folder.
    :param picture: the bytes of the picture.
    :param taken: names of all files, which the picture of another one must not take.
    """
    extensions = next((ext for sign, ext in _SIGNATURES.items() if picture.startswith(sign)), None)
    if extensions is None or name.lower().endswith(extensions):
        return name
    found = name + extensions[0]
    while found in taken:
        found += extensions[0]
    return found


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """Return a result; ``None`` for what is none."""
    try:
        found = parse_json(raw)
    except UnusableJsonError:
        return None
    named = isinstance(found, dict) and all(isinstance(found.get(key), str) for key in ("name", "endpoint", "sha256"))
    return found if named else None


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
