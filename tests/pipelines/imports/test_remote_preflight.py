"""The checks of an import whose files lie in an object store: by its listing, without bringing the files down."""

from __future__ import annotations

import errno
import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ConnectionClosedError
from PIL import Image

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.kinds import KINDS
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.imports import ImportIncomplete, ImportRefused, find_sources, import_files
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
from airflow_provider_fastlabel.pipelines.running.run import OUTAGE
from tests.operators.s3_files import S3Files

if TYPE_CHECKING:
    from airflow_provider_fastlabel.formats import AnnotationsFormat

FILES = Path(__file__).resolve().parents[2] / "emulator" / "files"
H264, MPEG4 = (FILES / "clip.mp4").read_bytes(), (FILES / "mpeg4.mp4").read_bytes()


def png(width: int = 8, height: int = 6) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (10, 200, 30)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


def mp4(*boxes: bytes) -> bytes:
    """An MP4 file of nothing but these boxes around a track."""
    inner = b""
    for kind in reversed(boxes):
        inner = struct.pack(">I4s", 8 + len(inner), kind) + inner
    return inner


class Folder:
    """A folder of a bucket, as much of it as an Airflow path offers and the import uses."""

    protocol = "s3"

    def __init__(self, fs: S3Files, path: str) -> None:
        self.fs, self.path = fs, path

    def __str__(self) -> str:
        return f"s3://{self.path}"

    def put(self, name: str, content: bytes) -> None:
        self.fs.pipe_file(f"{self.path}/{name}", content)


@pytest.fixture
def folder(s3_address):
    """The folder ``in`` of an S3-compatible bucket."""
    files = S3Files(s3_address)
    files.boto.create_bucket(Bucket="media")
    yield Folder(files, "media/in")
    files.close()


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        yield client


@pytest.fixture
def importing(client, folder, tmp_path, fastlabel_emulator):
    """Make a project of a type and import the bucket's folder into it, or a local one."""

    def go(project_type, kind, place=folder, **arguments):
        if client.find_project_by_slug("p") is None:
            client.create_project(project_type, "P", "p")
        by_folder, media = KINDS[kind].max_files is not None, KINDS[kind].media
        assert media is not None
        found = find_sources(place, extensions=media.extensions, by_folder=by_folder)
        arguments = {"manifest": tmp_path / "manifest.jsonl", "problems": found.problems, **arguments}
        return import_files(client, "p", found.sources, **arguments)

    return go


@pytest.fixture
def refused(importing, client, folder):
    """Import what must be refused as a whole; returns the problems as ``name: message``."""

    def go(*arguments, **more):
        with pytest.raises(ImportRefused) as caught:
            importing(*arguments, **more)
        assert client.count_tasks("p") == 0
        return [f"{problem.name}: {problem.message}" for problem in caught.value.problems]

    return go


def fetched(folder):
    """Return the keys whose content was read."""
    return [path for method, path in folder.fs.requests if method == "GET" and not path.endswith("/media")]


def clips(folder, **files):
    """Put so many pictures into each sub-folder."""
    for name, count in files.items():
        for number in range(count):
            folder.put(f"{name}/{number}.png", PNG)


# Folders of files.


@pytest.mark.parametrize(
    ("project_type", "kind", "limit", "most"),
    [
        ("sequential_image_bbox", "sequential_image", "sequential_files", 3),
        ("multi_image_classification", "multi_image_classification", "multi_image_files", 2),
    ],
)
def test_a_folder_may_hold_as_many_files_as_its_kind_allows_and_not_one_more(
    client, folder, refused, importing, project_type, kind, limit, most
):
    setattr(client.limits, limit, most)
    clips(folder, fits=most, over=most + 1)
    assert refused(project_type, kind) == [
        f"over: has {most + 1} files; at most {most} are allowed in one task. Split the folder into several tasks"
    ]
    assert fetched(folder) == []
    assert importing(project_type, kind, max_failures=1)["created"] == 1


def test_multi_image_tasks_take_six_files_unless_told_otherwise(folder, refused):
    clips(folder, seven=7)
    assert "7 files; at most 6" in refused("multi_image_classification", "multi_image_classification")[0]


