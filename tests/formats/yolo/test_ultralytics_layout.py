"""Every label file of the Ultralytics layout is where Ultralytics looks for it, whatever the tasks are called."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_fastlabel.formats.writing.naming import safe_name
from airflow_provider_fastlabel.formats.yolo import export_yolo, read_yolo
from tests.formats import hostile

LOADED = {"avif", "bmp", "dng", "heic", "heif", "jp2", "jpeg", "jpeg2000", "jpg", "mpo", "png", "tif", "tiff", "webp"}

NAMES = [
    "images/a.jpg",
    "images/images/a.jpg",
    "a/images/b.jpg",
    "a/images/images/c/images/b.jpg",
    "a/labels/b.jpg",
    "images_/a.jpg",
    "_images/a.jpg",
    "labels/a.jpg",
    "labels/images/a.jpg",
    "images/labels/a.jpg",
    "train/images/a.jpg",
    "train/labels/a.jpg",
    "train/a.jpg",
    "a/b.jpg",
    "a.jpg",
    "images.jpg",
    "labels.png",
    "annotations/a.jpg",
    "classes.jpg",
    "sub/classes.png",
    "../images/a.jpg",
    "./images/a.jpg",
    "images//a.jpg",
    "Images/a.jpg",
    "images/../images/x.jpg",
    ".hidden/images/a.jpg",
    ".hidden.jpg",
    ".jpg",
    "a.b/shot",
    "shot.1",
    "shot.2",
    "shot.1.jpg",
    "only/images",
    "only/images.jpg",
    "/".join(["images", "long" * 60, "x" * 300 + ".jpg"]),
    "/".join(["images"] * 200) + "/.deep.jpg",
]


def label_of(image):
    """Where Ultralytics looks for an image's labels.

    The last folder ``images`` of the path is read as ``labels``, and what follows the path's last dot as ``txt``.
    """
    before, folder, after = image.rpartition("/images/")
    path = f"{before}/labels/{after}" if folder else after
    stem, dot, _ = path.rpartition(".")
    return f"{stem if dot else path}.txt"


def pictures_of(folder, split):
    """Which pictures Ultralytics finds: those with an ending it knows; what begins with a dot is hidden."""
    files = [path for path in (folder / "images" / split).rglob("*.*") if path.is_file()]
    return [
        path
        for path in files
        if path.name.rpartition(".")[2].lower() in LOADED
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def exported(names, root):
    """Export one box each, which tells the tasks apart, with pictures; return the report, the folder and the boxes."""
    photos, out = root / "photos", root / "images" / "out"
    out.mkdir(parents=True)
    for name in names:
        photo = photos / safe_name(name)
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 100)).save(photo, "PNG" if name.endswith("png") else "JPEG")
    boxes = {name: [number, 10, number + 20, 50] for number, name in enumerate(names)}
    tasks = [hostile.task(name, hostile.one("bbox", box), width=200, height=100) for name, box in boxes.items()]
    return export_yolo(tasks, out, classes=["dog"], layout="ultralytics", image_dir=photos), out, boxes


def check(names, root):
    report, out, boxes = exported(names, root)
    pictures = [path for split in ("train", "val") for path in pictures_of(out, split)]
    assert {path.name for path in out.iterdir()} == {"images", "labels", "classes.txt", "data.yaml"}
    assert report.adjusted.get("images_missing", 0) == 0
    assert len(pictures) == len(names)
    labels = {label_of(str(path)) for path in pictures}
    assert labels == {str(path) for path in (out / "labels").rglob("*.txt")}
    assert len(labels) == len(names)
    back = read_yolo(out / "classes.txt", out)
    assert back.problems == []
    assert sorted(found[0]["points"] for found in back.by_image.values()) == sorted(boxes.values())
    return report, {tuple(found[0]["points"]): image for image, found in back.by_image.items()}


def test_every_label_of_a_hostile_set_is_found(tmp_path):
    report, images = check(NAMES, tmp_path)
    inside = {name: images[number, 10, number + 20, 50].split("/", 2)[2] for number, name in enumerate(NAMES)}
    assert report.adjusted["names_changed"] == sum(name != image for name, image in inside.items())
    kept = ["a/b.jpg", "a.jpg", "images.jpg", "labels/a.jpg", "a/labels/b.jpg", "Images/a.jpg", "_images/a.jpg"]
    assert [inside[name] for name in kept] == kept
    assert re.fullmatch(r"a/_images/b~[0-9a-f]{16}\.jpg", inside["a/images/b.jpg"])
    assert re.fullmatch(r"_images/_images/a~[0-9a-f]{16}\.jpg", inside["images/images/a.jpg"])


def test_a_changed_name_says_which_task_it_is_of(tmp_path):
    _, images = check(NAMES, tmp_path)
    changed = {name: images[n, 10, n + 20, 50] for n, name in enumerate(NAMES) if "images/" in name}
    assert changed.pop("_images/a.jpg")
    for name, image in changed.items():
        assert hashlib.sha256(name.encode()).hexdigest()[:16] in image


def test_tasks_of_the_hostile_set_keep_their_labels(tmp_path):
    names = [task["name"] for task in hostile.TASKS]
    check([f"{folder}{name}" for folder in ("", "images/", "x/images/") for name in names], tmp_path)


parts = st.sampled_from(["images", "labels", "train", "a", "_images", "images_", "..", ".", "", ".images", "~", "x.y"])
endings = st.sampled_from(["a.jpg", "a.png", "a", "images", "images.jpg", "labels.jpg", "classes.jpg", ".jpg", "a.1"])
paths = st.tuples(st.lists(parts, max_size=4), endings).map(lambda pair: "/".join([*pair[0], pair[1]]))


@given(st.lists(paths, min_size=1, max_size=8, unique=True))
@settings(deadline=None, max_examples=60)
def test_any_names_keep_their_labels(tmp_path_factory, names):
    # What differs in case only, or is a file here and a folder there, does not fit into one folder of photos.
    places = [safe_name(name) for name in names]
    names = [n for n, place in zip(names, places, strict=True) if not any(o.startswith(f"{place}/") for o in places)]
    check(names, tmp_path_factory.mktemp("set"))


@pytest.mark.parametrize("split", ["images", ".hidden"])
def test_a_split_that_ultralytics_would_not_find_is_refused(tmp_path, split):
    with pytest.raises(ValueError, match="plain names"):
        export_yolo([], tmp_path, layout="ultralytics", splits={"train": 0.5, "val": 0.4, split: 0.1})


def test_images_that_would_be_a_folder_of_one_another_are_counted_and_not_mixed_up(tmp_path, caplog):
    names = ["a.jpg", "a.png", "a.png.png/1.jpg"]
    for name in names:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path, "JPEG")
    tasks = [{"name": name, "width": 8, "height": 8, "annotations": []} for name in names]
    (tmp_path / "out").mkdir()
    report = export_yolo(
        tasks, tmp_path / "out", classes=["cat"], layout="ultralytics", group_by=lambda _: "one",
        image_dir=tmp_path / "images",
    )  # fmt: skip
    assert report.adjusted["images_missing"] == 1
    assert "'a.png.png/1.jpg' is left out" in caplog.text
    assert all((tmp_path / "out" / file).is_file() for file in report.files)
