"""Which pictures the page holds: the most suspicious, and for every bar, point and cell some that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.pipelines.reports.samples import KEPT
from airflow_provider_fastlabel.pipelines.reports.table import CELLS, GRID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_fastlabel.pipelines.reports.measures import Measures
    from airflow_provider_fastlabel.pipelines.reports.samples import Samples

SHEET = 100
"""Pictures on the contact sheet."""
CHANGED = 300
"""Pictures that are there for what has changed in them, at most."""
MOST = 8_000
"""Pictures of a page at most, before its bytes are counted."""
FEW = 600
"""Pictures that a page holds in any case, if there are so many."""


@dataclass(frozen=True)
class Choice:
    """Pictures of a page.

    :param sheet: numbers of the most suspicious, in their order.
    :param others: numbers of the others, those that more depends on first.
    """

    sheet: list[int]
    others: list[int]


def choose(measures: Measures, changed: Iterable[int] = ()) -> Choice:
    """Choose the pictures of a page.

    :param measures: what was counted.
    :param changed: numbers of pictures that have changed since the version before, those that more depends on first.
    """
    sheet: dict[int, None] = {}
    for _, finding in measures.worst.in_turn():
        sheet.setdefault(finding.picture)
        if len(sheet) == SHEET:
            break
    others: dict[int, None] = {}
    for number in chain(islice(changed, CHANGED), _standing_for_bars(measures)):
        if number not in sheet:
            others.setdefault(number)
        if len(others) == MOST:
            break
    for number in measures.lowest_ranks(FEW):
        if len(sheet) + len(others) >= FEW:
            break
        if number not in sheet:
            others.setdefault(number)
    return Choice(list(sheet), list(others))


def _standing_for_bars(measures: Measures) -> Iterator[int]:
    """Yield pictures: for each bar the first, also of each suspicion; then those of the single cells; then more."""
    table = measures.table
    bars = [
        measures.statuses, measures.splits, table.classes, measures.per_picture, measures.people_tasks,
        measures.people_back, measures.reasons, measures.attributes,
    ]  # fmt: skip
    for _, finding in measures.worst.in_turn():
        if finding.second >= 0 and finding.first < 0:
            yield finding.second
    yield from (number for place in range(2) for figure in bars for number in _at(figure, place))
    yield from _of_cells(table.places, lambda key: key % (GRID * GRID))
    yield from _of_cells(table.sizes, lambda key: key % CELLS)
    yield from (finding.picture for _, finding in measures.worst.in_turn())
    yield from (number for figure in (table.places, table.sizes) for number in _at(figure, 0))
    yield from (number for place in range(2, KEPT) for figure in bars for number in _at(figure, place))


def _at(figure: Samples, place: int) -> Iterator[int]:
    for _, kept in sorted(figure.kept(), key=lambda pair: repr(pair[0])):
        if place < len(kept):
            yield kept[place][1]


def _of_cells(figure: Samples, cell_of: Callable[[int], int]) -> Iterator[int]:
    """Yield the pictures of the lowest ranks for each cell of a map, of whatever class."""
    cells: dict[int, list[tuple[int, int]]] = {}
    for key, kept in figure.kept():
        cells.setdefault(cell_of(key), []).extend(kept)
    for place in range(KEPT):
        for _, kept in sorted(cells.items()):
            several = sorted(set(kept))
            if place < len(several):
                yield several[place][1]
