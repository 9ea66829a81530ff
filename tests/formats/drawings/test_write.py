"""Images with annotations drawn: what is drawn, what survives, the numbered defects of the official SDK."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from airflow_provider_fastlabel.formats.drawings import export_drawings
from airflow_provider_fastlabel.formats.drawings.write import ImageError
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError

GREY = (100, 100, 100)


def annotation(kind, points=None, **more):
    points = {} if points is None else {"points": points}
    return {"type": kind, "value": "dog", "color": "#ff0000", **points, **more}


def task(*annotations, name="a.png", width=60, height=40):
    return {"name": name, "width": width, "height": height, "annotations": list(annotations)}


@pytest.fixture
def image(tmp_path):
    def image(name="a.png", mode="RGB", size=(60, 40), **options):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = (
            Image.new("RGBA", size, (*GREY, 128)) if mode == "RGBA" else Image.new("RGB", size, GREY).convert(mode)
        )
        picture.save(path, **options)
        return path

    return image


@pytest.fixture
def export(tmp_path):
    def export(*tasks, **options):
        (tmp_path / "out").mkdir(exist_ok=True)
        return export_drawings(tasks, tmp_path / "in", tmp_path / "out", **options)

    return export


@pytest.fixture
def pixels(tmp_path):
    def pixels(name="a.png"):
        with Image.open(tmp_path / "out" / name) as picture:
            return np.asarray(picture).astype(int)

    return pixels


def mixed(opacity):
    return [round((100 * (255 - opacity) + colour * opacity) / 255) for colour in (255, 0, 0)]


@pytest.mark.parametrize(
    ("one", "point", "opacity"),
    [
        (annotation("bbox", [10, 10, 40, 30]), (20, 20), 50),
        (annotation("bbox", [10, 10, 40, 30]), (10, 20), 200),
        (annotation("bbox", [40, 30, 10, 10]), (20, 20), 50),
        (annotation("polygon", [10, 10, 40, 10, 40, 30, 10, 30]), (20, 20), 50),
        (annotation("segmentation", [[[10, 10, 40, 10, 40, 30, 10, 30, 10, 10]]]), (20, 20), 100),
        (annotation("line", [10, 20, 40, 20]), (25, 20), 200),
        (annotation("keypoint", [20.5, 20.5]), (20, 20), 200),
        (annotation("circle", [20.5, 20.5, 8]), (25, 20), 200),
        (annotation("pose_estimation", keypoints=[{"key": "a", "value": [20.5, 20.5, 1]}]), (20, 20), 255),
    ],
)
def test_each_type(image, export, pixels, one, point, opacity):
    image()
    report = export(task(one))
    x, y = point
    assert abs(pixels()[y, x] - mixed(opacity)).max() <= 1
    assert (pixels()[35, 55] == GREY).all()
    assert report.annotations == 1
    assert report.files == ["a.png"]


def test_edges_of_a_pose(image, export, pixels):
    image(size=(200, 100))
    keypoints = [
        {"key": "a", "value": [20, 50, 1], "edges": ["b", "c"]},
        {"key": "b", "value": [180, 50, 0], "edges": ["a"]},
        {"key": "c", "value": [], "edges": ["a"]},
    ]
    report = export(task(annotation("pose_estimation", keypoints=keypoints), width=200, height=100))
    assert abs(pixels()[50, 100] - mixed(200)).max() <= 1
    assert report.adjusted == {}  # no box is drawn whose size could mislead


def test_a_hole_shows_the_image(image, export, pixels):
    image()
    rings = [[5, 5, 50, 5, 50, 35, 5, 35, 5, 5], [20, 15, 20, 25, 30, 25, 30, 15, 20, 15]]
    export(task(annotation("segmentation", [rings])))
    assert (pixels()[20, 25] == GREY).all()
    assert abs(pixels()[10, 10] - mixed(100)).max() <= 1


def test_a_keypoint_does_not_thicken_what_comes_after(image, export, pixels):
    image("a.png")
    image("b.png")
    line = annotation("line", [2, 35.5, 58, 35.5])
    export(task(annotation("keypoint", [20, 10]), line, name="a.png"), task(line, name="b.png"))
    assert (pixels("a.png")[25:] == pixels("b.png")[25:]).all()


def test_d1_an_image_that_cannot_be_read_is_named(image, export, tmp_path):
    image("good.png")
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    tasks = [task(annotation("bbox", [1, 2, 30, 30]), name=name) for name in ("bad.png", "good.png")]
    with pytest.raises(ImageError, match=r"bad\.png"):
        export(*tasks)
    report = export(*tasks, on_error="skip")
    assert report.files == ["good.png"]
    assert report.skipped == {"image_unreadable": 1}
    assert (report.images, report.annotations) == (1, 1)


def test_d1_truncated_images_are_errors(image, export):
    path = image("a.jpg", size=(300, 300))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ImageError, match=r"a\.jpg"):
        export(task(annotation("bbox", [1, 2, 30, 30]), name="a.jpg"))


def test_d1_bad_points_name_the_task_and_odd_ones_are_counted(image, export):
    image()
    with pytest.raises(GeometryError, match=r"a\.png"):
        export(task(annotation("bbox", [1, 2, 3])))
    report = export(
        task(annotation("ner"), annotation("polygon", []), annotation("bbox", [5, 5, 9, 9], color="red")),
        on_error="skip",
    )
    assert report.skipped == {"unsupported_type:ner": 1, "no_points": 1}
    assert report.adjusted == {"default_colour": 1}


def test_d2_the_callers_data_stay_untouched(image, export):
    image()
    tasks = [task(annotation("polygon", [10, 10, 40, 10, 40, 30]), annotation("segmentation", [[[1, 1, 9, 1, 9, 9]]]))]
    before = json.dumps(tasks)
    export(*tasks)
    assert json.dumps(tasks) == before


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        ("a.png", "RGB", "RGB"),
        ("a.png", "RGBA", "RGBA"),
        ("a.png", "L", "RGB"),
        ("a.png", "P", "RGB"),
        ("a.png", "1", "RGB"),
        ("a.jpg", "RGB", "RGB"),
        ("a.JPEG", "L", "RGB"),
        ("a.jpg", "CMYK", "RGB"),
        ("a.bmp", "RGB", "RGB"),
        ("a.tif", "RGB", "RGB"),
        ("a.tiff", "RGBA", "RGBA"),
    ],
)
def test_d3_format_and_mode(image, export, pixels, tmp_path, name, mode, expected):
    source = image(name, mode)
    export(task(annotation("segmentation", [[[10, 10, 40, 10, 40, 30, 10, 30, 10, 10]]]), name=name))
    with Image.open(source) as before, Image.open(tmp_path / "out" / name) as after:
        assert after.mode == expected
        assert after.format == before.format
        assert after.size == before.size
    if mode == "RGBA":
        assert (pixels(name)[:, :, 3] == 128).all()
    assert abs(pixels(name)[35, 55, :3] - GREY).max() <= (3 if mode not in ("P", "1") else 255)
    assert pixels(name)[20, 20, 0] > pixels(name)[20, 20, 1] + 30


def test_a_sixteen_bit_image_is_not_white(export, pixels, tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(np.full((40, 60), 100 << 8, np.uint16)).save(tmp_path / "in" / "a.png")
    export(task())
    assert (pixels() == 100).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_d4_the_picture_is_drawn_on_as_it_is_displayed(export, tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "maker"
    (tmp_path / "in").mkdir()
    Image.new("RGB", (60, 40), GREY).save(tmp_path / "in" / "a.jpg", exif=exif)
    size = (40, 60) if orientation > 4 else (60, 40)
    export(task(annotation("bbox", [2, 2, 20, 14]), name="a.jpg", width=size[0], height=size[1]))
    with Image.open(tmp_path / "out" / "a.jpg") as after:
        assert after.size == size
        assert after.getexif().get(0x0112, 1) == 1
        assert after.getexif()[0x010F] == "maker"
        found = np.asarray(after).astype(int)
    assert found[8, 10, 0] > found[8, 10, 1] + 30
    assert abs(found[-5, -5] - GREY).max() <= 3


def test_d4_turned_tags_are_kept_where_fastlabel_counted_in_raw_pixels(export, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "in").mkdir()
    Image.new("RGB", (60, 40), GREY).save(tmp_path / "in" / "a.jpg", exif=exif)
    export(task(annotation("bbox", [2, 2, 20, 14]), name="a.jpg", width=60, height=40))
    with Image.open(tmp_path / "out" / "a.jpg") as after:
        assert after.size == (60, 40)
        assert after.getexif()[0x0112] == 6


def jpeg_with(*segments, after_frame=False):
    """A grey JPEG with segments of (marker, content) behind its JFIF header, or between its frame and its pixels."""
    file = io.BytesIO()
    Image.new("RGB", (60, 40), GREY).save(file, "JPEG")
    data = file.getvalue()
    at = data.index(b"\xff\xc4") if after_frame else 20
    inserted = b"".join(b"\xff" + kind + (len(content) + 2).to_bytes(2) + content for kind, content in segments)
    return data[:at] + inserted + data[at:]


@pytest.mark.parametrize("after_frame", [False, True])
@pytest.mark.parametrize("comment", [(), ((b"\xfe", b"a comment"),)])
def test_exif_of_a_jpeg_is_found_wherever_it_stands(export, tmp_path, comment, after_frame):
    exif = Image.Exif()
    exif[0x010F] = "maker"
    exif[0x0112] = 6
    (tmp_path / "in").mkdir()
    data = jpeg_with(*comment, (b"\xe1", exif.tobytes()), after_frame=after_frame)
    (tmp_path / "in" / "a.jpg").write_bytes(data)
    export(task(annotation("bbox", [2, 2, 20, 14]), name="a.jpg", width=40, height=60))
    with Image.open(tmp_path / "out" / "a.jpg") as after:
        assert after.size == (40, 60)
        assert dict(after.getexif()) == {0x010F: "maker"}


@pytest.mark.parametrize("length", [0, 200_000])
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_colour_profile(image, export, tmp_path, name, length):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(length)
    image(name, icc_profile=profile)
    export(task(annotation("bbox", [2, 2, 20, 14]), name=name))
    with Image.open(tmp_path / "out" / name) as after:
        assert after.info["icc_profile"] == profile


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"comment": b"x"}, {"dpi": (1, 2)}])
def test_a_jpeg_has_quality_95_and_the_right_colours(image, export, pixels, tmp_path, options):
    image("a.jpg", **options)
    box = annotation("bbox", [8, 8, 56, 32], color="#0080ff")
    export(task(box, name="a.jpg"))
    expected = io.BytesIO()
    Image.new("RGB", (60, 40)).save(expected, "JPEG", quality=95)
    with Image.open(tmp_path / "out" / "a.jpg") as after, Image.open(expected) as wanted:
        assert isinstance(after, JpegImageFile)
        assert isinstance(wanted, JpegImageFile)
        assert after.quantization == wanted.quantization
    inside = [round((100 * 205 + colour * 50) / 255) for colour in (0, 128, 255)]
    assert abs(pixels("a.jpg")[20, 32] - inside).max() <= 3


def test_segments_after_a_jpegs_end_or_of_wrong_length_do_no_harm(export, tmp_path):
    (tmp_path / "in").mkdir()
    for name, data in {
        "a.jpg": jpeg_with() + b"rubbish",
        "b.jpg": jpeg_with()[:30],
        "c.jpg": b"\xff\xd8" + b"\xff\xe0\0\0" * 9,
        "d.jpg": jpeg_with()[:-2],
    }.items():
        (tmp_path / "in" / name).write_bytes(data)
    report = export(*(task(annotation("line", [1, 1, 9, 9]), name=f"{name}.jpg") for name in "abcd"), on_error="skip")
    assert report.files == ["a.jpg"]
    assert report.skipped == {"image_unreadable": 3}


def test_pieces_of_a_cut_polygon_do_not_hide_each_others_outlines(image, export, pixels):
    image()
    export(task(annotation("polygon", [10, 35, 65, 30, 10, 15, 60, 30, 30, 10])))
    for x, y in ((24, 19), (25, 19), (19, 22), (45, 20)):  # OpenCV's versions differ by a pixel in where a line runs
        column = pixels()[y - 1 : y + 2, x]
        assert abs(column - mixed(200)).max(axis=1).min() <= 1, (x, y)


def test_exif_of_two_segments_is_an_error_of_that_image(export, tmp_path):
    (tmp_path / "in").mkdir()
    for name, length in (("a.jpg", 65_440), ("b.jpg", 70_000)):
        exif = Image.Exif()
        exif[0x010F] = "m" * length
        data = exif.tobytes()
        parts = [(b"\xe1", data[:65_533])] + [(b"\xe1", data[:6] + data[65_533:])] * (len(data) > 65_533)
        (tmp_path / "in" / name).write_bytes(jpeg_with(*parts))
    assert export(task(name="a.jpg")).files == ["a.jpg"]
    with pytest.raises(ImageError, match=r"b\.jpg"):
        export(task(name="b.jpg"))


def test_decompression_bombs_are_refused(export, tmp_path):
    data = bytearray(jpeg_with())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = (20_000).to_bytes(2) * 2
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(data)
    with pytest.raises(ImageError, match="bomb"):
        export(task(name="a.jpg"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (2, 3)])
def test_tiny_images(image, export, pixels, size, mode):
    image(mode=mode, size=size)
    shapes = [annotation("circle", [0.5, 0.5, 50]), annotation("bbox", [0, 0, 1, 1]), annotation("line", [0, 0, 9, 9])]
    assert export(task(*shapes, width=size[0], height=size[1])).annotations == 3
    assert pixels()[0, 0, 0] > 230


def test_d5_rotation(image, export, pixels):
    image()
    export(task(annotation("bbox", [10, 17, 50, 23], rotation=90)))
    assert abs(pixels()[5, 30] - mixed(50)).max() <= 1
    assert (pixels()[20, 15] == GREY).all()


def test_d5_the_folders_name_may_occur_again_in_the_path(tmp_path, monkeypatch):
    path = tmp_path / "in" / "sub" / "in" / "a.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (60, 40)).save(path)
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    report = export_drawings([task(name="sub/in/a.png")], Path("in"), Path("out"))
    assert report.files == ["sub/in/a.png"]
    assert (tmp_path / "out" / "sub" / "in" / "a.png").is_file()


def test_what_has_no_partner_is_counted(image, export, tmp_path):
    image("a.png")
    image("lonely.png")
    (tmp_path / "in" / "notes.txt").write_text("x")
    box = annotation("bbox", [1, 2, 30, 30])
    report = export(task(box), task(box, name="gone.png"), task(box, name="../a.png"), task(box))
    assert report.files == ["a.png"]
    assert report.skipped == {"no_image": 3}
    assert report.adjusted["images_without_task"] == 1
    assert report.annotations_in == report.annotations + 3


def test_images_may_come_while_it_draws(image, tmp_path):
    def arriving():
        for name in ("a.png", "b/.c.png"):
            image(name)
            yield task(annotation("bbox", [10, 10, 50, 30]), name=name)

    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    report = export_drawings(arriving(), tmp_path / "in", tmp_path / "out")
    assert report.files == ["a.png", "b/.c.png"]
    assert (report.images, report.annotations, report.skipped, report.adjusted) == (2, 2, {}, {})


@pytest.mark.parametrize("name", ["a.png/", "a.gif", "folder.png", "../in/a.png"])
def test_only_an_image_file_of_exactly_that_name_is_drawn_on(image, export, tmp_path, name):
    image()
    (tmp_path / "in" / "folder.png").mkdir()
    (tmp_path / "in" / "a.gif").write_bytes(b"GIF89a")
    assert export(task(annotation("bbox", [10, 10, 50, 30]), name=name)).skipped == {"no_image": 1}


def test_the_originals_are_never_overwritten(image, tmp_path):
    image()
    with pytest.raises(ValueError, match="overwrite"):
        export_drawings([task()], tmp_path / "in", tmp_path / "in" / ".." / "in")


def test_many_images_in_order(image, export):
    names = [f"{n:03}.png" for n in range(60)]
    for name in names:
        image(name)
    assert export(*(task(annotation("bbox", [1, 2, 30, 30]), name=name) for name in names)).files == names


def test_far_coordinates_do_no_harm(image, export):
    image()
    far = 1e9
    report = export(
        task(
            annotation("bbox", [-far, -far, far, far]),
            annotation("line", [-far, 5, far, 5]),
            annotation("circle", [20, 20, 1e9]),
            annotation("polygon", [-far, 0, far, 0, 0, far]),
            width=0,
        )
    )
    assert report.annotations == 4


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_an_output_that_cannot_be_written_is_no_unreadable_image(image, export, tmp_path, on_error):
    image()
    (tmp_path / "out" / "a.png").mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match="out/a.png"):
        export(task(annotation("bbox", [10, 10, 40, 30])), on_error=on_error)


def test_the_transparent_colour_of_a_png_stays_transparent(image, export, tmp_path):
    image(transparency=GREY)
    export(task(annotation("bbox", [10, 10, 40, 30])))
    with Image.open(tmp_path / "out" / "a.png") as after:
        assert after.getchannel("A").getextrema() == (0, 0)


def test_a_fax_page_becomes_a_colour_image(image, export, tmp_path):
    image("a.tif", "1", compression="group4")
    export(task(annotation("bbox", [10, 10, 40, 30]), name="a.tif"))
    with Image.open(tmp_path / "out" / "a.tif") as after:
        assert (after.mode, after.size) == ("RGB", (60, 40))
