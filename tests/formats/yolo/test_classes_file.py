"""The file that names the classes: found in the folder or given, in every encoding that says what it is."""

from __future__ import annotations

import codecs

import pytest

from airflow_provider_fastlabel.formats.yolo import read_yolo
from airflow_provider_fastlabel.formats.yolo.classes_file import ANNOTATION_ENDINGS
from tests.limits import run_limited

YAML = "names:\n  0: dog\n  1: cat\n"
LIST = "dog\ncat\n"


@pytest.fixture
def value(data):
    """Read a row of class 1 and say its class."""
    data.image("images/a.jpg")
    data.label("labels/a.txt", "1 0.5 0.5 0.2 0.2")

    def value(classes_file=None):
        result = read_yolo(classes_file, data.folder)
        assert result.problems == []
        assert list(result.by_image) == ["images/a.jpg"]
        return result.by_image["images/a.jpg"][0]["value"]

    return value


@pytest.mark.parametrize(
    "files",
    [
        {"data.yaml": YAML},
        {"dataset.yaml": YAML},
        {"coco128.yml": "path: ../datasets/coco128\nnames: [dog, cat]\ndownload: |\n  print('x')\n"},
        {"cfg/own.yaml": '{"names": ["dog", "cat"]}'},
        {
            "data.yaml": YAML,
            "hyp.yaml": "lr0: 0.01\n",
            "compose.yaml": "x: {{ y }}\n",
            "hosts.yaml": "hostnames: [a]\n",
        },
        {"classes.txt": LIST},
        {"labels/classes.txt": LIST},
        {"Classes.TXT": LIST},
        {"obj.names": LIST},
        {"data/coco.names": LIST},
        {"train/_darknet.labels": LIST, "valid/_darknet.labels": LIST},
        {"obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = b/\n", "obj.names": LIST},
        {"cfg/own.data": "names=C:\\darknet\\data\\own list.txt\r\n", "data/own list.txt": LIST},
        {"data.yaml": YAML, "classes.txt": LIST, "obj.names": LIST},
        {"data.yaml": "names: [dog]\n", "labels/classes.txt": LIST},
        {"data.yaml": YAML, "classes.txt": "dog\n"},
        {"data.yaml": "names: {1: cat}\n", "classes.txt": "dog\n"},
        {"classes.txt": LIST, "x.data": b"\x00\xff" * 99},
    ],
)
def test_the_file_is_found(data, value, files):
    for name, text in files.items():
        data.label(name, text)
    assert value() == "cat"


@pytest.mark.parametrize(
    "files",
    [
        {"data.yaml": YAML, "classes.txt": "cat\ndog\n"},
        {"a.yaml": YAML, "sub/b.yaml": "names: [dog, bird]\n"},
        {"a.names": LIST, "b.names": "dog\nbird\n", "classes.txt": LIST},
        {"labels/classes.txt": LIST, "labels/sub/classes.txt": "cat\n"},
    ],
)
def test_files_that_disagree_are_listed(data, value, files):
    for name, text in files.items():
        data.label(name, text)
    with pytest.raises(ValueError, match="disagree about the classes.*Name the right one with classes_file=") as caught:
        value()
    assert any(name in str(caught.value) for name in files)
    first = next(iter(files))
    assert value(data.folder / first) == "cat"
    assert value(first) == "cat"


def test_files_that_disagree_about_keypoints_are_listed(data, value):
    data.label("pose.yaml", "names: [dog]\nkpt_shape: [17, 3]\n")
    data.label("boxes.yaml", YAML)
    data.label("classes.txt", LIST)
    for given in (None, "classes.txt"):
        with pytest.raises(ValueError, match=r"boxes.yaml \(2 .*and pose.yaml .*disagree about the keyp"):
            value(given)
    assert value("boxes.yaml") == "cat"
    data.label("boxes.yaml", "names: [dog]\nkpt_shape: [17, 3]\nkpt_names: [nose]\n")
    data.label("pose.yaml", "names: [dog]\nkpt_shape: [17, 3]\nkpt_names: [tail]\n")
    with pytest.raises(ValueError, match="disagree about the keypoint names"):
        value()


def test_many_files_that_disagree_are_counted(data, value):
    for number in range(20):
        data.label(f"labels/{number}/classes.txt", f"dog\n{number % 5}\n")
    with pytest.raises(ValueError, match=r"labels/0/classes.txt \(2 classes\) and .* \(3 more: "):
        value()


def test_no_file_is_refused_with_the_remedy(data, value):
    data.label("hyp.yaml", "lr0: 0.01\n")
    data.label("README.txt", "Hello.\n")
    with pytest.raises(ValueError, match="names the classes: put a data.yaml.*or name such a file with classes_file="):
        value()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.yaml", "names: [dog\n"),
        ("data.yaml", "names: dog\n"),
        ("data.yaml", "names: [[dog], cat]\n"),
        ("data.yaml", "names: {a: dog}\n"),
        ("classes.txt", "\n\n"),
        ("obj.names", b"\xff\xfe\x00"),
        ("obj.names", "dog\ncat\n".encode("utf-16-le")),
    ],
)
def test_a_file_without_usable_classes_is_named(data, value, name, text):
    data.label(name, text)
    for given in (None, name):
        with pytest.raises(ValueError, match=name):
            value(given)


def test_a_file_may_have_any_name_and_place(data, value, tmp_path):
    data.label("data.yaml", "names: [a, b]\n")
    for name in ("meta/own list.txt", "meta/liste", "x.labels"):
        data.label(name, LIST)
        assert value(name) == "cat"
        assert value(str(data.folder / name)) == "cat"
    (tmp_path / "elsewhere.yaml").write_text(YAML)
    assert value(tmp_path / "elsewhere.yaml") == "cat"
    with pytest.raises(FileNotFoundError):
        value("nowhere.yaml")


