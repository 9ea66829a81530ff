"""Names that come from data, in the summary of an export."""

from __future__ import annotations

import json

from airflow_provider_fastlabel.formats.coco import export_coco
from airflow_provider_fastlabel.pipelines.exports.publish import manifest_of


def test_thousands_of_types_and_classes_are_ten_and_a_count_in_the_summary_and_all_in_the_manifest(tmp_path):
    odd = [{"type": f"{'t' * 400}{number:06}", "value": "x", "points": [1, 2]} for number in range(3000)]
    odd += [{"type": f"odd {number:06}", "value": "x", "points": [1, 2]} for number in range(20_000)]
    good = [{"type": "bbox", "value": f"class {number:06}", "points": [1, 2, 3, 4]} for number in range(20_000)]
    task = {"id": "1", "name": "a.jpg", "width": 9, "height": 9, "annotations": [*odd, *odd[-1:], *good]}
    report = export_coco([task], tmp_path)
    summary = report.to_dict()
    assert len(json.dumps(summary)) < 50_000
    assert summary["annotations_in"] == summary["annotations"] + sum(summary["skipped"].values())
    assert summary["skipped"]["unsupported_type:odd 019999"] == 2
    assert list(summary["skipped"])[-1] == "unsupported_type:and 22990 more"
    assert (len(summary["classes"]), summary["classes_more"]) == (1000, 19_000)
    manifest = manifest_of(report, format="coco")
    assert len(manifest["counts"]["skipped"]) == 23_000
    assert len(manifest["classes"]) == 20_000


def test_few_types_are_all_named(tmp_path):
    annotations = [{"type": kind, "value": "x", "points": [1, 2]} for kind in ("line", "line", "odd")]
    report = export_coco([{"id": "1", "name": "a.jpg", "width": 9, "height": 9, "annotations": annotations}], tmp_path)
    assert report.to_dict()["skipped"] == {"unsupported_type:line": 2, "unsupported_type:odd": 1}
    assert "classes_more" not in report.to_dict()
