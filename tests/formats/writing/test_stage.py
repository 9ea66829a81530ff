from __future__ import annotations

import json
import logging
import math
import resource
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.formats.geometry.rings import Rings
from airflow_provider_fastlabel.formats.geometry.shapes import GeometryError
from airflow_provider_fastlabel.formats.labelme import export_labelme
from airflow_provider_fastlabel.formats.masks import export_masks
from airflow_provider_fastlabel.formats.pascalvoc import export_pascalvoc
from airflow_provider_fastlabel.formats.yolo import export_yolo

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_fastlabel.formats.writing.report import ExportReport

WRITERS: dict[str, Callable[..., ExportReport]] = {
    "coco": export_coco,
    "pascalvoc": export_pascalvoc,
    **{
        f"yolo-{kind}": lambda tasks, folder, kind=kind, **more: export_yolo(tasks, folder, task=kind, **more)
        for kind in ("detect", "segment", "pose", "obb")
    },
}
writers = pytest.mark.parametrize("export", WRITERS.values(), ids=WRITERS)

scalar = st.one_of(st.none(), st.integers(-50, 300), st.floats(), st.text(max_size=3), st.booleans())
points = st.recursive(scalar, lambda inner: st.lists(inner, max_size=6), max_leaves=20)
annotation = st.one_of(
    scalar,
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["bbox", "polygon", "segmentation", "pose_estimation", "line", "ner", None, 5]),
            "value": st.one_of(st.sampled_from(["dog", "cat"]), scalar),
            "points": points,
            "rotation": scalar,
            "keypoints": st.one_of(
                scalar, st.lists(st.one_of(scalar, st.fixed_dictionaries({"key": scalar, "value": points})))
            ),
            "attributes": st.one_of(scalar, st.lists(st.one_of(scalar, st.dictionaries(st.text(max_size=3), scalar)))),
            "color": scalar,
            "title": scalar,
        },
    ),
)
task = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=8)},
    optional={"width": scalar, "height": scalar, "annotations": st.one_of(st.none(), st.lists(annotation, max_size=4))},
)


@writers
@settings(deadline=None, max_examples=60)
@given(tasks=st.lists(task, max_size=4))
def test_every_annotation_is_written_or_counted(export, tasks, tmp_path_factory):
    report = export(tasks, tmp_path_factory.mktemp("out"), on_error="skip")
    assert report.annotations_in == sum(len(one.get("annotations") or ()) for one in tasks)
    assert report.annotations_in == report.annotations + sum(report.skipped.values())
    assert report.images == len(tasks)


