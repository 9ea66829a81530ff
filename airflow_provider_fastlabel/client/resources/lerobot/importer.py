"""Import of LeRobot datasets into robotics projects.

Each episode becomes a robotics task with one clip per camera and a JSON file with the telemetry. What of the dataset is
taken, and under which name, is decided by a :class:`LeRobotConverter`; subclass it and override its hooks.
"""

from __future__ import annotations

import json
import logging
import zipfile
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.client.exceptions import FastLabelException, FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.lerobot.dataset import (
    ACTION,
    OBSERVATION_STATE,
    Camera,
    Episode,
    LeRobotDataset,
)
from airflow_provider_fastlabel.client.resources.lerobot.info import feature_names
from airflow_provider_fastlabel.client.resources.robotics import RoboticsContents
from airflow_provider_fastlabel.client.resources.tasks.other import OtherTasks
from airflow_provider_fastlabel.foreign_names import UnsafeNameError, checked_name, place_below
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_fastlabel.client.types import LeRobotResult

log: logging.Logger = logging.getLogger(__name__)

__all__ = ["Camera", "LeRobot", "LeRobotConverter"]


class LeRobotConverter:
    """Decides what of a LeRobot dataset goes into FastLabel, and how it is called. The default takes everything.

    Values of ``observation.state`` and ``action`` are selected by their names in ``meta/info.json``: name them in
    ``OBSERVATION_STATE_NAMES`` and ``ACTION_NAMES``, or override the ``select_*`` methods, or build the values
    yourself. Cameras are selected by the last part of their key (``top`` of ``observation.images.top``) in
    ``CAMERA_KEYS``. ``None`` keeps all.

    :param meta: the parsed ``meta/info.json``; kept as :attr:`meta`
    :raises FastLabelInvalidException: (422) the dataset does not name its values, or lacks a selected name
    """

    OBSERVATION_STATE_NAMES: ClassVar[Sequence[str] | None] = None
    ACTION_NAMES: ClassVar[Sequence[str] | None] = None
    CAMERA_KEYS: ClassVar[Collection[str] | None] = None

    def __init__(self, meta: Mapping[str, Any] | None = None) -> None:
        self.meta: Mapping[str, Any] = meta or {}
        self._observation_index = self._positions(OBSERVATION_STATE, self.select_observation_state_names)
        self._action_index = self._positions(ACTION, self.select_action_names)

    def select_observation_state_names(self, names: list[str]) -> list[str]:
        """Return the names of ``observation.state`` to keep, in the order wanted.

        :param names: all names of the dataset, in order
        """
        return names if self.OBSERVATION_STATE_NAMES is None else list(self.OBSERVATION_STATE_NAMES)

    def select_action_names(self, names: list[str]) -> list[str]:
        """Return the names of ``action`` to keep, in the order wanted.

        :param names: all names of the dataset, in order
        """
        return names if self.ACTION_NAMES is None else list(self.ACTION_NAMES)

    def build_observation_state(self, frame: dict[str, Any]) -> list[Any]:
        """Return the values of ``observation.state`` to send for a frame.

        :param frame: one row of the dataset, plain Python values by column name
        """
        return _pick(frame, OBSERVATION_STATE, self._observation_index)

    def build_action(self, frame: dict[str, Any]) -> list[Any]:
        """Return the values of ``action`` to send for a frame.

        :param frame: one row of the dataset, plain Python values by column name
        """
        return _pick(frame, ACTION, self._action_index)

    def build_telemetry_frame(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Return the entry of a frame in the episode's JSON file. Override and call ``super()`` to add keys.

        :param frame: one row of the dataset, plain Python values by column name
        """
        return {
            OBSERVATION_STATE: self.build_observation_state(frame),
            ACTION: self.build_action(frame),
            "frame_index": frame.get("frame_index"),
            "timestamp": frame.get("timestamp"),
        }

    def select_cameras(self, cameras: list[Camera]) -> list[Camera]:
        """Return the cameras whose clips to send.

        :param cameras: all cameras of the dataset
        """
        if self.CAMERA_KEYS is None:
            return cameras
        return [camera for camera in cameras if camera.key.rpartition(".")[2] in self.CAMERA_KEYS]

    def build_task_kwargs(
        self,
        *,
        episode_index: int,  # noqa: ARG002
        episode_name: str,  # noqa: ARG002
        frames: list[dict[str, Any]],  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return further arguments for ``create_robotics_task``, such as ``{"tags": [...]}``.

        :param episode_index: number of the episode
        :param episode_name: name of the task
        :param frames: the rows of the episode
        """
        return {}

    def select_episodes(self, episode_lengths: dict[int, int]) -> list[int]:
        """Return the episodes to import when the caller of ``import_lerobot`` named none.

        :param episode_lengths: number of frames by episode
        """
        return list(episode_lengths)

    def build_episode_name(self, episode_index: int) -> str:
        """Return the name of the task, of its JSON file and of the zip. It must do as a file name.

        :param episode_index: number of the episode
        """
        return f"episode_{episode_index:06d}"

    def _positions(self, key: str, select: Callable[[list[str]], list[str]]) -> list[int]:
        names = feature_names(self.meta, key)
        position = {name: index for index, name in enumerate(names)}
        wanted = select(list(names))
        if wanted == names:
            return list(range(len(names)))
        if twice := [name for name in wanted if names.count(name) > 1]:
            raise FastLabelInvalidException(f"{key} has several values named {twice[0]}: select all or none.", 422)
        if missing := [name for name in wanted if name not in position]:
            raise FastLabelInvalidException(
                f"{key} has no {', '.join(missing)}. The dataset names: {', '.join(names)}.", 422
            )
        return [position[name] for name in wanted]


class LeRobot(OtherTasks, RoboticsContents):
    """The LeRobot import of the client."""

    def import_lerobot(
        self,
        project: str,
        lerobot_data_path: str | os.PathLike[str],
        episode_indices: Sequence[int] | None = None,
        converter: Callable[[dict[str, Any]], LeRobotConverter] = LeRobotConverter,
        *,
        follow_links: bool = False,
    ) -> list[LeRobotResult]:
        """Import the episodes of a LeRobot dataset (version 3) as robotics tasks. Needs the extra ``lerobot``.

        The files of an episode are built in a temporary folder before anything is sent, one episode at a time. An
        episode that fails does not stop the others. An episode whose task exists already fails with a conflict and
        leaves that task as it is.

        :param project: slug of a robotics project
        :param lerobot_data_path: folder of the dataset
        :param episode_indices: episodes to import, default those the converter selects (all)
        :param converter: :class:`LeRobotConverter`, a subclass, or a function from the parsed ``meta/info.json`` to one
        :param follow_links: read also what symbolic links outside of the folder lead to, as in the cache of Hugging
            Face's hub; otherwise such a file fails its episode
        :returns: per episode ``episode_index``, ``episode`` (its name), ``success`` and ``result``: FastLabel's answer,
            or ``{"error": text}``
        :raises FastLabelInvalidException: (422) before any call: pyarrow is missing, the folder is no version 3
            dataset, it does not name its values, a camera's name would lead out of a folder, the table of its episodes
            cannot be read, or it lacks an episode asked for
        """
        dataset = LeRobotDataset(lerobot_data_path, follow_links=follow_links)
        rules = converter(dataset.meta)
        wanted = episode_indices
        if wanted is None:
            wanted = rules.select_episodes({index: episode.length for index, episode in dataset.episodes.items()})
        if missing := [index for index in wanted if index not in dataset.episodes]:
            raise FastLabelInvalidException(
                f"{dataset.root.name} has no episode {', '.join(map(str, missing))}; nothing was imported.", 422
            )
        return [
            self._import_episode(project, dataset, rules, dataset.episodes[index]) for index in dict.fromkeys(wanted)
        ]

    def _import_episode(
        self, project: str, dataset: LeRobotDataset, rules: LeRobotConverter, episode: Episode
    ) -> LeRobotResult:
        name = rules.build_episode_name(episode.index)
        result: dict[str, Any]
        task_id = None
        try:
            with scratch_folder("fastlabel-lerobot-") as folder:
                frames = dataset.frames(episode)
                archive = build_episode_zip(dataset, rules, episode, frames, folder)
                kwargs = rules.build_task_kwargs(episode_index=episode.index, episode_name=name, frames=frames)
                task_id = self.create_robotics_task(project=project, name=name, **kwargs)
                result = self.import_robotics_contents_file(project=project, file_path=archive)
        except FastLabelException as error:
            said = str(error)
            if task_id is not None:
                said += f" Its task (id {task_id}) was created; delete it before importing the episode again."
            log.warning("Episode %d (%s) was not imported: %s", episode.index, name, said)
            return {"episode_index": episode.index, "episode": name, "success": False, "result": {"error": said}}
        return {"episode_index": episode.index, "episode": name, "success": True, "result": result}


def build_episode_zip(
    dataset: LeRobotDataset, rules: LeRobotConverter, episode: Episode, frames: list[dict[str, Any]], folder: Path
) -> Path:
    """Write the zip that FastLabel takes for an episode: a clip per camera and ``<name>.json``.

    :param frames: the rows of the episode
    :param folder: an empty folder to work in
    :returns: the zip, ``<name>.zip`` in ``folder``
    :raises FastLabelInvalidException: (422) the name does not do as a file name, a value is missing or no number JSON
        knows, or a video cannot be read
    """
    name = rules.build_episode_name(episode.index)
    telemetry = _place(folder, episode, name, ".json")
    try:
        rows = [rules.build_telemetry_frame(frame) for frame in frames]
        text = json.dumps(rows, allow_nan=False, default=_unknown_to_json)
    except ValueError as error:
        if isinstance(error, FastLabelException):
            raise
        raise FastLabelInvalidException(
            f"Episode {episode.index}: telemetry is not valid JSON: {error}", 422
        ) from error
    telemetry.write_text(text, encoding="utf-8")
    files = [telemetry]
    for camera in rules.select_cameras(dataset.cameras):
        clip = _place(folder, episode, camera.content_name, ".mp4")
        if clip in files:
            raise FastLabelInvalidException(
                f"Episode {episode.index}: the clips of {camera.key} and of another camera would both be {clip.name}. "
                "Give one of them another content_name in select_cameras, or leave it out.",
                422,
            )
        if dataset.write_clip(episode, camera, clip):
            files.append(clip)
    archive = folder / f"{name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in files:
            file.write(path, path.name, zipfile.ZIP_STORED if path.suffix == ".mp4" else None)
    return archive


def _unknown_to_json(value: Any) -> Any:
    raise ValueError(f"it has no {type(value).__name__}")


def _place(folder: Path, episode: Episode, name: Any, extension: str) -> Path:
    """Return where a file of an episode is written, which is named by the dataset or the converter."""
    try:
        return place_below(folder, checked_name(name, folders=False) + extension)
    except UnsafeNameError as error:
        raise FastLabelInvalidException(
            f"Episode {episode.index}: {name!r} does not do as a file name: it {error.why}.", 422
        ) from error


def _pick(frame: Mapping[str, Any], key: str, index: list[int]) -> list[Any]:
    values = frame.get(key)
    if values is None:
        raise FastLabelInvalidException(f"Frame {frame.get('frame_index')} has no {key}.", 422)
    if not isinstance(values, list):  # LeRobot stores a feature of shape (1,) as a bare number
        values = [values]
    if index and max(index) >= len(values):
        raise FastLabelInvalidException(
            f"Frame {frame.get('frame_index')}: {key} has {len(values)} values, fewer than meta/info.json names.", 422
        )
    return [values[position] for position in index]
