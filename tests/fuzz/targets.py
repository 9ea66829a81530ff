"""The parsers, each through the door by which the package itself gives it foreign files."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.checks.media import checked_file
from airflow_provider_fastlabel.client.exceptions import FastLabelException
from airflow_provider_fastlabel.client.kinds import VIDEO, Limits
from airflow_provider_fastlabel.emulator.pages.clouds import from_above, read_cloud
from airflow_provider_fastlabel.formats.coco import export_coco, read_coco
from airflow_provider_fastlabel.formats.image_size import image_size
from airflow_provider_fastlabel.formats.labelme import export_labelme, read_labelme
from airflow_provider_fastlabel.formats.masks import export_masks, read_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc, read_pascalvoc
from airflow_provider_fastlabel.formats.writing.class_changes import brought_up_to_date
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.yolo import export_yolo, read_yolo
from airflow_provider_fastlabel.json_text import unsendable
from airflow_provider_fastlabel.pipelines.checks.definition import parse_checks
from airflow_provider_fastlabel.pipelines.endpoints.results import Results
from airflow_provider_fastlabel.pipelines.exports.places.pointer import read_pointer
from airflow_provider_fastlabel.pipelines.exports.publish import publish
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.imports.attributes import settle_attributes
from airflow_provider_fastlabel.pipelines.imports.chunks.account import Account
from airflow_provider_fastlabel.pipelines.imports.chunks.plan import PlanFolder
from airflow_provider_fastlabel.pipelines.imports.class_rules import ClassRules, geometry_complaints
from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
from airflow_provider_fastlabel.pipelines.monitoring.results import problems_of, read_results
from airflow_provider_fastlabel.pipelines.projects.definition import parse_text, read_definition
from tests.fuzz import seeds
from tests.fuzz.harness import Target
from tests.fuzz.mutation import damaged, wrong_json, wrong_or_damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random

    from airflow_provider_fastlabel.formats.image_size import ImageSize
    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations

_CHOICE = 1
"""Bytes at the front of an input that choose the arguments of the call, or the file that is damaged."""


def _check(imported: ImportedAnnotations) -> None:
    """Do with annotations what an import does before it sends any: count, settle attributes, complain; then send."""
    from airflow_provider_fastlabel.formats.image_size import ImageSize

    assert imported.read >= 0
    for problem in (*imported.problems, *imported.notes):
        assert str(problem)
    assert all(problem.reason for problem in imported.problems)
    size: ImageSize = ImageSize(100, 80)
    annotations = [annotation for own in imported.by_image.values() for annotation in own]
    rules = ClassRules(seeds.CLASSES)
    for unknown in ("fail", "create"):
        settle_attributes([annotations], seeds.CLASSES, unknown)
    for annotation in annotations:
        for complaint in (*rules.complaints(annotation), *geometry_complaints(annotation, size)):
            assert complaint
        assert annotation["type"]
        assert annotation["value"]
        unsendable(annotation)


def _chosen(data: bytes, choices: Sequence[Any]) -> tuple[Any, bytes]:
    return choices[data[0] % len(choices)], data[_CHOICE:]


def _some(random: Random) -> bytes:
    return random.randbytes(_CHOICE)


def _of_bytes(files: Sequence[bytes], words: Sequence[bytes] = ()) -> Callable[[Random], bytes]:
    return lambda random: _some(random) + damaged(random.choice(files), random, files, words)


def _of_json(documents: Sequence[Any]) -> Callable[[Random], bytes]:
    return lambda random: _some(random) + wrong_or_damaged(documents, random)


def _of_lines(rows: Sequence[Any]) -> Callable[[Random], bytes]:
    """Make JSON Lines, of which some are wrong."""

    def make(random: Random) -> bytes:
        found = [wrong_json(row, random) if random.random() < 0.3 else json.dumps(row).encode() for row in rows]
        data = b"\n".join(found) + b"\n"
        return _some(random) + (damaged(data, random) if random.random() < 0.3 else data)

    return make


def _picture(folder: Path, name: str = "a.png") -> None:
    (folder / name).write_bytes(seeds.PICTURE)


def _voc(folder: Path, data: bytes) -> None:
    corners, data = _chosen(data, ("one_based", "zero_based"))
    _picture(folder)
    (folder / "a.xml").write_bytes(data)
    _check(read_pascalvoc(folder, corners))


def _yolo(folder: Path, data: bytes) -> None:
    arguments, data = _chosen(
        data,
        [
            {"task": task, "annotation_type": wanted, "keypoints": keypoints}
            for task in (None, "detect", "segment", "pose", "obb")
            for wanted in (None, "bbox", "polygon", "segmentation", "pose_estimation")
            for keypoints in (None, {"person": ["nose", "tail"]})
        ],
    )
    _picture(folder)
    (folder / "a.txt").write_bytes(data)
    (folder / "classes.txt").write_bytes(b"dog\ncat\nperson\n")
    _check(read_yolo(None, folder, **arguments))


def _make_class_file(random: Random) -> bytes:
    number = random.randrange(len(seeds.CLASS_FILES))
    return bytes([number]) + damaged(
        seeds.CLASS_FILES[number][1], random, words=[b"dog\n", b"names = ..", b"names=/x\0"]
    )


def _class_file(folder: Path, data: bytes) -> None:
    (name, _), data = _chosen(data, seeds.CLASS_FILES)
    _picture(folder)
    (folder / "a.txt").write_bytes(seeds.YOLO[0])
    (folder / "obj.names").write_bytes(b"dog\ncat\n")
    (folder / name).write_bytes(data)
    _check(read_yolo(None, folder))


def _data_yaml(folder: Path, data: bytes) -> None:
    given, data = _chosen(data, (None, "data.yaml"))
    _picture(folder)
    (folder / "a.txt").write_bytes(seeds.YOLO[0])
    (folder / "data.yaml").write_bytes(data)
    _check(read_yolo(given, folder))


def _definition(_: Path, data: bytes) -> None:
    read_definition(parse_text(data[_CHOICE:].decode("utf-8", "replace"), "project.yaml"))


def _json_definition(_: Path, data: bytes) -> None:
    read_definition(parse_text(data[_CHOICE:].decode("utf-8", "replace"), "project.json"))


def _checks(_: Path, data: bytes) -> None:
    parse_checks(data[_CHOICE:], "checks.yaml")


@cache
def _definitions() -> list[Any]:
    import yaml

    return [yaml.safe_load(text) for text in seeds.DEFINITIONS]


def _coco(folder: Path, data: bytes) -> None:
    arguments, data = _chosen(
        data,
        [
            {"annotation_type": wanted, "keypoints": keypoints}
            for wanted in (None, "bbox", "polygon", "segmentation", "pose_estimation")
            for keypoints in (None, {"dog": ["nose", "tail"]})
        ],
    )
    (folder / "a.json").write_bytes(data)
    _check(read_coco(folder / "a.json", **arguments))


def _make_rle(random: Random) -> bytes:
    """Make run lengths: wrong ones, texts of run lengths that are damaged, and forged sizes."""
    if random.random() < 0.4:
        return _some(random) + wrong_json(random.choice(seeds.RLE), random)
    document = json.loads(json.dumps(random.choice(seeds.RLE)))
    segmentation = document["annotations"][0]["segmentation"]
    if random.random() < 0.5:
        segmentation["counts"] = damaged(
            seeds.RUN_LENGTHS.encode(), random, words=[b"o" * 30, b"P" * 9, b"0" * 500]
        ).decode("latin-1")
    else:
        numbers = (0, 1, 2, 9, 80, 100, 8000, 2**28, 2**31, 2**32, 2**62, 2**63, 2**64, -1)
        segmentation["counts"] = [random.choice(numbers) for _ in range(random.randrange(9))]
    if random.random() < 0.5:
        side = (0, 1, 8, 10, 2**14, 2**28, 2**31, 2**62, -1)
        segmentation["size"] = [random.choice(side), random.choice(side)]
    if isinstance(segmentation["counts"], list) and random.random() < 0.4:
        height, width = segmentation["size"]
        segmentation["counts"].append(height * width - sum(segmentation["counts"]))
    return _some(random) + json.dumps(document).encode()


def _labelme(folder: Path, data: bytes) -> None:
    wanted, data = _chosen(data, (None, "bbox", "polygon", "segmentation"))
    _picture(folder)
    (folder / "a.json").write_bytes(data)
    _check(read_labelme(folder, wanted))


def _make_labelme_mask(random: Random) -> bytes:
    import base64

    document = json.loads(json.dumps(seeds.LABELME[1]))
    for shape in document["shapes"]:
        mask = damaged(random.choice(seeds.MASKS), random, seeds.MASKS, [b"IHDR", b"IDAT", b"PLTE", b"tRNS"])
        text = base64.b64encode(mask).decode()
        shape["mask"] = damaged(text.encode(), random).decode("latin-1") if random.random() < 0.2 else text
        if random.random() < 0.3:
            shape["points"][0] = [random.choice((-1, 1e300, 10**400, -1e18, 0.5)), 3]
    return _some(random) + json.dumps(document).encode()


def _masks(folder: Path, data: bytes) -> None:
    classes, data = _chosen(data, (None, {1: "fox"}, {"#ff0000": "fox"}))
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    _picture(folder / "images")
    (folder / "masks" / "a.png").write_bytes(data)
    (folder / "classes.json").write_text(json.dumps(seeds.MASK_CLASSES))
    _check(read_masks(folder, classes))


_TABLES = ("classes.json", "instances.jsonl", "labelmap.txt")


def _make_table(random: Random) -> bytes:
    number = random.randrange(3)
    if number == 2:
        data = damaged(
            seeds.LABELMAP, random, words=[b"255,0,0", b"-1,0,0", b"256,999,1", b":", b"1" + b"0" * 30 + b",0,0"]
        )
    else:
        data = wrong_or_damaged([(seeds.MASK_CLASSES, seeds.MASK_INSTANCES)[number]], random)
    return bytes([number]) + data


def _table(folder: Path, data: bytes) -> None:
    name, data = _chosen(data, _TABLES)
    _picture(folder)
    (folder / "m.png").write_bytes(seeds.MASKS[1])
    (folder / name).write_bytes(data)
    _check(read_masks(folder))


def _mp4(folder: Path, data: bytes) -> None:
    (folder / "a.mp4").write_bytes(data[_CHOICE:])
    checked_file(folder / "a.mp4", VIDEO, Limits())


def _image(folder: Path, data: bytes) -> None:
    (folder / "a").write_bytes(data[_CHOICE:])
    with (folder / "a").open("rb") as file:
        width, height = image_size(file)
    assert width > 0
    assert height > 0


def _import_manifest(folder: Path, data: bytes) -> None:
    (folder / "m.jsonl").write_bytes(data[_CHOICE:])
    with Manifest(folder / "m.jsonl", project="p", kind="image") as manifest:
        assert all(isinstance(name, str) for name in manifest.earlier)
        for record in manifest.earlier.values():
            assert record.digest is None or isinstance(record.digest, str)


def _export_manifest(folder: Path, data: bytes) -> None:
    target, staged = folder / "target", folder / "staged"
    for place in (target / "images", staged):
        place.mkdir(parents=True)
    (target / "manifest.json").write_bytes(data[_CHOICE:])
    (target / "a.txt").write_bytes(b"old")
    (target / "mine.txt").write_bytes(b"mine")
    (staged / "a.txt").write_bytes(b"new")
    publish(staged, target, {"format": "yolo"})
    assert (target / "a.txt").read_bytes() == b"new"


def _export_pointer(folder: Path, data: bytes) -> None:
    (folder / "current.json").write_bytes(data[_CHOICE:])
    seen = read_pointer(folder)
    assert seen.current is not None
    for version in (seen.current, *seen.earlier):
        assert (folder / version.path).parent == folder / "versions"


def _import_plan(folder: Path, data: bytes) -> None:
    (folder / "plan.json").write_bytes(data[_CHOICE:])
    index = PlanFolder(folder).read_index()
    assert index is None or index == seeds.IMPORT_PLAN["value"]


def _chunk_account(folder: Path, data: bytes) -> None:
    plan, manifest = PlanFolder(folder / "plan"), folder / "manifest.jsonl"
    plan.write_index({"project": "p", "kind": "image", "chunks": [{"number": 0}]})
    plan.account(0).write_bytes(data[_CHOICE:])
    for _ in range(2):
        Account(plan, manifest).take_in("p", "image")
    with Manifest(manifest, project="p", kind="image") as record:
        assert all(isinstance(name, str) for name in record.earlier)


def _point_cloud(folder: Path, data: bytes) -> None:
    (folder / "a.pcd").write_bytes(data[_CHOICE:])
    cloud = read_cloud(folder / "a.pcd")
    label = {"type": "segmentation", "value": "road", "points": [0, 1]}
    assert from_above(cloud, [(label, label["points"])])


def _lock(_: Path, data: bytes) -> None:
    found = ClassMap.from_lock(data[_CHOICE:])
    again = ClassMap.from_lock(brought_up_to_date(found, ClassMap.of(["dog", "new"]), keep_renamed=True).to_lock())
    assert again.values[: len(found)] == found.values


def _make_tasks(random: Random) -> bytes:
    return _some(random) + wrong_json(random.choice(seeds.TASKS), random)


def _tasks(folder: Path, data: bytes) -> None:
    export, data = _chosen(
        data,
        [
            partial(export, on_error=on_error, **more)
            for on_error in ("raise", "skip")
            for export, more in (
                (export_coco, {}),
                (export_coco, {"classes": seeds.CLASSES}),
                (export_yolo, {"task": "segment"}),
                (export_yolo, {"task": "pose"}),
                (export_yolo, {"task": "detect", "classes": ["dog"]}),
                (export_pascalvoc, {}),
                (export_labelme, {}),
                (export_masks, {"kind": "semantic"}),
                (export_masks, {"kind": "instance"}),
            )
        ],
    )
    try:
        task = json.loads(data)
    except (ValueError, RecursionError):
        return  # the client has refused such an answer
    if isinstance(task, dict):
        export([task], folder)


@cache
def _lerobot_tables() -> tuple[bytes, bytes]:
    return seeds.lerobot_tables()


_LEROBOT = ("meta/info.json", "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet")


def _make_lerobot(random: Random) -> bytes:
    number = random.randrange(3)
    if number == 0:
        return bytes([0]) + wrong_or_damaged([seeds.LEROBOT_INFO], random)
    return bytes([number]) + damaged(_lerobot_tables()[number - 1], random, _lerobot_tables())


def _lerobot(folder: Path, data: bytes) -> None:
    from airflow_provider_fastlabel.client.resources.lerobot.dataset import LeRobotDataset
    from airflow_provider_fastlabel.client.resources.lerobot.importer import LeRobotConverter, build_episode_zip

    name, data = _chosen(data, _LEROBOT)
    files = (json.dumps(seeds.LEROBOT_INFO).encode(), *_lerobot_tables())
    for place, good in zip(_LEROBOT, files, strict=True):
        path = folder / "set" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if place == name else good)
    dataset = LeRobotDataset(folder / "set")
    rules = LeRobotConverter(dataset.meta)
    (folder / "work").mkdir()
    for episode in list(dataset.episodes.values())[:2]:
        build_episode_zip(dataset, rules, episode, dataset.frames(episode), folder / "work")


def _monitoring(folder: Path, data: bytes) -> None:
    name, data = _chosen(data, ("r.json", "r.jsonl"))
    (folder / name).write_bytes(data)
    for _, result in read_results(folder / name):
        assert problems_of(result) or not unsendable(result)


def _make_monitoring(random: Random) -> bytes:
    make = random.choice((_of_json([seeds.MONITORING]), _of_lines(seeds.MONITORING)))
    return make(random)


def _endpoint(folder: Path, data: bytes) -> None:
    name, data = _chosen(data, ("results.jsonl", ".parts/a.json"))
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    found = Results(folder)
    found.has("a.png", "e", "0")
    found.add("b.png", "e", "0", {"json": {}, "file": None}, ())
    found.publish()


@cache
def _client() -> Any:
    from airflow_provider_fastlabel.client import FastLabelClient

    # Each input asks once, and nothing enforces a quota here
    return FastLabelClient("token", api_url="http://fastlabel.test/v1/", max_retries=0, calls_per_10_minutes=10**9)


def _zip(folder: Path, data: bytes) -> None:
    import responses

    from airflow_provider_fastlabel.pipelines.imports.dicom import find_zips

    (folder / "a.zip").write_bytes(data[_CHOICE:])
    with responses.RequestsMock() as wire:
        wire.get("http://fastlabel.test/v1/projects", json=[{"id": "1", "slug": "p", "type": "dicom_bbox"}])
        find_zips(_client(), "p", folder, "**/*")


TARGETS = {
    target.name: target
    for target in (
        Target("voc", _of_bytes(seeds.VOC, seeds.VOC_WORDS), _voc),
        Target("yolo", _of_bytes(seeds.YOLO, seeds.YOLO_WORDS), _yolo),
        Target("yolo_classes", _make_class_file, _class_file),
        Target("data_yaml", _of_bytes(seeds.YAML, seeds.YAML_WORDS), _data_yaml),
        Target("project_yaml", _of_bytes(seeds.DEFINITIONS, seeds.YAML_WORDS), _definition),
        Target("project_json", lambda random: _of_json(_definitions())(random), _json_definition),
        Target("checks_yaml", _of_json([seeds.CHECKS]), _checks),
        Target("coco", _of_json(seeds.COCO), _coco),
        Target("rle", _make_rle, _coco),
        Target("labelme", _of_json(seeds.LABELME), _labelme),
        Target("labelme_masks", _make_labelme_mask, _labelme),
        Target("masks", _of_bytes(seeds.MASKS, [b"IHDR", b"IDAT", b"PLTE", b"tRNS"]), _masks),
        Target("mask_tables", _make_table, _table),
        Target("mp4", _of_bytes(seeds.MP4, seeds.MP4_WORDS), _mp4),
        Target(
            "image_headers",
            _of_bytes(seeds.PICTURES, [b"IHDR", b"eXIf", b"Exif\0\0", b"\xff\xe1", b"\xff\xc0"]),
            _image,
        ),
        Target("import_manifest", _of_lines(seeds.IMPORT_MANIFEST), _import_manifest),
        Target("export_manifest", _of_json([seeds.EXPORT_MANIFEST]), _export_manifest, (FileExistsError,)),
        Target("export_pointer", _of_json([seeds.EXPORT_POINTER]), _export_pointer),
        Target("import_plan", _of_json([seeds.IMPORT_PLAN]), _import_plan, (ImportRefused,)),
        Target("chunk_account", _of_lines(seeds.IMPORT_MANIFEST), _chunk_account),
        Target("point_cloud", _of_bytes(seeds.CLOUDS, seeds.CLOUD_WORDS), _point_cloud),
        Target("class_lock", _of_json([seeds.LOCK]), _lock),
        Target("exported_tasks", _make_tasks, _tasks),
        Target("lerobot", _make_lerobot, _lerobot, (FastLabelException,)),
        Target("monitoring", _make_monitoring, _monitoring),
        Target("endpoint_results", _of_lines(seeds.ENDPOINT_RESULTS), _endpoint),
        Target("dicom_zip", _of_bytes(seeds.ZIPS, seeds.ZIP_WORDS), _zip),
    )
}
"""Name -> parser."""
