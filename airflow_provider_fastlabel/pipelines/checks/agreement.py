"""How far two annotators of the same pictures agree, beyond what chance would give.

The objects of each picture are matched by overlap (:mod:`~airflow_provider_fastlabel.formats.geometry.matching`),
whatever their classes. Each pair is a unit that both have named, and each object without a partner is one that the
other named "nothing". Of these units come Cohen's kappa and Krippendorff's alpha (nominal); of the numbers of objects
in each picture comes another alpha (interval).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from airflow_provider_fastlabel.formats.geometry.matching import match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from airflow_provider_fastlabel.pipelines.checks.labels import Labels

    Numbers = NDArray[np.int64]
    Floats = NDArray[np.float64]

Level = Literal["nominal", "ordinal", "interval"]

REPLICATES = 1_000
"""Samples that a bootstrap interval is made of."""
GROUPS = 2_000
"""Of more pictures than this, equal groups drawn by lot are resampled in place of single ones."""
CONFIDENCE = 0.95
_SEED = 20_111
_CLASSES_AT_ONCE = 256


@dataclass(frozen=True)
class Units:
    """What two annotators called the same things.

    :param pictures: names of the pictures that both have.
    :param picture: the number of its picture, of each unit.
    :param first: what the first called it: a number of a class, or one more than the last for nothing.
    :param second: what the second called it.
    :param classes: values of the classes.
    :param counts: objects of each picture: a row of the first and one of the second.
    """

    pictures: list[str]
    picture: Numbers
    first: Numbers
    second: Numbers
    classes: list[str]
    counts: Numbers

    @property
    def paired(self) -> NDArray[np.bool_]:
        """Of each unit, whether both have drawn it."""
        nothing = len(self.classes)
        both: NDArray[np.bool_] = (self.first != nothing) & (self.second != nothing)
        return both

    def disputed(self) -> dict[str, tuple[int, int]]:
        """Return the pictures with a unit that the two call differently: how many of them, and units in all."""
        number = len(self.pictures)
        differ = np.bincount(self.picture[self.first != self.second], minlength=number)
        units = np.bincount(self.picture, minlength=number)
        worst = np.argsort(-differ, kind="stable")
        return {self.pictures[at]: (int(differ[at]), int(units[at])) for at in worst[: np.count_nonzero(differ)]}


@dataclass(frozen=True)
class Figure:
    """A measure of agreement: 1 for full agreement, 0 for what chance would give.

    :param value: of all units.
    :param low: lower end of the bootstrap interval.
    :param high: its upper end.
    """

    value: float
    low: float
    high: float


def units_of(first: Labels, second: Labels, *, iou: float) -> Units:
    """Match the objects of two data sets, picture by picture.

    :param first: the objects of the one.
    :param second: those of the other.
    :param iou: overlap that two objects need to be the same thing.
    """
    at_second = {name: number for number, name in enumerate(second.pictures)}
    common = [name for name in first.pictures if name in at_second]
    values = list(dict.fromkeys([*first.classes, *second.classes]))
    ours = _rows(first, common, values)
    theirs = _rows(second, common, values)
    pairs = match(ours.boxes, theirs.boxes, least_iou=iou, first_groups=ours.picture, second_groups=theirs.picture)
    alone = np.ones(len(ours.kind), bool), np.ones(len(theirs.kind), bool)
    alone[0][pairs.first], alone[1][pairs.second] = False, False
    nothing = len(values)
    missed, added = (np.full(np.count_nonzero(each), nothing, np.int64) for each in alone)
    return Units(
        common,
        np.concatenate([ours.picture[pairs.first], ours.picture[alone[0]], theirs.picture[alone[1]]]),
        np.concatenate([ours.kind[pairs.first], ours.kind[alone[0]], added]),
        np.concatenate([theirs.kind[pairs.second], missed, theirs.kind[alone[1]]]),
        values,
        np.stack([np.bincount(each.picture, minlength=len(common)) for each in (ours, theirs)]),
    )


@dataclass(frozen=True)
class _Rows:
    """Objects of the common pictures, in the order of picture and class: of equal overlaps, the same classes match."""

    picture: Numbers
    kind: Numbers
    boxes: Floats


def _rows(labels: Labels, common: list[str], values: list[str]) -> _Rows:
    number = {name: at for at, name in enumerate(common)}
    pictures = np.array([number.get(name, -1) for name in labels.pictures], np.int64)
    place = {value: at for at, value in enumerate(values)}
    kinds = np.array([place[value] for value in labels.classes], np.int64)
    picture = pictures[labels.picture] if len(labels.picture) else np.zeros(0, np.int64)
    kind = kinds[labels.kind] if len(labels.kind) else np.zeros(0, np.int64)
    order = np.lexsort((kind, picture))
    order = order[picture[order] >= 0]
    return _Rows(picture[order], kind[order], labels.boxes[order])


def cohen_kappa(first: Numbers, second: Numbers) -> float:
    """Return Cohen's kappa of two annotators.

    :param first: the number of the category that the one gave to each unit.
    :param second: that of the other.
    :returns: 1 where both give all units one and the same category, which leaves chance nothing to do.
    """
    most = 1 + int(max(first.max(initial=0), second.max(initial=0)))
    sums = (np.bincount(each, minlength=most).astype(np.float64) for each in (first, second))
    product = np.array([np.dot(*sums)])
    return float(_kappa(np.array([float(len(first))]), np.array([float(np.sum(first == second))]), product)[0])


def krippendorff_alpha(ratings: ArrayLike, level: Level = "nominal") -> float:
    """Return Krippendorff's alpha of any number of observers, some of whose values may be missing.

    :param ratings: a row for each observer, a column for each unit; NaN for a value that is missing.
    :param level: how far apart two values are: ``nominal``: they differ; ``ordinal``: so many ranks; ``interval``: the
        square of their difference.
    :returns: 1 where all values are the same, or none can be paired.
    """
    table = np.asarray(ratings, np.float64)
    given = ~np.isnan(table)
    weight = 1 / np.maximum(given.sum(axis=0) - 1, 1)
    ones, others, weights = [], [], []
    for one in range(len(table)):
        for other in range(len(table)):
            both = given[one] & given[other] & (one != other)
            ones.append(table[one, both])
            others.append(table[other, both])
            weights.append(weight[both])
    values, place = np.unique(np.concatenate([*ones, *others]), return_inverse=True)
    first, second = np.split(place, 2)
    counts = np.bincount(first, np.concatenate(weights), minlength=len(values)).astype(np.float64)
    total = float(counts.sum())
    seen = float(np.dot(np.concatenate(weights), _apart(values, counts, first, second, level)))
    if level == "nominal":
        expected = total**2 - float(np.dot(counts, counts))
    else:
        places = np.arange(len(values))
        expected = float(
            sum(count * np.dot(counts, _apart(values, counts, np.full(len(values), at), places, level))
                for at, count in enumerate(counts))
        )  # fmt: skip
    return 1 - (total - 1) * seen / expected if expected > 0 else 1.0


def _apart(values: Floats, counts: Floats, first: Numbers, second: Numbers, level: Level) -> Floats:
    """Return how far values are apart, given their places in the list of values."""
    if level == "nominal":
        apart: Floats = (first != second).astype(np.float64)
    elif level == "interval":
        apart = (values[first] - values[second]) ** 2
    else:
        middle = np.cumsum(counts) - counts / 2  # so that a difference counts half of the first and half of the last
        apart = (middle[first] - middle[second]) ** 2
    return apart


def agreement(units: Units, measure: Literal["alpha", "kappa"]) -> Figure:
    """Return a measure of agreement on classes, with its bootstrap interval over pictures.

    :param units: the units.
    :param measure: Krippendorff's alpha (nominal) or Cohen's kappa.
    """
    ratings = np.stack([units.first, units.second])
    value = krippendorff_alpha(ratings) if measure == "alpha" else cohen_kappa(units.first, units.second)
    if not units.pictures:
        return Figure(value, value, value)
    resampled = _resampled(units, measure)
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Figure(value, float(low), float(high))


def _resampled(units: Units, measure: Literal["alpha", "kappa"]) -> Floats:
    """Return the measure of many samples of pictures, drawn with repetition; the same in every run.

    Both measures need only how many units there are, how many are called the same, and how often each category is used.
    So each sample is a sum of what its pictures have of these.
    """
    random = np.random.default_rng(_SEED)
    groups = min(len(units.pictures), GROUPS)
    group = random.permutation(len(units.pictures))[units.picture] % groups
    drawn = random.multinomial(groups, np.full(groups, 1 / groups), REPLICATES).astype(np.float64)
    total = drawn @ np.bincount(group, minlength=groups)
    same = drawn @ np.bincount(group[units.first == units.second], minlength=groups)
    product, squares = np.zeros(REPLICATES), np.zeros(REPLICATES)
    for sums in _category_sums(units, group, groups):
        ones, others = (drawn @ each for each in sums)
        product += (ones * others).sum(axis=1)
        squares += ((ones + others) ** 2).sum(axis=1)
    if measure == "kappa":
        return _kappa(total, same, product)
    expected = (2 * total) ** 2 - squares
    seen = (2 * total - 1) * 2 * (total - same)
    return 1 - np.divide(seen, expected, out=np.zeros(REPLICATES), where=expected > 0)


def _category_sums(units: Units, group: Numbers, groups: int) -> Iterator[list[Floats]]:
    """Yield how often the annotators use each category in each group: two tables, some categories at a time."""
    for start in range(0, len(units.classes) + 1, _CLASSES_AT_ONCE):
        wide = min(_CLASSES_AT_ONCE, len(units.classes) + 1 - start)
        tables = []
        for named in (units.first, units.second):
            some = (named >= start) & (named < start + wide)
            cells = np.bincount(group[some] * wide + named[some] - start, minlength=groups * wide)
            tables.append(cells.reshape(groups, wide).astype(np.float64))
        yield tables


def _kappa(total: Floats, same: Floats, product: Floats) -> Floats:
    """Return Cohen's kappa of counts: units, those called the same, and the sum of products of the categories' counts.

    All are taken times the number of units, so that no share is rounded.
    """
    expected = total**2 - product
    kappa: Floats = 1 - np.divide(total * (total - same), expected, out=np.zeros(len(total)), where=expected > 0)
    return kappa
