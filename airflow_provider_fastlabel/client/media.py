"""Checks of the files before they are sent: extension, size, count and codec, in this order (reference 2.3)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.client.bodies import FilePart, base64_length
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.kinds import MB
from airflow_provider_fastlabel.client.mp4 import NotMp4, video_codec

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client.kinds import Kind, Limits, Media

H264 = frozenset({"avc1", "avc2", "avc3", "avc4", "h264"})


def check_extension(path: str | os.PathLike[str], media: Media) -> None:
    """Refuse a file by the end of its name, in any case of letters.

    :raises FastLabelInvalidException: (422) if the extension is not one of ``media``.
    """
    extension = Path(path).suffix.lstrip(".").lower()
    if extension not in media.extensions:
        raise _refused(
            path, f"is of type {extension or 'unknown'!r}; {media.name} files are {', '.join(media.extensions)}"
        )


def checked_file(path: str | os.PathLike[str], media: Media, limits: Limits) -> FilePart:
    """Return a file that may be sent.

    :raises FastLabelInvalidException: (422) naming the file and the rule it breaks, or if it cannot be read.
    """
    check_extension(path, media)
    file = FilePart(path)
    largest = getattr(limits, media.name)
    if file.size > largest:
        allowed = f"{largest / MB:g} MB are allowed for {media.name} (client.limits.{media.name})"
        raise _refused(path, f"has {file.size / MB:.1f} MB; at most {allowed}")
    if media.h264:
        _check_h264(file.path)
    return file


def checked_folder(folder: str | os.PathLike[str], kind: Kind, limits: Limits) -> list[dict[str, str | FilePart]]:
    """Return the files of a folder in ascending order of their names, as ``contents`` of a request.

    Only direct children count, hidden files are left out.

    :raises FastLabelInvalidException: (422) naming the file and the rule it breaks, or if there is no file.
    """
    assert kind.media is not None  # holds for every row with max_files
    assert kind.max_files is not None
    root = Path(folder)
    if not root.is_dir():
        raise FastLabelInvalidException(f"Folder {root} does not exist. Nothing was sent.", 422)
    paths = sorted((path for path in root.iterdir() if not path.name.startswith(".")), key=lambda path: path.name)
    if not paths:
        raise FastLabelInvalidException(f"Folder {root} has no file. Nothing was sent.", 422)
    contents: list[dict[str, str | FilePart]] = []
    most = getattr(limits, kind.max_files)
    characters = 0
    for path in paths:
        file = checked_file(path, kind.media, limits)
        if len(contents) == most:
            raise _refused(root, f"has {len(paths)} files; at most {most} are allowed (client.limits.{kind.max_files})")
        contents.append({"name": path.name, "file": file})
        characters += len(json.dumps({"name": path.name, "file": ""})) + base64_length(file.size)
        if characters > limits.folder_characters:
            allowed = f"{limits.folder_characters} characters of JSON are allowed (client.limits.folder_characters)"
            raise _refused(root, f"is too large from {path.name} on; at most {allowed}")
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
            path, f"holds {codec} video; only AVC/H.264 can be registered. Convert it, e.g. ffmpeg -c:v libx264"
        )


def _refused(path: str | os.PathLike[str], why: str) -> FastLabelInvalidException:
    return FastLabelInvalidException(f"{os.fspath(path)} {why}. Nothing was sent.", 422)
