"""Reading a LeRobot dataset of version 3 from disk.

The layout (https://huggingface.co/docs/lerobot/lerobot-dataset-v3): many episodes share a file, and the episode table
says where each of them lies.

* ``meta/info.json``: ``fps`` and ``features`` (per column its ``dtype`` and ``names``)
* ``meta/episodes/chunk-*/file-*.parquet``: one row per episode
* ``data/chunk-*/file-*.parquet``: one row per frame
* ``videos/<camera key>/chunk-*/file-*.mp4``: the frames of one camera

Needs the extra ``lerobot`` (pyarrow; OpenCV comes with the package itself). Both are imported when a dataset is opened.
"""

from __future__ import annotations

import importlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

log: logging.Logger = logging.getLogger(__name__)

OBSERVATION_STATE = "observation.state"
ACTION = "action"

_NOT_PARTITIONED: Any = None
"""Tells ``read_table`` that no folder of a path is a column: pyarrow takes ``None``, but its types want a text."""


@dataclass(frozen=True)
class Camera:
    """One camera of a dataset.

    :param path: folder of its videos (``videos/observation.images.top``)
    :param key: key in the ``features`` of ``meta/info.json`` (``observation.images.top``)
    :param content_name: name of its clip inside FastLabel, without extension (``images_top``)
    """

    path: Path
    key: str
    content_name: str


@dataclass(frozen=True)
class Episode:
    """One episode: its number, how many frames it has, and its row of the episode table."""

    index: int
    length: int
    row: Mapping[str, Any]


