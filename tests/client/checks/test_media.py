from __future__ import annotations

import base64

import pytest

from airflow_provider_fastlabel.client import FastLabelInvalidException
from airflow_provider_fastlabel.client.kinds import KINDS, MB, kind_of_project_type
from tests.test_mp4 import mp4, track

LIMITS = {"image": 20, "video": 250, "text": 2, "audio": 120, "pcd": 30}


def medium(kind):
    media = KINDS[kind].media
    assert media is not None
    return media


def sized(path, size):
    with path.open("wb") as file:
        file.truncate(size)
    return path


@pytest.mark.parametrize("kind", ["video", "video_classification"])
def test_only_h264_is_sent(client, wire, tmp_path, kind):
    def video(data):
        path = tmp_path / "v.mp4"
        path.write_bytes(data)
        return path

    create = getattr(client, f"create_{kind}_task")
    with pytest.raises(FastLabelInvalidException, match="hvc1") as caught:
        create("p", "n", video(mp4(track(b"vide", b"hvc1"))))
    assert caught.value.code == 422
    with pytest.raises(FastLabelInvalidException, match="not a readable MP4"):
        create("p", "n", video(b"not a video"))
    assert wire.sent == []
    wire.answer("POST", KINDS[kind].path, "id")
    assert create("p", "n", video(mp4(track(b"vide", b"avc1")))) == "id"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("image", "a.PNG a.jpg a.Jpeg", "a.gif a.png.txt a png"),
        ("image_classification", "a.png", "a.bmp"),
        ("text", "a.txt", "a.md"),
        ("text_classification", "a.TXT", "a.csv"),
        ("audio", "a.mp3 a.wav a.m4a", "a.ogg a.w4a"),
        ("audio_classification", "a.wav", "a.mp4"),
        ("pcd", "a.pcd", "a.ply"),
        ("dicom", "", "a.dcm"),
        ("video", "", "a.mov"),
    ],
)
def test_the_extension_decides_in_any_case(client, wire, tmp_path, kind, good, bad):
    wire.answer("POST", KINDS[kind].path, "id")
    place = () if kind == "dicom" else ("n",)
    for name in good.split():
        (tmp_path / name).write_bytes(b"x")
        assert getattr(client, f"create_{kind}_task")("p", *place, tmp_path / name) == "id"
    sent = len(wire.sent)
    for name in bad.split():
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(FastLabelInvalidException, match=name) as caught:
            getattr(client, f"create_{kind}_task")("p", *place, str(tmp_path / name))
        assert caught.value.code == 422
    assert len(wire.sent) == sent


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("image", "a.png"),
        ("image_classification", "a.png"),
        ("video", "a.mp4"),
        ("text", "a.txt"),
        ("audio", "a.mp3"),
        ("pcd", "a.pcd"),
    ],
)
def test_a_file_over_its_limit_is_refused_with_the_limit(client, wire, tmp_path, kind, name):
    media = medium(kind).name
    limit = LIMITS[media]
    sized(tmp_path / name, limit * MB + 1)
    with pytest.raises(FastLabelInvalidException, match=rf"for {media} at most .*{limit} MB.*smaller") as caught:
        getattr(client, f"create_{kind}_task")("p", "n", tmp_path / name)
    assert name in caught.value.message
    assert "client." not in caught.value.message
    assert wire.sent == []


def test_a_file_at_its_limit_is_sent_and_a_wider_limit_holds(client, wire, tmp_path):
    wire.answer("POST", "tasks/text", "id")
    sized(tmp_path / "a.txt", 2 * MB)
    client.create_text_task("p", "n", tmp_path / "a.txt")
    sized(tmp_path / "b.txt", 3 * MB)
    client.limits.text = 3 * MB
    assert client.create_text_task("p", "n", tmp_path / "b.txt") == "id"


def test_limits_of_one_client_are_its_own(client):
    from airflow_provider_fastlabel.client import FastLabelClient

    client.limits.pcd = 1
    assert FastLabelClient("t").limits.pcd == 30 * MB


def fill(folder, names, size=10):
    folder.mkdir(exist_ok=True)
    for name in names:
        sized(folder / name, size)
    return folder


