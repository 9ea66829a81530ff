"""Checks files and reads from them what a task shows: picture size, frame rate, duration."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.emulator.world.errors import invalid
from airflow_provider_fastlabel.emulator.world.files import Blob
from airflow_provider_fastlabel.emulator.world.kinds import MB, Kind
from airflow_provider_fastlabel.emulator.world.state import Emulation

_HEAD = 8
_MP4 = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
_H264 = {"avc1", "h264", "AVC1", "H264"}


async def store_file(emu: Emulation, kind: Kind, text: str, field: str = "file") -> dict[str, Any]:
    """Store the file of a body and return its description.

    :param emu: the emulator.
    :param kind: gives the limits.
    :param text: base64 or marker.
    :param field: name of the field, for errors.
    :returns: ``sha256``, ``size`` and what the media tells (``width``, ``height``, ...).
    :raises ApiError: 422 when the file is too large or is not what it should be.
    """
    blob = emu.files.receive(text, field)
    check_size(kind, blob.size, field)
    return await describe(emu, kind, blob, field)


def check_size(kind: Kind, size: int, field: str) -> None:
    """Refuse a file over the kind's limit.

    :raises ApiError: 422 naming the limit.
    """
    if kind.file_bytes and size > kind.file_bytes:
        raise invalid(f"{field} is too large: {size} bytes, at most {kind.file_bytes // MB} MB")


async def describe(emu: Emulation, kind: Kind, blob: Blob, field: str) -> dict[str, Any]:
    """Return what a stored file shows about itself.

    :param emu: the emulator.
    :param kind: says what the file should be.
    :param blob: the stored file.
    :param field: name of the field, for errors.
    :raises ApiError: 422 when an image or a video cannot be read.
    """
    found: dict[str, Any] = {"sha256": blob.sha256, "size": blob.size}
    path = emu.files.path(blob.sha256)
    if kind.media == "image":
        return found | image_size(path, field)
    if kind.media == "video":
        return found | await asyncio.to_thread(video_facts, path, field)
    return found


def image_size(path: Path, field: str) -> dict[str, Any]:
    """Return ``width`` and ``height`` of a picture in pixels, as stored (orientation tags are not applied).

    :raises ApiError: 422 when it is not a JPEG or PNG picture.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            return {"width": image.width, "height": image.height}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise invalid(f"{field} is not a readable JPEG or PNG image") from error


def video_facts(path: Path, field: str) -> dict[str, Any]:
    """Return ``width``, ``height``, ``fps``, ``frameCount`` and ``duration`` (seconds) of a clip.

    :raises ApiError: 422 when it cannot be read or is not H.264.
    """
    import cv2

    with path.open("rb") as file:
        # Whatever else FFmpeg knows may be a list of other files and addresses to read.
        if file.read(_HEAD)[4:] not in _MP4:
            raise invalid(f"{field} is not a readable MP4 video")
    clip = cv2.VideoCapture(str(path))
    try:
        if not clip.isOpened():
            raise invalid(f"{field} is not a readable MP4 video")
        code = int(clip.get(cv2.CAP_PROP_FOURCC))
        name = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24))
        if name not in _H264:
            raise invalid(f"{field} is encoded as {name!r}; only AVC/H.264 can be registered")
        fps = float(clip.get(cv2.CAP_PROP_FPS))
        frames = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
        return {
            "width": int(clip.get(cv2.CAP_PROP_FRAME_WIDTH)),
            "height": int(clip.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            "fps": round(fps, 3),
            "frameCount": frames,
            "duration": round(frames / fps, 3) if fps > 0 else 0.0,
        }
    finally:
        clip.release()
