"""What is suspicious is said in words, for the page and for whoever reads the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.words import counted, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_fastlabel.pipelines.reports.spool import Record
    from airflow_provider_fastlabel.pipelines.reports.worst import Finding

TITLES = {
    "twice": "Drawn twice",
    "swapped": "Looks like another class",
    "outside": "Reaches out of the picture",
    "odd": "Unusual size or shape",
    "two_classes": "Two classes on one place",
    "alike": "Pictures that look alike",
    "tiny": "Tiny",
    "huge": "Covers the picture",
    "empty": "Nothing is labelled",
    "rare": "Rare class",
}
"""The kinds of suspicion as people read them."""


def said(kind: str, finding: Finding, record: Record, classes: Sequence[str], other: str = "") -> str:
    """Say what is suspicious.

    :param kind: one of :data:`~.worst.KINDS`.
    :param finding: the finding.
    :param record: the picture it is about.
    :param classes: class values by their numbers.
    :param other: name of the other picture, where there is one.
    """

    def name(at: int) -> str:
        return classes[record.objects[at].class_id] if 0 <= at < len(record.objects) else "an object"

    first, share = name(finding.first), percent(finding.value)
    texts = {
        "twice": f"Two boxes of {first} overlap by {share}",
        "two_classes": f"{first} and {name(finding.second)} overlap by {share}",
        "outside": f"{share} of {first} lies outside of the picture",
        "tiny": f"{first} is only {finding.value:.1f} pixels across",
        "huge": f"{first} covers {share} of the picture",
        "odd": f"{first} is {finding.value:.1f} spreads away from the usual size or shape of its class",
        "empty": f"The task is {record.status}, and nothing is labelled",
        "rare": f"{first} occurs only {counted(round(finding.value), 'time')}",
        "alike": f"Looks like {other}" + (", with another number of objects" if finding.value else ""),
    }
    if kind == "swapped":
        return f"{first} has the size, shape and place of {classes[int(finding.value)]}"
    return texts[kind]
