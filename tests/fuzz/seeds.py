"""Good files of every kind, small ones with much in them; they are what is damaged."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import zipfile
from typing import Any

import numpy as np
from PIL import Image

CLASSES: list[dict[str, Any]] = [
    {
        "id": "1",
        "type": "bbox",
        "value": "dog",
        "attributes": [
            {"key": "remark", "type": "text"},
            {"key": "colour", "type": "select", "options": [{"value": "red", "title": "Red"}, {"value": 1}]},
            {"key": "truncated", "type": "switch"},
        ],
    },
    {"id": "2", "type": "polygon", "value": "cat"},
    {"id": "3", "type": "segmentation", "value": "fox"},
    {"id": "4", "type": "pose_estimation", "value": "person", "keypoints": [{"key": "nose"}, {"key": "tail"}]},
]
"""What a project that takes these data sets has."""

RUN_LENGTHS = f"db1X1X1{'0' * 18}ROmN?S1{'AmN?S1' * 4}?{'0' * 48}\\S3"
"""A square of 40 pixels with a hole, in a picture of 80 x 100, as pycocotools writes it."""
_RLE = {"size": [80, 100], "counts": RUN_LENGTHS}
_PLAIN = {"size": [8, 10], "counts": [9, 3, 5, 3, 60]}
_RING = [20, 20, 60, 20, 60, 60, 20, 60]


def _coco(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "info": {},
        "images": [
            {"id": 1, "file_name": "a.png", "width": 100, "height": 80},
            {"id": 2, "file_name": "sub\\b.png", "width": 100, "height": 80},
        ],
        "categories": [
            {"id": 1, "name": "dog", "supercategory": "animal"},
            {"id": 2, "name": "person", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]},
        ],
        "annotations": [
            {"id": at, "image_id": 1, "category_id": 1, "iscrowd": 0, **one} for at, one in enumerate(annotations, 1)
        ],
    }


COCO = [
    _coco(
        {
            "bbox": [1, 2, 30, 40],
            "score": 0.5,
            "area": 1200,
            "attributes": {"colour": "red", "occluded": False, "rotation": 30.0},
        },
        {
            "bbox": [20, 20, 40, 40],
            "segmentation": [_RING],
            "rotation": 12,
            "attributes": [{"key": "remark", "value": "x"}],
        },
        {"segmentation": [_RING, [1, 1, 5, 1, 5, 5]], "image_id": 2},
    ),
    _coco(
        {"category_id": 2, "keypoints": [1, 2, 2, 5, 6, 1], "num_keypoints": 2, "bbox": [1, 2, 4, 4]},
        {"segmentation": _PLAIN, "iscrowd": 1, "attributes": {"track_id": 4}},
        {"segmentation": [10, 10, 30, 30], "bbox": [0, 0, 0, 0]},
    ),
]
RLE = [_coco({"segmentation": _RLE}), _coco({"segmentation": _PLAIN, "bbox": [1, 1, 3, 3]})]


def _picture(mode: str = "L", kind: str = "PNG", size: tuple[int, int] = (12, 9), **options: Any) -> bytes:
    values = np.zeros((size[1], size[0]), np.uint8)
    values[2:6, 3:8] = 1
    values[4, 4] = 0
    image = Image.fromarray(values)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 0, 0])
    elif mode == "1":
        image = Image.fromarray(values > 0)
    elif mode != "L":
        image = image.convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _exif() -> Any:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "words"
    return exif


PICTURES = [
    _picture(),
    _picture("P"),
    _picture("RGB", exif=_exif()),
    _picture("RGB", "JPEG"),
    _picture("RGB", "JPEG", exif=_exif()),
    _picture("RGB", "GIF"),
    _picture("RGB", "BMP"),
    _picture("RGB", "TIFF"),
    _picture("L", "TIFF", compression="tiff_lzw"),
    _picture("RGB", "WEBP", exif=_exif()),
    _picture("RGB", "ICO"),
    _picture("RGB", "PPM"),
    _picture("RGB", "TGA"),
    _picture("RGB", "JPEG2000"),
    _picture("RGB", "AVIF"),
    _picture("RGB", "PCX"),
    _picture("RGB", "EPS"),
]
MASKS = [
    _picture(), _picture("P"), _picture("RGB"), _picture("RGBA"), _picture("1"), _picture("I;16"),
    _picture("L", "TIFF"), _picture("P", "GIF"), _picture("P", "BMP"),
]  # fmt: skip

PICTURE = _picture("RGB")


def _shape(kind: str, points: Any, **more: Any) -> dict[str, Any]:
    return {
        "label": "dog",
        "shape_type": kind,
        "points": points,
        "group_id": None,
        "flags": {},
        "description": "",
        **more,
    }


_CORNERS = [[20, 20], [60, 20], [60, 60], [20, 60]]
_MASK = base64.b64encode(_picture("1", size=(9, 8))).decode()
LABELME: list[Any] = [
    {
        "version": "5.5.0",
        "flags": {"blurred": True},
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": 80,
        "imageWidth": 100,
        "shapes": shapes,
    }
    for shapes in (
        [
            _shape("rectangle", [[1, 2], [30, 40]], flags={"truncated": True}, attributes={"colour": "red"}),
            _shape("polygon", _CORNERS, group_id=1),
            _shape("polygon", [[1, 1], [5, 1], [5, 5]], group_id=1),
        ],
        [
            _shape("mask", [[3, 4], [12, 12]], mask=_MASK),
            _shape("mask", [[3, 4], [12, 12]], mask=_MASK, group_id=2),
            _shape("mask", [[30, 4], [42, 12]], mask=_MASK, group_id=2),
        ],
        [
            _shape("circle", [[20, 20], [30, 20]]),
            _shape("line", [[1, 1], [9, 9]]),
            _shape("point", [[4, 5]], group_id="g", description="nose", flags={"visible": False}),
            _shape("point", [[8, 5]], group_id="g", description="tail"),
            _shape("oriented_rectangle", [[10, 0], [20, 10], [10, 20], [0, 10]]),
            _shape("points", [[1, 2], [3, 4]]),
        ],
    )
]

_VOC = """<?xml version="1.0" encoding="{encoding}"?>
<annotation><folder>x</folder><filename>a.png</filename><size><width>100</width><height>80</height><depth>3</depth></size>
{objects}
</annotation>
"""
_BOX = """<object><name>dog</name><pose>Left</pose><truncated>1</truncated>
<difficult>0</difficult><occluded>0</occluded>
<bndbox><xmin>11</xmin><ymin>12.5</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>
<attributes><attribute><name>rotation</name><value>30.0</value></attribute><attribute><name>colour</name>
<value>red</value></attribute></attributes></object>"""
_OUTLINE = """<object><name>cat</name><polygon><x1>1</x1><y1>2</y1><x2>30</x2><y2>2</y2><x3>30</x3><y3>44</y3>
</polygon></object><object><name>cat</name><polygon><pt><x>1</x><y>2</y></pt><pt><x>9</x><y>2</y></pt><pt><x>9</x><y>9</y></pt></polygon></object>"""
_TURNED = """<object><name>狗</name><robndbox><cx>50</cx><cy>40</cy><w>20</w><h>10</h><angle>0.5</angle></robndbox>
<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part></object>"""
VOC = [
    _VOC.format(encoding="utf-8", objects=_BOX * 2 + _TURNED).encode(),
    _VOC.format(encoding="utf-16", objects=_OUTLINE).encode("utf-16"),
    _VOC.format(encoding="gbk", objects=_TURNED + _BOX).encode("gbk"),
    _VOC.format(encoding="iso-8859-1", objects=_OUTLINE).encode(),
]
VOC_WORDS = [
    b"<object>", b"</object>", b"<bndbox>", b"<name></name>", b"<name>dog</name>", b"<xmin>1</xmin>", b"<polygon/>",
    b"<pt/>", b"<robndbox/>", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"&x;", b"&#0;", b"&#xD800;", b"<![CDATA[", b"]]>",
    b"<!--", b"-->", b'encoding="utf-7"', b'encoding="rot13"', b'encoding="hex"', b'encoding="idna"',
    b'encoding="undefined"', b'encoding="zip"', b'encoding="iso-2022-jp"', b'encoding="utf-16"',
    b'encoding="unicode_escape"', b'encoding="utf-32"', b'encoding="punycode"', b'encoding="mbcs"',
    b'encoding="utf-8-sig"', b"<a>" * 3000, b"<x99999999999999999999>1</x99999999999999999999>",
    "<x\u0663>1</x\u0663>".encode(),
    b"<attributes><attribute><name>rotation</name><value>1e999</value></attribute></attributes>", b"<bndbox/>",
    b"<filename>../../x.png</filename>", b"<filename>a.png</filename>", b'<a xmlns:x="y" x:z="1"/>',
]  # fmt: skip

YOLO = [
    b"0 0.5 0.5 0.2 0.3\n1 0.25 0.25 0.1 0.1 0.9\n",
    b"0 0.1 0.1 0.5 0.1 0.5 0.6\n0 0.1 0.1 0.5 0.1 0.5 0.6 0.2 0.8\n",
    b"2 0.5 0.5 0.4 0.4 0.4 0.4 2 0.6 0.6 1\n",
    b"0 0.1 0.1 0.5 0.1 0.5 0.6 0.1 0.6\r\n",
    "\ufeff0 0.5 0.5 0.2 0.3\n".encode("utf-16-le"),
]
YOLO_WORDS = [
    b"\n",
    b" ",
    b"0.5",
    b"nan",
    b"1e999",
    b"-0",
    b"1e-320",
    b"a.png",
    b"0 0.5 0.5 0.2 0.3\n",
    b"\x1c",
    b"\xc2\xa0",
]
CLASS_FILES: list[tuple[str, bytes]] = [
    ("classes.txt", b"dog\ncat\nperson\n"),
    ("obj.names", b"dog\r\ncat\r\n\r\nperson\r\n"),
    ("_darknet.labels", "\ufeffdog\ncat\n".encode()),
    ("obj.data", b"classes = 2\ntrain = train.txt\nnames = a/obj.names\nbackup = x\n"),
]
YAML: list[bytes] = [
    b"path: .\ntrain: images\nnames: [dog, cat, person]\nnc: 3\n",
    b"names:\n  0: dog\n  1: cat\n  2: person\nkpt_shape: [2, 3]\n"
    b"kpt_names:\n  0: [nose, tail]\n  2:\n    - nose\n    - tail\n",
    b"nc: 2\nnames: &n ['dog', \"cat\"]\nother: *n\n",
]
CHECKS: list[Any] = [
    {"check": "objects_per_class", "at_least": 50, "classes": ["cat", "dog"], "severity": "warn"},
    {"check": "class_drift", "at_most": 0.05, "required": True},
    {"check": "tiny_boxes", "pixels": 2.5},
    {"check": "sample_size", "margin": 0.05, "population": 1000, "split": "val"},
    {"check": "agreement", "measure": "kappa"},
]
DEFINITIONS: list[bytes] = [
    b"""type: image_bbox
