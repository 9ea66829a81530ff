"""The measures of agreement are those of others: scikit-learn, Krippendorff's own example, pycocotools' matching."""

from __future__ import annotations

from math import nan
from typing import Any, Literal

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from airflow_provider_fastlabel.pipelines.checks import agreement as module
from airflow_provider_fastlabel.pipelines.checks.agreement import agreement, cohen_kappa, krippendorff_alpha, units_of
from airflow_provider_fastlabel.pipelines.checks.labels import Labels, Unread

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C and following: four observers, twelve
# units, some values missing. He states the alphas as 0.743 (nominal), 0.815 (ordinal) and 0.849 (interval).
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
    [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
]


def labels_of(pictures, rows, classes=("cat", "dog")):
    """Return objects given as (picture, class, x1, y1, x2, y2)."""
    table = np.array([row[2:] for row in rows], np.float64).reshape(-1, 4)
    kinds = np.array([list(classes).index(row[1]) for row in rows], np.int64)
    numbers = np.array([list(pictures).index(row[0]) for row in rows], np.int64)
    every, none = np.ones(len(rows), bool), np.zeros(len(rows), np.int64)
    return Labels(
        list(pictures), [""] * len(pictures), list(classes), numbers, kinds, table, every, none, none, Unread()
    )


def many(pictures, objects, seed, classes=80):
    """Return objects at places that are the same for all seeds, drawn a little differently by each."""
    same, own = np.random.default_rng(0), np.random.default_rng(seed)
    picture = np.sort(same.integers(0, pictures, objects))
    corners = same.uniform(0, 560, (objects, 2))
    boxes = np.hstack([corners, corners + same.uniform(10, 80, (objects, 2))]) + own.normal(0, 1.5, (objects, 4))
    kind = np.where(own.random(objects) < 0.06, own.integers(0, classes, objects), same.integers(0, classes, objects))
    kept = own.random(objects) > 0.04
    names = [f"street/{number:06d}.jpg" for number in range(pictures)]
    values = [f"class {number}" for number in range(classes)]
    every, none = np.ones(int(kept.sum()), bool), np.zeros(int(kept.sum()), np.int64)
    return Labels(names, [""] * pictures, values, picture[kept], kind[kept], boxes[kept], every, none, none, Unread())


