from __future__ import annotations

import io
import json
import math
import os
import sys
import zipfile
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_fastlabel.client import FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.lerobot.dataset import LeRobotDataset
from airflow_provider_fastlabel.client.resources.lerobot.importer import LeRobotConverter
from tests.limits import run_limited

FPS = 10
LENGTHS = [4, 6, 5]
NAMES = ["shoulder.pos", "elbow.pos", "gripper.load"]
TOP, WRIST = "observation.images.top", "observation.images.wrist"
STORE = "http://store.test/put"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
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


def put_fifo(path):
    """Put something there that is never read to its end."""
    path.unlink()
    os.mkfifo(path)


def rewrite_rows(path, change):
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows), path)


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
        (lambda root: (root / "meta/info.json").write_text("[" * 100_000), "info.json"),
        (lambda root: (root / "meta/info.json").write_text("null"), "must name fps and features"),
        (lambda root: put_fifo(root / "meta/info.json"), "it is a named pipe"),
        (lambda root: rewrite_info(root, lambda info: info.pop("fps")), "fps"),
        (lambda root: rewrite_info(root, lambda info: info.update(fps="10")), "'10' as fps"),
        (lambda root: rewrite_info(root, lambda info: info.update(fps=math.nan)), "nan as fps"),
        (lambda root: rewrite_info(root, lambda info: info.update(fps=True)), "True as fps"),
        (lambda root: rewrite_info(root, lambda info: info.update(fps=10**9)), "1000000000 as fps"),
        (lambda root: rewrite_info(root, lambda info: info.update(features=[TOP])), "must name fps and features"),
        (lambda root: rewrite_info(root, lambda info: info["features"].update(x=None)), "feature 'x' by None"),
        (lambda root: rewrite_info(root, lambda info: info["features"].update(action="none")), "feature 'action'"),
        (lambda root: rewrite_info(root, lambda info: info["features"]["action"].update(names={"m": 3})), "action"),
        (lambda root: rewrite_info(root, lambda info: info["features"]["action"].update(names={"m": "ab"})), "action"),
        (lambda root: rewrite_info(root, lambda info: info["features"]["action"].update(names=[[1]])), "action"),
        (lambda root: rewrite_info(root, lambda info: info["features"]["action"].pop("names")), "action"),
        (lambda root: (root / "data/chunk-000/file-000.parquet").rename(root / "data/chunk-000/episode_000000.parquet"),
         "version 2"),
        (lambda root: (root / "data/chunk-000/file-000.parquet").unlink(), "no LeRobot dataset"),
        (lambda root: (root / EPISODES).unlink(), "no episode"),
        (lambda root: (root / EPISODES).write_bytes(b"PAR1 and no more"), "file-000.parquet cannot be read"),
        (lambda root: put_fifo(root / EPISODES), "it is a named pipe"),
        (lambda root: rewrite_rows(root / EPISODES, lambda rows: rows[1].update(episode_index=None)), "no number"),
        (lambda root: rewrite_rows(root / EPISODES, lambda rows: rows[1].update(episode_index=0)), "listed already"),
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


def rename_camera(dataset, new, *, videos=True):
    """Call the camera TOP something else, in all places where a stranger can."""

    def rename(info):
        info["features"][new] = info["features"].pop(TOP)

    rewrite_info(dataset, rename)
    rewrite_rows(
        dataset / EPISODES,
        lambda rows: [row.update({k.replace(TOP, new): row.pop(k) for k in list(row) if TOP in k}) for row in rows],
    )
    if videos:
        target = dataset / "videos" / new
        target.parent.mkdir(parents=True, exist_ok=True)
        (dataset / "videos" / TOP).rename(target)


