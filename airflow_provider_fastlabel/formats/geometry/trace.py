"""A mask is traced: its pixels become closed rings, holes included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.formats.geometry.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Points = list[list[list[float]]]

# A corner of the border lies where four pixels meet: upper left = 1, upper right = 2, lower left = 4, lower right = 8.
# With the foreground on the right hand each pattern says where the border comes from and where it goes to. The two
# patterns of touching diagonals (6 and 9) hold two corners; they are joined so that diagonal neighbours are connected.
_EAST, _SOUTH, _WEST, _NORTH = range(4)
_TURNS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((_SOUTH, _WEST),),
    2: ((_WEST, _NORTH),),
    4: ((_EAST, _SOUTH),),
    8: ((_NORTH, _EAST),),
    7: ((_WEST, _SOUTH),),
    11: ((_NORTH, _WEST),),
    13: ((_SOUTH, _EAST),),
    14: ((_EAST, _NORTH),),
    6: ((_WEST, _SOUTH), (_EAST, _NORTH)),
    9: ((_SOUTH, _EAST), (_NORTH, _WEST)),
}
_COUNTS: NDArray[np.int64] = np.array([len(_TURNS.get(pattern, ())) for pattern in range(16)])
# A mask that has no more pixels between its first and last column is looked at pixel by pixel, which then is faster.
_FEW_PIXELS = 1 << 20
_FEWEST, _PIXELS_A_RUN = 1 << 14, 256
# More labels are told apart by sorting the runs once.
_FEW_LABELS = 64
MOST_CORNERS = 1_000_000
"""Corners of the borders of a mask that is traced, and its runs: no more than these cost is what a mask may cost."""
MOST_CORNERS_OF_ALL = 4_000_000
"""Corners of the borders of all areas of a label image that are traced."""
_FEWEST_CORNERS = 1 << 16
_MOST_LABEL_RUNS = 1 << 24


class NoisyMaskError(ValueError):
    """A mask whose borders have so many corners that it is noise; a file of a few kilobytes may unpack to that."""

    def __init__(self, corners: int, most: int = MOST_CORNERS) -> None:
        super().__init__(f"its borders have {corners:,} corners or more, and {most:,} are the most: noise, not areas")


class ManyCornersError(NoisyMaskError):
    """An area whose corners are too many only together with those of the areas before it."""

    def __init__(self) -> None:
        ValueError.__init__(
            self, f"all areas together have more than {MOST_CORNERS_OF_ALL:,} corners, which is the most"
        )


def mask_points(mask: Mask, left: int = 0, top: int = 0, *, most: int = MOST_CORNERS) -> Points:
    """Trace the pixel borders of a mask.

    :param mask: two-dimensional boolean array.
    :param left: x of the mask's first column in the image.
    :param top: y of the mask's first row in the image.
    :param most: corners that its borders may have.
    :returns: regions as in :func:`mask_to_fastlabel_segmentation_points`, in reading order.
    :raises NoisyMaskError: its borders have more corners.
    """
    import cv2

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return []
    y0, x0 = int(rows[0]), int(columns[0])
    mask = mask[y0 : rows[-1] + 1, x0 : columns[-1] + 1]
    if mask.size > _FEW_PIXELS:
        return _by_runs(_bounds(mask, most), len(mask), x0 + left, y0 + top, most)
    padded = np.pad(mask.astype(np.uint8), 1)
    code = padded[:-1, :-1] + 2 * padded[:-1, 1:] + 4 * padded[1:, :-1] + 8 * padded[1:, 1:]
    ys, xs = _COUNTS[code].nonzero()
    _check(int(_COUNTS[code].sum()), most)
    labels = cv2.connectedComponents(padded, connectivity=8)[1]
    # The pixels have an empty margin of one pixel.
    return _regions(_rings(code[ys, xs], xs, ys), lambda x, y: int(labels[y + 1, x + 1]), x0 + left, y0 + top)


def run_points(bounds: NDArray[np.int64], height: int, *, most: int = MOST_CORNERS) -> Points:
    """Trace the pixel borders of a mask that is known by its runs, at a cost that its runs decide, not its size.

    :param bounds: where runs begin and end by turns, pixels counted column by column; each longer than nothing.
    :param height: pixels of a column.
    :param most: corners, and runs, that it may have.
    :returns: the same as :func:`mask_points` of the mask.
    :raises NoisyMaskError: as :func:`mask_points`, or it has so many runs.
    """
    if not len(bounds):
        return []
    first, last = int(bounds[0]) // height, int(bounds[-1] - 1) // height
    _check(len(bounds) // 2, most)
    if (last - first + 1) * height <= min(_FEW_PIXELS, _FEWEST + _PIXELS_A_RUN * len(bounds)):
        marks = np.concatenate(([0], bounds - first * height, [(last - first + 1) * height]))
        filled = np.arange(len(marks) - 1) % 2 == 1
        return mask_points(np.repeat(filled, np.diff(marks)).reshape(-1, height).T, first, most=most)
    return _by_runs(bounds, height, 0, 0, most)


def label_points(labels: NDArray[Any], wanted: Sequence[int]) -> list[Points | NoisyMaskError]:
    """Trace the pixel borders of many areas of a label image; each costs what its own pixels cost, not the image.

    All of them together have at most :data:`MOST_CORNERS_OF_ALL` corners. The more areas turned out to be noise, the
    fewer corners the next may have, down to :data:`_FEWEST_CORNERS`: to find out costs time.

    :param labels: two-dimensional array of whole numbers.
    :param wanted: labels that occur in it.
    :returns: per label the same as :func:`mask_points` of its pixels, or the error for those whose pixels are noise.
    """
    budget = _Budget()
    if len(wanted) <= _FEW_LABELS:
        return [budget.spend(mask_points, labels == label) for label in wanted]
    # A run ends where the label changes, so two runs of one label never touch.
    flat = labels.T.ravel()
    changes = flat[1:] != flat[:-1]
    if (runs := np.count_nonzero(changes)) > _MOST_LABEL_RUNS:
        return [NoisyMaskError(int(runs), _MOST_LABEL_RUNS)] * len(wanted)
    first = np.concatenate(([0], np.flatnonzero(changes) + 1))
    last = np.append(first[1:], len(flat))
    del changes
    order = np.argsort(flat[first], kind="stable")
    sorted_labels = flat[first[order]]
    starts = np.searchsorted(sorted_labels, wanted)
    ends = np.searchsorted(sorted_labels, wanted, side="right")
    found: list[Points | NoisyMaskError] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        runs_of_it = order[start:end]
        bounds = np.stack((first[runs_of_it], last[runs_of_it]), axis=1).ravel()
        found.append(budget.spend(run_points, bounds, len(labels)))
    return found


class _Budget:
    """What the areas of one label image may cost."""

    def __init__(self) -> None:
        self._most = MOST_CORNERS
        self._left = MOST_CORNERS_OF_ALL

    def spend(self, trace: Callable[..., Points], *area: Any) -> Points | NoisyMaskError:
        """Trace an area, or say why not.

        :param trace: :func:`mask_points` or :func:`run_points`.
        :param area: what these take.
        """
        try:
            points = trace(*area, most=min(self._most, self._left))
        except NoisyMaskError as error:
            if self._left < self._most:
                return ManyCornersError()
            self._most = max(self._most // 2, _FEWEST_CORNERS)
            return error
        self._left -= sum(len(ring) // 2 - 1 for region in points for ring in region)
        return points


def _by_runs(bounds: NDArray[np.int64], height: int, left: int, top: int, most: int) -> Points:
    runs = Runs(bounds, height)
    codes, xs, ys = runs.corners()
    _check(int(_COUNTS[codes].sum()), most)
    return _regions(_rings(codes, xs, ys), runs.part_of, left, top)


def _check(corners: int, most: int) -> None:
    """Refuse a mask of so many corners, or runs."""
    if corners > most:
        raise NoisyMaskError(corners, most)


def _bounds(mask: Mask, most: int) -> NDArray[np.int64]:
    """Return where the runs of a mask begin and end by turns, column by column."""
    flat = mask.T.ravel()
    changes = flat[1:] != flat[:-1]
    _check(int(np.count_nonzero(changes)) // 2, most)
    inner = np.flatnonzero(changes) + 1
    return np.concatenate(([0] if flat[0] else [], inner, [len(flat)] if flat[-1] else [])).astype(np.int64)


def _regions(
    rings: list[tuple[list[tuple[int, int]], int]], part_of: Callable[[int, int], int], left: int = 0, top: int = 0
) -> list[list[list[float]]]:
    """Put the rings of one connected part together.

    :param rings: as :func:`_rings` returns them.
    :param part_of: column and row of a pixel -> number of the part that it belongs to.
    :param left: what is added to each x.
    :param top: what is added to each y.
    """
    regions: dict[int, list[list[float]]] = {}
    for corners, first_turn in rings:
        x, y = corners[0]
        # The pixel on the right hand of the border that leaves this corner belongs to the ring's own region.
        inside = {_EAST: (x, y), _SOUTH: (x - 1, y), _WEST: (x - 1, y - 1), _NORTH: (x, y - 1)}[first_turn]
        flat: list[float] = [value for cx, cy in (*corners, corners[0]) for value in (cx + left, cy + top)]
        # A ring met first in reading order is its region's outer one: its topmost corner lies above every hole's.
        regions.setdefault(part_of(*inside), []).append(flat)
    return list(regions.values())


def _rings(
    codes: NDArray[Any], xs: NDArray[np.int64], ys: NDArray[np.int64]
) -> list[tuple[list[tuple[int, int]], int]]:
    """Follow the border corner by corner.

    :param codes: pattern of the pixels around each corner, in reading order.
    :param xs: its column.
    :param ys: its row.
    :returns: (corners as (x, y), direction in which the first corner is left), ring by ring,
        ordered by first corner in reading order.
    """
    count = _COUNTS
    table = np.zeros((16, 2, 2), np.int64)
    for pattern, turns in _TURNS.items():
        table[pattern, : len(turns)] = turns
    index = np.repeat(np.arange(len(codes)), count[codes])
    second = np.concatenate([[False], index[1:] == index[:-1]]).astype(np.int64)
    ys, xs = ys[index], xs[index]
    came, goes = table[codes[index], second].T
    # Every corner ends one horizontal and one vertical edge; sorted along its line, corners pair up two by two.
    right_end = np.where(came % 2 == 0, came == _EAST, goes == _WEST)
    bottom_end = np.where(came % 2 == 1, came == _SOUTH, goes == _NORTH)
    following = np.empty(len(ys), np.int64)
    for horizontal, order in (
        (True, np.lexsort((~right_end, xs, ys))),
        (False, np.lexsort((~bottom_end, ys, xs))),
    ):
        partner = np.empty(len(ys), np.int64)
        partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
        leaves = (goes % 2 == 0) == horizontal
        following[leaves] = partner[leaves]
    return _cycles(following.tolist(), xs.tolist(), ys.tolist(), goes.tolist())


def _cycles(
    following: list[int], xs: list[int], ys: list[int], goes: list[int]
) -> list[tuple[list[tuple[int, int]], int]]:
    """Collect the closed walks of a successor list."""
    rings = []
    seen = bytearray(len(following))
    for start in range(len(following)):
        if seen[start]:
            continue
        corners = []
        at = start
        while not seen[at]:
            seen[at] = 1
            corners.append((xs[at], ys[at]))
            at = following[at]
        rings.append((corners, goes[start]))
    return rings
