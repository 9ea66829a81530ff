from __future__ import annotations

import io
import json
import math
import sys
import zipfile
from functools import partial

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_fastlabel.client import FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.lerobot.dataset import LeRobotDataset
from airflow_provider_fastlabel.client.resources.lerobot.importer import LeRobotConverter

FPS = 10
LENGTHS = [4, 6, 5]
NAMES = ["shoulder.pos", "elbow.pos", "gripper.load"]
TOP, WRIST = "observation.images.top", "observation.images.wrist"
STORE = "http://store.test/put"
BATCH = "contents/imports/robotics-contents/batch"


def shade(episode, frame):
    """Grey level that tells which frame of which episode a picture is."""
    return 20 + episode * 70 + frame * 10


def write_video(path, levels):
    path.parent.mkdir(parents=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (32, 24))
    for level in levels:
        writer.write(np.full((24, 32, 3), level, np.uint8))
    writer.release()


def read_levels(path):
    capture = cv2.VideoCapture(str(path))
    levels: list[float] = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return levels
        levels.append(float(frame.mean()))


@pytest.fixture
def dataset(tmp_path):
    """Three episodes of 4, 6 and 5 frames in one file, with two cameras."""
    root = tmp_path / "pusht"
    (root / "meta/episodes/chunk-000").mkdir(parents=True)
    (root / "data/chunk-000").mkdir(parents=True)
    named = {"dtype": "float32", "shape": [3], "names": NAMES}
    features = {
        "observation.state": named, "action": named, TOP: {"dtype": "video"}, WRIST: {"dtype": "video"},
    }  # fmt: skip
    (root / "meta/info.json").write_text(json.dumps({"codebase_version": "v3.0", "fps": FPS, "features": features}))
    frames = [
        {
            "observation.state": [episode + 0.5, float(frame), 7.0], "action": [1.0, 2.0, float(frame)],
            "episode_index": episode, "frame_index": frame, "timestamp": frame / FPS,
        }
        for episode, length in enumerate(LENGTHS) for frame in range(length)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(frames), root / "data/chunk-000/file-000.parquet")
    episodes, start = [], 0
    for episode, length in enumerate(LENGTHS):
        row = {"episode_index": episode, "length": length, "data/chunk_index": 0, "data/file_index": 0, "tasks": ["x"]}
        for key in (TOP, WRIST):
            row |= {
                f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0,
                f"videos/{key}/from_timestamp": start / FPS, f"videos/{key}/to_timestamp": (start + length) / FPS,
            }  # fmt: skip
        episodes.append(row)
        start += length
    pq.write_table(pa.Table.from_pylist(episodes), root / "meta/episodes/chunk-000/file-000.parquet")
    levels = [shade(episode, frame) for episode, length in enumerate(LENGTHS) for frame in range(length)]
    for key in (TOP, WRIST):
        write_video(root / "videos" / key / "chunk-000/file-000.mp4", levels)
    return root


@pytest.fixture
def server(wire, tmp_path):
    """Takes tasks and zips; returns the zips unpacked, by name of the episode."""
    folder = tmp_path / "received"

    def receive(request):
        with zipfile.ZipFile(io.BytesIO(b"".join(request.body))) as file:
            file.extractall(folder / f"zip-{len(list(folder.iterdir()))}")
        return 200, {}, ""

    folder.mkdir()
    wire.answer("POST", "tasks/robotics", "task-id")
    wire.answer("GET", "files", {"url": STORE, "name": "key"})
    wire.mock.add_callback("PUT", STORE, receive)
    wire.answer("POST", BATCH, ["done"])
    return folder


def requests(wire):
    return [
        (call.request.method, call.request.url.partition("?")[0].rpartition("/v1/")[2] or "store")
        for call in wire.mock.calls
    ]


def test_every_episode_becomes_a_task_with_clips_and_telemetry(client, wire, server, dataset):
    results = client.import_lerobot("p", dataset)
    assert results == [
        {"episode_index": n, "episode": f"episode_{n:06d}", "success": True, "result": ["done"]} for n in range(3)
    ]
    one = ["tasks/robotics", "files", STORE, BATCH]
    levels = read_levels(dataset / "videos" / TOP / "chunk-000/file-000.mp4")
    assert len(levels) == sum(LENGTHS)
    assert [path for _, path in requests(wire)] == one * 3
    for number, length in enumerate(LENGTHS):
        content = server / f"zip-{number}"
        name = f"episode_{number:06d}.json"
        assert sorted(path.name for path in content.iterdir()) == [name, "images_top.mp4", "images_wrist.mp4"]
        telemetry = json.loads((content / name).read_text())
        assert [frame["frame_index"] for frame in telemetry] == list(range(length))
        assert telemetry[1]["observation.state"] == [number + 0.5, 1.0, 7.0]
        assert telemetry[1]["action"] == [1.0, 2.0, 1.0]
        assert telemetry[1]["timestamp"] == pytest.approx(0.1)
        start = sum(LENGTHS[:number])
        for clip in content.glob("*.mp4"):
            assert read_levels(clip) == pytest.approx(levels[start : start + length], abs=4)  # steps are of 10


