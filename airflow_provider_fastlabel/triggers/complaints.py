"""How a watcher speaks of looks that fail: once, then seldom, since nobody is there to answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.waits.progress import QUIET_SECONDS
from airflow_provider_fastlabel.utils.errors import is_permanent, is_transient

if TYPE_CHECKING:
    from collections.abc import Mapping

QUIETER_SECONDS = 6 * QUIET_SECONDS
"""Seconds after which the same failure is told again."""


class Complaints:
    """Logs the first failed look of a row, another failure when it comes, the same one every hour, and the end of it.

    :param log: logger of the trigger.
    :param watched: what is watched, for the message.
    """

    def __init__(self, log: Any, watched: Mapping[str, Any]) -> None:
        self._log = log
        self._watched = watched
        self._failures = 0
        self._said = ""
        self._said_at = float("-inf")

    def failed(self, error: Exception) -> None:
        """Take note of a failed look.

        :param error: why.
        """
        self._failures += 1
        now, text = time.monotonic(), f"{type(error).__name__}: {error}"
        if text == self._said and now - self._said_at < QUIETER_SECONDS:
            return
        self._said, self._said_at = text, now
        if is_permanent(error):
            advice = "The watcher goes on looking, but sees nothing until this is put right"
        else:
            advice = "The watcher goes on"
        unknown = not (is_permanent(error) or is_transient(error))
        self._log.error("Watching %s failed: %s. %s", self._watched, text, advice, exc_info=error if unknown else None)

    def answered(self) -> None:
        """Take note of a look that succeeded."""
        if self._failures:
            self._log.info("Watching %s works again after %s failed look(s)", self._watched, self._failures)
        self._failures, self._said = 0, ""