@settings(deadline=None, max_examples=60)
@given(tasks=st.lists(task, max_size=3), kind=st.sampled_from(["labelme", "semantic", "instance"]))
def test_labelme_and_masks_write_or_count_every_annotation(tasks, kind, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    if kind == "labelme":
        report = export_labelme(tasks, folder, on_error="skip")
    else:
        report = export_masks(tasks, folder, kind=kind, on_error="skip")
    assert report.annotations_in == sum(len(one.get("annotations") or ()) for one in tasks)
    assert report.annotations_in == report.annotations + sum(report.skipped.values())


@writers
def test_numbers_beyond_any_float_stop_nobody(export, tmp_path):
    huge = 10**400
    turned = {"type": "bbox", "value": "dog", "points": [1, 1, huge, 9], "rotation": 5}
    plain = {"type": "bbox", "value": "dog", "points": [1, 1, 9, 9]}
    tasks = [
        {"name": "a.jpg", "width": huge, "height": 9, "annotations": [plain]},
        {"name": "b.jpg", "width": 9, "height": 9, "annotations": [turned, plain]},
    ]
    report = export(tasks, tmp_path, on_error="skip")
    assert report.annotations + sum(report.skipped.values()) == 3


@writers
@pytest.mark.parametrize(
    "broken",
    [
        {"type": "bbox", "value": "dog", "id": "a-7", "points": [1, 2, float("nan"), 4]},
        {
            "type": "pose_estimation",
            "value": "dog",
            "id": "a-7",
            "keypoints": [{"key": "k", "value": [float("nan"), 1, 1]}],
        },
    ],
)
def test_malformed_points_name_task_and_annotation(export, broken, tmp_path, caplog):
    tasks = [{"name": "sub/one.jpg", "width": 9, "height": 9, "annotations": [{"type": "line"}, broken]}]
    with caplog.at_level(logging.WARNING):
        skipped = export(tasks, tmp_path, on_error="skip").skipped
    if "malformed" not in skipped:
        assert skipped == {"unsupported_type:line": 1, f"unsupported_type:{broken['type']}": 1}
        return
    assert skipped["malformed"] == 1
    assert "a-7" in caplog.text
    with pytest.raises(GeometryError, match=r"'sub/one.jpg', annotation 2 \(id 'a-7'"):
        export(tasks, tmp_path)


@writers
def test_task_without_a_name_is_an_error(export, tmp_path):
    with pytest.raises(GeometryError, match="'t-1' has no name"):
        export([{"id": "t-1", "annotations": []}], tmp_path)


@writers
def test_policy_must_be_known(export, tmp_path):
    with pytest.raises(ValueError, match="on_error"):
        export([], tmp_path, on_error="ignore")


@writers
def test_no_tasks_make_a_valid_empty_set(export, tmp_path):
    report = export([], tmp_path)
    assert (report.images, report.annotations_in, report.annotations) == (0, 0, 0)


@writers
def test_c15_what_a_format_cannot_hold_is_counted_by_reason(export, tmp_path):
    annotations = [
        {"type": "line", "value": "dog", "points": [1, 2, 3, 4]},
        {"type": "circle", "value": "dog", "points": [1, 2, 3]},
        {"type": "bbox", "value": "bird", "points": [1, 1, 5, 5]},
        {"type": "bbox", "value": "dog", "points": None},
    ]
    task = {"name": "a.jpg", "width": 9, "height": 9, "annotations": annotations}
    report = export([task], tmp_path, classes=["dog"])
    assert report.annotations == 0
    assert report.skipped["unsupported_type:line"] == report.skipped["unsupported_type:circle"] == 1
    assert sum(report.skipped.values()) == 4
    if "unsupported_type:bbox" not in report.skipped:
        assert report.skipped["unknown_class"] == report.skipped["no_points"] == 1


def test_report_as_dictionary_has_counts_and_no_file_list(tmp_path):
    report = export_pascalvoc([{"name": f"{n}.jpg"} for n in range(3)], tmp_path)
    assert report.to_dict() == {
        "images": 3,
        "annotations_in": 0,
        "annotations": 0,
        "skipped": {},
        "adjusted": {"tasks_empty": 3, "tasks_without_size": 3},
        "files": 3,
        "classes": [],
    }


@pytest.mark.parametrize("attributes", [5, "text", [5, {"value": 1}, {"key": 7}, {"key": "ok", "value": 2}]])
def test_odd_attributes_stop_nobody(attributes, tmp_path):
    box = {"type": "bbox", "value": "dog", "points": [1, 1, 9, 9], "attributes": attributes}
    task = {"name": "a.jpg", "width": 9, "height": 9, "annotations": [box]}
    for export in (export_coco, export_labelme, export_pascalvoc):
        assert export([task], tmp_path).annotations == 1
    (row,) = json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    assert row["attributes"] == ({"7": None, "ok": 2} if isinstance(attributes, list) else {})


@given(
    corners=st.lists(st.floats(-50, 150), min_size=6, max_size=40).filter(lambda one: len(one) % 2 == 0),
    others=st.integers(0, 3),
)
def test_a_ring_measured_with_others_is_the_ring_measured_alone(corners, others):
    task = {
        "annotations": [{"type": "polygon", "points": corners}] + [{"type": "polygon", "points": [1, 2, 3]}] * others
    }
    rings = Rings()
    rings.add(
        [{"type": "segmentation", "points": [[[0, 0, 9, 0, 9, 9]]]}, *task["annotations"], None, {"type": "polygon"}]
    )
    together = rings.measures()[id(corners)]
    xs, ys = corners[::2], corners[1::2]
    doubled = sum(xs[n - 1] * ys[n] - ys[n - 1] * xs[n] for n in range(len(xs)))
    assert together[:4] == [min(xs), min(ys), max(xs), max(ys)]
    assert together[4] == pytest.approx(doubled, abs=1e-6)


@pytest.mark.parametrize("ring", [[0, 0, 1e308, 0, 1e308, 1e308], [0, 0, math.nan, 1, 2, 2], ["a"] * 6, [10**400] * 6])
def test_rings_that_are_no_finite_numbers_are_not_measured(ring):
    rings = Rings()
    rings.add([{"type": "polygon", "points": ring}, {"type": "polygon", "points": [0, 0, 4, 0, 4, 4]}])
    assert len(rings.measures()) == 1


class Tracked(dict):
    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


@writers
@pytest.mark.parametrize(("annotations", "most"), [(0, 510), (7, 70), (2000, 3)])
def test_the_larger_the_tasks_the_fewer_are_read_ahead(export, annotations, most, tmp_path):
    alive: weakref.WeakSet[Tracked] = weakref.WeakSet()
    counts = []

    def tasks():
        for number in range(1200 if annotations < 2000 else 8):
            boxes = [{"type": "bbox", "value": "dog", "points": [1, 1, 9, 9]}] * annotations
            task = Tracked(name=f"{number}.jpg", width=9, height=9, annotations=boxes)
            alive.add(task)
            counts.append(len(alive))
            yield task

    export(tasks(), tmp_path, classes=[{"value": "dog", "type": "bbox", "keypoints": [{"key": "nose"}]}])
    assert max(counts) <= most


@contextmanager
def at_most(size):
    """Let no file grow beyond a number of bytes, as on a full disk; pytest's own output cannot then, either."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_is_told_with_the_file(tmp_path):
    boxes = [{"type": "bbox", "value": "dog", "points": [1, 1, 9, 9]}] * 20
    with at_most(2000), pytest.raises(OSError, match=r"File too large: '.*/annotations/a.xml'"):
        export_pascalvoc([{"name": "a.jpg", "width": 10, "height": 10, "annotations": boxes}], tmp_path)


def test_a_file_that_could_not_be_joined_leaves_nothing(tmp_path):
    boxes = [{"type": "bbox", "value": "dog", "points": [1, 1, 9, 9]}] * 20
    tasks = [{"name": "a.jpg", "width": 10, "height": 10, "annotations": boxes}]
    export_coco(tasks, tmp_path)
    size = (tmp_path / "annotations.json").stat().st_size
    with at_most(size - 50), pytest.raises(OSError, match=r"File too large"):
        export_coco(tasks, tmp_path, file_name="other.json")
    assert [path.name for path in tmp_path.iterdir()] == ["annotations.json"]


@pytest.mark.parametrize("export", [WRITERS[name] for name in ("coco", "pascalvoc", "yolo-detect")])
@pytest.mark.parametrize("as_list", [True, False])
def test_a_class_value_that_no_file_can_hold_is_malformed(tmp_path, export, as_list):
    shape = {"type": "bbox", "points": [1, 2, 3, 4]}
    tasks = [{"name": "a.png", "width": 9, "height": 9, "annotations": [{**shape, "value": "half \ud800"}]}]
    report = export(tasks if as_list else iter(tasks), tmp_path, on_error="skip")
    assert report.classes == []
    assert report.annotations == 0
    with pytest.raises(GeometryError, match="task 'a.png', annotation 1 .*half of a surrogate pair"):
        export(tasks if as_list else iter(tasks), tmp_path)


@writers
@pytest.mark.parametrize("annotations", [1.5, "text", {"a": 1}, True])
def test_annotations_that_are_no_list_are_named_with_their_task(tmp_path, export, annotations):
    tasks = [{"name": "a.png", "width": 9, "height": 9, "annotations": annotations}]
    for some in (tasks, iter(tasks)):
        with pytest.raises(GeometryError, match="task 'a.png': its annotations are no list"):
            export(some, tmp_path, on_error="skip")
