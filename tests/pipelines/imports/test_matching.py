"""Annotations find their pictures, at a cost that grows with their number and no faster."""

from __future__ import annotations

from tests.limits import run_limited

HALF_IS_MISSING = """
from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
from airflow_provider_fastlabel.pipelines.files.source import Source
from airflow_provider_fastlabel.pipelines.files.sources import Found
from airflow_provider_fastlabel.pipelines.imports.matching import match

COUNT = 40_000
found = Found(extensions=frozenset({".jpg", ".jpeg", ".png"}))
found.sources = [Source(f"day/{number}.png", f"/data/day/{number}.png", 9) for number in range(COUNT)]
imported = ImportedAnnotations()
for number in range(COUNT // 2, COUNT + COUNT // 2):
    imported.describe(f"day/{number}.png", "annotations.json", [{"type": "bbox", "value": "cat"}])
    imported.objects[f"day/{number}.png"] += 1
result = match(imported, found, "coco", one_file=True)
print(result.objects.total(), len(result.problems))
"""


def test_pictures_that_are_missing_cost_what_they_are():
    assert run_limited(HALF_IS_MISSING) == "20000 20000"
