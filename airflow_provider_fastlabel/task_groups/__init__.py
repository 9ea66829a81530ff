"""Groups of tasks that pipelines repeat, made of the operators and sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_fastlabel.lazy import loads

if TYPE_CHECKING:
    from airflow_provider_fastlabel.task_groups.chunks import import_in_chunks
    from airflow_provider_fastlabel.task_groups.rounds import labeling_round

__all__ = ["import_in_chunks", "labeling_round"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loads(__name__, {"import_in_chunks": "chunks", "labeling_round": "rounds"})
