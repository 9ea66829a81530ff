"""Says in the log of a wait that it looks less often than asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.waits.progress import QUIET_SECONDS
from airflow_provider_fastlabel.words import duration

if TYPE_CHECKING:
    from airflow_provider_fastlabel.triggers.shared_polls import Poll

NOTEWORTHY_STRETCH = 1.1


class StretchNotice:
    """Says in a wait's log that it looks less often than asked for, at most every ten minutes.

    :param log: logger of the trigger.
    :param poll: the one that this wait takes part in.
    :param interval: seconds between two looks, as asked for.
    """

    def __init__(self, log: Any, poll: Poll, interval: float) -> None:
        self._log = log
        self._poll = poll
        self._interval = interval
        self._said_at = float("-inf")

    def say(self, now: float) -> None:
        """Write the line if it is time for it.

        :param now: seconds on any steady clock.
        """
        stretch, pace = self._poll.stretch, self._poll.pace
        if stretch <= NOTEWORTHY_STRETCH or now - self._said_at < QUIET_SECONDS:
            return
        self._said_at = now
        self._log.info(
            "The waits of this process would make %.0f calls a minute, which is more than their share of the quota, "
            "%.0f: those that ask most look less often, this one every %s instead of %s",
            pace.demand * 60,
            pace.allowed * 60,
            duration(self._interval * stretch),
            duration(self._interval),
        )
