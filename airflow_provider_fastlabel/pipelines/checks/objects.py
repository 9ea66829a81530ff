"""Checks of the objects of a data set: how many of each class there are, how large they are, and where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.checks.results import Outcome
from airflow_provider_fastlabel.pipelines.checks.words import at_most_share
from airflow_provider_fastlabel.pipelines.reports.table import overlaps
from airflow_provider_fastlabel.words import counted, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from airflow_provider_fastlabel.pipelines.checks.facts import Facts
    from airflow_provider_fastlabel.pipelines.checks.labels import Labels

    Arguments = Mapping[str, Any]

_LONGEST = 80


def unlabelled_pictures(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether enough pictures have an object."""
    labels = facts.labels
    counts = np.bincount(labels.picture, minlength=len(labels.pictures))
    empty = np.flatnonzero(counts == 0)
    names = (labels.pictures[at] for at in empty.tolist())
    return at_most_share(len(empty), len(labels.pictures), arguments["at_most"], "pictures without an object", names)


def objects_per_class(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether each class has enough objects."""
    counts = _counts(facts.labels, arguments["classes"])
    least = arguments["at_least"]
    short = sorted((count, value) for value, count in counts.items() if count < least)
    return Outcome(
        not short,
        f"at least {counted(least, 'object')} of each of {counted(len(counts), 'class', 'classes')}",
        f"{counted(len(short), 'class has', 'classes have')} fewer" if short else "all classes have so many",
        (f"{_class(value)}: {count:,}" for count, value in short),
    )


def class_balance(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether no class is too many times as frequent as another."""
    most = arguments["at_most"]
    expected = f"the most frequent class at most {most:g} times as often as the rarest"
    counts = sorted((count, value) for value, count in _counts(facts.labels, arguments["classes"]).items())
    if len(counts) < 2:
        return Outcome(True, expected, f"{counted(len(counts), 'class', 'classes')}: nothing to compare")
    (rarest, rare), (frequent, often) = counts[0], counts[-1]
    ratio = f"{frequent / rarest:.4g} times" if rarest else "no object of the rarest"
    return Outcome(
        frequent <= most * rarest,
        expected,
        f"{ratio}: {_class(often)} {frequent:,}, {_class(rare)} {rarest:,}",
        (f"{_class(value)}: {count:,}" for count, value in counts if frequent > most * count),
    )


def class_drift(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether the shares of the classes are still much what they were in the earlier version."""
    most = arguments["at_most"]
    expected = f"at most {percent(most)} of the objects of other classes than in the earlier version"
    earlier = facts.earlier_labels
    if earlier is None:
        return Outcome(not arguments["required"], expected, "there is no earlier version to compare with")
    now, before = facts.labels.per_class(), earlier.per_class()
    totals = sum(now.values()), sum(before.values())
    if not all(totals):
        same = totals == (0, 0)
        return Outcome(same, expected, f"{totals[0]:,} objects now, {totals[1]:,} in the earlier version")
    shares = {value: (before.get(value, 0) / totals[1], now.get(value, 0) / totals[0]) for value in {**before, **now}}
    moved = sum(abs(after - was) for was, after in shares.values()) / 2
    ordered = sorted(shares, key=lambda value: (-abs(shares[value][1] - shares[value][0]), value))
    return Outcome(
        moved <= most + 1e-12,
        expected,
        percent(moved),
        (f"{_class(value)}: {percent(shares[value][0])} -> {percent(shares[value][1])}" for value in ordered),
    )


def tiny_boxes(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether few enough objects are too narrow or low to be meant."""
    labels = facts.labels
    least = np.minimum(labels.boxes[:, 2] - labels.boxes[:, 0], labels.boxes[:, 3] - labels.boxes[:, 1])
    tiny = np.flatnonzero((least < arguments["pixels"]) & labels.solid)
    tiny = tiny[np.argsort(least[tiny], kind="stable")]
    what = f"objects less than {arguments['pixels']:g} pixels across"
    named = (f"{_object(labels, at)} is {least[at]:.3g} pixels across" for at in tiny.tolist())
    return at_most_share(len(tiny), int(np.count_nonzero(labels.solid)), arguments["at_most"], what, named)


def overlapping_boxes(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether few enough objects lie on another one of their class."""
    labels = facts.labels
    solid = np.flatnonzero(labels.solid)
    ones, others, shares = [solid[:0]], [solid[:0]], [np.zeros(0)]
    for first, second, share in overlaps(labels.picture[solid], labels.boxes[solid]):
        first, second = solid[first], solid[second]
        found = (share >= arguments["iou"]) & (labels.kind[first] == labels.kind[second])
        ones.append(first[found])
        others.append(second[found])
        shares.append(share[found])
    first, second, share = np.concatenate(ones), np.concatenate(others), np.concatenate(shares)
    involved = len(np.unique(np.concatenate([first, second])))
    what = f"objects that overlap another one of their class by {percent(arguments['iou'])}"
    return at_most_share(involved, len(solid), arguments["at_most"], what, _pairs(labels, first, second, share))


def _pairs(
    labels: Labels, first: NDArray[np.int64], second: NDArray[np.int64], share: NDArray[np.float64]
) -> Iterator[str]:
    """Name pairs of objects, those that overlap most first."""
    for at in np.lexsort((second, first, -share)).tolist():
        yield f"{_object(labels, int(first[at]))} and another overlap by {percent(float(share[at]))}"


def _object(labels: Labels, at: int) -> str:
    """Name an object by its picture and class."""
    return f"{foreign_text(labels.pictures[labels.picture[at]], 100)}: {_class(labels.classes[labels.kind[at]])}"


def _class(value: str) -> str:
    return foreign_text(value, _LONGEST)


def _counts(labels: Labels, wanted: list[str] | None) -> dict[str, int]:
    """Return how many objects each class has, or each of those that are asked for."""
    counts = labels.per_class()
    return counts if wanted is None else {value: counts.get(value, 0) for value in wanted}
