"""Each row of a YOLO set is taken or lost, once, with its picture; what is no label file is a note."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.formats.yolo import read_yolo

BOX = "0 0.5 0.5 0.1 0.1\n"


@pytest.mark.parametrize(
    "text", ["", "\n \n", codecs.BOM_UTF8, "Hello.\n", "1. one\n2. two\n", "a.jpg\n", "1 (2).jpg\n"]
)
def test_a_text_that_belongs_to_no_picture_and_has_no_rows_is_a_note(data, text):
    data.image("b.jpg")
    data.label("a.txt", text)
    result = data.read()
    assert [(note.file, note.lost, note.reason) for note in result.notes] == [("a.txt", 0, "")]
    assert (result.problems, result.by_image, result.read) == ([], {}, 0)


@pytest.mark.parametrize(
    "text", ["000001\n000002\n", "日本\n".encode("cp932"), "メモ 0.5\n".encode("euc-jp"), b"\0\1\2"]
)
def test_lists_of_names_and_texts_of_other_encodings_are_notes(data, text):
    data.label("ImageSets/train.txt", text)
    result = data.read()
    assert (len(result.notes), result.problems) == (1, [])


def test_a_list_of_pictures_is_no_label_file_even_of_a_picture(data):
    data.image("train.jpg")
    data.label("train.txt", "images/1.jpg\nimages/2 b.jpg\n")
    result = data.read()
    assert (result.by_image, result.problems) == ({}, [])
    assert [str(note) for note in result.notes] == ["train.txt: lists pictures; it is no label file"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [(BOX, 1), (f"\n{BOX}{BOX}", 2), ("0 0.5\n0 x 0.5\n", 2), (f"x 0.5\n{BOX}", 2), ("0 nan 0.5 0.1 0.1", 1)],
)
def test_rows_without_a_picture_are_lost(data, text, rows):
    data.label("labels/a.txt", text)
    (problem,) = data.read().problems
    assert (problem.image, problem.reason, problem.lost) == ("labels/a", "no_picture", rows)


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.replace("\n", "\r\n").encode("utf-16-be"),
        lambda text: text.rstrip().encode(),
    ],
    ids=["bom", "crlf", "cr", "utf-16", "utf-16-be", "no line end"],
)
@pytest.mark.parametrize("folder", ["", "elsewhere/"])
def test_label_files_of_every_encoding_that_says_what_it_is(data, encode, folder):
    data.image("a.jpg")
    data.label(f"{folder}a.txt", encode(BOX + BOX))
    result = data.read()
    assert [found["points"] for found in result.by_image["a.jpg"]] == [[45, 90, 55, 110]] * 2
    assert (result.problems, result.read) == ([], 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOX.encode("utf-16-le"), "bytes of zero"),
        (BOX.encode() + b"0 \xff\n", "not UTF-8 text: byte 20"),
        (BOX.encode("utf-16") + b"0", "not UTF-16 text: byte 38"),
        (b"\xff\xfe\x00", "not UTF-16 text"),
        (b"\x9f\x01\x80", "not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("folder", ["", "elsewhere/"])
def test_a_label_file_that_cannot_be_read_fails_its_picture(data, text, why, folder):
    data.image("a.jpg")
    data.image("b.jpg")
    data.label(f"{folder}a.txt", text)
    data.label("b.txt", BOX)
    result = data.read()
    (problem,) = result.problems
    assert why in problem.message
    assert (problem.image, problem.reason, problem.lost) == ("a.jpg", "unreadable_file", 0)
    assert result.by_image == {"a.jpg": [], "b.jpg": result.by_image["b.jpg"]}
    assert result.read == 1


def test_a_label_file_that_cannot_be_read_and_has_no_picture(data):
    data.label("a.txt", BOX.encode("utf-16-le"))
    (problem,) = data.read().problems
    assert (problem.image, problem.reason, problem.lost) == (None, "unreadable_file", 0)


def test_links_to_nothing_fail_their_picture_alone(data):
    data.image("a.jpg")
    data.image("b.jpg")
    (data.folder / "a.txt").symlink_to("nowhere")
    (data.folder / "c.txt").symlink_to("nowhere")
    (data.folder / "d.jpg").symlink_to("nowhere")
    data.label("b.txt", BOX)
    data.label("d.txt", BOX + BOX)
    result = data.read()
    told = [(problem.file, problem.image, problem.reason, problem.lost) for problem in result.problems]
    assert told == [
        ("a.txt", "a.jpg", "unreadable_file", 0),
        ("c.txt", None, "unreadable_file", 0),
        ("d.txt", "d.jpg", "unreadable_file", 2),
    ]
    assert all("No such file" in problem.message for problem in result.problems)
    assert result.objects == {"b.jpg": 1}


def test_a_row_that_is_lost_is_told_of_its_picture(data):
    data.image("a.jpg")
    data.image("b.jpg")
    data.label("a.txt", f"{BOX}0 nan 0.5 0.1 0.1\n0 0.1 0.1 0.2 0.2\n")
    data.label("b.txt", BOX)
    result = data.read()
    assert [(problem.image, problem.line, problem.lost) for problem in result.problems] == [("a.jpg", 2, 1)]
    assert result.objects == {"a.jpg": 2, "b.jpg": 1}


@pytest.mark.parametrize(
    "text",
    [
        "0 0.1 0.1 0.1 0.1 0.1 0.1\n0 0.1 0.1 0.2 0.2 0.3 0.3 0.4 0.4",  # crumbs: a point, a line
        "0 nan 0.1 0.2 0.1 0.2 0.2\n0 0.1 0.1 0.2 0.2 0.1 0.1 0.2 0.2",
    ],
)
def test_an_outline_of_which_nothing_is_left_is_lost(data, text):
    data.image("a.jpg")
    data.label("a.txt", f"{text}\n0 0.1 0.1 0.2 0.1 0.2 0.2\n")
    result = data.read(task="segment")
    assert (len(result.by_image["a.jpg"]), result.objects, result.read) == (1, {"a.jpg": 1}, 3)


FIELDS = st.sampled_from(["0", "1", "2", "9", "-1", "0.5", "0.25", "1.5", "nan", "x", "0.1", "a.jpg", "１"])
LINES = st.one_of(
    st.just("0 0.5 0.5 0.1 0.1"),
    st.just("1 0.1 0.1 0.2 0.1 0.2 0.3"),
    st.just("0 0.5 0.5 0.1 0.1 0.5 0.5 2"),
    st.lists(FIELDS, max_size=10).map(" ".join),
)
TEXTS = st.lists(LINES, max_size=4).map("\n".join)
NAMES = st.sampled_from(["a", "b", "images/a", "labels/a", "labels/c", "x/labels/d", "x/images/d", "annotations/e"])
YAMLS = st.sampled_from(["names: [dog, cat]\n", "names: [dog, cat]\nkpt_shape: [1, 3]\n"])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "task": st.sampled_from(["detect", "segment", "pose", "obb"]),
        "annotation_type": st.sampled_from(["bbox", "polygon", "segmentation", "pose_estimation"]),
        "keypoints": st.just({"dog": ["nose"], "cat": ["nose", "tail"]}),
    },
)


YAMLS = st.sampled_from(["names: [dog, cat]\n", "names: [dog, cat]\nkpt_shape: [1, 3]\n"])


def is_a_row(line):
    """Tell what nobody would take for prose."""
    fields = line.split()
    return fields[0].isdigit() and sum(field[0].isdigit() for field in fields) > len(fields) / 2


@given(st.dictionaries(NAMES, TEXTS), st.lists(NAMES, unique=True), OPTIONS, YAMLS)
def test_every_row_is_taken_or_lost(tmp_path_factory, labels, images, options, yaml):
    folder = tmp_path_factory.mktemp("set")
    (folder / "data.yaml").write_text(yaml)
    for name in images:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("1", (100, 200)).save(folder / f"{name}.png")
    for name, text in labels.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_text(text)
    try:
        result = read_yolo(None, folder, **options)
    except ValueError:  # rows that may be of several kinds, or are of another than was asked
        return
    noted = {note.file for note in result.notes if "put together" not in note.message}
    rows = sum(
        bool(line.strip()) for name, text in labels.items() for line in text.split("\n") if f"{name}.txt" not in noted
    )
    assert result.read == rows
    assert result.objects.total() == sum(map(len, result.by_image.values()))
    assert all(result.objects[image] == len(found) for image, found in result.by_image.items())
    assert all((folder / image).is_file() for image in result.by_image)
    assert all(problem.image for problem in result.problems)
    for file in noted:
        lines = [line for line in labels[file[:-4]].split("\n") if line.strip()]
        names = all(" " not in line for line in lines) or "a.jpg" in str(lines)
        assert names or not all(map(is_a_row, lines))
