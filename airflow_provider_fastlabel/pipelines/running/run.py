"""Runs over many items: past single failures to the end, but not on into an outage or a refusal that concerns all."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from airflow_provider_fastlabel.client.exceptions import (
    AuthError,
    FastLabelException,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from airflow_provider_fastlabel.client.http.retry import may_retry
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.files.problems import Problem, enumerate_problems
from airflow_provider_fastlabel.pipelines.files.source import without_temporary
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded
from airflow_provider_fastlabel.pipelines.running.progress import Progress, results

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable

T = TypeVar("T")

log: logging.Logger = logging.getLogger(__name__)

OUTAGE = 20
"""So many items in a row that fail because FastLabel or their store does not answer mean an outage, not bad items: the
run stops."""

_OF_FASTLABEL = "in a row got no usable answer from FastLabel"
_OF_A_STORE = "in a row got no usable answer from their store"

HOPELESS: tuple[type[Exception], ...] = (AuthError, RateLimited, Unavailable)
"""Errors that concern every item of every run; going on would only repeat them."""


class EndRun(Exception):  # noqa: N818 - it is an order, not an error
    """Ends the run; to be raised by the work on an item when the others could fare no better.

    :param why: the reason, to follow "was stopped: ".
    """


@dataclass
class Run(Generic[T]):
    """Counts what becomes of each item of one run, and ends the run when going on is of no use.

    :param what: what the run is called in messages, such as ``import``.
    :param things: what its items are called, such as ``files``.
    :param total: how many items there are, with those that :meth:`fail` before the start.
    :param name: how an item is called in messages.
    :param settle: brings one item to its fate, a word to count. A ``FastLabelException``, ``OSError`` or ``ValueError``
        is that item's failure; any other exception, :class:`EndRun` and what is hopeless end the run.
    :param incomplete: makes the error of a run that missed its end, from a first clause that says why.
    :param max_failures: how many items may fail. ``None``: none, but the others are tried all the same.
    :param hopeless: errors that concern every item; they reach the caller as they are.
    :param on_failure: called with each failure.
    :param calls_left: asked for the progress: the calls left in the quota window.
    """

    what: str
    things: str
    total: int
    name: Callable[[T], str]
    settle: Callable[[T], str]
    incomplete: Callable[[str], Exception]
    max_failures: int | None = None
    hopeless: tuple[type[Exception], ...] = HOPELESS
    on_failure: Callable[[Problem], object] = lambda _: None
    calls_left: Callable[[], int] | None = None
    failures: list[Problem] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._progress = Progress(self.total, calls_left=self.calls_left)
        self._lock = threading.Lock()
        self._unanswered = 0

    @property
    def counts(self) -> Counter[str]:
        """How many items met which fate; ``failed`` is one."""
        return self._progress.counts

    def say_result(self, text: str, *values: object) -> None:
        """Write the result into the log.

        :param text: with placeholders, as loggers take it.
        :param values: what stands for them.
        """
        results.info(text, *values)

    def fail(self, problem: Problem) -> None:
        """Count an item as failed; it also counts for ``max_failures``, but does not end the run.

        :param problem: the item and what is wrong with it.
        """
        self.on_failure(problem)
        with self._lock:
            self.failures.append(problem)
        self._progress.count("failed")

    def over(
        self,
        items: Iterable[T],
        *,
        workers: int,
        stop: threading.Event | None = None,
        tick: Callable[[], object] = lambda: None,
    ) -> None:
        """Settle every item, a few at a time; failures that are tolerated are named at the end.

        :param items: the items; taken lazily.
        :param workers: how many are settled at a time.
        :param stop: set it to end the run early.
        :param tick: called a few times a second, by the calling thread.
        :raises Exception: what ``incomplete`` made: the run was ended, or more items failed than tolerated; or an error
            that is no item's failure, as it is.
        """
        stop = stop or threading.Event()

        def beat() -> None:
            tick()
            self._progress.beat()

        try:
            run_bounded(self._bring, items, workers=workers, stop=stop, tick=beat)
        except EndRun as end:
            # Made here and not where it happened: the other threads have ended, so the counts are final.
            raise self.incomplete(f"The {self.what} was stopped: {end}") from end.__cause__
        if stop.is_set():
            raise self.incomplete(f"The {self.what} was stopped on request")
        if len(self.failures) > (self.max_failures or 0):
            raise self.incomplete(f"The {self.what} is not complete")
        if self.failures:
            # Once more, and together: nobody looks for them in the log of a task that is green.
            log.warning(
                "%d of %d %s failed, as max_failures=%d tolerates:\n%s",
                len(self.failures),
                self.total,
                self.things,
                self.max_failures,
                enumerate_problems(sorted(self.failures)),
            )

    def _bring(self, item: T) -> None:
        """Bring one item to its fate.

        :raises EndRun: when too many have failed, or FastLabel seems to be down.
        """
        try:
            fate = self.settle(item)
        except self.hopeless:
            raise
        except (FastLabelException, OSError, ValueError) as error:
            if isinstance(error, OutcomeUnknown) and error.retry_after is not None:
                raise Unavailable(error.message, error.code, error.retry_after) from error  # the next run looks it up
            problem = Problem(self.name(item), without_temporary(str(error)) or type(error).__name__)
            log.warning("Failed: %s", problem)
            self.fail(problem)
            self._watch(error)
        else:
            self._unanswered = 0
            self._progress.count(fate)

    def _watch(self, error: Exception) -> None:
        """End the run when failures become too many, or come from FastLabel and no longer from the items."""
        with self._lock:
            self._unanswered = self._unanswered + 1 if _is_no_answer(error) else 0
            if self.max_failures is not None and len(self.failures) > self.max_failures:
                raise EndRun(f"more {self.things} failed than max_failures tolerates")
            if self._unanswered >= OUTAGE:
                whose = _OF_A_STORE if isinstance(error, StoreFailedError) else _OF_FASTLABEL
                raise EndRun(f"{OUTAGE} {self.things} {whose}")


def _is_no_answer(error: Exception) -> bool:
    """Tell whether an error comes from FastLabel, a store or the network, and so says nothing about the item."""
    if isinstance(error, FastLabelException):
        return isinstance(error, OutcomeUnknown) or may_retry(error)
    return isinstance(error, StoreFailedError)
