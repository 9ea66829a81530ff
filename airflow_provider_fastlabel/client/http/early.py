"""Reads that are sent before their answer is needed, each once, in a thread of its own that ends with the answer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from airflow_provider_fastlabel.client.http.quota import Quota, Slot

    Exchanged = tuple[requests.Response, bytes]


class EarlyAnswer:
    """The answer to a read, which may not be there yet; as it came, so that it takes no more memory than its text.

    Nothing is decided here: what the answer means, also that of a failure, is found out by who takes it.

    :param exchange: sends the read and returns the answer.
    :param quota: of which a slot was taken for it.
    :param slot: that slot.
    """

    def __init__(self, exchange: Callable[[], Exchanged], quota: Quota, slot: Slot) -> None:
        self._exchange = exchange
        self._quota = quota
        self._slot = slot
        self._process = os.getpid()
        self._turn = threading.Lock()
        self._dropped = False
        self._over = threading.Event()
        self._answer: Exchanged | None = None
        self._error: BaseException | None = None
        self.size: int = 0
        """Bytes of the answer; 0 while there is none."""
        self.failed: bool = False
        """Whether it is known to be an error."""

    @property
    def there(self) -> bool:
        """Whether nobody has to wait for it."""
        return self._over.is_set()

    def taken(self) -> Exchanged | None:
        """Wait for the answer and hand it over, to be had once.

        :returns: ``None`` where there is no thread that waits for one: this is a process forked meanwhile.
        :raises Exception: what sending the read raised.
        """
        if os.getpid() != self._process:
            return None
        self._over.wait()
        if self._error is not None:
            raise self._error
        answer, self._answer = self._answer, None  # a page has megabytes, and its reader needs them no longer than it
        return answer

    def drop(self) -> None:
        """Do not send it, if it was not sent yet. An answer under way is read by its thread, and forgotten."""
        with self._turn:
            self._dropped = True

    def run(self) -> None:
        """Send the read and keep what comes back."""
        with self._turn:
            sending = not self._dropped
        try:
            if sending:
                response, body = self._answer = self._exchange()
                self.size, self.failed = len(body), not response.ok
        except BaseException as error:
            self._error, self.failed = error, True  # raised where the answer is taken
        finally:
            self._quota.give_back(self._slot, sent=sending)
            self._over.set()


def ask_early(exchange: Callable[[], Exchanged], quota: Quota) -> EarlyAnswer | None:
    """Send a read in a thread of its own.

    :param exchange: sends it and returns the answer.
    :param quota: one of its calls is taken, if one is free now.
    :returns: its answer to be; ``None`` if nothing is sent, as the quota or the machine have no more to give.
    """
    slot = quota.take_if_free()
    if slot is None:
        return None
    early = EarlyAnswer(exchange, quota, slot)
    try:
        # A daemon, because a call that hangs must not keep a killed task from ending.
        threading.Thread(target=early.run, name="fastlabel-early", daemon=True).start()
    except RuntimeError:  # whoever needs the answer sends the read then
        quota.give_back(slot, sent=False)
        return None
    return early
