"""Readers leave links out of a data set's folder alone, and open only regular files."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.coco import read_coco
from airflow_provider_fastlabel.formats.labelme import read_labelme
from airflow_provider_fastlabel.formats.masks import read_masks
from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc
from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder
from airflow_provider_fastlabel.formats.yolo import read_yolo
from tests.limits import run_limited
from tests.strange_files import STRANGE, make_strange

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations

VOC = "<annotation><filename>a.png</filename><object><name>cat</name><bndbox><xmin>2</xmin><ymin>2</ymin>"
VOC += "<xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>"
SHAPE = {"label": "cat", "shape_type": "rectangle", "points": [[1, 1], [5, 5]]}
LABELME = json.dumps({"imagePath": "a.png", "shapes": [SHAPE]})
READERS: dict[str, tuple[Callable[..., ImportedAnnotations], str]] = {
    "yolo": (lambda folder, **more: read_yolo(None, folder, **more), "a.txt"),
    "pascalvoc": (read_pascalvoc, "a.xml"),
    "labelme": (read_labelme, "a.json"),
    "masks": (read_masks, "masks/a.png"),
}


def build(form: str, folder: Path) -> Path:
    """Write a data set of one picture, and return its annotation file."""
    (folder / "masks").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    Image.new("RGB", (8, 8)).save(folder / "b.png")
    if form == "masks":
        mask = Image.new("L", (8, 8))
        mask.paste(1, (1, 1, 5, 5))
        mask.save(folder / "masks" / "a.png")
        (folder / "classes.json").write_text('[{"id": 1, "value": "cat"}]')
    texts = {"yolo": "0 0.5 0.5 0.5 0.5\n", "pascalvoc": VOC, "labelme": LABELME}
    if form in texts:
        (folder / READERS[form][1]).write_text(texts[form])
    (folder / "classes.txt").write_text("cat\n")
    return folder / READERS[form][1]


@pytest.mark.parametrize("form", READERS)
def test_an_annotation_file_that_is_a_link_out_of_the_folder_is_lost(tmp_path, form):
    file, read = build(form, tmp_path / "data"), READERS[form][0]
    file.rename(tmp_path / "secret")
    file.symlink_to(tmp_path / "secret")
    found = read(tmp_path / "data")
    assert not any(found.by_image.values())
    (problem,) = found.problems
    assert (problem.image, problem.reason, problem.lost) == ("a.png", "unreadable_file", 0)
    assert "link that leaves the folder" in problem.message
    assert len(read(tmp_path / "data", follow_links=True).by_image["a.png"]) == 1


@pytest.mark.parametrize("form", READERS)
def test_a_link_within_the_folder_and_a_linked_root_work(tmp_path, form):
    file, read = build(form, tmp_path / "data"), READERS[form][0]
    (tmp_path / "data" / ".store").mkdir()
    file.rename(tmp_path / "data" / ".store" / "1")
    (tmp_path / "data" / ".store" / "2").symlink_to("1")
    file.symlink_to(tmp_path / "data" / ".store" / "2")
    (tmp_path / "root").symlink_to("data")
    found = read(tmp_path / "root")
    assert (list(found.by_image), found.problems) == (["a.png"], [])
    assert len(found.by_image["a.png"]) == 1


@pytest.mark.parametrize("form", READERS)
def test_a_label_is_not_given_to_another_picture_because_its_own_is_a_link_out(tmp_path, form):
    """The only other picture of its stem is another one."""
    build(form, tmp_path / "data")
    (tmp_path / "data" / "a.png").rename(tmp_path / "a.png")
    (tmp_path / "data" / "a.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "data" / "other").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "data" / "other" / "a.png")
    found = READERS[form][0](tmp_path / "data")
    assert set(found.by_image) <= {"a.png"}
    if form == "yolo":  # which needs the picture's size
        assert [(p.image, p.reason, p.lost) for p in found.problems] == [("a.png", "unreadable_file", 1)]
        assert found.by_image["a.png"] == []


@pytest.mark.parametrize("form", READERS)
def test_a_linked_folder_that_may_hold_annotation_files_is_lost_not_noted(tmp_path, form):
    build(form, tmp_path / "data")
    (tmp_path / "more").mkdir()
    (tmp_path / "data" / "more").symlink_to(tmp_path / "more")
    found = READERS[form][0](tmp_path / "data")
    assert [(problem.file, problem.reason) for problem in found.problems] == [("more", "unreadable_file")]
    assert READERS[form][0](tmp_path / "data", follow_links=True).problems == []


READ = """
import sys
from tests.formats.reading.test_data_folder import READERS
found = READERS[sys.argv[1]][0](sys.argv[2])
print([problem.message for problem in found.problems], [problem.image for problem in found.problems])
"""


@pytest.mark.parametrize(("kind", "word"), [one for one in STRANGE.items() if one[0] != "folder"])
@pytest.mark.parametrize("form", READERS)
def test_what_is_no_regular_file_is_lost_by_name_and_nothing_waits(tmp_path, form, kind, word):
    file = build(form, tmp_path / "data")
    file.unlink()
    make_strange(kind, file)
    said = run_limited(READ, form, tmp_path / "data")
    assert (word if kind != "zero" else "link that leaves the folder") in said
    assert "['a.png']" in said


CLASSES = """
import sys
from tests.formats.reading.test_data_folder import READERS
try:
    READERS[sys.argv[1]][0](sys.argv[2])
