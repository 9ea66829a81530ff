"""Statuses and priorities of tasks, as FastLabel knows them."""

from __future__ import annotations

TASK_STATUSES = ("approved", "reviewed", "completed", "skipped", "declined", "sent_back", "registered", "pending")
"""Task statuses of FastLabel, late ones first."""


EXTERNAL_STATUSES = (*TASK_STATUSES, "customer_declined")
"""External task statuses of FastLabel."""


PRIORITIES = (0, 10, 20, 30)
"""Task priorities of FastLabel: none, low, medium, high."""
