"""Objects that do not look like their class: of an unusual size, shape or place, or as another class looks.

Of each class the middle and the spread of four features are known (logarithm of the side and of width over height, and
the middle's place in the picture), as median and median distance, which a few errors do not move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airflow_provider_fastlabel.pipelines.reports.worst import Worst

    Numbers = NDArray[np.float64]

WAITING = 1_000_000
"""Objects after which the classes count as known; those that come later are compared with what was seen until then."""
LEAST = 30
"""Objects that a class must have to be known."""
MOST_CLASSES = 400
"""Classes that are compared with one another; those with most objects."""
_TO_SIGMA = 1.4826
# Spreads are not believed to be smaller: a factor of 1.1 in size, and a thirtieth of the picture.
_LEAST_SPREAD = np.array([0.1, 0.1, 0.03, 0.03])
_UNUSUAL = 5.0
_FAR = 8.0
# How many times likelier (as a logarithm) another class must be, and how well the object must fit it.
_LIKELIER, _FITS = 6.0, 9.0
_AT_ONCE = 20_000


class Misfits:
    """Waits for enough objects, and then looks for those that do not fit.

    :param worst: takes the suspicions ``odd`` and ``swapped``, whose value is the class that fits better.
    """

    def __init__(self, worst: Worst) -> None:
        self._worst = worst
        self._waiting: list[tuple[NDArray[np.float32], Numbers]] = []
        self._count = 0
        self._known: _Classes | None = None

    def add(self, rows: Numbers) -> None:
        """Take objects.

        :param rows: rows of the table, with a picture's size.
        """
        if self._known is not None:
            self._judge(rows)
            return
        # A third of a pixel is not seen; numbers of pictures must stay whole.
        self._waiting.append((rows.astype(np.float32), rows[:, 1].copy()))
        self._count += len(rows)
        if self._count >= WAITING:
            self.finish()

    def finish(self) -> None:
        """Look at what has waited."""
        if self._known is not None or not self._count:
            return
        waiting, self._waiting = self._waiting, []
        features = np.concatenate([features_of(rows) for rows, _ in waiting])
        self._known = _Classes(np.concatenate([rows[:, 0] for rows, _ in waiting]).astype(np.int64), features)
        for rows, pictures in waiting:
            whole = rows.astype(np.float64)
            whole[:, 1] = pictures
            self._judge(whole)

    def _judge(self, rows: Numbers) -> None:
        known = self._known
        if known is None or not known.numbers.size:
            return
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            own = known.index[np.minimum(some[:, 0].astype(np.int64), len(known.index) - 1)]
            some, own = some[own >= 0], own[own >= 0]
            if len(some):
                self._judge_known(some, own, known)

    def _judge_known(self, rows: Numbers, own: NDArray[np.int64], known: _Classes) -> None:
        """Judge objects of known classes."""
        features = features_of(rows)
        distance = (features - known.middle[own]) / known.spread[own]
        farthest = np.abs(distance[:, :2]).max(axis=1)
        squares = np.minimum(np.abs(distance), _FAR) ** 2
        odd = farthest > _UNUSUAL
        self._worst.add_all("odd", (farthest + squares.sum(axis=1) / 100)[odd], rows[odd], values=farthest[odd])
        fit, other, other_squares = known.best_other(features, own)
        gain = fit + 0.5 * squares.sum(axis=1) + known.logs[own]
        swapped = (gain > _LIKELIER) & (other_squares < _FITS)
        self._worst.add_all("swapped", gain[swapped], rows[swapped], values=known.numbers[other[swapped]].astype(float))


class _Classes:
    """Middle and spread of the features of each class that has enough objects."""

    def __init__(self, classes: NDArray[np.int64], features: Numbers) -> None:
        counts = np.bincount(classes)
        often = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
        self.numbers = np.sort(often[counts[often] >= LEAST])
        self.index = np.full(len(counts) + 1, -1, np.int64)
        self.index[self.numbers] = np.arange(len(self.numbers))
        self.middle = np.zeros((len(self.numbers), 4))
        self.spread = np.ones((len(self.numbers), 4))
        order = np.argsort(classes, kind="stable")
        ends = np.cumsum(counts)
        for at, number in enumerate(self.numbers):
            of_class = features[order[ends[number] - counts[number] : ends[number]]]
            self.middle[at] = np.median(of_class, axis=0)
            away = np.median(np.abs(of_class - self.middle[at]), axis=0)
            self.spread[at] = np.maximum(away * _TO_SIGMA, _LEAST_SPREAD)
        self.logs = np.log(self.spread).sum(axis=1)

    def best_other(self, features: Numbers, own: NDArray[np.int64]) -> tuple[Numbers, NDArray[np.int64], Numbers]:
        """Return how likely each object is in the class that fits best beside its own, which, and the distance."""
        best = np.full(len(features), -np.inf)
        which = np.zeros(len(features), np.int64)
        squares = np.full(len(features), np.inf)
        for at in range(len(self.numbers)):
            away = (((features - self.middle[at]) / self.spread[at]) ** 2).sum(axis=1)
            fit = -0.5 * away - self.logs[at]
            better = (fit > best) & (own != at)
            best[better], which[better], squares[better] = fit[better], at, away[better]
        return best, which, squares


def features_of(rows: NDArray[Any]) -> Numbers:
    """Return the four features of objects.

    :param rows: rows of the table, with a picture's size.
    """
    width, height = np.maximum(rows[:, 5] - rows[:, 3], 0.5), np.maximum(rows[:, 6] - rows[:, 4], 0.5)
    across, down = (rows[:, 3] + rows[:, 5]) / 2 / rows[:, 7], (rows[:, 4] + rows[:, 6]) / 2 / rows[:, 8]
    side = np.log(np.sqrt(width * height / (rows[:, 7] * rows[:, 8])))
    return np.column_stack([side, np.log(width / height), across, down])