except (OSError, ValueError) as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["fifo", "zero", "socket"])
@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("yolo", "classes.txt"),
        ("yolo", "data.yaml"),
        ("yolo", "obj.names"),
        ("masks", "classes.json"),
        ("masks", "instances.jsonl"),
    ],
)
def test_classes_are_not_read_from_another_file_because_one_cannot_be_opened(tmp_path, form, name, kind):
    build(form, tmp_path / "data")
    (tmp_path / "data" / name).unlink(missing_ok=True)
    make_strange(kind, tmp_path / "data" / name)
    said = run_limited(CLASSES, form, tmp_path / "data")
    assert {"fifo": "named pipe", "socket": "socket", "zero": "link that leaves the folder"}[kind] in said
    assert name in said


def test_a_pipe_in_the_place_of_a_picture_whose_size_is_asked_for(tmp_path):
    build("yolo", tmp_path / "data")
    (tmp_path / "data" / "a.png").unlink()
    make_strange("fifo", tmp_path / "data" / "a.png")
    assert "the size of a.png cannot be read: it is a named pipe" in run_limited(READ, "yolo", tmp_path / "data")


@pytest.mark.parametrize("stated", ["/etc/hostname", "../../secret.names", "link.names"])
def test_a_data_file_does_not_name_a_list_of_classes_outside_of_its_folder(tmp_path, stated):
    build("yolo", tmp_path / "data")
    (tmp_path / "secret.names").write_text("secret\n")
    (tmp_path / "data" / "classes.txt").unlink()
    (tmp_path / "data" / "link.names").symlink_to(tmp_path / "secret.names")
    (tmp_path / "data" / "obj.data").write_text(f"names = {stated}\n")
    with pytest.raises(ValueError, match=r"obj\.data names no list of classes that is there"):
        read_yolo(tmp_path / "data" / "obj.data", tmp_path / "data")


def test_a_classes_file_named_relative_to_the_folder_is_foreign_too(tmp_path):
    build("yolo", tmp_path / "data")
    (tmp_path / "data" / "classes.txt").rename(tmp_path / "classes.txt")
    (tmp_path / "data" / "classes.txt").symlink_to(tmp_path / "classes.txt")
    with pytest.raises(OSError, match="link that leaves the folder"):
        read_yolo("classes.txt", tmp_path / "data")
    assert read_yolo("classes.txt", tmp_path / "data", follow_links=True).by_image["a.png"]
    assert read_yolo(tmp_path / "data" / "classes.txt", tmp_path / "data").by_image["a.png"]


COCO = """
import sys
from airflow_provider_fastlabel.formats.coco import read_coco
from airflow_provider_fastlabel.formats.masks import mask_to_fastlabel_segmentation_points
for read in (read_coco, mask_to_fastlabel_segmentation_points):
    try:
        read(sys.argv[1])
    except (OSError, ValueError) as error:
        print(error)
"""


@pytest.mark.parametrize(("kind", "word"), STRANGE.items())
def test_single_files_are_regular_ones(tmp_path, kind, word):
    said = run_limited(COCO, make_strange(kind, tmp_path / "a.json"))
    assert said.count(word) == 2