def test_files_of_a_folder_are_too_large_together_at_the_same_character_as_in_the_create_call(
    client, folder, refused, importing
):
    clips(folder, clip=3)
    as_sent = 3 * (len('{"name": "0.png", "file": ""}') + (len(PNG) + 2) // 3 * 4)
    client.limits.folder_characters = as_sent - 1
    (problem,) = refused("sequential_image_bbox", "sequential_image")
    assert problem.startswith("clip: is too large; its files may take at most")
    assert "Split the folder, or make its files smaller" in problem
    assert fetched(folder) == []
    client.limits.folder_characters = as_sent
    assert importing("sequential_image_bbox", "sequential_image")["created"] == 1


def test_a_file_too_large_is_named_with_its_key(client, folder, refused):
    client.limits.image = len(PNG)
    clips(folder, clip=2)
    folder.put("clip/large.png", PNG + b"x")
    (problem,) = refused("sequential_image_bbox", "sequential_image")
    assert problem.startswith(f"clip: media/in/clip/large.png has {len(PNG) + 1} bytes; for image at most {len(PNG)}")
    assert fetched(folder) == []


def test_annotations_are_held_against_the_picture_they_name(client, folder, refused):
    client.create_project("sequential_image_bbox", "P", "p")
    client.create_annotation("p", "bbox", "cat", "Cat")
    folder.put("clip/large.png", png(40, 30))
    folder.put("clip/small.png", PNG)
    box = {"type": "bbox", "value": "cat", "points": [1, 1, 30, 20]}
    boxes = [{**box, "content": content} for content in ("large.png", "small.png", "none.png")]
    problems = refused("sequential_image_bbox", "sequential_image", annotations={"clip": boxes})
    assert problems == [
        "clip: annotation 1: bbox [1, 1, 30, 20] lies outside the image of 8 x 6 pixels",
        "clip: annotation 2: content 'none.png' is no file of this task's folder",
    ]


# Videos.


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(MPEG4, "holds mp4v video; only AVC/H.264 can be registered", id="another codec"),
        pytest.param(b"no video at all", "is not a readable MP4 file (it does not begin", id="another format"),
        pytest.param(b"", "media/in/day/wrong.mp4 has 0 bytes", id="empty"),
        pytest.param(mp4(b"moov", b"trak"), "is not a readable MP4 file (no video track)", id="no handler"),
        pytest.param(
            mp4(b"moov", b"trak", b"mdia", b"hdlr"), "is not a readable MP4 file (truncated box)", id="empty handler"
        ),
        pytest.param(H264[:99], "is not a readable MP4 file (box at byte", id="its first bytes"),
    ],
)
def test_a_video_that_is_not_h264_is_refused_before_anything_is_created(folder, refused, content, complaint):
    folder.put("day/good.mp4", H264)
    folder.put("day/wrong.mp4", content)
    (problem,) = refused("video_bbox", "video")
    assert problem.startswith(f"day/wrong.mp4: {complaint}")


def test_a_video_with_h264_is_imported(client, folder, importing):
    folder.put("day/good.mp4", H264)
    assert importing("video_bbox", "video")["created"] == 1
    assert client.find_video_task_by_name("p", "day/good.mp4")["width"] == 64


def test_a_video_too_large_is_not_even_opened(client, folder, refused):
    client.limits.video = len(H264) - 1
    folder.put("good.mp4", H264)
    (problem,) = refused("video_bbox", "video")
    assert f"{len(H264):,} bytes; for video at most {len(H264) - 1:,}" in problem
    assert fetched(folder) == []


def after_the_listing(folder, monkeypatch, change):
    """Change the bucket as soon as it has been listed."""
    listing = folder.fs.find

    def find(*arguments, **options):
        found = listing(*arguments, **options)
        change()
        return found

    monkeypatch.setattr(folder.fs, "find", find)


def test_a_video_gone_since_the_listing_is_one_problem_among_the_others(folder, refused, monkeypatch):
    folder.put("gone.mp4", H264)
    folder.put("wrong.mp4", MPEG4)
    after_the_listing(folder, monkeypatch, lambda: folder.fs.boto.delete_object(Bucket="media", Key="in/gone.mp4"))
    gone, wrong = refused("video_bbox", "video")
    assert gone == "gone.mp4: cannot be read: The specified key does not exist."
    assert wrong.startswith("wrong.mp4: holds mp4v video")