class LeRobotDataset:
    """A LeRobot dataset of version 3.

    :param root: its folder
    :raises FastLabelInvalidException: (422) pyarrow or OpenCV is missing, or the folder is not a version 3 dataset
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root: Path = Path(root)
        _require("pyarrow.parquet", "cv2")
        self._check_version()
        self.meta: dict[str, Any] = self._read_info()
        self.episodes: dict[int, Episode] = self._read_episodes()

    @property
    def cameras(self) -> list[Camera]:
        """The cameras, in the order of ``meta/info.json``."""
        folder = self.root / "videos"
        return [
            Camera(folder / key, key, key.removeprefix("observation.").replace(".", "_"))
            for key, feature in self.meta["features"].items()
            if feature.get("dtype") == "video" or (folder / key).is_dir()
        ]

    def frames(self, episode: Episode) -> list[dict[str, Any]]:
        """Read the frames of an episode: plain Python values by column name, in frame order.

        :raises FastLabelInvalidException: (422) the file is missing or holds another number of frames than the table
            says
        """
        import pyarrow.parquet as pq

        file = self._located(self.root / "data", episode, "data", "parquet")
        if not file.is_file():
            raise FastLabelInvalidException(f"Episode {episode.index}: {self._relative(file)} does not exist.", 422)
        table = pq.read_table(file, filters=[("episode_index", "==", episode.index)], partitioning=_NOT_PARTITIONED)
        frames: list[dict[str, Any]] = table.to_pylist()
        if len(frames) != episode.length:
            raise FastLabelInvalidException(
                f"Episode {episode.index}: {self._relative(file)} holds {len(frames)} of its {episode.length} frames.",
                422,
            )
        return sorted(frames, key=lambda frame: frame.get("frame_index", 0))

    def write_clip(self, episode: Episode, camera: Camera, target: Path) -> bool:
        """Cut the clip of one camera out of the shared video and write it as MPEG-4.

        :param target: the ``.mp4`` to write
        :returns: false when the dataset has no video of this camera for the episode (logged)
        :raises FastLabelInvalidException: (422) the video cannot be read, or ends before the episode does
        """
        prefix = f"videos/{camera.key}"
        if episode.row.get(f"{prefix}/file_index") is None:
            log.warning("Episode %d has no video of %s: left out", episode.index, camera.key)
            return False
        file = self._located(camera.path, episode, prefix, "mp4")
        if not file.is_file():
            log.warning("Episode %d: %s does not exist: left out", episode.index, self._relative(file))
            return False
        fps = float(self.meta["fps"])
        start = round(float(episode.row.get(f"{prefix}/from_timestamp") or 0.0) * fps)
        written = _copy_frames(file, target, start=start, count=episode.length, fps=fps)
        if written != episode.length:
            raise FastLabelInvalidException(
                f"Episode {episode.index}: {self._relative(file)} gave {written} of {episode.length} frames from frame "
                f"{start} on. It is shorter than the episode table says, or OpenCV cannot decode it.",
                422,
            )
        return True

    def _check_version(self) -> None:
        if any(self.root.glob("data/chunk-*/file-*.parquet")):
            return
        if any(self.root.glob("data/chunk-*/episode_*.parquet")):
            raise FastLabelInvalidException(
                f"{self.root.name} is a LeRobot dataset of version 2. Convert it to version 3 with LeRobot's script.",
                422,
            )
        raise FastLabelInvalidException(
            f"{self.root.name} is no LeRobot dataset: no data/chunk-*/file-*.parquet in it.", 422
        )

    def _read_info(self) -> dict[str, Any]:
        try:
            info = json.loads((self.root / "meta" / "info.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FastLabelInvalidException(f"{self.root.name}: meta/info.json cannot be read: {error}", 422) from error
        if not isinstance(info, dict) or not isinstance(info.get("features"), dict) or not info.get("fps"):
            raise FastLabelInvalidException(f"{self.root.name}: meta/info.json must name fps and features.", 422)
        return info

    def _read_episodes(self) -> dict[int, Episode]:
        import pyarrow.parquet as pq

        episodes: dict[int, Episode] = {}
        for file in sorted(self.root.glob("meta/episodes/chunk-*/file-*.parquet")):
            names = pq.read_schema(file).names
            wanted = [n for n in names if n in ("episode_index", "length") or n.startswith(("data/", "videos/"))]
            for row in pq.read_table(file, columns=wanted, partitioning=_NOT_PARTITIONED).to_pylist():
                index = int(row["episode_index"])
                episodes[index] = Episode(index, int(row["length"]), row)
        if not episodes:
            raise FastLabelInvalidException(f"{self.root.name}: meta/episodes holds no episode.", 422)
        return dict(sorted(episodes.items()))

    @staticmethod
    def _located(folder: Path, episode: Episode, prefix: str, extension: str) -> Path:
        chunk, file = (int(episode.row[f"{prefix}/{part}_index"]) for part in ("chunk", "file"))
        return folder / f"chunk-{chunk:03d}" / f"file-{file:03d}.{extension}"

    def _relative(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()


def feature_names(meta: Mapping[str, Any], key: str) -> list[str]:
    """Return the names of the values of a feature, in order.

    :param meta: the parsed ``meta/info.json``
    :param key: the feature (``observation.state``)
    :raises FastLabelInvalidException: (422) the feature lists no names
    """
    names = (meta.get("features", {}).get(key) or {}).get("names")
    if isinstance(names, dict):  # grouped, as datasets converted from version 2 have it: {"motors": [...]}
        names = [name for group in names.values() for name in group]
    if not isinstance(names, list) or not names:
        raise FastLabelInvalidException(f'meta/info.json must list features["{key}"]["names"].', 422)
    return [str(name) for name in names]


def _require(*modules: str) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise FastLabelInvalidException(
                f"import_lerobot needs {module.partition('.')[0]}: pip install 'airflow-provider-fastlabel[lerobot]'.",
                422,
            ) from error


def _copy_frames(source: Path, target: Path, *, start: int, count: int, fps: float) -> int:
    """Re-encode ``count`` frames from frame ``start`` on; returns how many there were."""
    import cv2

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
            writer.write(frame)
            written += 1
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
