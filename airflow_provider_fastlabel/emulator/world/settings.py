"""What can be set while the emulator runs, and its clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

LONGEST_ADVANCE = 3e9
"""Seconds by which the clock may be moved in all: a hundred years, so that dates stay dates."""


@dataclass(slots=True)
class Settings:
    """Behaviour that tests turn; every field but ``s3_endpoint`` can be sent to ``PUT /_emulator/config``.

    :param strict: refuse unknown body and query fields, class values that the help pages rule out, and model endpoints
        that nobody has set up.
    :param quota: calls allowed per ``quota_seconds`` and token; ``None`` for no limit.
    :param quota_seconds: length of the sliding window.
    :param history_seconds: running time of an import before it completes.
    :param history_reads: complete an import after it was read so often, instead of after a time.
    :param history_manual: imports run until ``POST /_emulator/histories`` settles them.
    :param fail_histories: how many of the next imports end as ``failed``.
    :param job_seconds: running time of training, evaluation and auto-annotation jobs.
    :param job_manual: jobs run until ``POST /_emulator/jobs`` settles them.
    :param signed_url_seconds: life of a signed address.
    :param page_maxima: largest page by kind name, where it shall differ from the table of kinds.
    :param monitoring_names: names of the monitoring settings that exist; ``None`` accepts any name.
    :param endpoint_names: names of the model endpoints that exist; ``None``: those given an answer by
        ``PUT /_emulator/endpoints``.
    :param s3_endpoint: address of the S3-compatible server; ``None`` for AWS itself. Keys of the environment go there
        only if ``AWS_ENDPOINT_URL_S3`` names the same address.
    :param merge_overlap: pixels by which neighbouring tiles of a split image overlap.
    """

    strict: bool = True
    quota: int | None = 10_000
    quota_seconds: float = 600.0
    history_seconds: float = 0.5
    history_reads: int | None = None
    history_manual: bool = False
    fail_histories: int = 0
    job_seconds: float = 0.5
    job_manual: bool = False
    signed_url_seconds: float = 3600.0
    page_maxima: dict[str, int] = field(default_factory=dict)
    monitoring_names: list[str] | None = None
    endpoint_names: list[str] | None = None
    s3_endpoint: str | None = None
    merge_overlap: int = 0


class Clock:
    """The emulator's time: the machine's, moved forward on demand."""

    def __init__(self) -> None:
        self.offset: float = 0.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self.offset

    def can_advance(self, seconds: float) -> bool:
        """Whether the clock can be moved forward so far."""
        return self.offset + seconds <= LONGEST_ADVANCE

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        :param seconds: by how much.
        """
        self.offset += seconds

    def iso(self) -> str:
        """Return now as FastLabel writes it: UTC, milliseconds, ``Z``."""
        moment = datetime.fromtimestamp(self.now(), UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def http_date(self) -> str:
        """Return now as an HTTP ``Date`` header."""
        return format_datetime(datetime.fromtimestamp(self.now(), UTC), usegmt=True)