def failing(folder, monkeypatch, method, ends, error):
    """Have the store fail over a key."""
    work = getattr(folder.fs, method)

    def fail(key, *given, **more):
        if str(key).endswith(ends):
            raise error
        return work(key, *given, **more)

    monkeypatch.setattr(folder.fs, method, fail)


CLOSED = ConnectionClosedError(endpoint_url="http://store/media/in?X-Amz-Signature=secret")
BUSY = OSError(errno.EBUSY, "Please reduce your request rate.")


@pytest.mark.parametrize("error", [CLOSED, BUSY])
def test_a_store_that_fails_over_one_picture_costs_only_that_one(client, folder, importing, monkeypatch, error):
    for name in ("a.png", "b.png", "c.png"):
        folder.put(name, PNG)
    with monkeypatch.context() as patch:
        failing(folder, patch, "get_file", "b.png", error)
        with pytest.raises(ImportIncomplete, match=r"2 created.*1 failed") as caught:
            importing("image_bbox", "image")
    (problem,) = caught.value.failures
    assert "media/in/b.png cannot be read from its store" in str(problem)
    assert type(error).__name__ in str(problem)
    assert "secret" not in str(caught.value)
    assert importing("image_bbox", "image")["created"] == 1
    assert client.count_tasks("p") == 3


def test_a_store_that_does_not_answer_any_more_ends_the_run(folder, importing, monkeypatch):
    for number in range(OUTAGE + 10):
        folder.put(f"{number:02d}.png", PNG)
    failing(folder, monkeypatch, "get_file", ".png", CLOSED)
    with pytest.raises(ImportIncomplete, match=r"20 items in a row got no usable answer from their store") as caught:
        importing("image_bbox", "image", max_workers=1)
    assert len(caught.value.failures) == OUTAGE


@pytest.mark.parametrize("error", [CLOSED, BUSY])
def test_a_store_that_fails_while_videos_are_checked_does_not_condemn_them(
    client, folder, importing, monkeypatch, error
):
    folder.put("a.mp4", H264)
    with monkeypatch.context() as patch:
        failing(folder, patch, "open", "a.mp4", error)
        with pytest.raises(StoreFailedError, match=r"in/a\.mp4 cannot be read from its store .* or try again later"):
            importing("video_bbox", "video")
    assert importing("video_bbox", "video")["created"] == 1


def test_a_video_that_the_store_refuses_is_one_problem_among_the_others(folder, refused, monkeypatch):
    folder.put("a.mp4", H264)
    folder.put("wrong.mp4", MPEG4)
    failing(folder, monkeypatch, "open", "a.mp4", PermissionError("Access Denied"))
    secret, wrong = refused("video_bbox", "video")
    assert "a.mp4 cannot be read from its store (PermissionError: Access Denied)" in secret
    assert wrong.startswith("wrong.mp4: holds mp4v video")


# All kinds.


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("x" * 1000 + "/" + "y" * 20 + ".png", "the name has 1025 characters; at most 1024 are taken. Rename it"),
        ("a\tb.png", "the name holds a control character. Rename it"),
    ],
)
def test_a_key_that_is_no_name_of_a_task_is_refused(folder, refused, name, complaint):
    folder.put(name, PNG)
    assert refused("image_bbox", "image") == [f"{name}: {complaint}"]


def test_kinds_without_annotations_refuse_them(client, folder, importing):
    folder.put("a.png", PNG)
    with pytest.raises(ImportRefused, match="Tasks of kind image_classification carry no annotations"):
        importing("image_classification", "image_classification", annotations={"a.png": [{"type": "bbox"}]})
    assert client.count_tasks("p") == 0


def test_a_picture_without_a_readable_size_still_has_its_classes_checked(client, folder, refused):
    client.create_project("image_bbox", "P", "p")
    client.create_annotation("p", "bbox", "cat", "Cat")
    folder.put("a.png", b"no picture")
    boxes = [{"type": "bbox", "value": value, "points": [1, 1, 999, 999]} for value in ("cat", "dog")]
    (problem,) = refused("image_bbox", "image", annotations={"a.png": boxes})
    assert problem == "a.png: annotation 1: class 'dog' does not exist in the project; it has cat"