slug: photos
name: Photos
job_size: 20
workflow: two_step
is_pixel: false
classes:
  - {type: bbox, value: cat, title: Cat, color: "#d9534f", order: 1}
  - type: bbox
    value: dog
    attributes:
      - {type: text, name: Remark, key: remark}
      - type: radio
        name: Colour
        key: colour
        options:
          - {value: black, title: Black}
          - {value: white, title: White}
""",
    b"type: image_classification\nslug: kinds\nname: Kinds\nclasses:\n"
    b"- type: classification\n  attributes: [{type: text, name: R, key: r}]\n",
]
YAML_WORDS = [
    b"&a ", b"*a", b"<<: *a\n", b"? [a]: b\n", b"? {a: b}\n: c\n", b"!!python/object:os.system x", b"!!binary x",
    b"!!set {a}", b"!!int x", b"!!float x", b"!!timestamp x", b"!!null x", b"!!omap [a]", b"!!pairs [a]", b"!x ",
    b".inf", b".nan", b"2024-99-99", b"2024-01-01 99:99:99", b"2024-01-01", b"0b", b"0x", b"1:99:99", b"1__", b"0b_",
    b"0x_", b"+", b"-", b"? ", b": ", b"|\n", b">\n", b"---\n", b"...\n", b"%YAML 9.9\n", b"%TAG ! x\n", b"[" * 3000,
    b"{a: " * 2000, b"- " * 3000, b"- *a\n", b"&a [*a, *a]\n", b"names: {.inf: x}\n", b"names: {1e3: x}\n", b"\\x",
    b'"\\ud800"', b'"\\U00110000"', b"\t", b"= ", b"~", b"null", b"yes", b"0o8",
]  # fmt: skip


def _sized(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def _track(handler: bytes, code: bytes) -> bytes:
    description = _sized(b"stsd", bytes(4), struct.pack(">I", 1), _sized(code, bytes(78)))
    tables = _sized(b"minf", _sized(b"vmhd", bytes(12)), _sized(b"stbl", description))
    return _sized(
        b"trak", _sized(b"tkhd", bytes(84)), _sized(b"mdia", _sized(b"hdlr", bytes(8), handler, bytes(13)), tables)
    )


def _long(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(data)) + data


_FTYP = _sized(b"ftyp", b"isom", bytes(4))
_VIDEO = _track(b"soun", b"mp4a") + _track(b"vide", b"avc1")
MP4 = [
    _FTYP + _sized(b"moov", _sized(b"mvhd", bytes(100)), _VIDEO) + struct.pack(">I4s", 0, b"mdat") + bytes(40),
    _FTYP + _long(b"mdat", bytes(30)) + _long(b"moov", _VIDEO),
]
MP4_WORDS = [
    b"moov",
    b"trak",
    b"mdia",
    b"hdlr",
    b"vide",
    b"stsd",
    b"stbl",
    b"minf",
    b"avc1",
    bytes(8),
    b"\0\0\0\x01moov",
    b"\0\0\0\x08free" * 9,
]

_HEADER = {"manifest": "fastlabel-import", "version": 1, "project": "p", "kind": "image", "provider": "0", "at": "x"}
_ITEMS = [
    {"name": "a.png", "fate": "creating", "task_id": None, "why": None, "at": "x"},
    {"name": "a.png", "fate": "created", "task_id": "1", "why": None, "at": "x", "annotations": 0},
    {"name": "b.png", "fate": "failed", "task_id": None, "why": "x", "at": "x", "lost": {"unusable_object": 2}},
    {"name": "c.png", "fate": "updated", "task_id": "2", "why": None, "at": "x", "digest": "aa", "annotations": 3},
]
IMPORT_MANIFEST = [_HEADER, *_ITEMS]
_VERSIONS = [f"20261129T00000{number}Z-{'a' * 12}-{'b' * 8}" for number in range(2)]
EXPORT_POINTER = {
    **{"id": _VERSIONS[0], "path": f"versions/{_VERSIONS[0]}", "sha256": "a" * 64, "version": 1, "written": "0"},
    "earlier": [{"id": _VERSIONS[1], "path": f"versions/{_VERSIONS[1]}", "sha256": "b" * 64}],
}
EXPORT_MANIFEST = {
    "classes": {"dog": 0},
    "counts": {"annotations": 1}, "filters": {"project": "p"}, "format": "yolo", "provider": "x", "version": 1,
    "files": [
        {"path": "a.txt", "size": 3, "sha256": "0" * 64, "md5": "0" * 32},
        {"path": "images/a.png", "size": 2, "sha256": "1" * 64, "md5": "1" * 32},
    ],
}  # fmt: skip
LOCK = {
    "version": 1,
    "classes": [
        {"id": 0, "value": "dog", "type": "bbox", "title": "Dog", "color": "#ff0000"},
        {"id": 1, "value": "person", "type": "pose_estimation", "title": "", "color": "", "keypoints": [
            {"key": "nose", "name": "Nose", "color": "#111111", "edges": ["tail"]}, {"key": "tail", "edges": []},
        ]},
    ],
}  # fmt: skip
MASK_CLASSES = [{"id": 1, "value": "fox", "color": "#ff0000"}, {"id": 2, "value": "cat"}]
MASK_INSTANCES = {"mask": "m.png", "image": "a.png", "instances": [{"id": 1, "value": "fox", "type": "segmentation"}]}
LABELMAP = b"# label:color_rgb:parts:actions\nbackground:0,0,0::\nfox:255,0,0::\ncat:0,255,0:a,b:c\n"
MONITORING = [
    {
        "status": "success",
        "requestAt": "2026-01-02T03:04:05+09:00",
        "result": [{"value": "dog", "confidenceScore": 0.5}],
    },
    {"status": "failed", "requestAt": "2026-01-02T03:04:05Z", "result": []},
]
ENDPOINT_RESULTS = [{"name": "a.png", "endpoint": "e", "sha256": "0", "image": None, "json": {"x": 1}}]


def _archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"dicom" * 9)
        archive.comment = b"words"
    return out.getvalue()


ZIPS = [_archive("1.dcm", "2.dcm"), _archive("a/b.dcm")]
ZIP_WORDS = [b"PK\x05\x06", b"PK\x03\x04", b"PK\x01\x02", b"PK\x06\x06", b"PK\x06\x07", bytes(22), b"\xff" * 22]

LEROBOT_INFO = {
    "codebase_version": "v3.0",
    "fps": 10,
    "features": {
        "observation.state": {"dtype": "float32", "shape": [2], "names": ["a", "b"]},
        "action": {"dtype": "float32", "shape": [2], "names": {"motors": ["a", "b"]}},
        "observation.images.top": {"dtype": "video", "names": None},
    },
}


def lerobot_tables() -> tuple[bytes, bytes]:
    """Return the tables of frames and of episodes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = [
        {
            "observation.state": [1.0, 2.0],
            "action": [1.0, 2.0],
            "episode_index": 0,
            "frame_index": at,
            "timestamp": at / 10,
        }
        for at in range(3)
    ]
    place = {"data/chunk_index": 0, "data/file_index": 0}
    files = []
    for rows in (frames, [{"episode_index": 0, "length": 3, "tasks": ["x"], **place}]):
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), out)
        files.append(out.getvalue())
    return files[0], files[1]