@pytest.mark.parametrize("before", ["", "observation."])
def test_a_camera_key_that_holds_a_path_overwrites_nothing(client, wire, server, dataset, tmp_path, before):
    precious = tmp_path / "precious.mp4"
    precious.write_bytes(b"mine")
    # Of a path like this, joining keeps the absolute end.
    key = f"{before}{tmp_path}/precious"
    source = tmp_path / "precious" if not before else dataset / "videos" / key
    rename_camera(dataset, key, videos=False)
    source.parent.mkdir(parents=True, exist_ok=True)
    (dataset / "videos" / TOP).rename(source)
    with pytest.raises(FastLabelInvalidException, match=r"names a video .* the folder and the clip are named after it"):
        client.import_lerobot("p", dataset)
    assert precious.read_bytes() == b"mine"
    assert requests(wire) == []


@pytest.mark.parametrize("key", ["observation../..", "..", "", "a/b", "observation.images\\top", "C:top", "x" * 300])
def test_a_camera_key_that_is_no_folder_name_is_refused(client, wire, server, dataset, key):
    rename_camera(dataset, key, videos=False)
    with pytest.raises(FastLabelInvalidException, match="Nothing was imported"):
        client.import_lerobot("p", dataset)
    assert requests(wire) == []


def test_a_feature_that_is_no_video_may_have_any_key(client, wire, server, dataset):
    rewrite_info(dataset, lambda info: info["features"].update({"../..": {"dtype": "float32"}, "/": {}}))
    assert [camera.key for camera in LeRobotDataset(dataset).cameras] == [TOP, WRIST]
    assert client.import_lerobot("p", dataset, [0])[0]["success"]


def test_a_converter_cannot_name_a_clip_by_a_path(client, wire, server, dataset, tmp_path):
    class Elsewhere(LeRobotConverter):
        def select_cameras(self, cameras):
            return [replace(cameras[0], content_name=str(tmp_path / "precious"))]

    error = client.import_lerobot("p", dataset, [0], Elsewhere)[0]["result"]["error"]
    assert "does not do as a file name: it is absolute" in error
    assert not (tmp_path / "precious.mp4").exists()
    assert requests(wire) == []


def test_two_cameras_of_one_clip_name_do_not_overwrite_each_other(client, wire, server, dataset):
    rename_camera(dataset, "images_wrist")
    error = client.import_lerobot("p", dataset, [0])[0]["result"]["error"]
    assert "would both be images_wrist.mp4" in error
    assert requests(wire) == []


def test_templates_of_paths_are_not_heeded(client, wire, server, dataset):
    hostile = {"data_path": "/etc/{episode_chunk}", "video_path": "../../{video_key}/{file_index}.mp4"}
    rewrite_info(dataset, lambda info: info.update(hostile))
    assert client.import_lerobot("p", dataset, [0])[0]["success"]


@pytest.mark.parametrize(
    "what", ["videos", f"videos/{TOP}", f"videos/{TOP}/chunk-000/file-000.mp4", "data/chunk-000/file-000.parquet"]
)
def test_a_link_out_of_the_dataset_fails_its_episodes_unless_links_are_followed(
    client, wire, server, dataset, tmp_path, what
):
    (dataset / what).rename(tmp_path / "private")
    (dataset / what).symlink_to(tmp_path / "private")
    error = client.import_lerobot("p", dataset, [0])[0]["result"]["error"]
    assert "leads out of the folder by a symbolic link" in error
    assert "follow_links=True" in error
    assert requests(wire) == []
    assert client.import_lerobot("p", dataset, [0], follow_links=True)[0]["success"]


@pytest.mark.parametrize("what", ["meta/info.json", EPISODES, "meta"])
def test_a_link_out_of_the_dataset_is_refused_at_once_for_what_describes_it(
    client, wire, server, dataset, tmp_path, what
):
    (dataset / what).rename(tmp_path / "private")
    (dataset / what).symlink_to(tmp_path / "private")
    with pytest.raises(FastLabelInvalidException, match="leads out of the folder by a symbolic link"):
        client.import_lerobot("p", dataset)
    assert client.import_lerobot("p", dataset, [0], follow_links=True)[0]["success"]


