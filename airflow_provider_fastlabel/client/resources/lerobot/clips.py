"""A clip is cut out of a video that many episodes of a LeRobot dataset share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.mp4 import NotMp4, video_codec

if TYPE_CHECKING:
    from pathlib import Path


def copy_frames(source: Path, target: Path, *, start: int, count: int, fps: float) -> int:
    """Re-encode frames as MPEG-4.

    :param source: an MP4 file
    :param target: the ``.mp4`` to write
    :param start: the first frame
    :param count: how many frames
    :param fps: frames a second of the clip
    :returns: how many frames there were
    :raises ValueError: the source is no MP4 with a video track, it cannot be decoded, or the clip cannot be written
    :raises OSError: the source cannot be read
    """
    import cv2

    try:
        # Asked first: OpenCV opens whatever it knows, also lists that name other files.
        video_codec(source)
    except NotMp4 as error:
        raise ValueError(f"is no MP4 video ({error})") from None
    capture = cv2.VideoCapture(str(source))
    writer = None
    written = 0
    try:
        _seek(capture, start)
        while written < count:
            ok, frame = capture.read()
            if not ok:
                break
            if writer is None:
                height, width = frame.shape[:2]
                writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
                if not writer.isOpened():
                    raise ValueError(f"gives a clip of {width} x {height} at {fps:g} fps, which OpenCV cannot write")
            writer.write(frame)
            written += 1
    except cv2.error as error:
        raise ValueError(f"cannot be decoded ({error.err})") from error
    finally:
        capture.release()
        if writer is not None:
            writer.release()
    return written


def _seek(capture: Any, frame: int) -> None:
    """Go to a frame; where the container does not seek exactly, step there from the start."""
    import cv2

    capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
    if round(capture.get(cv2.CAP_PROP_POS_FRAMES)) == frame:
        return
    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    for _ in range(frame):
        if not capture.grab():
            return