def test_problems_within_max_failures_leave_the_other_items_to_be_imported(client, folder, importing):
    folder.put("good.mp4", H264)
    folder.put("wrong.mp4", MPEG4)
    summary = importing("video_bbox", "video", max_failures=1)
    assert (summary["created"], summary["failed"]) == (1, 1)


def test_a_picture_that_shrank_since_the_listing_is_not_registered(client, folder, importing, monkeypatch):
    folder.put("a.png", PNG)
    change = {"Bucket": "media", "Key": "in/a.png", "Body": PNG[:20]}
    after_the_listing(folder, monkeypatch, lambda: folder.fs.boto.put_object(**change))
    with pytest.raises(ImportIncomplete, match=f"was listed with {len(PNG)} bytes but 20 came down"):
        importing("image_bbox", "image")
    assert client.count_tasks("p") == 0


@pytest.mark.parametrize(
    ("project_type", "kind", "files"),
    [
        ("video_bbox", "video", {"good.mp4": H264, "codec.mp4": MPEG4, "half.mp4": H264[:99], "none.mp4": b""}),
        ("image_bbox", "image", {"good.png": PNG, "large.png": PNG + b"x" * 100, "text.txt": b"x"}),
        (
            "sequential_image_bbox",
            "sequential_image",
            {
                **{f"long/{n}.png": PNG for n in range(5)},
                "good/0.png": PNG,
                "large/0.png": PNG + b"x" * 100,
                "deep/er/0.png": PNG,
                "alone.png": PNG,
            },
        ),
    ],
)
def test_a_bucket_and_a_local_folder_with_the_same_files_have_the_same_problems(
    client, folder, refused, tmp_path, project_type, kind, files
):
    client.limits.image, client.limits.sequential_files = len(PNG) + 99, 4
    for name, content in files.items():
        folder.put(name, content)
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    remote = [problem.partition(":")[0] for problem in refused(project_type, kind)]
    local = [problem.partition(":")[0] for problem in refused(project_type, kind, tmp_path / "in")]
    assert remote == local
    assert len(remote) > 1


VOC = "<annotation><filename>a.png</filename><object><name>cat</name>{}</object></annotation>".format(
    "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>4</xmax><ymax>4</ymax></bndbox>"
)
LABELME = '{"imagePath": "a.png", "shapes": [{"label": "cat", "shape_type": "rectangle", "points": [[1, 2], [3, 4]]}]}'
ANNOTATIONS: dict[AnnotationsFormat, dict[str, str]] = {
    "yolo": {
        "a.txt": "0 0.5 0.5 0.5 0.5",
        "labels/a.txt": "0 0.5 0.5 0.5",
        "README.txt": "words",
        "classes.txt": "cat",
    },
    "pascalvoc": {"a.xml": VOC},
    "labelme": {"a.json": LABELME},
}


@pytest.mark.parametrize("form", ANNOTATIONS)
def test_each_annotation_file_is_fetched_once(folder, form):
    folder.put("a.png", PNG)
    for name, text in ANNOTATIONS[form].items():
        folder.put(name, text.encode())
    found = find_sources(folder, extensions=("png",))
    folder.fs.requests.clear()
    Reader(form, folder, None, "image_bbox", [{"value": "cat", "type": "bbox"}], {}).read(found)
    assert sorted(path for path in fetched(folder) if not path.endswith(".png")) == sorted(
        f"/media/in/{name}" for name in ANNOTATIONS[form]
    )


@pytest.mark.parametrize("error", [CLOSED, BUSY])
@pytest.mark.parametrize("form", ANNOTATIONS)
def test_a_store_that_fails_over_annotations_does_not_condemn_them(folder, monkeypatch, form, error):
    folder.put("a.png", PNG)
    for name, text in ANNOTATIONS[form].items():
        folder.put(name, text.encode())
    found = find_sources(folder, extensions=("png",))
    failing(folder, monkeypatch, "get_file", next(iter(ANNOTATIONS[form])), error)
    with pytest.raises(
        StoreFailedError, match=r"cannot be read.*\. Nothing was created, because the .* are there\. Check"
    ):
        Reader(form, folder, None, "image_bbox", [{"value": "cat", "type": "bbox"}], {}).read(found)
