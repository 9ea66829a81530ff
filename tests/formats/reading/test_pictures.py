"""Pairing of annotation files and pictures."""

from __future__ import annotations

import unicodedata

import pytest

from airflow_provider_fastlabel.formats.reading.pictures import Pictures
from tests.limits import run_limited


@pytest.mark.parametrize(
    ("names", "stated", "found"),
    [
        (["a.jpg"], "a.jpg", "a.jpg"),
        (["a.jpg"], "a.png", "a.jpg"),
        (["a.JPG"], "a.jpg", "a.JPG"),
        (["Dir/A.JPG"], "dir/a.jpg", "Dir/A.JPG"),
        (["a.jpg", "a.png"], "a.png", "a.png"),
        (["a.jpg", "a.png"], "a.gif", None),
        (["sub/a.jpg"], "a.jpg", None),
        (["other/a.jpg"], "sub/a.jpg", None),
        ([unicodedata.normalize("NFD", "é.jpg")], unicodedata.normalize("NFC", "é.jpg"), "e\u0301.jpg"),
        ([], "a.jpg", None),
    ],
)
def test_a_stated_name_may_have_another_ending(names: list[str], stated: str, found: str | None) -> None:
    assert Pictures(names).alike(stated) == found


@pytest.mark.parametrize(
    ("names", "file", "found"),
    [
        (["raccoon.jpg"], "raccoon.xml", "raccoon.jpg"),
        (["images/raccoon.jpg"], "annotations/raccoon.xml", "images/raccoon.jpg"),
        (["images/raccoon.jpg", "test/raccoon.jpg"], "annotations/raccoon.xml", "images/raccoon.jpg"),
        (["train/JPEGImages/1.jpg", "val/JPEGImages/1.jpg"], "val/Annotations/1.xml", "val/JPEGImages/1.jpg"),
        (["images/train/1.jpg", "images/val/1.jpg"], "annotations/val/1.xml", "images/val/1.jpg"),
        (["deep/down/1.jpg"], "elsewhere/1.xml", "deep/down/1.jpg"),
        # Others lie beside it, so its own is missing.
        (["deep/1.jpg", "elsewhere/2.jpg"], "elsewhere/1.xml", None),
        (["a/1.jpg", "b/1.jpg"], "elsewhere/1.xml", None),
        (["1.jpg", "1.png"], "1.xml", None),
        (["2.jpg"], "1.xml", None),
    ],
)
def test_a_file_has_the_picture_of_its_stem(names: list[str], file: str, found: str | None) -> None:
    assert Pictures(names).of_files([file]).get(file) == found


def test_a_picture_is_given_to_one_file_only() -> None:
    pictures = Pictures(["images/1.jpg", "images/2.jpg"])
    assert pictures.of_files(["a/1.xml", "b/1.xml", "a/2.xml"]) == {"a/2.xml": "images/2.jpg"}
    assert pictures.of_files(["a/1.xml"], taken=["images/1.jpg"]) == {}


@pytest.mark.parametrize(
    ("names", "stated", "found"),
    [
        (["a.jpg", "b.jpg"], ["a.jpg", "b.png"], {"a.jpg": "a.jpg", "b.png": "b.jpg"}),
        (["images/a.jpg", "images/b.jpg"], ["a.jpg", "b.jpg"], {"a.jpg": "images/a.jpg", "b.jpg": "images/b.jpg"}),
        (["a.jpg", "b.jpg"], ["train/a.jpg", "train/b.jpg"], {"train/a.jpg": "a.jpg", "train/b.jpg": "b.jpg"}),
        (["x/a.jpg"], ["/home/me/x/a.jpg"], {"/home/me/x/a.jpg": "x/a.jpg"}),
        # One good neighbour says which folder is meant.
        (["a.jpg", "sub/b.jpg"], ["a.jpg", "b.jpg"], {"a.jpg": "a.jpg"}),
        # Two folders fit equally well.
        (["x/a.jpg", "y/a.jpg"], ["a.jpg"], {}),
        (["val/a.jpg"], ["train/a.jpg"], {}),
        # One picture does not belong to two names.
        (["a.jpg"], ["a.png", "a.gif"], {}),
        (["a.jpg"], ["a.png", "a.jpg"], {"a.jpg": "a.jpg"}),
        (["a.jpg"], ["train/a.jpg", "val/a.jpg"], {}),
        (["a.jpg"], [], {}),
    ],
)
def test_names_of_one_file_are_relative_to_one_folder(
    names: list[str], stated: list[str], found: dict[str, str]
) -> None:
    assert Pictures(names).all_of(stated) == found


def test_one_name_in_every_folder_costs_as_much_as_many_names():
    printed = run_limited(
        """
        from airflow_provider_fastlabel.formats.reading.pictures import Pictures
        pictures = Pictures(f"{number}/images/frame.jpg" for number in range(30_000))
        names = [f"{number}/labels/frame" for number in range(30_000)]
        print(len({pictures.near(f"{name}.jpg", exact=True) for name in names}))
        print(len(pictures.of_files(f"{name}.xml" for name in names)), len(pictures.all_of(["frame.jpg"] * 30_000)))
        """,
        megabytes=200,
    )
    assert printed == "30000\n30000 0"
