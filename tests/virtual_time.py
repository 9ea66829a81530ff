"""An event loop on which waiting takes no time, so that tests of intervals depend on no machine's load."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when there is nothing else to do, and stands still while a thread works."""

    def __init__(self) -> None:
        self._now = 0.0
        self._working = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the seconds that have passed on this loop."""
        return self._now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Let a thread work; no time passes until it has ended."""
        self._working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._worked)
        return future

    def _worked(self, _: object) -> None:
        self._working -= 1

    def pass_over(self, seconds: float | None) -> float | None:
        """Let a pause pass; returns how long the loop must really wait.

        :param seconds: of the pause; ``None`` if it has no end.
        """
        if self._working or seconds is None:
            return None if seconds else seconds
        self._now += seconds
        return 0


class _Selector(selectors.SelectSelector):
    """Never waits for time to pass, only for what comes from outside."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; where nothing is, the pause is over at once."""
        return super().select(0) or super().select(self._loop.pass_over(timeout))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of virtual time.

    :param work: the coroutine.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