def test_task_and_zip_bear_the_name_of_the_episode(client, wire, server, dataset):
    client.import_lerobot("p", str(dataset), episode_indices=[2, 2])
    task, ask, _, batch = wire.mock.calls
    assert json.loads(b"".join(task.request.body)) == {"project": "p", "name": "episode_000002"}
    assert ask.request.params == {"project": "p", "fileName": "episode_000002.zip", "fileType": "application/zip"}
    assert json.loads(batch.request.body) == {"project": "p", "fileKey": "key"}


class Chosen(LeRobotConverter):
    OBSERVATION_STATE_NAMES = ("gripper.load", "shoulder.pos")
    CAMERA_KEYS = frozenset({"wrist"})

    def select_action_names(self, names):
        return [name for name in names if name.endswith(".pos")]

    def build_telemetry_frame(self, frame):
        return {**super().build_telemetry_frame(frame), "load": frame["observation.state"][2]}

    def build_task_kwargs(self, *, episode_index, episode_name, frames):
        return {"tags": [f"{episode_name}:{len(frames)}"], "priority": episode_index}

    def select_episodes(self, episode_lengths):
        return [index for index, length in episode_lengths.items() if length > 4]

    def build_episode_name(self, episode_index):
        return f"run {episode_index}"


def test_a_converter_decides_what_is_taken(client, wire, server, dataset):
    results = client.import_lerobot("p", dataset, converter=Chosen)
    assert [(result["episode_index"], result["episode"]) for result in results] == [(1, "run 1"), (2, "run 2")]
    content = server / "zip-0"
    assert sorted(path.name for path in content.iterdir()) == ["images_wrist.mp4", "run 1.json"]
    telemetry = json.loads((content / "run 1.json").read_text())
    assert telemetry[3] == {
        "observation.state": [7.0, 1.5], "action": [1.0, 2.0], "frame_index": 3,
        "timestamp": pytest.approx(0.3), "load": 7.0,
    }  # fmt: skip
    assert json.loads(b"".join(wire.mock.calls[0].request.body)) == {
        "project": "p", "name": "run 1", "tags": ["run 1:6"], "priority": 1,
    }  # fmt: skip


def test_a_function_may_build_the_converter(client, wire, server, dataset):
    class Prefixed(LeRobotConverter):
        def __init__(self, meta, prefix):
            super().__init__(meta)
            self.prefix = prefix

        def build_episode_name(self, episode_index):
            return f"{self.prefix}-{self.meta['fps']}-{episode_index}"

    results = client.import_lerobot("p", dataset, [0], partial(Prefixed, prefix="x"))
    assert results[0]["episode"] == "x-10-0"


def test_a_failed_episode_is_reported_and_the_others_go_on(client, wire, server, dataset):
    wire.mock.replace("POST", "http://fastlabel.test/v1/tasks/robotics", status=409, json={"message": "name taken"})
    wire.answer("POST", "tasks/robotics", "task-id")
    results = client.import_lerobot("p", dataset, [0, 1])
    assert [result["success"] for result in results] == [False, True]
    assert "name taken" in results[0]["result"]["error"]


def test_a_task_left_without_contents_is_named(client, wire, server, dataset):
    wire.mock.replace("GET", "http://fastlabel.test/v1/files", status=403, json={"message": "not yours"})
    error = client.import_lerobot("p", dataset, [0])[0]["result"]["error"]
    assert "not yours" in error
    assert "task-id" in error


def test_nothing_is_sent_for_an_episode_that_cannot_be_built(client, wire, server, dataset):
    path = dataset / "videos" / TOP / "chunk-000/file-000.mp4"
    path.unlink()
    path.parent.rmdir()
    write_video(path, [50] * 7)  # covers episode 0 and a half of episode 1
    results = client.import_lerobot("p", dataset)
    assert [result["success"] for result in results] == [True, False, False]
    assert "3 of 6 frames" in results[1]["result"]["error"]
    assert len(requests(wire)) == 4


def test_a_missing_video_is_left_out_with_a_warning(client, wire, server, dataset, caplog):
    (dataset / "videos" / TOP / "chunk-000/file-000.mp4").unlink()
    assert client.import_lerobot("p", dataset, [0])[0]["success"]
    assert [path.name for path in (server / "zip-0").glob("*.mp4")] == ["images_wrist.mp4"]
    assert TOP in caplog.text


