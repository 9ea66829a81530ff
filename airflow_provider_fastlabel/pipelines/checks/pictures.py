"""Checks of the pictures of a data set: in which splits they are, and whether there are enough of them."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.checks.results import Outcome
from airflow_provider_fastlabel.words import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.pipelines.checks.facts import Facts

    Arguments = Mapping[str, Any]


def split_leak(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether no picture is in two splits, under whatever names."""
    published, most = facts.published, arguments["at_most"]
    expected = f"at most {most:,} pictures in several splits" if most else "no picture in several splits"
    if not published.splits:
        return Outcome(True, expected, "the data set has no splits")
    places: dict[str, dict[str, str]] = {}
    pictures = 0
    for path, digest in published.files.items():
        name, split = published.told_apart(path)
        if split and path.startswith("images/"):
            pictures += 1
            if not digest:
                return Outcome(False, expected, "the manifest does not say what the pictures are: it has no digests")
            places.setdefault(digest, {}).setdefault(split, name)
    if not pictures and facts.labels.pictures:
        return Outcome(False, expected, "not known, for the data set holds no pictures (include_images=True has them)")
    leaks = [where for where in places.values() if len(where) > 1]
    return Outcome(
        len(leaks) <= most,
        expected,
        f"{len(leaks):,} of {pictures:,} pictures",
        (
            " is also ".join(f"{foreign_text(name, 70)} ({split})" for split, name in sorted(where.items()))
            for where in leaks
        ),
    )


def sample_size(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether the pictures suffice to state the rate of errors in them within a margin."""
    margin, confidence, split = arguments["margin"], arguments["confidence"], arguments["split"]
    needed = pictures_needed(margin, confidence, arguments["rate"], arguments["population"])
    counts = facts.published.manifest.get("counts")
    counts = counts if isinstance(counts, dict) else {}
    if split is not None:
        splits = counts.get("splits")
        counts = splits.get(split) if isinstance(splits, dict) else None
    images = counts.get("images") if isinstance(counts, dict) else None
    found = images if type(images) is int else 0
    where = "" if split is None else f" in the split {foreign_text(split, 60)}"
    return Outcome(
        found >= needed,
        f"at least {needed:,} pictures{where}, for a rate within {percent(margin)} at {percent(confidence)} confidence",
        f"{found:,} pictures" if images is not None else "the data set has no such split",
    )


def pictures_needed(margin: float, confidence: float, rate: float, population: int | None = None) -> int:
    """Return how many pictures, drawn by lot, state the rate of errors within a margin (normal approximation).

    :param margin: how far the stated rate may be from the true one, a share.
    :param confidence: in which share of all samples it is no farther.
    :param rate: the rate that is expected; 0.5 needs most and holds for any.
    :param population: of how many pictures they are drawn; ``None`` for many.
    """
    spread = NormalDist().inv_cdf((1 + confidence) / 2)
    needed = spread**2 * rate * (1 - rate) / margin**2
    if population is not None:
        needed = needed / (1 + (needed - 1) / population)
    return max(math.ceil(needed - 1e-9), 1)