def _ann(kind: str, points: Any = None, value: str = "dog", **more: Any) -> dict[str, Any]:
    return {
        "id": "x",
        "type": kind,
        "value": value,
        "title": value,
        "color": "#808080",
        "points": points,
        "attributes": [],
        **more,
    }


TASKS: list[Any] = [
    {
        "id": "1",
        "name": "a.png",
        "width": 100,
        "height": 80,
        "annotations": [
            _ann(
                "bbox", [1, 2, 30, 40], rotation=12, attributes=[{"key": "truncated", "value": True, "type": "switch"}]
            ),
            _ann("polygon", [20, 20, 60, 20, 60, 60, 20, 60]),
            _ann("segmentation", [[[20, 20, 60, 20, 60, 60, 20, 60, 20, 20], [30, 30, 30, 40, 40, 40, 30, 30]]]),
            _ann("pose_estimation", keypoints=[{"key": "nose", "name": "Nose", "value": [5, 5, 1], "edges": ["tail"]}]),
            _ann("keypoint", [1, 2]),
            _ann("line", [1, 2, 3, 4]),
            _ann("circle", [10, 10, 5]),
        ],
    }
]


def lines(rows: list[Any]) -> bytes:
    """Return JSON Lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


_PLAN = {"project": "p", "kind": "image", "items": 1, "chunks": [{"number": 0, "sha256": "a" * 64, "items": 1}]}
IMPORT_PLAN = {"sha256": hashlib.sha256(json.dumps(_PLAN).encode()).hexdigest(), "value": _PLAN}

_CLOUD = b"# .PCD v0.7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F U\nCOUNT 1 1 1 1\nWIDTH 3\nHEIGHT 1\nPOINTS 3\nDATA "
CLOUDS = [
    _CLOUD + b"ascii\n1 2 3 0\n4 5.5 6 1\nnan -8 9 2\n",
    _CLOUD + b"binary\n" + struct.pack("<fffI", 1, 2, 3, 0) * 3,
    b"FIELDS x y\nSIZE 8 8\nTYPE F F\nPOINTS 2\nDATA binary\n" + struct.pack("<dd", 1e308, 2) * 2,
]
CLOUD_WORDS = [b"POINTS", b"SIZE", b"COUNT", b"binary", b"ascii", b"99999999999", b"-1", b"nan", b"1e400"]
