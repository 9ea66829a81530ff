"""Jobs that run for a while: training, evaluation, auto-annotation."""

from __future__ import annotations

from typing import Any

from airflow_provider_fastlabel.emulator.world.settings import Clock
from airflow_provider_fastlabel.emulator.world.state import Emulation
from airflow_provider_fastlabel.emulator.world.store import Record

COLLECTIONS = ("training", "evaluation", "auto_annotation")
"""Collections whose records are jobs."""

_READY = "ready_at"


def begin(emu: Emulation, collection: str, body: dict[str, Any], scope: str = "") -> Record:
    """Begin a job.

    :param emu: the emulator.
    :param collection: one of :data:`COLLECTIONS`.
    :param body: its fields; ``finished`` holds those it gets when it completes.
    :param scope: project of an auto-annotation job.
    """
    started = {"status": "in_progress", "completedAt": None, _READY: emu.clock.now() + emu.settings.job_seconds}
    return emu.store.insert(collection, {**body, **started}, scope=scope)


def current(emu: Emulation, collection: str, record: Record) -> Record:
    """Return a job as it is by now."""
    due = record.body["status"] == "in_progress" and record.body[_READY] <= emu.clock.now()
    if due and not emu.settings.job_manual:
        finish(emu, collection, record, "completed")
    return record


def finish(emu: Emulation, collection: str, record: Record, status: str) -> None:
    """End a job.

    :param emu: the emulator.
    :param collection: one of :data:`COLLECTIONS`.
    :param record: the job.
    :param status: ``completed`` or ``failed``.
    """
    finished = record.body.pop("finished", {})
    record.body |= finished if status == "completed" else {}
    record.body |= {"status": status, "completedAt": emu.clock.iso()}
    emu.store.save(collection, record)


def show(record: Record) -> dict[str, Any]:
    """Return a job as the API shows it."""
    return {key: value for key, value in record.out().items() if key not in (_READY, "finished")}


def stamp(clock: Clock) -> str:
    """Return now as model names carry it."""
    return clock.iso()[:19].replace(":", "-").replace("T", "-")