def test_a_link_inside_of_the_dataset_is_followed(client, wire, server, dataset):
    (dataset / "videos" / TOP).rename(dataset / "top")
    (dataset / "videos" / TOP).symlink_to("../top")
    assert client.import_lerobot("p", dataset, [0])[0]["success"]


def put_second_file(dataset, content):
    """Let episode 1 have a file of its own."""
    (dataset / "data/chunk-000/file-001.parquet").write_bytes(content)
    rewrite_rows(dataset / EPISODES, lambda rows: rows[1].update({"data/file_index": 1}))


@pytest.mark.parametrize("content", [b"", b"no parquet", b"PAR1" + b"\xff" * 60 + b"PAR1"])
def test_a_broken_file_of_frames_fails_its_episode_only(client, wire, server, dataset, content):
    put_second_file(dataset, content)
    results = client.import_lerobot("p", dataset)
    assert [result["success"] for result in results] == [True, False, True]
    assert "Episode 1: data/chunk-000/file-001.parquet cannot be read" in results[1]["result"]["error"]


@pytest.mark.parametrize("cut", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_damaged_file_of_frames_fails_its_episode_only(client, wire, server, dataset, cut):
    whole = (dataset / "data/chunk-000/file-000.parquet").read_bytes()
    at = int(len(whole) * cut)
    put_second_file(dataset, whole[:at] + bytes(byte ^ 0x55 for byte in whole[at : at + 40]) + whole[at + 40 :])
    results = client.import_lerobot("p", dataset)
    assert [results[0]["success"], results[2]["success"]] == [True, True]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("length", None, "gives its length as None"), ("length", -3, "gives its length as -3"),
        ("data/file_index", None, "does not say which file of data"),
        ("data/chunk_index", None, "does not say which file of data"),
        (f"videos/{TOP}/chunk_index", None, f"does not say which file of videos/{TOP}"),
        (f"videos/{TOP}/from_timestamp", math.nan, "begin at nan s"),
        (f"videos/{TOP}/from_timestamp", math.inf, "begin at inf s"),
        (f"videos/{TOP}/from_timestamp", -1.0, "begin at -1.0 s"),
    ],
)  # fmt: skip
def test_a_strange_row_of_the_episode_table_fails_its_episode_only(client, wire, server, dataset, column, value, said):
    rewrite_rows(dataset / EPISODES, lambda rows: rows[1].update({column: value}))
    results = client.import_lerobot("p", dataset)
    assert [result["success"] for result in results] == [True, False, True]
    assert said in results[1]["result"]["error"]


def test_an_episode_table_without_columns_names_what_is_missing(client, wire, server, dataset):
    columns = [name for name in pq.read_schema(dataset / EPISODES).names if not name.startswith("data/")]
    pq.write_table(pq.read_table(dataset / EPISODES, columns=columns), dataset / EPISODES)
    results = client.import_lerobot("p", dataset)
    assert all("does not say which file of data" in result["result"]["error"] for result in results)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.update(frame_index=str(frame["frame_index"])), "frame_index is no whole number"),
        (lambda frame: frame.pop("episode_index"), "cannot be read"),
        (lambda frame: frame.update(episode_index=str(frame["episode_index"])), "cannot be read"),
        (lambda frame: frame.update(timestamp=b"x"), "telemetry is not valid JSON: it has no bytes"),
        (lambda frame: frame.pop("action"), "has no action"),
    ],
)
def test_frames_of_wrong_types_fail_their_episode_only(client, wire, server, dataset, change, said):
    rows = pq.read_table(dataset / "data/chunk-000/file-000.parquet").to_pylist()
    for row in rows:
        change(row)
    put_second_file(dataset, b"")
    pq.write_table(pa.Table.from_pylist(rows), dataset / "data/chunk-000/file-001.parquet")
    results = client.import_lerobot("p", dataset)
    assert [result["success"] for result in results] == [True, False, True]
    assert said in results[1]["result"]["error"]


