"""Exports say what has become of a project's classes since the earlier one, and keep their numbers."""

from __future__ import annotations

import json

import pytest

from airflow_provider_fastlabel.operators import FastLabelExportCocoOperator, FastLabelExportYoloOperator
from tests.operators.stores import current


def rename(client, old, new):
    client.update_annotation(client.find_annotation_by_value("photos", old)["id"], value=new)


def numbers(folder):
    return {path.stem: path.read_text().split()[0] for path in folder.glob("annotations/*.txt")}


@pytest.mark.parametrize(
    ("keep", "ids", "words"),
    [(False, {"dog": 0, "cat": 1, "kitty": 2}, "gets a new one"), (True, {"dog": 0, "kitty": 1}, "keeps its number.")],
)
def test_a_renamed_class_is_told_and_keeps_its_number_if_wanted(
    export, client, label, tmp_path, caplog, keep, ids, words
):
    label("a.png")
    first = export(FastLabelExportYoloOperator, keep_renamed=keep).result
    assert first["class_changes"] == {}
    folder = tmp_path / "out" / "yolo"
    assert numbers(folder) == {"a": "1"}
    rename(client, "cat", "kitty")
    second = export(FastLabelExportYoloOperator, keep_renamed=keep).result
    assert second["class_changes"] == {"renamed": {"cat": "kitty"}}
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert (manifest["class_changes"], manifest["classes"]) == ({"renamed": {"cat": "kitty"}}, ids)
    assert numbers(folder) == {"a": str(ids["kitty"])}
    told = [r.getMessage() for r in caplog.records if r.levelname == "WARNING" and "Classes have changed" in r.message]
    assert len(told) == 1
    assert "{'renamed': {'cat': 'kitty'}}" in told[0]
    assert words in told[0]
    third = export(FastLabelExportYoloOperator, keep_renamed=keep).result
    assert (third["class_changes"], third["changed"], third["sha256"]) == ({}, False, second["sha256"])


def test_classes_that_go_come_and_change_their_type_are_told(export, client, label, tmp_path):
    label("a.png")
    export(FastLabelExportCocoOperator)
    client.delete_annotation(client.find_annotation_by_value("photos", "dog")["id"])
    client.create_annotation("photos", "bbox", "ant", "Ant")
    assert export(FastLabelExportCocoOperator).result["class_changes"] == {"gone": ["dog"], "new": ["ant"]}
    client.create_annotation("photos", "polygon", "dog", "Dog")
    back = export(FastLabelExportCocoOperator).result
    assert back["class_changes"] == {"new": ["dog"], "retyped": {"dog": ["bbox", "polygon"]}}
    assert back["classes"] == ["dog", "cat", "ant"]


def test_a_store_keeps_numbers_over_a_rename_too(export, client, label, s3):
    label("a.png")
    export(FastLabelExportYoloOperator, **s3.at)
    rename(client, "cat", "kitty")
    result = export(FastLabelExportYoloOperator, keep_renamed=True, **s3.at).result
    assert (result["class_changes"], result["classes"]) == ({"renamed": {"cat": "kitty"}}, ["dog", "kitty"])
    assert current(s3, "sets/x")["annotations/a.txt"].split()[0] == b"1"
