"""A progress bar on a terminal; elsewhere the pipelines' own calm lines of the log are enough."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from airflow_provider_fastlabel.pipelines.running import progress

if TYPE_CHECKING:
    from rich.console import Console

    from airflow_provider_fastlabel.pipelines.running.progress import Progress as Counting

_WIDE = 100
EVERY_SECONDS = 0.2
"""At most one change of the bar in this time."""
WAIT_LINES = "airflow_provider_fastlabel.cli.looks"
"""Logger of the looks of a wait."""
SHOWN_BY_BAR = frozenset({progress.log.name, WAIT_LINES})
"""Loggers whose lines of information say what the bar shows."""


class Bar:
    """One line on a terminal that says how far the work is; nothing where there is no terminal.

    :param console: the terminal.
    :param title: what is done.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30 if console.width >= _WIDE else 15),
            TextColumn("{task.fields[count]}", markup=False, style="green"),
            TextColumn("{task.fields[more]}", markup=False, style="dim", table_column=Column(no_wrap=True, ratio=1)),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=None, count="", more="")
        self._counting: object = None
        self._told_at = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar, and let it follow all work that begins within."""
        with self._bar, progress.told_to(self.follow):
            yield

    def follow(self, counting: Counting) -> None:
        """Show how far a work is.

        :param counting: the work.
        """
        if counting is not self._counting:
            self._counting = counting
            self._bar.reset(self._task, total=counting.total)
        elif not self.is_due and counting.done < counting.total:
            return
        self._told_at = time.monotonic()
        standing = counting.standing()
        fates = ", ".join(f"{count:,} {fate}" for fate, count in standing["fates"].items())
        self._update(standing["done"], standing["total"], fates)

    @property
    def is_due(self) -> bool:
        """Whether it is time to change the bar again."""
        return time.monotonic() - self._told_at >= EVERY_SECONDS

    def show(self, standing: dict[str, Any]) -> None:
        """Show how far a wait is.

        :param standing: as :meth:`.WaitProgress.standing` returns it.
        """
        self._told_at = time.monotonic()
        total = standing.get("needed") or standing.get("total")
        rate = standing.get("per_minute")
        more = f"{rate:.1f} per minute" if rate else ""
        self._update(standing.get("done") or 0, total, more)

    def _update(self, done: int, total: int | None, more: str) -> None:
        count = "" if total is None else f"{done:,} of {total:,}"
        self._bar.update(self._task, completed=done, total=total, count=count, more=more)