@pytest.mark.parametrize(
    "content", [b"", b"junk" * 50, b"ffconcat version 1.0\nfile other.mp4\n", b"\x00\x00\x00\x20ftypisom"]
)
def test_a_video_that_is_none_fails_its_episode(client, wire, server, dataset, content):
    """A list of other files, which OpenCV would open, among them."""
    path = dataset / "videos" / TOP / "chunk-000/file-000.mp4"
    path.rename(path.with_name("other.mp4"))
    path.write_bytes(content)
    error = client.import_lerobot("p", dataset, [0])[0]["result"]["error"]
    assert "file-000.mp4 is no MP4 video" in error
    assert requests(wire) == []


def test_a_clip_that_cannot_be_written_fails_its_episode(client, wire, server, dataset):
    rewrite_info(dataset, lambda info: info.update(fps=0.001))
    error = client.import_lerobot("p", dataset, [0])[0]["result"]["error"]
    assert "32 x 24 at 0.001 fps, which OpenCV cannot write" in error
    assert requests(wire) == []


def test_names_that_come_twice_are_not_mixed_up():
    twice = {"names": {"left": ["a", "b"], "right": ["a"]}}
    meta = {"features": {"observation.state": twice, "action": {"names": ["x"]}}}

    class Some(LeRobotConverter):
        OBSERVATION_STATE_NAMES = ("b", "a")

    assert LeRobotConverter(meta).build_observation_state({"observation.state": [1, 2, 3]}) == [1, 2, 3]
    with pytest.raises(FastLabelInvalidException, match="several values named a"):
        Some(meta)


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


FRAMES = "data/chunk-000/file-000.parquet"
READ = """
from airflow_provider_fastlabel.client import FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.lerobot.dataset import LeRobotDataset
try:
    dataset = LeRobotDataset({!r})
    print(len(dataset.frames(dataset.episodes[1])))
except FastLabelInvalidException as error:
    print(error)
"""


def write_bomb(path, rows, **columns):
    """Write a file that is small as all values of a column are the same, or count on."""
    one = pa.table({name: pa.array([value]) for name, value in columns.items()})
    parts = [one.take(pa.array(np.zeros(1 << 20, np.int64))) for _ in range(rows >> 20)]
    with pq.ParquetWriter(path, one.schema) as writer:
        for part in parts:
            writer.write_table(part)
    assert path.stat().st_size < 3_000_000


@pytest.mark.parametrize("number", [1, 7], ids=["of the episode", "of another"])
def test_a_small_file_of_very_many_frames_costs_little(dataset, number):
    state = [1.0, 2.0, 3.0]
    write_bomb(
        dataset / FRAMES, 1 << 24, episode_index=number, frame_index=0, action=state, **{"observation.state": state}
    )
    said = run_limited(READ.format(str(dataset)), megabytes=700)
    assert ("holds more than the 6 rows that it may hold" if number == 1 else "holds 0 of its 6 frames") in said


def test_a_frame_of_very_many_values_is_refused(dataset):
    frame = {"episode_index": [1], "frame_index": [0], "action": pa.array([np.zeros(1 << 27, np.int8)])}
    pq.write_table(pa.table(frame), dataset / FRAMES)
    assert (dataset / FRAMES).stat().st_size < 1_000_000
    said = run_limited(READ.format(str(dataset)), megabytes=400)
    assert said == f"<Response [422]> Episode 1: {FRAMES} holds more than 67,108,864 values in one row group."


def test_a_small_table_of_very_many_episodes_costs_little(dataset):
    numbers = pa.table({"episode_index": np.arange(1 << 24), "length": np.zeros(1 << 24, np.int64)})
    encoding = {"episode_index": "DELTA_BINARY_PACKED"}
    pq.write_table(numbers, dataset / EPISODES, use_dictionary=["length"], column_encoding=encoding)
    assert (dataset / EPISODES).stat().st_size < 3_000_000
    said = run_limited(READ.format(str(dataset)), megabytes=1_200, seconds=40)
    assert "holds more than the 1,000,000 rows that it may hold" in said