def test_darknets_data_file_may_be_given(data, value, tmp_path):
    (tmp_path / "cfg").mkdir()
    (tmp_path / "cfg/obj.data").write_text("classes=2\nnames = data/obj.names\n")
    with pytest.raises(ValueError, match=r"obj.data names no list of classes that is there \(names = data/obj.names\)"):
        value(tmp_path / "cfg/obj.data")
    (tmp_path / "cfg/obj.names").write_text(LIST)
    assert value(tmp_path / "cfg/obj.data") == "cat"
    (tmp_path / "cfg/obj.data").write_text("classes=2\n")
    with pytest.raises(ValueError, match=r"names = nothing"):
        value(tmp_path / "cfg/obj.data")


@pytest.mark.parametrize(
    "stated", ["{private}", "../{private.name}", "./../{private.name}", "..\\{private.name}", "x.names"]
)
@pytest.mark.parametrize("given", ["obj.data", "cfg/obj.data"])
def test_darknets_data_file_reads_nothing_outside_of_the_data_set(data, value, tmp_path, stated, given):
    private = tmp_path / "private.txt"
    private.write_text("secret\nword\n")
    data.label("x.png", "")
    (data.folder / "x.names").symlink_to(private)
    data.label(
        given, f"names = {'../' if '/' in given and stated != '{private}' else ''}{stated.format(private=private)}\n"
    )
    with pytest.raises(ValueError, match=r"names no list of classes that is there") as caught:
        value(given)
    assert "secret" not in str(caught.value)


def test_darknets_data_file_may_name_a_list_elsewhere_in_the_data_set(data, value):
    data.label("cfg/obj.data", "names = ../lists/obj.names\n")
    data.label("lists/obj.names", LIST)
    assert value("cfg/obj.data") == value() == "cat"


@pytest.mark.parametrize("name", ["classes.txt", "data.yaml", "obj.names"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(),
        lambda text: text.encode("utf-32"),
    ],
    ids=["bom", "crlf", "cr", "utf-16", "utf-16-be", "bom and crlf", "utf-32"],
)
def test_every_text_that_says_what_it_is(data, value, name, encode):
    text = "犬\n猫\n" if name != "data.yaml" else "names:\n- 犬\n- 猫\n"
    data.label(name, encode(text))
    assert value() == value(name) == "猫"


def test_words_that_yaml_knows_are_names_too(data):
    data.label("data.yaml", "names: [no, yes, 1.0, null, 2024-01-01, 007, ~]\n")
    data.image("a.jpg")
    data.label("a.txt", "".join(f"{number} 0.5 0.5 0.2 0.2\n" for number in range(7)))
    values = [found["value"] for found in data.read_alone().by_image["a.jpg"]]
    assert values == ["no", "yes", "1.0", "null", "2024-01-01", "007", "~"]


def test_a_line_break_within_a_name_is_none(data, value):
    data.label("classes.txt", "dog\n big\u2028cat \n")
    assert value() == "big\u2028cat"


def test_a_picture_called_classes_keeps_its_labels(data):
    data.label("data.yaml", YAML)
    data.image("images/classes.jpg")
    data.label("labels/classes.txt", "1 0.5 0.5 0.2 0.2")
    assert data.read_alone().by_image["images/classes.jpg"][0]["value"] == "cat"


def test_the_endings_are_those_of_all_files_that_are_read():
    assert set(ANNOTATION_ENDINGS) == {"txt", "yaml", "yml", "names", "labels", "data"}


def test_a_data_yaml_that_unfolds_to_millions_is_refused(data):
    lines = [
        f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in zip("abcdef", "bcdefg", strict=True)
    ]
    data.label("data.yaml", "\n".join(["names: &a [x, x, x, x, x, x, x, x, x]", *lines]))
    with pytest.raises(ValueError, match="data.yaml:5: not usable YAML: its aliases repeat more than 10,000 values"):
        data.read_alone()


@pytest.mark.parametrize(
    ("name", "text"),
    [("a\x1b[2J\n.yaml", "names: 5"), ("a\x1b[2J\n.yaml", "names: [a"), ("a\x1b[2J\n.names", "")],
)
def test_what_is_wrong_with_a_file_is_said_without_its_escape_sequences(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (tmp_path / "obj.data").write_text("names = a\x1b[2J")
    for given in (None, tmp_path / name, tmp_path / "obj.data"):
        with pytest.raises(ValueError, match=r"\\x1b") as raised:
            read_yolo(given, tmp_path)
        assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("names:\n  ? {}\n  : dog\n", "the classes under 'names' are not numbered"),
        ("names: [dog]\nkpt_names:\n  ? {}\n  : [nose, tail]\n", "kpt_names is a list of names"),
        ("names: [dog]\nkpt_shape: [{}, 2]\n", "kpt_shape is the number of keypoints"),
    ],
)
def test_a_number_without_end_is_refused_in_words(data, text, why):
    data.image("images/a.jpg")
    data.label("data.yaml", text.format("9" * 5000))
    with pytest.raises(ValueError, match=rf"^data\.yaml.{{1,10}}{why}") as refusal:
        data.read_alone()
    assert len(str(refusal.value)) < 300


def test_many_files_that_name_lists_cost_what_they_are(data):
    for number in range(8000):
        data.label(f"{number}.data", f"names = list{number}.names\n")
    data.label("list1.names", "dog\ncat\n")
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.yolo import read_yolo
        print(read_yolo({str(data.classes)!r}, {str(data.folder)!r}).problems)
        """,
        megabytes=200,
        seconds=8,
    )
    assert printed == "[]"
