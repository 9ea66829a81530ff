"""The page: figures, pictures and the program that shows them, in one file that loads nothing.

What strangers wrote is data in an element that browsers do not run, and becomes text there, never markup. A security
policy in the page allows this one program and this one style sheet, by their digests, and pictures within the page.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.comparisons.since import number_of
from airflow_provider_fastlabel.pipelines.reports.choice import Choice, choose
from airflow_provider_fastlabel.pipelines.reports.page_file import policy
from airflow_provider_fastlabel.pipelines.reports.pictures import LARGE, PALETTE, SMALL, Seen, contact_sheet, thumbnails
from airflow_provider_fastlabel.pipelines.reports.shown import Shown
from airflow_provider_fastlabel.pipelines.reports.spool import record_of
from airflow_provider_fastlabel.pipelines.reports.summary import changes
from airflow_provider_fastlabel.pipelines.reports.table import ASPECTS, CELLS, CLASSES, GRID, SIZES, SPLITS
from airflow_provider_fastlabel.pipelines.reports.words import TITLES
from airflow_provider_fastlabel.pipelines.reports.worst import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_fastlabel.pipelines.comparisons.since import Since
    from airflow_provider_fastlabel.pipelines.reports.measures import Measures
    from airflow_provider_fastlabel.pipelines.reports.pictures import Source, Wanted

MOST_BYTES = 9_500_000
"""Bytes of a page at most; thumbnails get what the rest leaves."""
RECORD_ROOM = 2_600_000
"""Bytes that may be taken by what is known of the pictures of a page."""
CROP_ROOM = 2_000_000
"""Bytes that the parts of photographs may take in which objects have changed."""
MOST_BARS = 1_000
"""Bars of a figure at most; what is beyond is one bar."""


def page_of(
    measures: Measures,
    summary: Mapping[str, Any],
    *,
    source: Source,
    seen: Seen,
    left_out: Mapping[str, Mapping[str, int]],
    since: Since | None = None,
) -> tuple[bytes, bytes]:
    """Return the page, and its first pictures as a JPEG.

    :param measures: what was counted.
    :param summary: the counts with those of the report before, see :mod:`.summary`.
    :param source: says where a picture is.
    :param seen: takes what became of the pictures.
    :param left_out: what the data set's manifest says about annotations: ``skipped`` and ``adjusted``.
    :param since: what has changed since the version before; ``None`` without a data set.
    """
    shown = Shown(measures)
    numbered = ((name, number_of(name, measures.noted)) for name in (() if since is None else since.names()))
    changed = {name: number for name, number in numbered if number is not None}
    choice = choose(measures, changed.values())
    pictures, records = _pictures(measures, shown, choice)
    held = [*choice.sheet, *choice.others][: len(pictures)]
    data: dict[str, Any] = {
        "project": foreign_text(summary["project"]),
        "tasks": measures.tasks,
        "total": len(measures.spool),
        "objects": measures.objects,
        "classes": _classes(measures, shown),
        "palette": PALETTE,
        "splits": [foreign_text(name, 200) for name in measures.split_names],
        "statuses": _bars(measures.statuses.counts, shown),
        "split_counts": _bars(measures.splits.counts, shown),
        "per_picture": sorted(measures.per_picture.counts.items()),
        "maps": {"sizes": [SIZES, ASPECTS], "grid": GRID, "classes": CLASSES},
        "sizes": _cells(measures.table.sizes.counts, CELLS),
        "places": _cells(measures.table.places.counts, GRID * GRID),
        "attributes": _attributes(measures),
        "people": _people(measures, shown),
        "reasons": _reasons(measures, shown, left_out),
        "changes": changes(summary),
        "since": None if since is None else _since(measures, since, changed, held),
        "kinds": [[TITLES[kind], measures.worst.counts[kind]] for kind in KINDS],
        "compared": seen.compared,
        "sheet": len(choice.sheet),
        "pictures": pictures,
        "texts": list(shown.texts),  # last: the others have put theirs in
    }
    if since is not None:
        _crop(measures, since, changed, data["since"].get("changes", []), source, seen)
    left = MOST_BYTES - len(_filled(data))
    for picture, thumbnail in zip(pictures, thumbnails(records, source, left, seen), strict=True):
        if thumbnail:
            picture["t"] = thumbnail
    return _filled(data), contact_sheet(pictures, {row[3]: row[1] for row in data["classes"]})


def _pictures(measures: Measures, shown: Shown, choice: Choice) -> tuple[list[dict[str, Any]], list[Wanted]]:
    """Return the pictures of the page, those of the contact sheet first, and what their thumbnails are made of."""
    made: list[dict[str, Any]] = []
    wanted: list[Wanted] = []
    room = RECORD_ROOM
    for at, number in enumerate([*choice.sheet, *choice.others]):
        record = measures.spool.get(number)
        picture = shown.picture(number, record)
        room -= len(_json(picture)) + 1
        if room < 0 and at >= len(choice.sheet):
            break
        made.append(picture)
        wanted.append((record, LARGE if at < len(choice.sheet) else SMALL, None))
    return made, wanted


def _since(measures: Measures, since: Since, changed: Mapping[str, int], held: Iterable[int]) -> dict[str, Any]:
    """Return what has changed, with places in the list of the pictures that the page holds."""
    places = {number: place for place, number in enumerate(held)}
    numbers = {name: places[number] for name, number in changed.items() if number in places}
    records = ((name, measures.spool.get(number)) for name, number in changed.items())
    sizes = {name: (record.width, record.height) for name, record in records if record.width and record.height}
    return since.shown(numbers, sizes)


def _crop(
    measures: Measures, since: Since, changed: Mapping[str, int], rows: list[dict[str, Any]], source: Source, seen: Seen
) -> None:
    """Give the most suspicious changed objects their part of the photograph."""
    wanted: list[Wanted] = []
    for each, row in zip(since.changes[: since.suspicious], rows, strict=False):
        number = changed.get(each.picture)
        record = record_of(each.picture) if number is None else measures.spool.get(number)
        wanted.append((record, LARGE, row["v"]))
    own = Seen()
    for row, part in zip(rows, thumbnails(wanted, source, CROP_ROOM, own), strict=False):
        if part:
            row["t"] = part
    seen.faults += own.faults


def _classes(measures: Measures, shown: Shown) -> list[list[Any]]:
    """Return value, colour, objects by split, and the number of each class; the most frequent first."""
    counts: dict[int, Counter[int]] = {}
    for key, count in measures.table.classes.counts.items():
        counts.setdefault(key // SPLITS, Counter())[key % SPLITS] += count
    width = max(len(measures.split_names), 1)
    order = sorted(counts, key=lambda number: (-counts[number].total(), shown.classes[number]))
    return [
        [shown.classes[n], _colour(measures.stage.classes[n].color), [counts[n][part] for part in range(width)], n]
        for n in order[:MOST_BARS]
    ]


def _colour(text: str | None) -> str:
    """Return a colour as ``#rrggbb``, empty if it is none."""
    plain = isinstance(text, str) and len(text) == 7 and text[0] == "#" and text[1:].isalnum() and text.isascii()
    try:
        return f"#{int(text[1:], 16):06x}" if plain and text else ""
    except ValueError:
        return ""


