"""Pascal VOC files read into annotations: keys, corners, every defect of the official SDK, hostile files."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc
from airflow_provider_fastlabel.formats.reading.imported import NO_PICTURE, UNREADABLE, UNUSABLE
from tests.limits import run_limited

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
    result = read({"a.xml": document(thing(extra=part))})
    assert points(result) == [[10, 20, 40, 60]]
    assert [note.message for note in result.notes] == [
        "1 of its objects have parts (<part>), which have no place in an annotation"
    ]


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
    result = read({"a.xml": document(thing(), thing(name="<name/>"), filename="a")}, images=images)
    assert result.by_image == {}
    (problem,) = result.problems
    assert "names no picture" in problem.message
    assert (problem.image, problem.reason, problem.lost, result.read) == (None, NO_PICTURE, 2, 2)


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
    assert (problem.image, problem.reason, problem.lost) == ("a.jpg", UNUSABLE, 1)
    assert (result.objects, result.read) == ({"a.jpg": 2}, 3)


def test_a_box_without_area(read):
    flat = BOX | {"xmin": 40}
    assert points(read({"a.xml": document(thing(flat))})) == [[39, 20, 40, 60]]
    assert "no area" in read({"a.xml": document(thing(flat))}, corners="zero_based").problems[0].message


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<annotation>\n<object>", "not well-formed"),
        (b"", "not well-formed"),
        (b"\x00\x01", "not well-formed"),
        ('<?xml version="1.0" encoding="x-none"?><annotation/>', "encoding"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>', ""),
    ],
)
@pytest.mark.parametrize(("images", "concerned"), [((), None), (("z.jpg",), "z.jpg"), (("a.jpg",), None)])
def test_vi_a_file_that_cannot_be_read_fails_the_picture_of_its_stem(read, content, why, images, concerned):
    result = read({"a.xml": document(thing()), "z.xml": content}, images=images)
    assert list(result.by_image) == ["a.jpg"]
    (problem,) = result.problems
    assert (problem.file, problem.image, problem.reason, problem.lost) == ("z.xml", concerned, UNREADABLE, 0)
    assert why in problem.message


def test_vi_another_xml_file_in_the_tree(read):
    files = {"a.xml": document(thing()), "z.xml": "<project><x/></project>", "other/a.xml": "<x/>"}
    result = read(files, images=["a.jpg"])
    assert result.problems == []
    assert [note.file for note in result.notes] == ["other/a.xml", "z.xml"]
    assert "root is <project>" in result.notes[1].message
    (problem,) = read(files, images=["a.jpg", "z.png"]).problems
    assert (problem.image, problem.reason, problem.lost) == ("z.png", UNREADABLE, 0)


def test_entities_that_swell_are_stopped(read):
    swelling = "".join(f'<!ENTITY e{depth} "{f"&e{depth - 1};" * 10}">' for depth in range(1, 10))
    head = f'<!DOCTYPE annotation [<!ENTITY e0 "{"x" * 64}">{swelling}]>'
    result = read({"a.xml": document(thing()), "z.xml": head + document(thing(name="<name>&e9;</name>"))})
    assert list(result.by_image) == ["a.jpg"]
    assert "amplification" in result.problems[0].message


def test_two_files_for_one_image(read):
    result = read({"annotations/a.xml": document(thing()), "a.xml": document(thing())})
    assert len(result.by_image["a.jpg"]) == 2
    assert "put together" in result.notes[0].message
    assert (result.problems, result.objects) == ([], {"a.jpg": 2})


@pytest.mark.parametrize(
    ("files", "images", "pairs"),
    [
        ({"raccoon.xml": "raccoon.png"}, ["raccoon.jpg"], {"raccoon.jpg": ["raccoon.xml"]}),
        ({"raccoon.xml": "raccoon.JPG"}, ["raccoon.jpg"], {"raccoon.jpg": ["raccoon.xml"]}),
        ({"1.xml": "gone.png"}, ["1.jpg"], {"1.jpg": ["1.xml"]}),
        ({"1.xml": "photo"}, ["1.jpg", "photo.jpg"], {"photo.jpg": ["1.xml"]}),
        ({"1.xml": "img.0001"}, ["img.0001.png"], {"img.0001.png": ["1.xml"]}),
        # Trees.
        ({"annotations/a.xml": "a.jpg"}, ["images/a.jpg"], {"images/a.jpg": ["annotations/a.xml"]}),
        ({"annotations/1.xml": "a.jpg"}, ["images/a.jpg"], {"images/a.jpg": ["annotations/1.xml"]}),
        ({"annotations/1.xml": "a.png"}, ["images/a.jpg"], {"images/a.jpg": ["annotations/1.xml"]}),
        ({"VOC2007/Annotations/1.xml": "1.jpg"}, ["VOC2007/JPEGImages/1.jpg"], None),
        (
            {"train/annotations/1.xml": "1.jpg", "val/annotations/1.xml": "1.jpg"},
            ["train/images/1.jpg", "val/images/1.jpg"],
            {"train/images/1.jpg": ["train/annotations/1.xml"], "val/images/1.jpg": ["val/annotations/1.xml"]},
        ),
        ({"annotations/sub/a.xml": "sub/a.jpg"}, ["images/sub/a.jpg"], {"images/sub/a.jpg": ["annotations/sub/a.xml"]}),
        ({"annotations/xmls/a.xml": "a.jpg"}, ["images/a.jpg"], {"images/a.jpg": ["annotations/xmls/a.xml"]}),
        # The exact name comes first, whichever file is read first.
        ({"1.xml": "2.png", "2.xml": "2.jpg"}, ["2.jpg"], {"2.jpg": ["2.xml"], "1.png": ["1.xml"]}),
        # Two files say the same; one has a picture of its own.
        ({"1.xml": "2.jpg", "2.xml": "2.jpg"}, ["1.jpg", "2.jpg"], {"1.jpg": ["1.xml"], "2.jpg": ["2.xml"]}),
        # Another file's picture is not taken by the stem.
        ({"1.xml": "2.jpg", "2.xml": "gone.jpg"}, ["2.jpg"], {"2.jpg": ["1.xml"]}),
    ],
)
def test_every_file_has_its_own_picture(read, files, images, pairs):
    tags = {name: f"<name>{name}</name>" for name in files}
    result = read(
        {name: document(thing(name=tags[name]), filename=said) for name, said in files.items()}, images=images
    )
    found = {image: [one["value"] for one in annotations] for image, annotations in result.by_image.items()}
    assert found == (pairs or {images[0]: list(files)})
    assert result.read == len(files)


def test_a_file_whose_name_for_a_picture_is_taken_is_lost(read):
    files = {"1.xml": document(thing(), filename="2.jpg"), "2.xml": document(thing(), filename="gone.jpg")}
    result = read(files, images=["2.jpg"])
    assert [(one.file, one.reason, one.lost) for one in result.problems] == [("2.xml", NO_PICTURE, 1)]


@pytest.mark.parametrize("corner", [{"xmin": 0}, {"ymin": 0}, {"xmin": "0.0"}, {"xmin": 40, "xmax": 0}])
def test_files_that_count_from_zero_are_refused_with_the_remedy(read, corner):
    files = {"a.xml": document(thing(), thing(BOX | corner)), "b.xml": document(thing(), filename="b.jpg")}
    with pytest.raises(ValueError, match=r'^a\.xml:3: object 2: .*Give corners="zero_based"'):
        read(files)
    result = read(files, corners="zero_based")
    assert result.problems == []
    assert min(result.by_image["a.jpg"][1]["points"]) == 0


def test_a_name_with_escape_sequences_is_shown_as_a_line(read):
    with pytest.raises(ValueError, match=r"^a\\x1b\[2J\\n\.xml:2: object 1") as raised:
        read({"a\x1b[2J\n.xml": document(thing(BOX | {"xmin": 0}))})
    assert str(raised.value).isprintable()


def test_a_box_that_sticks_out_says_nothing_about_counting(read):
    assert points(read({"a.xml": document(thing(BOX | {"xmin": -3}))})) == [[-4, 20, 40, 60]]


def test_a_turned_box_of_rolabelimg(read):
    turned = "<object><type>robndbox</type><name>ship</name><difficult>1</difficult><robndbox><cx>50</cx><cy>40</cy>"
    turned += "<w>30</w><h>10.5</h><angle>%s</angle></robndbox></object>"
    angles = ("0.523599", "0.0", "3.0", "-0.523599")
    found = read({"a.xml": document(*(turned % angle for angle in angles))}).by_image["a.jpg"]
    assert [one["points"] for one in found] == [[35, 34.75, 65, 45.25]] * 4
    assert [one.get("rotation") for one in found] == pytest.approx([30.00001, None, 171.887339, -30.00001], abs=1e-5)
    assert found[0]["attributes"] == [{"key": "difficult", "value": True}]


@pytest.mark.parametrize(
    "outline",
    [
        "<x1>9</x1><y1>2</y1><x2>1</x2><y2>2</y2><x3>1</x3><y3>8.5</y3>",
        "<pt><x>9</x><y>2</y></pt><pt><x>1</x><y>2</y></pt><pt><x>1</x><y>8.5</y></pt>",
    ],
)
def test_a_polygon_keeps_its_corners_in_their_order(read, outline):
    polygon = f"<polygon>{outline}</polygon>"
    alone = f"<object><name>dog</name>{polygon}</object>"
    result = read({"a.xml": document(alone, thing(extra=polygon))})
    polygon, box = result.by_image["a.jpg"]
    assert (polygon["type"], polygon["points"]) == ("polygon", [9, 2, 1, 2, 1, 8.5])
    assert box["type"] == "bbox"
    assert [note.message for note in result.notes] == [
        "1 of its objects have a <polygon> beside their box; the boxes are read"
    ]
    assert result.problems == []


@pytest.mark.parametrize(
    "encoding", ["gbk", "gb2312", "gb18030", "shift_jis", "euc-jp", "big5", "iso-2022-jp", "utf-16"]
)
def test_encodings_that_expat_does_not_know(read, encoding):
    name = "猫" if encoding in ("gbk", "gb2312", "gb18030", "shift_jis", "euc-jp", "iso-2022-jp") else "犬"
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + document(
        thing(name=f"<name>{name}</name>"), thing(name="<name/>"), filename="a.jpg"
    )
    result = read({"a.xml": text.encode(encoding)})
    assert [one["value"] for one in result.by_image["a.jpg"]] == [name]
    assert [problem.line for problem in result.problems] == [4]


def test_korean_and_the_larger_sets_that_windows_writes(read):
    head = '<?xml version="1.0" encoding="%s"?>'
    for declared, codec, name in (("EUC-KR", "cp949", "똠"), ("gb2312", "gbk", "镕"), ("Shift_JIS", "cp932", "①")):
        text = head % declared + document(thing(name=f"<name>{name}</name>"))
        assert read({"a.xml": text.encode(codec)}).by_image["a.jpg"][0]["value"] == name


def test_utf_8_that_is_declared_as_utf_16(read):
    text = '<?xml version="1.0" encoding="utf-16"?>' + document(thing(name="<name>犬</name>"))
    assert read({"a.xml": text}).by_image["a.jpg"][0]["value"] == "犬"


@pytest.mark.parametrize(
    ("head", "codec", "why"),
    [
        ("", "gbk", "not UTF-8 text, although it declares no encoding"),
        ('<?xml version="1.0" encoding="UTF-8"?>', "latin-1", "not UTF-8 text, although it declares UTF-8"),
        ('<?xml version="1.0" encoding="Shift_JIS"?>', "latin-1", "not in the encoding 'Shift_JIS'"),
    ],
)
def test_text_in_another_encoding_than_it_says(read, head, codec, why):
    name = "狗" if codec == "gbk" else "\xfc\xff"
    text = head + document(thing(name=f"<name>{name}</name>"))
    (problem,) = read({"a.xml": text.encode(codec)}, images=["a.jpg"]).problems
    assert why in problem.message
    assert "save it as UTF-8" in problem.message
    assert (problem.line, problem.image, problem.reason) == (2, "a.jpg", UNREADABLE)


def test_names_and_encodings(read):
    text = document(thing(name="<name>犬 &amp; 猫</name>"), filename="犬.jpg")
    encoded = ('<?xml version="1.0" encoding="utf-16"?>' + text).encode("utf-16")
    assert read({"犬.xml": encoded}).by_image["犬.jpg"][0]["value"] == "犬 & 猫"


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="corners must be one of"):
        read_pascalvoc(tmp_path, corners="two_based")  # type: ignore[arg-type]
    with pytest.raises(NotADirectoryError):
        read_pascalvoc(tmp_path / "none")


def test_attributes_of_cvat(tmp_path):
    def attribute(name, value):
        return f"<attribute><name>{name}</name><value>{value}</value></attribute>"

    def entry(*attributes):
        box = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>11</xmax><ymax>22</ymax></bndbox>"
        return f"<object><name>car</name>{box}<attributes>{''.join(attributes)}</attributes></object>"

    objects = [
        entry(attribute("rotation", "0.0"), attribute("occluded", "False")),
        entry(attribute("rotation", "350.0"), attribute("brand", "acme"), attribute("keyframe", "True")),
        entry(attribute("rotation", "left")),
    ]
    text = f"<annotation><filename>a.jpg</filename>{''.join(objects)}</annotation>"
    (tmp_path / "a.xml").write_text(text)
    (tmp_path / "a.jpg").touch()
    found = read_pascalvoc(tmp_path)
    assert found.by_image["a.jpg"] == [
        {"type": "bbox", "value": "car", "points": [1, 2, 11, 22]},
        {
            "type": "bbox",
            "value": "car",
            "points": [1, 2, 11, 22],
            "rotation": -10,
            "attributes": [{"key": "brand", "value": "acme"}, {"key": "keyframe", "value": True}],
        },
    ]
    assert [(problem.image, problem.lost) for problem in found.problems] == [("a.jpg", 1)]


def test_masks_beside_the_boxes_are_noted_once_a_folder(read):
    images = ["JPEGImages/a.jpg", *(f"Segmentation{kind}/{name}.png" for kind in ("Class", "Object") for name in "ab")]
    result = read({"Annotations/a.xml": document(thing())}, images=images)
    assert list(result.by_image) == ["JPEGImages/a.jpg"]
    notes = {note.file: note.message for note in result.notes}
    assert len(notes) == len(result.notes) == 2
    assert 'import them with annotations_format="masks"' in notes["SegmentationClass"]
    assert "name no classes" in notes["SegmentationObject"]


def test_the_lines_of_many_lost_objects_cost_one_more_reading(tmp_path):
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    objects = f"<object>{box}</object>\n" * 20_000
    (tmp_path / "a.xml").write_text(f"<annotation><filename>a.jpg</filename>\n{objects}</annotation>")
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc
        read = read_pascalvoc({str(tmp_path)!r})
        print(len(read.problems), [problem.line for problem in read.problems] == list(range(2, 20_002)))
        """,
        megabytes=200,
    )
    assert printed == "20000 True"


