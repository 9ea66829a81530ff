"""Shares and counts are put into the words of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.pipelines.checks.results import Outcome
from airflow_provider_fastlabel.words import percent

if TYPE_CHECKING:
    from collections.abc import Iterable


def at_most_share(count: int, total: int, most: float, what: str, examples: Iterable[str]) -> Outcome:
    """Judge a count that may have a share of the whole at most.

    :param count: how many there are.
    :param total: of how many; nothing of nothing passes.
    :param most: the share.
    :param what: what is counted, in words.
    :param examples: what is counted, named.
    """
    share = count / total if total else 0.0
    return Outcome(
        count <= most * total + 1e-9,
        f"at most {percent(most)} {what}" if most else f"no {what}",
        f"{percent(share)} ({count:,} of {total:,})",
        examples,
    )