def test_a_single_file_may_be_a_link(tmp_path):
    """Whoever names one file means what it leads to."""
    (tmp_path / "b.json").write_text('{"images": []}')
    (tmp_path / "a.json").symlink_to("b.json")
    assert read_coco(tmp_path / "a.json").by_image == {}


def test_chains_and_loops_of_links_end_and_names_do_not_depend_on_the_order(tmp_path):
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "1.txt").touch()
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "z" / "up").symlink_to("..")
    (tmp_path / "z" / "self").symlink_to("self")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    for number in range(60):  # more than the kernel follows
        (tmp_path / f"c{number}").symlink_to(f"c{number + 1}" if number < 59 else "z/1.txt")
    names = DataFolder(tmp_path).names
    assert [name for name in names if "/" in name] == ["z/1.txt", "z/self"]
    assert {"one", "two", "c0", "c59"} < set(names)


@pytest.mark.parametrize("reader", ["pascalvoc", "labelme", "yolo"])
def test_a_sparse_file_of_a_terabyte_is_unreadable_and_the_rest_is_read(tmp_path, reader):
    ending = {"pascalvoc": "xml", "labelme": "json", "yolo": "txt"}[reader]
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    with (tmp_path / f"a.{ending}").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "classes.txt").write_text("x\n")
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.{reader} import read_{reader} as read
        found = read({"None, " * (reader == "yolo")}{str(tmp_path)!r})
        print(*found.problems)
        """,
        megabytes=300,
    )
    assert "it has 1,099,511,627,776 bytes, and 1,073,741,824 are the most" in printed


@pytest.mark.parametrize("parent", [False, True])
@pytest.mark.parametrize("form", READERS)
def test_a_file_exchanged_for_a_link_after_the_listing_is_lost(tmp_path, form, parent):
    """The folder that the file lies in may be exchanged as well as the file."""
    build(form, tmp_path / "data" / "sub")
    if form == "masks":
        (tmp_path / "data" / "sub" / "classes.json").rename(tmp_path / "data" / "classes.json")
    folder = DataFolder(tmp_path / "data")
    moved = tmp_path / "data" / "sub" / ("" if parent else READERS[form][1])
    moved.rename(tmp_path / "secret")
    moved.symlink_to(tmp_path / "secret")
    if form == "yolo" and parent:
        with pytest.raises(OSError, match="link that leaves"):
            read_yolo(None, folder)
        return
    found = READERS[form][0](folder)
    assert not any(found.by_image.values())
    assert any("link that leaves" in problem.message for problem in found.problems)


@pytest.mark.parametrize("name", ["a.txt", "sub/a.txt", "linked/a.txt", "sub/link.txt"])
def test_links_within_the_folder_are_read_and_those_exchanged_are_not(tmp_path, name):
    data = tmp_path / "data"
    (data / "sub").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(data)
    for place in ("a.txt", "sub/a.txt"):
        (data / place).write_text("mine")
    (data / "linked").symlink_to("sub")
    (data / "sub" / "link.txt").symlink_to("../a.txt")
    folder = DataFolder(tmp_path / "alias")
    (tmp_path / "secret").write_text("secret")
    if name != "linked/a.txt":  # each folder is listed once
        assert name in folder.names
    assert folder.read(name) == b"mine"
    with folder.open(name) as file:
        assert file.read() == b"mine"
    (data / name).unlink()
    (data / name).symlink_to(tmp_path / "secret")
    for look in (folder.read, folder.open):
        with pytest.raises(OSError, match="link that leaves the folder") as caught:
            look(name)
        assert str(caught.value.filename).endswith(name)
    (data / name).unlink()
    os.mkfifo(data / name)
    with pytest.raises(OSError, match="named pipe"):
        folder.read(name)


def test_the_lists_of_classes_exchanged_for_links_are_not_read(tmp_path):
    build("yolo", tmp_path / "data")
    (tmp_path / "data" / "data.yaml").write_text("names: [cat]")
    folder = DataFolder(tmp_path / "data")
    (tmp_path / "data" / "data.yaml").rename(tmp_path / "secret")
    (tmp_path / "data" / "data.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="link that leaves"):
        read_yolo(None, folder)
