from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.writing.naming import (
    BESIDE_IMAGES,
    BESIDE_JSON,
    BESIDE_OWN_FILES,
    OWN_FILES,
    REPORT_FILES,
    OutputNames,
    PictureNames,
    plain_file_name,
    safe_name,
    split_extension,
)
from tests.limits import run_limited

hostile = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["..", ".", "", "a", "A", "a.jpg", "a.png", "a.txt", "C:", "日本", "x" * 300]), max_size=6
    ).map("/".join),
)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("sub/a b.jpg", "sub/a b.jpg"),
        ("日本/画像.png", "日本/画像.png"),
        ("../../../evil.jpg", "__/__/__/evil~*.jpg"),
        ("/abs/x.jpg", "abs/x~*.jpg"),
        ("a//./b.jpg", "a/b~*.jpg"),
        ("C:\\x\\y.jpg", "C__x_y~*.jpg"),
        ("C:/x.jpg", "C_/x~*.jpg"),
        ("a\x00b\n.jpg", "a_b_~*.jpg"),
        ("half \ud800.jpg", "half _~*.jpg"),
        ("", "_~*"),
        ("..", "__~*"),
        (".hidden", ".hidden"),
    ],
)
def test_names_stay_inside_and_change_as_little_as_possible(name, path):
    assert re.sub("~[0-9a-f]{16}", "~*", safe_name(name)) == path


def test_a_name_that_is_changed_is_nobody_elses():
    names = [
        "../a.jpg",
        "__/a.jpg",
        "/b.jpg",
        "b.jpg",
        "./b.jpg",
        "c\x00.jpg",
        "c\x01.jpg",
        "c_.jpg",
        "d/../e",
        "d/__/e",
    ]
    names += [safe_name(name) for name in names]
    assert len({safe_name(name) for name in set(names)}) == len(set(names))
    assert safe_name("../a.jpg") == safe_name("../a.jpg")


@given(st.lists(hostile, max_size=30, unique=True))
def test_any_two_names_stay_two(names):
    assert len({safe_name(name) for name in names}) == len(names)


def test_long_names_are_shortened_and_stay_apart():
    one, other = safe_name("x" * 300 + "1.jpg"), safe_name("x" * 300 + "2.jpg")
    assert one != other
    assert one.endswith(".jpg")
    assert len(one.encode()) <= 200
    assert len(safe_name("/".join(["folder" * 20] * 20)).encode()) <= 1000


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a/b.jpg", ("a/b", ".jpg")),
        ("shot.1", ("shot.1", "")),
        ("a.b/c", ("a.b/c", "")),
        (".hidden", (".hidden", "")),
        ("a/.hidden", ("a/.hidden", "")),
        ("a.mp4", ("a", ".mp4")),
    ],
)
def test_extension_is_what_a_media_file_has(path, parts):
    assert split_extension(path) == parts


def test_y9_v10_same_stem_gets_another_file():
    names = OutputNames(".txt")
    assert [names.path_for(name) for name in ("a.jpg", "a.png", "a.gif", "a.png", "shot.1", "shot.2")] == [
        "a.txt",
        "a.png.txt",
        "a.gif.txt",
        "a.png~2.txt",
        "shot.1.txt",
        "shot.2.txt",
    ]
    assert names.changed == 3


def test_folder_named_like_a_file_is_told_apart():
    names = OutputNames(".txt")
    assert names.path_for("a.jpg") == "a.txt"
    assert names.path_for("a.txt/b.jpg") == "a.txt~2/b.jpg.txt"
    assert names.path_for("b.txt/c.jpg") == "b.txt/c.txt"
    assert names.path_for("b.jpg") == "b.jpg.txt"


@given(st.lists(hostile, max_size=30))
def test_any_names_give_distinct_paths_that_can_exist_together(names):
    given_paths = OutputNames(".txt")
    paths = [given_paths.path_for(name) for name in names]
    keys = [path.casefold() for path in paths]
    assert len(set(keys)) == len(paths)
    folders = {"/".join(path.split("/")[:n]) for path in keys for n in range(1, path.count("/") + 1)}
    assert not folders & set(keys)
    for path in paths:
        parts = path.split("/")
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(parts)
        assert max(len(part.encode()) for part in parts) <= 255
        assert path.isprintable() or not any(ord(char) < 32 for char in path)


