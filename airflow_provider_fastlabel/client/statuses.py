"""Statuses and priorities of tasks, as FastLabel knows them; each list stands here once, as a type and as values."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

TaskStatus: TypeAlias = Literal[
    "approved", "reviewed", "completed", "skipped", "declined", "sent_back", "registered", "pending"
]
ExternalStatus: TypeAlias = Literal[TaskStatus, "customer_declined"]
Priority: TypeAlias = Literal[0, 10, 20, 30]
"""0 none, 10 low, 20 medium, 30 high."""

TASK_STATUSES: tuple[TaskStatus, ...] = get_args(TaskStatus)
"""Task statuses of FastLabel, late ones first."""

EXTERNAL_STATUSES: tuple[ExternalStatus, ...] = get_args(ExternalStatus)
"""External task statuses of FastLabel."""

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""Task priorities of FastLabel: none, low, medium, high."""
