"""Checks of the files before they are sent: extension, size, count and codec, in this order (reference 2.3)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.arguments import check_unicode, path_text
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.http.bodies import FilePart, base64_length
from airflow_provider_fastlabel.client.kinds import MB
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.mp4 import NotMp4, video_codec

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client.kinds import Kind, Limits, Media

EMPTY = "has 0 bytes, perhaps because it is still being written. Complete it or leave it out"
H264 = frozenset({"avc1", "avc2", "avc3", "avc4", "h264"})


def check_extension(path: str | os.PathLike[str], media: Media) -> None:
    """Refuse a file by the end of its name, in any case of letters.

    :raises FastLabelInvalidException: (422) if the extension is not one of ``media``.
    """
    _check_extension(path, media.name, media.extensions)


def checked_file(path: str | os.PathLike[str], media: Media, limits: Limits) -> FilePart:
    """Return a file that may be sent.

    :raises FastLabelInvalidException: (422) naming the file and the rule it breaks, or if it cannot be read.
    """
    check_extension(path, media)
    file = sized_file(path, media.name, getattr(limits, media.name), smallest=1)
    if media.h264:
        _check_h264(file.path)
    return file


def sized_file(path: str | os.PathLike[str], purpose: str, largest: int, *, smallest: int = 0) -> FilePart:
    """Return a file that is not too large.

    :param purpose: what it is for, for the message.
    :param largest: bytes allowed.
    :param smallest: bytes needed: 0, or 1 for what cannot be empty.
    :raises FastLabelInvalidException: (422) if it is larger or empty, or cannot be read.
    """
    file = FilePart(path)
    if file.size < smallest:
        raise _refused(path, EMPTY)
    if file.size > largest:
        raise _refused(path, too_large(file.size, purpose, largest))
    return file


def too_large(size: int, purpose: str, largest: int) -> str:
    """Say of a file that it is larger than allowed, and what can be done.

    :param size: its bytes.
    :param purpose: what it is for.
    :param largest: bytes allowed.
    """
    allowed = f"for {purpose} at most {largest:,} ({largest / MB:g} MB) are allowed"
    return f"has {size:,} bytes; {allowed}. Make it smaller or leave it out"


def too_many(count: int, most: int) -> str:
    """Say of a folder that it has more files than allowed, and what can be done."""
    return f"has {count} files; at most {most} are allowed in one task. Split the folder into several tasks"


def too_long(characters: int, first: str = "") -> str:
    """Say of a folder that its files are together larger than allowed, and what can be done.

    :param characters: what is allowed, as :attr:`Limits.folder_characters`.
    :param first: the first file that is too many, where it is known.
    """
    start = f" from {foreign_text(first)} on" if first else ""
    allowed = f"at most {characters:,} characters as base64, about {characters * 3 // 4 // MB} MB"
    return f"is too large{start}; its files may take {allowed}. Split the folder, or make its files smaller"


def content_characters(name: str, size: int) -> int:
    """Return how many characters a file of a folder takes in the request, as :attr:`Limits.folder_characters` counts.

    :param name: the file's name, without its folder.
    :param size: its bytes.
    """
    return len(json.dumps({"name": name, "file": ""})) + base64_length(size)


def checked_zip(path: str | os.PathLike[str], purpose: str) -> FilePart:
    """Return a zip that may be uploaded. Its size is not bounded here.

    :param purpose: what it is for, for the message.
    :raises FastLabelInvalidException: (422) if it is none, is empty, or cannot be read.
    """
    _check_extension(path, purpose, ("zip",))
    file = FilePart(path)
    if not file.size:
        raise _refused(path, EMPTY)
    return file


def checked_folder(folder: str | os.PathLike[str], kind: Kind, limits: Limits) -> list[dict[str, str | FilePart]]:
    """Return the files of a folder in ascending order of their names, as ``contents`` of a request.

    Only direct children count, hidden files are left out.

    :raises FastLabelInvalidException: (422) naming the file and the rule it breaks, or if there is no file.
    """
    assert kind.media is not None  # holds for every row with max_files
    assert kind.max_files is not None
    given = path_text(folder)
    root = Path(given)
    if not given or not root.is_dir():
        raise FastLabelInvalidException(f"{given!r} does not exist or is no folder. Nothing was sent.", 422)
    try:
        paths = sorted((path for path in root.iterdir() if not path.name.startswith(".")), key=lambda path: path.name)
    except OSError as error:
        raise FastLabelInvalidException(
            f"Cannot read {foreign_text(root)}: {error.strerror}. Nothing was sent.", 422
        ) from error
    if not paths:
        raise FastLabelInvalidException(f"Folder {foreign_text(root)} has no file. Nothing was sent.", 422)
    contents: list[dict[str, str | FilePart]] = []
    most = getattr(limits, kind.max_files)
    characters = 0
    for path in paths:
        file = checked_file(path, kind.media, limits)
        check_unicode(path.name)
        if len(contents) == most:
            raise _refused(root, too_many(len(paths), most))
        contents.append({"name": path.name, "file": file})
        characters += content_characters(path.name, file.size)
        if characters > limits.folder_characters:
            raise _refused(root, too_long(limits.folder_characters, path.name))
    return contents


def _check_h264(path: Path) -> None:
    try:
        codec = video_codec(path)
    except NotMp4 as error:
        raise _refused(path, f"is not a readable MP4 file ({error})") from None
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from error
    if codec.lower() not in H264:
        raise _refused(
            path,
            f"holds {foreign_text(codec)} video; only AVC/H.264 can be registered. "
            "Convert it, e.g. ffmpeg -c:v libx264",
        )


def _check_extension(path: str | os.PathLike[str], purpose: str, extensions: tuple[str, ...]) -> None:
    extension = Path(path_text(path)).suffix.lower()
    if extension.removeprefix(".") not in extensions:
        found = f"ends in {foreign_text(extension, 40)}" if extension else "has no extension"
        raise _refused(path, f"{found}; for {purpose} send a {', '.join(f'.{each}' for each in extensions)} file")


def _refused(path: str | os.PathLike[str], why: str) -> FastLabelInvalidException:
    return FastLabelInvalidException(f"{foreign_text(os.fspath(path))} {why}. Nothing was sent.", 422)