@pytest.mark.parametrize(("level", "stated"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_what_krippendorff_states(level, stated):
    assert round(krippendorff_alpha(KRIPPENDORFF, level), 3) == stated


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_the_one_of_its_definition(level):
    """Of every pair of values, taken one by one."""
    random = np.random.default_rng(3)
    table = random.integers(1, 6, (3, 25)).astype(float)
    table[random.random(table.shape) < 0.2] = nan
    units = [[v for v in column if v == v] for column in table.T]
    units = [unit for unit in units if len(unit) > 1]
    every = [v for unit in units for v in unit]

    def apart(a, b):
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return (a - b) ** 2
        low, high = sorted((a, b))
        between = sum(low <= v <= high for v in every)
        return (between - (every.count(a) + every.count(b)) / 2) ** 2 if a != b else 0.0

    seen = sum(sum(apart(a, b) for a in unit for b in unit) / (len(unit) - 1) for unit in units) / len(every)
    expected = sum(apart(a, b) for a in every for b in every) / (len(every) * (len(every) - 1))
    assert krippendorff_alpha(table, level) == pytest.approx(1 - seen / expected)


@pytest.mark.parametrize("seed", range(6))
def test_kappa_is_the_one_of_scikit_learn(seed):
    random = np.random.default_rng(seed)
    first = random.integers(0, 7, 400)
    second = np.where(random.random(400) < 0.3, random.integers(0, 9, 400), first)
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_full_agreement_is_one_and_chance_is_nothing():
    same = np.zeros(50, np.int64)
    assert cohen_kappa(same, same) == krippendorff_alpha([same, same]) == 1
    assert cohen_kappa(same[:0], same[:0]) == krippendorff_alpha([[], []]) == 1
    assert krippendorff_alpha([[1, nan], [nan, 2]]) == 1  # nothing to compare
    random = np.random.default_rng(1)
    first, second = random.integers(0, 4, (2, 100_000))
    assert abs(cohen_kappa(first, second)) < 0.01
    assert abs(krippendorff_alpha([first, second])) < 0.01


def test_objects_without_a_partner_are_units_that_the_other_called_nothing():
    first = labels_of("ab", [("a", "cat", 0, 0, 10, 10), ("a", "dog", 50, 50, 70, 70), ("b", "cat", 0, 0, 9, 9)])
    second = labels_of("abc", [("a", "dog", 1, 0, 11, 10), ("b", "cat", 0, 0, 9, 9), ("b", "dog", 30, 30, 40, 40)])

    units = units_of(first, second, iou=0.5)

    assert units.pictures == ["a", "b"]  # nobody compares a picture that one of them has not
    named = [*units.classes, "nothing"]
    told = {
        (units.pictures[p], named[a], named[b])
        for p, a, b in zip(units.picture, units.first, units.second, strict=True)
    }
    assert told == {("a", "cat", "dog"), ("a", "dog", "nothing"), ("b", "cat", "cat"), ("b", "nothing", "dog")}
    assert units.paired.sum() == 2
    assert units.disputed() == {"a": (2, 2), "b": (1, 2)}
    assert units.counts.tolist() == [[2, 1], [1, 2]]


def test_classes_are_compared_by_their_values_not_their_numbers():
    first = labels_of("a", [("a", "cat", 0, 0, 10, 10)], ["cat", "dog"])
    second = labels_of("a", [("a", "cat", 0, 0, 10, 10)], ["dog", "bird", "cat"])
    units = units_of(first, second, iou=0.5)
    assert units.first.tolist() == units.second.tolist() == [0]
    assert units.classes == ["cat", "dog", "bird"]


def test_of_boxes_on_one_place_those_of_one_class_are_partners():
    rows = [("a", "cat", 0, 0, 10, 10), ("a", "dog", 0, 0, 10, 10)]
    units = units_of(labels_of("a", rows), labels_of("a", rows[::-1]), iou=0.5)
    assert (units.first == units.second).all()


def test_the_interval_holds_what_resampling_each_picture_gives():
    units = units_of(many(300, 2_000, 1), many(300, 2_000, 2), iou=0.5)
    random = np.random.default_rng(4)
    rows = [np.flatnonzero(units.picture == number) for number in range(300)]
    measures: list[tuple[Literal["alpha", "kappa"], Any]] = [
        ("alpha", lambda a, b: krippendorff_alpha([a, b])), ("kappa", cohen_kappa_score),
    ]  # fmt: skip
    for measure, direct in measures:
        figure = agreement(units, measure)
        drawn = []
        for _ in range(400):
            at = np.concatenate([rows[number] for number in random.integers(0, 300, 300)])
            drawn.append(direct(units.first[at], units.second[at]))
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert figure.value == pytest.approx(direct(units.first, units.second))
        assert (figure.low, figure.high) == pytest.approx((low, high), abs=0.004)
        assert figure.low < figure.value < figure.high
        assert agreement(units, measure) == figure  # the same in every run


def test_groups_of_pictures_give_the_same_interval_as_single_ones(monkeypatch):
    units = units_of(many(1_500, 9_000, 1, classes=5), many(1_500, 9_000, 2, classes=5), iou=0.5)
    single = agreement(units, "alpha")
    monkeypatch.setattr(module, "GROUPS", 300)
    monkeypatch.setattr(module, "_CLASSES_AT_ONCE", 2)
    grouped = agreement(units, "alpha")
    assert grouped.value == single.value
    assert (grouped.low, grouped.high) == pytest.approx((single.low, single.high), abs=0.003)


def test_no_picture_has_no_interval():
    none = labels_of("", [])
    figure = agreement(units_of(none, none, iou=0.5), "alpha")
    assert (figure.value, figure.low, figure.high) == (1, 1, 1)
