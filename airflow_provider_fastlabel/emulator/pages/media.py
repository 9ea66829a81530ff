"""What kind of file a stored one is, by its first bytes: names of tasks need not say so."""

from __future__ import annotations

from pathlib import Path

_HEAD = 12
OTHER = "application/octet-stream"
"""A file that is for download only."""


def type_of(path: Path) -> str:
    """Return the media type of a picture, video or recording, and :data:`OTHER` for any other file.

    :param path: the stored file.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"\x89PNG"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    is_mp3 = head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")
    return "audio/mpeg" if is_mp3 else OTHER