def test_the_lines_of_lost_objects_in_many_files_leave_nothing_behind(tmp_path):
    for number in range(3000):
        (tmp_path / f"{number}.xml").write_text("<annotation><filename>a.jpg</filename><object/></annotation>")
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc
        print(read_pascalvoc({str(tmp_path)!r}).read)
        """,
        megabytes=150,
    )
    assert printed == "3000"


def test_a_number_of_many_digits_is_quoted_shortly(tmp_path):
    box = f"<bndbox><xmin>{'x' * 10_000_000}</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    (tmp_path / "a.xml").write_text(f"<annotation><object><name>cat</name>{box}</object></annotation>")
    (problem,) = read_pascalvoc(tmp_path).problems
    assert len(str(problem)) < 300


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        (f"<x1>9</x1><y1>2</y1><x{'9' * 5000}>1</x{'9' * 5000}>", "is no corner's number"),
        ("<x1>9</x1><y1>2</y1><x2>1</x2><y2>2</y2><x3>1</x3><y4>8</y4>", "<y3> is None, not a number"),
        ("<x1>9</x1><y1>2</y1><x2>1</x2><y2>2</y2><x1>1</x1><y1>8</y1>", "<x1> is there twice"),
    ],
)
def test_corners_that_cannot_be_told_lose_their_object_and_no_other(read, corners, why):
    bad = f"<object><name>dog</name><polygon>{corners}</polygon></object>"
    result = read({"a.xml": document(thing(), bad), "b.xml": document(thing(), filename="b.jpg")})
    assert {image: len(found) for image, found in result.by_image.items()} == {"a.jpg": 1, "b.jpg": 1}
    (problem,) = result.problems
    assert why in str(problem)
    assert len(str(problem)) < 300


def test_flags_that_an_object_has_in_both_ways_are_told_once(read):
    attribute = "<attribute><name>truncated</name><value>1</value></attribute>"
    flagged = thing(extra=f"<truncated>1</truncated><attributes>{attribute}</attributes>")
    (found,) = read({"a.xml": document(flagged)}).by_image["a.jpg"]
    assert found["attributes"] == [{"key": "truncated", "value": True}]


CORNERS = "".join(f"<x{n}>{n}</x{n}><y{n}>{n * n}</y{n}>" for n in range(40_000))
FLAGS = "".join(
    f"<attribute><name>{name}</name><value>1</value></attribute>" for name in [*range(20_000), *["truncated"] * 20_000]
)


@pytest.mark.parametrize(
    "entry",
    [
        f"<object><name>dog</name><polygon>{CORNERS}</polygon></object>",
        thing(extra=f"<attributes>{FLAGS}</attributes>"),
    ],
    ids=["outline", "flags"],
)
def test_an_object_of_many_elements_costs_what_it_is(tmp_path, entry):
    (tmp_path / "a.xml").write_text(document(entry))
    printed = run_limited(
        f"""
        from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc
        print(read_pascalvoc({str(tmp_path)!r}).problems)
        """,
        megabytes=250,
        seconds=8,
    )
    assert printed == "[]"
