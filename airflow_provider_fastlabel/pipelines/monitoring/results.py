"""Reads and checks the results of a model that FastLabel is to monitor."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.json_text import UnusableJsonError, parse_json, unsendable
from airflow_provider_fastlabel.pipelines.files.local_path import open_place

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUSES = ("success", "failed")


def read_results(path: Any) -> Iterator[tuple[str, Any]]:
    """Yield each result of a file with a word on where it stands.

    :param path: a ``pathlib.Path`` or an object with its interface: a JSON list, or one result per line when the name
        ends in ``.jsonl`` or ``.ndjson``.
    :raises ValueError: it is not JSON, or no list.
    :raises OSError: it cannot be read, or is no regular file.
    """
    with open_place(path) as file:
        yield from _read_lines(file) if path.suffix in {".jsonl", ".ndjson"} else _read_list(file)


def problems_of(result: Any) -> list[str]:
    """Return what is wrong with one monitoring result, empty when nothing is.

    :param result: ``{"status", "result", "requestAt"}``, as FastLabel takes it.
    """
    if not isinstance(result, dict):
        return ["must be an object"]
    problems = []
    if result.get("status") not in STATUSES:
        problems.append(f"status must be one of {', '.join(STATUSES)}, not {result.get('status')!r}")
    if not _is_time_with_offset(result.get("requestAt")):
        problems.append(f"requestAt must be an ISO 8601 time with offset, not {result.get('requestAt')!r}")
    found = result.get("result")
    if not isinstance(found, list):
        return [*problems, "result must be a list"]
    for number, item in enumerate(found, start=1):
        value, score = (item.get("value"), item.get("confidenceScore")) if isinstance(item, dict) else (None, None)
        if not isinstance(value, str) or not value:
            problems.append(f"result[{number}].value must be a class value")
        # The comparison is false for NaN, too.
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            problems.append(f"result[{number}].confidenceScore must be a number from 0 to 1, not {score!r}")
    held = unsendable(result)
    return [*problems, f"it holds {held}"] if held else problems


def _is_time_with_offset(value: Any) -> bool:
    """Tell whether a value is the text of a date and time with an offset from UTC."""
    if not isinstance(value, str) or len(value) <= len("2026-01-01"):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _read_lines(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield the results of a JSON Lines file; empty lines are passed over."""
    # Airflow 3.1 hands out files that cannot be iterated over.
    for number, line in enumerate(iter(file.readline, b""), start=1):
        if not line.strip():
            continue
        try:
            yield f"line {number}", parse_json(line)
        except UnusableJsonError as error:
            raise ValueError(f"line {number} of the results file is {error.problem}. Nothing was sent.") from None


def _read_list(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield the results of a JSON file."""
    try:
        results = parse_json(file.read())
    except UnusableJsonError as error:
        raise ValueError(f"the results file is {error}. Nothing was sent.") from None
    if not isinstance(results, list):
        raise ValueError("the results file must hold a JSON list. Nothing was sent.")
    yield from ((f"result {number}", result) for number, result in enumerate(results, start=1))
