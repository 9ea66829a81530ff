"""What is suspicious is counted by kind, and the worst of each kind are kept."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

KINDS = ("twice", "swapped", "outside", "odd", "two_classes", "alike", "tiny", "huge", "empty", "rare")
"""What an object or a picture may be suspected of; of equal rank, the first is shown first."""
MOST = 400
"""Findings of a kind that are kept."""


class Finding(NamedTuple):
    """One suspicion.

    :param score: the larger, the more suspicious; to be compared within a kind.
    :param tie: decides between equal scores, the larger wins.
    :param picture: number of the picture.
    :param first: number of the object within it, from 0; -1 for the picture itself.
    :param second: another object, or another picture's number; -1 for none.
    :param value: what the words about it need: a share, pixels, a class.
    """

    score: float
    tie: int
    picture: int
    first: int = -1
    second: int = -1
    value: float = 0


class Worst:
    """The worst findings of each kind, and how many there are in all."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._heaps: dict[str, list[Finding]] = {kind: [] for kind in KINDS}

    def add(self, kind: str, finding: Finding) -> None:
        """Count a finding, and keep it if it is one of the worst.

        :param kind: one of :data:`KINDS`.
        :param finding: the finding.
        """
        self.counts[kind] += 1
        self._keep(kind, finding)

    def add_all(
        self, kind: str, scores: NDArray[np.float64], rows: NDArray[np.float64], seconds: Sequence[int] | None = None,
        values: NDArray[np.float64] | None = None,
    ) -> None:  # fmt: skip
        """Count many findings about objects at once.

        :param kind: one of :data:`KINDS`.
        :param scores: their scores.
        :param rows: their rows of the table, see :mod:`.table`.
        :param seconds: the other object of each; none without it.
        :param values: what the words need; the scores without it.
        """
        self.counts[kind] += len(scores)
        shown = scores if values is None else values
        best = np.arange(len(scores))
        if len(best) > MOST:  # ties at the border are settled by rank, so all of them must come
            least = np.partition(scores, -MOST)[-MOST]
            best = np.flatnonzero(scores >= least)
            if len(best) > 4 * MOST:
                best = best[np.lexsort((rows[best, 9], -scores[best]))[:MOST]]
        for at in best.tolist():
            row = rows[at]
            second = -1 if seconds is None else int(seconds[at])
            finding = Finding(float(scores[at]), -int(row[9]), int(row[1]), int(row[2]), second, float(shown[at]))
            self._keep(kind, finding)

    def of(self, kind: str) -> list[Finding]:
        """Return the worst of a kind, the worst first.

        :param kind: one of :data:`KINDS`.
        """
        return sorted(self._heaps[kind], reverse=True)

    def in_turn(self) -> Iterator[tuple[str, Finding]]:
        """Yield the worst of each kind, then the second of each, and so on: no kind hides the others.

        :returns: kind and finding.
        """
        lists = {kind: self.of(kind) for kind in KINDS}
        for place in range(MOST):
            for kind, findings in lists.items():
                if place < len(findings):
                    yield kind, findings[place]

    def _keep(self, kind: str, finding: Finding) -> None:
        heap = self._heaps[kind]
        if len(heap) < MOST:
            heapq.heappush(heap, finding)
        elif finding > heap[0]:
            heapq.heapreplace(heap, finding)