FOLDERS = {"multi_image_classification": ("png", 6), "sequential_image": ("jpg", 250), "sequential_pcd": ("pcd", 250)}


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders_are_sent_in_order_of_their_names(client, wire, tmp_path, kind):
    extension, most = FOLDERS[kind]
    wire.answer("POST", KINDS[kind].path, "id")
    names = [f"{number:03}.{extension}" for number in range(min(most, 20))]
    fill(tmp_path / "f", [*reversed(names), ".hidden"])
    getattr(client, f"create_{kind}_task")("p", "n", tmp_path / "f")
    contents = wire.sent[0][3]["contents"]
    assert [content["name"] for content in contents] == names
    assert {base64.b64decode(content["file"]) for content in contents} == {bytes(10)}


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders_that_break_a_rule_are_refused(client, wire, tmp_path, kind):
    extension, most = FOLDERS[kind]
    create = getattr(client, f"create_{kind}_task")

    def refused(match, folder):
        with pytest.raises(FastLabelInvalidException, match=match) as caught:
            create("p", "n", folder)
        assert caught.value.code == 422
        assert "client." not in caught.value.message

    refused("does not exist", tmp_path / "no")
    refused("no file", fill(tmp_path / "empty", [".hidden"]))
    refused("has no file", fill(tmp_path / "empty", []))
    refused("b.gif", fill(tmp_path / "foreign", [f"a.{extension}", "b.gif"]))
    (tmp_path / "nested" / "sub").mkdir(parents=True)
    refused("sub", tmp_path / "nested")
    (tmp_path / "tricky" / f"sub.{extension}").mkdir(parents=True)
    refused("it is a folder, not a regular file", tmp_path / "tricky")
    many = [f"{number:03}.{extension}" for number in range(most + 1)]
    refused(f"at most {most} are allowed.* Split the folder", fill(tmp_path / "many", many))
    client.limits.folder_characters = 2 * len('{"name": "1.png", "file": ""}') + 2 * 16
    refused(
        rf"too large from 3\.{extension} on.* MB\. Split",
        fill(tmp_path / "sum", [f"{number}.{extension}" for number in (1, 2, 3)]),
    )
    setattr(client.limits, medium(kind).name, 9)
    refused(f"1.{extension}", tmp_path / "sum")
    assert wire.sent == []


def test_a_folder_at_its_limit_is_sent(client, wire, tmp_path):
    wire.answer("POST", "tasks/sequential-image", "id")
    client.limits.folder_characters = 2 * (len('{"name": "1.png", "file": ""}') + 16)
    assert client.create_sequential_image_task("p", "n", fill(tmp_path / "f", ["1.png", "2.png"])) == "id"


def test_integrated_images_are_checked_by_their_name_only(client, wire):
    with pytest.raises(FastLabelInvalidException, match=r"a\.gif"):
        client.create_integrated_image_task("p", "gcp", "b/a.gif")
    assert wire.sent == []
    wire.answer("POST", "tasks/integrated-image", "id")
    assert client.create_integrated_image_task("p", "gcp", "b/not-here.JPG") == "id"


@pytest.mark.parametrize(
    ("project_type", "kind"),
    [
        ("image_bbox", "image"),
        ("image_polygon", "image"),
        ("image_all", "image"),
        ("image_pose_estimation", "image"),
        ("image_segmentation", "image"),
        ("image_classification", "image_classification"),
        ("multi_image_classification", "multi_image_classification"),
        ("multi_image_bbox", "sequential_image"),
        ("sequential_image_line", "sequential_image"),
        ("video_keypoint", "video"),
        ("video_single_classification", "video_classification"),
        ("text_ner", "text"),
        ("text_single_classification", "text_classification"),
        ("audio_segmentation", "audio"),
        ("audio_single_classification", "audio_classification"),
        ("pcd_cuboid", "pcd"),
        ("pcd_segmentation", "pcd"),
        ("sequential_pcd_cuboid", "sequential_pcd"),
        ("dicom_bbox", "dicom"),
        ("multi_modal_video_audio_segmentation", "multi_modal_video_audio"),
        ("robotics_task_classification", "robotics"),
    ],
)
def test_the_type_of_a_project_tells_the_kind_of_its_tasks(project_type, kind):
    assert kind_of_project_type(project_type) is KINDS[kind]


@pytest.mark.parametrize("unknown", ["", "smell", "images_bbox", "multi"])
def test_an_unknown_type_is_named(unknown):
    with pytest.raises(FastLabelInvalidException, match="is not known"):
        kind_of_project_type(unknown)
