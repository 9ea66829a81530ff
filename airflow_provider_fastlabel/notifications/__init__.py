"""Notifiers: what a person is told about a project, in callbacks and when a deadline is missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.notifications.progress import FastLabelProgressNotifier

__all__ = ["FastLabelProgressNotifier"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(__name__, {"FastLabelProgressNotifier": "progress"})
