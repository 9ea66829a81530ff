"""Checks of the work of people: whether it is approved, what they have remarked, and whether they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.pipelines.checks.agreement import agreement, krippendorff_alpha, units_of
from airflow_provider_fastlabel.pipelines.checks.results import Outcome
from airflow_provider_fastlabel.words import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.pipelines.checks.facts import Facts

    Arguments = Mapping[str, Any]

_MEASURES = {"alpha": "Krippendorff's alpha", "kappa": "Cohen's kappa"}


def approved(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether enough tasks of the project, of those with the data set's tags, are approved."""
    least = arguments["at_least"]
    asked = {name: facts.filters[name] for name in ("project", "tags") if name in facts.filters}
    total = facts.client.count_tasks(**asked)
    done = facts.client.count_tasks(**asked, status="approved")
    share = done / total if total else 1.0
    return Outcome(
        done >= least * total - 1e-9,
        f"at least {percent(least)} of the tasks approved",
        f"{percent(share)} ({done:,} of {total:,})",
    )


def open_comments(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether few enough comments on the tasks of the data set wait for an answer."""
    most = arguments["at_most"]
    found: dict[str, str] = {}
    for thread in facts.client.iter_project_comments(**facts.filters):
        comment = thread["comment"]
        if not comment["isResolved"]:
            text = foreign_text(thread["text"], 80)
            found.setdefault(comment["id"], f"task {foreign_text(comment['taskId'], 60)}: {text}")
    return Outcome(
        len(found) <= most,
        f"at most {most:,} open comments" if most else "no open comment",
        f"{len(found):,} open comments",
        found.values(),
    )


def agreement_of_two(facts: Facts, arguments: Arguments) -> Outcome:
    """Tell whether two annotators of the same pictures agree well enough."""
    least, measure = arguments["at_least"], arguments["measure"]
    expected = f"{_MEASURES[measure]} of at least {least:g}, of objects that overlap by {percent(arguments['iou'])}"
    units = units_of(facts.labels, facts.second_labels, iou=arguments["iou"])
    if not units.pictures:
        return Outcome(False, expected, "no picture is in both data sets")
    figure = agreement(units, measure)
    paired, total = int(units.paired.sum()), len(units.first)
    same = int((units.first == units.second).sum())
    objects = krippendorff_alpha(units.counts, "interval")
    actual = (
        f"{figure.value:.3f} (95 %: {figure.low:.3f} to {figure.high:.3f}) in {len(units.pictures):,} pictures; of "
        f"{total:,} objects both drew {paired:,} and named {same:,} alike; alpha of objects per picture {objects:.3f}"
    )
    examples = (
        f"{foreign_text(name, 100)}: {differ} of {of} objects" for name, (differ, of) in units.disputed().items()
    )
    return Outcome(figure.value >= least, expected, actual, examples)
