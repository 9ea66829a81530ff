"""One count of calls for all machines that name one Redis, kept by the library ``limits`` (extra ``redis``)."""

from __future__ import annotations

import logging
import math
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.http.redis_address import redis_host

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client.http.ledgers.ledger import Ledger

log: logging.Logger = logging.getLogger(__name__)

TIMEOUT = 3.0
"""Seconds for connecting to Redis, and for its answer."""

PAUSE_SECONDS = 30.0
"""Seconds for which a Redis that did not answer is not asked again."""

_MARGIN = 60
_ASK_AGAIN = 0.02


class RedisLedger:
    """Counts the calls of all processes that name one Redis; while it does not answer, another ledger counts.

    Redis learns when a call is sent, not when FastLabel counted it, and goes by the clocks of the machines that ask.
    So a place is taken for a sixtieth of the window longer: clocks may differ, and calls take, by ten seconds of ten
    minutes.

    :param name: what the ledger is about, as it may stand in the name of a key.
    :param window: length of the window in seconds.
    :param address: such as ``redis://:password@host:6379/0``; never shown.
    :param otherwise: counts while Redis does not answer.
    :raises ValueError: for another kind of address, or if the extra ``redis`` is not installed.
    """

    def __init__(self, name: str, window: float, address: str, otherwise: Ledger) -> None:
        self._name = name
        self._seconds = math.ceil(window * (1 + 1 / _MARGIN))
        self._otherwise = otherwise
        try:
            self._where = redis_host(address)
        except ValueError as error:
            raise ValueError(f"quota_redis {error}") from None
        self._silent_until = -math.inf
        if find_spec("limits") is None or find_spec("redis") is None:
            raise ValueError(
                "quota_redis needs packages that are not installed: pip install 'airflow-provider-fastlabel[redis]'"
            )
        from limits.storage import RedisStorage
        from limits.strategies import MovingWindowRateLimiter

        options: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        try:
            storage = RedisStorage(address, key_prefix="fastlabel-quota", wrap_exceptions=True, **options)
        except Exception:  # of what kind depends on the library; its text may hold the address
            storage = None
        if storage is None:
            raise ValueError("quota_redis cannot be read as the address of a Redis, such as redis://host:6379/0")
        self._limiter = MovingWindowRateLimiter(storage)

    def take(self, limit: int) -> tuple[Ledger, Any] | None:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        if self._answers():
            try:
                return (self, None) if self._limiter.hit(self._item(limit), self._name) else None
            except Exception as error:
                self._silent(error)
        receipt = self._otherwise.take(limit)
        return None if receipt is None else (self._otherwise, receipt)

    def settle(self, receipt: tuple[Ledger, Any], *, sent: bool = True) -> None:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        ledger, given = receipt
        if ledger is not self:
            ledger.settle(given, sent=sent)

    def free(self, limit: int) -> int:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        if self._answers():
            try:
                return max(0, self._limiter.get_window_stats(self._item(limit), self._name).remaining)
            except Exception as error:
                self._silent(error)
        return self._otherwise.free(limit)

    def next_free(self) -> float | None:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        if self._answers():
            try:
                # The oldest of the calls that are counted, however many are allowed: the item of the last `take`.
                reset = self._limiter.get_window_stats(self._asked, self._name).reset_time
                return max(_ASK_AGAIN, reset - time.time())
            except Exception as error:
                self._silent(error)
        return self._otherwise.next_free()

    def all_free(self) -> float:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`."""
        return float(self._seconds) if self._answers() else self._otherwise.all_free()

    def forked(self) -> None:
        """See :class:`~airflow_provider_fastlabel.client.http.ledgers.ledger.Ledger`; the library notices a fork."""
        self._otherwise.forked()

    def _item(self, limit: int) -> Any:
        from limits import RateLimitItemPerSecond

        self._asked = RateLimitItemPerSecond(limit, self._seconds, namespace="calls")
        return self._asked

    def _answers(self) -> bool:
        return time.monotonic() >= self._silent_until

    def _silent(self, error: Exception) -> None:
        """Go on without Redis for a while. The error's text is not shown: who writes it knows the address."""
        self._silent_until = time.monotonic() + PAUSE_SECONDS
        log.warning(
            "The Redis of quota_redis at %s did not answer (%s): for the next %g s calls are counted for this machine "
            "alone. FastLabel may answer with 429 meanwhile; such calls are sent again when it asks for it.",
            self._where,
            type(error.__cause__ or error).__name__,
            PAUSE_SECONDS,
        )