def _bars(counts: Mapping[str, int], shown: Shown) -> list[list[Any]]:
    """Return the number of a text and its count, the largest first."""
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return [[shown.text(name), count] for name, count in rows[:MOST_BARS]]


def _cells(counts: Mapping[int, int], cells: int) -> list[list[int]]:
    """Return, for each class that has any, its number and then cell and count in turn."""
    rows: dict[int, list[int]] = {}
    for key, count in sorted(counts.items()):
        rows.setdefault(key // cells, [key // cells]).extend((key % cells, count))
    return list(rows.values())


def _attributes(measures: Measures) -> list[list[Any]]:
    """Return, for each attribute, its title and its values with number and count."""
    rows: dict[str, list[list[Any]]] = {}
    counts = sorted(measures.attributes.counts.items(), key=lambda row: (-row[1], row[0]))
    for (key, value), count in counts:
        number = measures.values[key, value]
        rows.setdefault(key, []).append([foreign_text(value, 100), number, count])
    return [[foreign_text(measures.attribute_titles[key], 100), rows[key]] for key in sorted(rows)]


def _people(measures: Measures, shown: Shown) -> list[list[Any]]:
    """Return, for each annotator, the number of the name, tasks, objects, those that came back, and the pace."""
    paces = sorted(measures.people.paces.items(), key=lambda row: (-row[1].tasks, row[0]))
    return [[shown.text(name), one.tasks, one.objects, one.back, one.median()] for name, one in paces]


def _reasons(measures: Measures, shown: Shown, left_out: Mapping[str, Mapping[str, int]]) -> list[list[Any]]:
    """Return what is not as FastLabel has it: the reason, a count, what it is a count of, and the reason's number."""
    own = Counter(measures.stage.report.skipped) + Counter(measures.before.skipped)
    rows: list[tuple[str, int, str]] = [(reason, count, "read") for reason, count in own.items()]
    rows += [(reason, count, "skipped") for reason, count in left_out.get("skipped", {}).items()]
    rows += [(reason, count, "adjusted") for reason, count in left_out.get("adjusted", {}).items()]
    rows.sort(key=lambda row: (row[2], -row[1], row[0]))
    return [[foreign_text(reason, 200), count, what, shown.text(reason)] for reason, count, what in rows[:MOST_BARS]]


def _json(value: Any) -> str:
    """Return JSON of letters and digits that is harmless within an element of a page."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _filled(data: Mapping[str, Any]) -> bytes:
    """Put data, style and program into the page."""
    folder = files(__name__.rpartition(".")[0]) / "page"
    style, first, rest = (
        (folder / name).read_text(encoding="utf-8") for name in ("report.css", "changes.js", "report.js")
    )
    script = first + rest
    page = (folder / "report.html").read_text(encoding="utf-8")
    parts = {
        "policy": policy(_digest(style), _digest(script)),
        "title": html.escape(data["project"]),
        "style": style,
        "data": _json(data),
        "script": script,
    }
    pieces = page.split("@@")  # what was put in is not looked at again
    return "".join(piece if at % 2 == 0 else parts[piece] for at, piece in enumerate(pieces)).encode()


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