@pytest.mark.parametrize("name", ["a/b", "..", "", "a\\b"])
def test_an_episode_name_that_does_not_do_as_a_file_name(client, wire, server, dataset, name):
    class Named(LeRobotConverter):
        def build_episode_name(self, episode_index):
            return name

    results = client.import_lerobot("p", dataset, [0], Named)
    assert results[0]["success"] is False
    assert requests(wire) == []


def test_telemetry_that_json_cannot_hold(client, wire, server, dataset):
    class Broken(LeRobotConverter):
        def build_action(self, frame):
            return [math.nan]

    results = client.import_lerobot("p", dataset, [0], Broken)
    assert "Episode 0: telemetry" in results[0]["result"]["error"]
    assert requests(wire) == []


def test_an_error_of_the_converter_is_not_swallowed(client, wire, server, dataset):
    class Buggy(LeRobotConverter):
        def build_action(self, frame):
            return frame["no such column"]

    with pytest.raises(KeyError):
        client.import_lerobot("p", dataset, [0], Buggy)


def rewrite_info(dataset, change):
    path = dataset / "meta/info.json"
    info = json.loads(path.read_text())
    change(info)
    path.write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "meta/info.json").unlink(), "info.json"),
        (lambda root: (root / "meta/info.json").write_text("{"), "info.json"),
        (lambda root: rewrite_info(root, lambda info: info.pop("fps")), "fps"),
        (lambda root: rewrite_info(root, lambda info: info["features"]["action"].pop("names")), "action"),
        (lambda root: (root / "data/chunk-000/file-000.parquet").rename(root / "data/chunk-000/episode_000000.parquet"),
         "version 2"),
        (lambda root: (root / "data/chunk-000/file-000.parquet").unlink(), "no LeRobot dataset"),
        (lambda root: (root / "meta/episodes/chunk-000/file-000.parquet").unlink(), "no episode"),
    ],
)  # fmt: skip
def test_an_unusable_dataset_is_refused_before_the_first_call(client, wire, server, dataset, spoil, said):
    spoil(dataset)
    with pytest.raises(FastLabelInvalidException, match=said) as caught:
        client.import_lerobot("p", dataset)
    assert caught.value.code == 422
    assert requests(wire) == []


def test_unknown_episodes_and_names_are_refused_before_the_first_call(client, wire, server, dataset):
    class Wrong(LeRobotConverter):
        ACTION_NAMES = ("shoulder.pos", "knee.pos")

    with pytest.raises(FastLabelInvalidException, match="no episode 3, 9"):
        client.import_lerobot("p", dataset, [0, 3, 9])
    with pytest.raises(FastLabelInvalidException, match=r"knee\.pos"):
        client.import_lerobot("p", dataset, converter=Wrong)
    assert requests(wire) == []


@pytest.mark.parametrize("module", ["pyarrow", "cv2"])
def test_a_missing_library_is_named(client, wire, dataset, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    if module == "pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(FastLabelInvalidException, match=rf"needs {module}.*\[lerobot\]"):
        client.import_lerobot("p", dataset)


def test_frames_that_do_not_match_the_episode_table(client, wire, server, dataset):
    path = dataset / "data/chunk-000/file-000.parquet"
    pq.write_table(pq.read_table(path).slice(0, 6), path)
    results = client.import_lerobot("p", dataset, [0, 1])
    assert [result["success"] for result in results] == [True, False]
    assert "2 of its 6 frames" in results[1]["result"]["error"]


META = {"features": {key: {"names": ["a", "b"]} for key in ("observation.state", "action")}}


def test_frames_with_missing_values_are_named():
    rules = LeRobotConverter(META)
    with pytest.raises(FastLabelInvalidException, match="Frame 3 has no action"):
        rules.build_action({"frame_index": 3})
    with pytest.raises(FastLabelInvalidException, match=r"Frame 3: observation\.state has 1 values"):
        rules.build_observation_state({"frame_index": 3, "observation.state": [1.0]})


def test_a_feature_of_one_value_may_be_a_bare_number_and_names_may_be_grouped():
    rules = LeRobotConverter({"features": {"observation.state": {"names": {"m": ["a"]}}, "action": {"names": ["b"]}}})
    assert rules.build_observation_state({"observation.state": 0.5}) == [0.5]


def test_the_order_of_cameras_and_episodes(dataset):
    opened = LeRobotDataset(dataset)
    assert [(camera.key, camera.content_name) for camera in opened.cameras] == [
        (TOP, "images_top"), (WRIST, "images_wrist"),
    ]  # fmt: skip
    assert {index: episode.length for index, episode in opened.episodes.items()} == {0: 4, 1: 6, 2: 5}