@pytest.mark.parametrize("name", ["../x.json", "a/b.json", "x.txt", "a\\b.json", "\x00.json", ".."])
def test_c21_output_file_name_with_a_folder_is_refused(name):
    with pytest.raises(ValueError, match="plain file name"):
        plain_file_name(name, ".json")


def test_plain_file_name_may_have_any_case():
    assert plain_file_name("A.JSON", ".json") == "A.JSON"


awkward = st.one_of(
    hostile,
    st.lists(
        st.sampled_from([
            "a", "A", "a.jpg", "a~2.jpg", "a~2", "scan", "images", "IMAGES", "manifest.json", "Manifest.JSON", "a.json",
            "classes.lock.json", "\u00e9", "e\u0301", "y" * 200, "y" * 198 + ".j", "..",
        ]),
        min_size=1,
        max_size=4,
    ).map("/".join),
)  # fmt: skip


@given(st.lists(awkward, max_size=12), st.sampled_from([None, BESIDE_JSON, BESIDE_IMAGES, BESIDE_OWN_FILES]))
def test_no_two_pictures_are_one_file_or_a_folder_of_another_on_any_machine(names, reserved):
    pictures, again = PictureNames(reserved), PictureNames(reserved)
    paths = []
    for name in names:
        given_name = pictures.name_for(name)
        assert again.name_for(name) == given_name
        paths.append(safe_name(given_name))
        if reserved:
            assert not reserved.search(paths[-1])
    keys = [unicodedata.normalize("NFC", path.casefold()) for path in paths]
    folders = {str(parent) for key in keys for parent in PurePosixPath(key).parents}
    assert len(set(keys)) == len(keys)
    assert folders.isdisjoint(keys)
    assert pictures.changed <= len(names)


def test_pictures_of_plain_names_keep_them():
    names = ["a.jpg", "b/a.jpg", "b/c.png", "a", "manifest.json.jpg", "../a.jpg"]
    pictures = PictureNames(BESIDE_JSON)
    assert [pictures.name_for(name) for name in names] == names
    assert pictures.changed == 0
    assert pictures.name_for("A.jpg") == "A~2.jpg"
    assert pictures.name_for("a/x.jpg") == "a~2/x.jpg"
    assert pictures.name_for("b") == "b~2"
    assert pictures.name_for("classes.lock.json") == "classes.lock.json_"
    assert pictures.changed == 4


def test_thousands_of_names_that_are_alike_cost_what_they_are():
    printed = run_limited(
        """
        from itertools import product
        from airflow_provider_fastlabel.formats.writing.naming import OutputNames, PictureNames
        names = ["".join(letters) + ".jpg" for letters in product(*["aA"] * 13)]
        pictures, files = PictureNames(), OutputNames(".txt")
        print(len({pictures.name_for(name).lower() for name in names}))
        print(len({files.path_for(name).lower() for name in names}))
        beside = OutputNames(".txt", [f"a~{number}" for number in range(2, 5_000)] + ["a"])
        print(len({beside.path_for(f"a/{number}.jpg") for number in range(5_000)}))
        """
    )
    assert printed.split() == ["8192", "8192", "5000"]


def test_the_next_number_is_taken():
    names = OutputNames(".txt")
    given_names = [names.path_for(name) for name in ("a.jpg", "A.jpg", "a.JPG", "a.Jpg", "a.jPg")]
    assert given_names == ["a.txt", "A.jpg.txt", "a.JPG~2.txt", "a.Jpg~3.txt", "a.jPg~4.txt"]


@pytest.mark.parametrize("name", ["contact-sheet.jpg", "Contact-Sheet.JPG", "contact-sheet.jpg/a.png"])
@pytest.mark.parametrize("reserved", [BESIDE_JSON, BESIDE_OWN_FILES])
def test_no_picture_lies_where_a_report_would_write(name, reserved):
    path = PictureNames(reserved).name_for(name)
    assert path.casefold().split("/")[0] not in REPORT_FILES
    assert PictureNames(reserved).name_for("a/contact-sheet.jpg") == "a/contact-sheet.jpg"


def test_no_label_file_lies_where_a_report_would_write():
    assert OutputNames(".json", OWN_FILES).path_for("report.jpg") == "report.jpg.json"
