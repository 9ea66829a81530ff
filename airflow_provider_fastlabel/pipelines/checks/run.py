"""Checks a published data set by a list of checks: :func:`check_dataset` is the door for operators and terminals."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.checks import objects, people, pictures
from airflow_provider_fastlabel.pipelines.checks.definition import InvalidChecksError
from airflow_provider_fastlabel.pipelines.checks.facts import Facts
from airflow_provider_fastlabel.pipelines.checks.results import Checked, Outcome, Result
from airflow_provider_fastlabel.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.checks.definition import Check

log: logging.Logger = logging.getLogger(__name__)

READABLE = "readable"
"""The check that nobody asks for: that all of the data set can be read. It is among the results if it failed."""
CLIENT_CHECKS = ("approved", "open_comments")
"""Checks that ask FastLabel."""

_DO: Mapping[str, Callable[[Facts, Mapping[str, Any]], Outcome]] = {
    "approved": people.approved,
    "open_comments": people.open_comments,
    "unlabelled_pictures": objects.unlabelled_pictures,
    "objects_per_class": objects.objects_per_class,
    "class_balance": objects.class_balance,
    "class_drift": objects.class_drift,
    "tiny_boxes": objects.tiny_boxes,
    "overlapping_boxes": objects.overlapping_boxes,
    "split_leak": pictures.split_leak,
    "agreement": people.agreement_of_two,
    "sample_size": pictures.sample_size,
}


def check_dataset(
    dataset: Any,
    checks: Sequence[Check],
    *,
    earlier_dataset: Any = None,
    second_dataset: Any = None,
    client: FastLabelClient | None = None,
) -> Checked:
    """Check a published data set. Nothing is written anywhere.

    :param dataset: its folder: a local path, or an object with its interface in an object store.
    :param checks: what :func:`.read_checks` or :func:`.parse_checks` returned.
    :param earlier_dataset: the folder of an earlier version, for ``class_drift``; ``None`` if there is none.
    :param second_dataset: the folder of the data set of a second annotator, for ``agreement``.
    :param client: asks FastLabel about the project, for ``approved`` and ``open_comments``.
    :returns: the results, in the order of the checks.
    :raises InvalidChecksError: a check needs what was not given. Nothing was read.
    :raises FileNotFoundError: there is no data set in one of the folders.
    :raises DamagedFileError: its manifest is not as an export writes it.
    :raises FastLabelException: FastLabel cannot be asked, or the data set holds nothing that can be checked.
    :raises ValueError: a file of it is not as its format wants it.
    :raises OSError: it cannot be read.
    """
    for number, check in enumerate(checks):
        lacking = "second_dataset" if check.name == "agreement" and second_dataset is None else None
        if check.name in CLIENT_CHECKS and client is None:
            lacking = "client"
        if lacking is not None:
            raise InvalidChecksError(f"checks[{number}] ({check.name}) needs `{lacking}`. Nothing was read.")
    facts = Facts(dataset, earlier_dataset, second_dataset, client)
    facts.published  # noqa: B018 - no check passes where there is no data set
    results = [Result.of(check.name, check.severity, _DO[check.name](facts, check.arguments)) for check in checks]
    unread = [each.unread for each in facts.read()]
    if lost := sum(each.count for each in unread):
        examples = [example for each in unread for example in each.examples]
        outcome = Outcome(
            False, "every object can be read", f"{counted(lost, 'object or file', 'objects or files')} cannot", examples
        )
        results.insert(0, Result.of(READABLE, "fail", outcome))
    checked = Checked(results)
    log.info("%s: %s\n%s", dataset, checked.summary(), checked.table())
    return checked
