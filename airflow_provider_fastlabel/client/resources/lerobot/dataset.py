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
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.lerobot.announced import most_values
from airflow_provider_fastlabel.client.resources.lerobot.clips import copy_frames
from airflow_provider_fastlabel.client.resources.lerobot.info import read_info, unfit_for_folder
from airflow_provider_fastlabel.client.resources.lerobot.tables import MOST_EPISODES, MOST_VALUES, rows_of
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, place_below
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.regular_files import NotRegularError, open_regular
from airflow_provider_fastlabel.words import shortened

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

log: logging.Logger = logging.getLogger(__name__)

OBSERVATION_STATE = "observation.state"
ACTION = "action"

_LAST_FRAME = 2**31


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
    """One episode: its number, how many frames it has (0 if the table does not tell), and its row of the table."""

    index: int
    length: int
    row: Mapping[str, Any]


class LeRobotDataset:
    """A LeRobot dataset of version 3.

    :param root: its folder
    :param follow_links: read also what symbolic links outside of the folder lead to
    :raises FastLabelInvalidException: (422) pyarrow or OpenCV is missing, or the folder is not a version 3 dataset, or
        one whose names or links lead elsewhere
    """

    def __init__(self, root: str | os.PathLike[str], *, follow_links: bool = False) -> None:
        self.root: Path = Path(root)
        self._follow_links = follow_links
        _require("pyarrow.parquet", "cv2")
        self._check_version()
        self.meta: dict[str, Any] = read_info(self._checked(self.root / "meta" / "info.json"), self.root.name)
        self.episodes: dict[int, Episode] = self._read_episodes()

    @property
    def cameras(self) -> list[Camera]:
        """The cameras, in the order of ``meta/info.json``."""
        folder = self.root / "videos"
        return [
            Camera(folder / key, key, key.removeprefix("observation.").replace(".", "_"))
            for key, feature in self.meta["features"].items()
            if feature.get("dtype") == "video" or (not unfit_for_folder(key) and (folder / key).is_dir())
        ]

    def frames(self, episode: Episode) -> list[dict[str, Any]]:
        """Read the frames of an episode: plain Python values by column name, in frame order.

        :raises FastLabelInvalidException: (422) the file is missing, cannot be read, or holds another number of frames
            than the table says
        """
        if episode.length < 1:
            said = shortened(episode.row.get("length"))
            raise FastLabelInvalidException(
                f"Episode {episode.index}: the episode table gives its length as {said}.", 422
            )
        file = self._located(self.root / "data", episode, "data", "parquet")
        where = f"Episode {episode.index}: {self._shown(file)}"
        with _opened(file, where) as data:
            frames = list(rows_of(data, where, most=episode.length, episode=episode.index))
        if len(frames) != episode.length:
            raise FastLabelInvalidException(f"{where} holds {len(frames)} of its {episode.length} frames.", 422)
        if any(_whole(frame.get("frame_index", 0)) is None for frame in frames):
            raise FastLabelInvalidException(f"{where} has a frame whose frame_index is no whole number.", 422)
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
        where = f"Episode {episode.index}: {self._shown(file)}"
        if not file.is_file():
            log.warning("%s does not exist: left out", where)
            return False
        fps = float(self.meta["fps"])
        since = episode.row.get(f"{prefix}/from_timestamp") or 0
        if not isinstance(since, int | float) or not 0 <= since * fps < _LAST_FRAME:
            raise FastLabelInvalidException(f"{where}: the episode table has it begin at {shortened(since)} s.", 422)
        start = round(since * fps)
        try:
            written = copy_frames(file, target, start=start, count=episode.length, fps=fps)
        except (OSError, ValueError) as error:
            said = f"cannot be read: {error}" if isinstance(error, OSError) else str(error)
            raise FastLabelInvalidException(f"{where} {said}.", 422) from error
        if written != episode.length:
            raise FastLabelInvalidException(
                f"{where} gave {written} of {episode.length} frames from frame {start} on. It is shorter than the "
                "episode table says, or OpenCV cannot decode it.",
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

    def _read_episodes(self) -> dict[int, Episode]:
        """Read the episode table; what it does not say in full cannot be imported in full, so that it is refused."""
        episodes: dict[int, Episode] = {}
        for file in sorted(self.root.glob("meta/episodes/chunk-*/file-*.parquet")):
            where = f"{self.root.name}: {self._shown(file)}"
            for row in self._rows(self._checked(file), where, MOST_EPISODES - len(episodes)):
                index = _whole(row.get("episode_index"))
                if index is None or index in episodes:
                    why = (
                        "an episode that has no number"
                        if index is None
                        else f"episode {index}, which is listed already"
                    )
                    raise FastLabelInvalidException(f"{where} lists {why}. Nothing was imported.", 422)
                episodes[index] = Episode(index, max(_whole(row.get("length")) or 0, 0), row)
        if not episodes:
            raise FastLabelInvalidException(f"{self.root.name}: meta/episodes holds no episode.", 422)
        return dict(sorted(episodes.items()))

    @staticmethod
    def _rows(file: Path, where: str, most: int) -> Iterator[dict[str, Any]]:
        """Read one file of the episode table, without the statistics in it."""
        import pyarrow.parquet as pq

        with _opened(file, where) as data:
            names = pq.read_schema(data).names
            wanted = [n for n in names if n in ("episode_index", "length") or n.startswith(("data/", "videos/"))]
            yield from rows_of(data, where, most=most, columns=wanted)

    def _located(self, folder: Path, episode: Episode, prefix: str, extension: str) -> Path:
        """Return where a file of an episode lies."""
        chunk, file = (_whole(episode.row.get(f"{prefix}/{part}_index")) for part in ("chunk", "file"))
        if chunk is None or file is None:
            raise FastLabelInvalidException(
                f"Episode {episode.index}: the episode table does not say which file of {prefix} it is in.", 422
            )
        return self._checked(folder / f"chunk-{chunk:03d}" / f"file-{file:03d}.{extension}")

    def _checked(self, file: Path) -> Path:
        """Return a file of the dataset, unless it lies elsewhere."""
        if self._follow_links:
            return file
        try:
            return place_below(self.root, self._relative(file))
        except UnsafeNameError as error:
            raise FastLabelInvalidException(
                f"{self.root.name}: {self._shown(file)} {error.why}. Copy what it means into the dataset, or give "
                "follow_links=True if you know where its links lead.",
                422,
            ) from error

    def _shown(self, file: Path) -> str:
        return foreign_text(self._relative(file))

    def _relative(self, file: Path) -> str:
        return (file.relative_to(self.root) if file.is_relative_to(self.root) else file).as_posix()


@contextmanager
def _opened(file: Path, where: str) -> Iterator[BinaryIO]:
    """Open a file for pyarrow, which given a path would also take folders' names for columns; say which one fails.

    :param file: the file
    :param where: the file, and the episode if only this one is concerned
    """
    import pyarrow as pa

    try:
        with open_regular(file) as data:
            if most_values(file) > MOST_VALUES:
                raise FastLabelInvalidException(
                    f"{where} holds more than {MOST_VALUES:,} values in one row group.", 422
                )
            yield data
    except FastLabelInvalidException:
        raise
    except FileNotFoundError:
        raise FastLabelInvalidException(f"{where} does not exist.", 422) from None
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        said = error.strerror if isinstance(error, NotRegularError) else " ".join(str(error).split())
        raise FastLabelInvalidException(f"{where} cannot be read: {foreign_text(said, 300)}", 422) from error


def _whole(value: Any) -> int | None:
    """Return a whole number of a table, ``None`` for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _require(*modules: str) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise FastLabelInvalidException(
                f"import_lerobot needs {module.partition('.')[0]}: pip install 'airflow-provider-fastlabel[lerobot]'.",
                422,
            ) from error
