"""The counts of a report as a small file, by which the next one knows what has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.writing.json_bytes import dumps
from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json
from airflow_provider_fastlabel.pipelines.reports.table import SPLITS
from airflow_provider_fastlabel.words import top_counts

if TYPE_CHECKING:
    from airflow_provider_fastlabel.pipelines.reports.measures import Measures

SUMMARY = "report.json"
MOST_BYTES = 1 << 24
MOST_CLASSES = 2_000
"""Classes that are named; the rest are counted together."""
_NUMBERS = ("tasks", "pictures", "objects")
_TABLES = ("statuses", "splits", "classes")


def summary_of(measures: Measures, project: str) -> dict[str, Any]:
    """Return the counts of a report.

    :param measures: what was counted.
    :param project: slug of the project.
    :returns: JSON types; the same for the same tasks.
    """
    return {
        "project": project,
        "tasks": measures.tasks,
        "pictures": len(measures.spool),
        "objects": measures.objects,
        "statuses": dict(sorted((foreign_text(name), count) for name, count in measures.statuses.counts.items())),
        "splits": dict(sorted((foreign_text(name), count) for name, count in measures.splits.counts.items())),
        "classes": top_counts(class_counts(measures), MOST_CLASSES),
        "suspicions": {kind: count for kind, count in sorted(measures.worst.counts.items()) if count},
        "left_out": dict(sorted((Counter(measures.before.skipped) + Counter(measures.stage.report.skipped)).items())),
    }


def class_counts(measures: Measures) -> dict[str, int]:
    """Return how many objects each class has.

    :param measures: what was counted.
    """
    counts: Counter[str] = Counter()
    for key, count in measures.table.classes.counts.items():
        counts[foreign_text(measures.stage.classes[key // SPLITS].value, 200)] += count
    return dict(counts)


def with_previous(now: Mapping[str, Any], stored: bytes | None) -> dict[str, Any]:
    """Return the summary with the one before it under ``previous``.

    Where nothing has changed since the stored one, its predecessor stays: making a report again gives the same bytes.

    :param now: the summary.
    :param stored: the file of the last report; ``None`` if there is none.
    :returns: the summary to store; ``previous`` is ``None`` where there is nothing to compare with.
    """
    last = _read(stored)
    if last is None:
        return {**now, "previous": None}
    before = last.pop("previous", None)
    if last == now:
        return {**now, "previous": before if isinstance(before, dict) and _fits(before) else None}
    return {**now, "previous": last}


def changes(summary: Mapping[str, Any]) -> list[list[Any]] | None:
    """Return what has changed since the report before.

    :param summary: what :func:`with_previous` returned.
    :returns: rows of table, name, count before and count now; only such as differ. ``None`` if there is no report
        before.
    """
    previous = summary["previous"]
    if previous is None:
        return None
    rows: list[list[Any]] = [["", name, previous[name], summary[name]] for name in _NUMBERS]
    for table in _TABLES:
        before, now = previous[table], summary[table]
        rows += [[table, name, before.get(name, 0), now.get(name, 0)] for name in sorted({*before, *now})]
    return [row for row in rows if row[2] != row[3]]


def stored(summary: Mapping[str, Any]) -> bytes:
    """Return the bytes of the file.

    :param summary: what :func:`with_previous` returned.
    """
    return dumps(summary)


def _read(stored: bytes | None) -> dict[str, Any] | None:
    """Read the last report's file; one that is none of ours is no report."""
    if stored is None:
        return None
    try:
        last = parse_json(stored)
    except UnusableJsonError:
        return None
    return last if isinstance(last, dict) and _fits(last) else None


def _fits(summary: dict[str, Any]) -> bool:
    """Tell whether a summary is one of ours."""
    numbers = [summary.get(name) for name in _NUMBERS]
    tables = [summary.get(name) for name in _TABLES]
    if not all(isinstance(table, Mapping) for table in tables):
        return False
    numbers += [count for table in tables for count in (table or {}).values()]
    return all(type(number) is int for number in numbers)
