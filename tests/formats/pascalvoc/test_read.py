"""Pascal VOC files read into annotations: keys, corners, every defect of the official SDK, hostile files."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc

BOX = {"xmin": 11, "ymin": 21, "xmax": 40, "ymax": 60}


def thing(box=BOX, name="<name>dog</name>", extra=""):
    corners = "".join(f"<{tag}>{value}</{tag}>" for tag, value in box.items())
    return f"<object>{name}{extra}<bndbox>{corners}</bndbox></object>"


def document(*objects, filename="a.jpg"):
    return f"<annotation><filename>{filename}</filename>\n" + "\n".join(objects) + "</annotation>"


@pytest.fixture
def read(tmp_path):
    def read(files, *, images=(), **options):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for name in images:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return read_pascalvoc(tmp_path, **options)

    return read


def points(result, image="a.jpg"):
    assert result.problems == []
    return [found["points"] for found in result.by_image[image]]


def test_corners_count_from_one_as_in_the_devkit(read):
    result = read({"a.xml": document(thing())})
    assert result.by_image == {"a.jpg": [{"value": "dog", "points": [10, 20, 40, 60], "type": "bbox"}]}


def test_corners_from_zero_as_labelimg_writes(read):
    assert points(read({"a.xml": document(thing())}, corners="zero_based")) == [[11, 21, 40, 60]]


def test_vi1_corners_in_any_order_of_the_document(read):
    for order in (("xmin", "xmax", "ymin", "ymax"), ("ymax", "xmax", "ymin", "xmin")):
        assert points(read({"a.xml": document(thing({tag: BOX[tag] for tag in order}))})) == [[10, 20, 40, 60]]


def test_corners_that_are_exchanged(read):
    swapped = {"xmin": 40, "ymin": 60, "xmax": 11, "ymax": 21}
    assert points(read({"a.xml": document(thing(swapped))})) == [[10, 20, 40, 60]]


def test_vi_decimals(read):
    box = BOX | {"xmin": "45.70000076293945", "xmax": "50.5"}
    assert points(read({"a.xml": document(thing(box))})) == [[pytest.approx(44.7), 20, 50.5, 60]]


def test_vi_a_file_without_objects(read):
    assert read({"a.xml": document()}).by_image == {"a.jpg": []}


def test_vi_flags_become_attributes(read):
    extra = "<difficult>1</difficult><truncated> 1 </truncated><occluded>0</occluded>"
    (found,) = read({"a.xml": document(thing(extra=extra))}).by_image["a.jpg"]
    assert found["attributes"] == [{"key": "difficult", "value": True}, {"key": "truncated", "value": True}]


def test_parts_of_an_object_are_not_the_object(read):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    assert points(read({"a.xml": document(thing(extra=part))})) == [[10, 20, 40, 60]]


@pytest.mark.parametrize(
    ("name", "filename", "images", "key"),
    [
        ("a.xml", "a.jpg", (), "a.jpg"),
        ("sub/a.xml", "a.PNG", (), "sub/a.PNG"),
        ("sub/a.xml", "sub/a.jpg", (), "sub/a.jpg"),
        ("0001.xml", "a.jpg", (), "0001.jpg"),
        ("0001.xml", "a.jpg", ("a.jpg",), "a.jpg"),
        ("b.xml.d/a.xml", "a.jpg", (), "b.xml.d/a.jpg"),
        ("a.png.xml", "a.png", (), "a.png"),
        ("annotations/sub/a.xml", "sub/a.jpg", (), "sub/a.jpg"),
        ("annotations/a.png.xml", "a.png", (), "a.png"),
        ("Annotations/a.xml", "a.jpg", ("JPEGImages/a.jpg",), "JPEGImages/a.jpg"),
        ("A.XML", "A.JPG", (), "A.JPG"),
        ("a.xml", "C:\\\\data\\\\a.jpg", (), "a.jpg"),
        ("a.xml", "a", ("a.jpeg",), "a.jpeg"),
        ("a.xml", "", ("a.tif",), "a.tif"),
    ],
)
def test_vi_the_image_a_file_speaks_of(read, name, filename, images, key):
    result = read({name: document(thing(), filename=filename)}, images=images)
    assert points(result, key) == [[10, 20, 40, 60]]


@pytest.mark.parametrize("images", [(), ("a.jpg", "a.png")])
def test_vi_no_image_to_be_found(read, images):
    result = read({"a.xml": document(thing(), filename="a")}, images=images)
    assert result.by_image == {}
    assert "names no image" in result.problems[0].message


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (thing(name="<name/>"), "no <name>"),
        (thing(name="<name>  </name>"), "no <name>"),
        (thing(name=""), "no <name>"),
        ("<object><name>dog</name></object>", "no <bndbox>"),
        (thing({"xmin": 1}), "<ymin> is None"),
        (thing(BOX | {"xmin": "x"}), "<xmin> is 'x'"),
        (thing(BOX | {"xmin": "nan"}), "ordinary"),
        (thing(BOX | {"ymax": "1e999"}), "ordinary"),
    ],
)
def test_vi_a_bad_object_is_named_by_its_line_and_the_next_one_read(read, bad, why):
    result = read({"a.xml": document(thing(), bad, thing())})
    assert len(result.by_image["a.jpg"]) == 2
    (problem,) = result.problems
    assert (problem.file, problem.line) == ("a.xml", 3)
    assert "object 2" in problem.message
    assert why in problem.message


def test_a_box_without_area(read):
    flat = BOX | {"xmin": 40}
    assert points(read({"a.xml": document(thing(flat))})) == [[39, 20, 40, 60]]
    assert "no area" in read({"a.xml": document(thing(flat))}, corners="zero_based").problems[0].message


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<project><x/></project>", "root is <project>"),
        ("<annotation>\n<object>", "not well-formed"),
        (b"", "not well-formed"),
        (b"\x00\x01", "not well-formed"),
        ('<?xml version="1.0" encoding="x-none"?><annotation/>', "encoding"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>', ""),
    ],
)
def test_vi_another_xml_file_in_the_tree(read, content, why):
    result = read({"a.xml": document(thing()), "z.xml": content})
    assert list(result.by_image) == ["a.jpg"]
    (problem,) = result.problems
    assert problem.file == "z.xml"
    assert why in problem.message


def test_entities_that_swell_are_stopped(read):
    swelling = "".join(f'<!ENTITY e{depth} "{f"&e{depth - 1};" * 10}">' for depth in range(1, 10))
    head = f'<!DOCTYPE annotation [<!ENTITY e0 "{"x" * 64}">{swelling}]>'
    result = read({"a.xml": document(thing()), "z.xml": head + document(thing(name="<name>&e9;</name>"))})
    assert list(result.by_image) == ["a.jpg"]
    assert "amplification" in result.problems[0].message


def test_two_files_for_one_image(read):
    result = read({"annotations/a.xml": document(thing()), "a.xml": document(thing())})
    assert len(result.by_image["a.jpg"]) == 2
    assert "put together" in result.problems[0].message


def test_names_and_encodings(read):
    text = document(thing(name="<name>犬 &amp; 猫</name>"), filename="犬.jpg")
    encoded = ('<?xml version="1.0" encoding="utf-16"?>' + text).encode("utf-16")
    assert read({"犬.xml": encoded}).by_image["犬.jpg"][0]["value"] == "犬 & 猫"


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="corners must be one of"):
        read_pascalvoc(tmp_path, corners="two_based")  # type: ignore[arg-type]
    with pytest.raises(NotADirectoryError):
        read_pascalvoc(tmp_path / "none")
