"""Import histories: imports that run for a while and then complete or fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow_provider_fastlabel.emulator.world import task_table
from airflow_provider_fastlabel.emulator.world.errors import ApiError
from airflow_provider_fastlabel.emulator.world.state import Emulation
from airflow_provider_fastlabel.emulator.world.store import Record
from airflow_provider_fastlabel.emulator.world.task_table import NewTask

_INTERNAL = {"ready_at", "reads", "work", "fails"}


def start(emu: Emulation, project: Record, storage_type: str, work: dict[str, Any], *, kind: str) -> Record:
    """Begin an import.

    :param emu: the emulator.
    :param project: where its tasks go.
    :param storage_type: shown as ``storageType``.
    :param work: what the import needs, kept with the history.
    :param kind: shown as ``type``.
    """
    settings = emu.settings
    fails = settings.fail_histories > 0
    settings.fail_histories -= fails
    body = {
        "type": kind,
        "storageType": storage_type,
        "status": "running",
        "msgCode": "none",
        "msgLevel": "none",
        "userName": "Admin",
        "count": 0,
        "ready_at": emu.clock.now() + settings.history_seconds,
        "reads": 0,
        "fails": fails,
        "work": work,
    }
    record = emu.store.insert("history", body, scope=project.id)
    emu.running.add(record.id)
    return record


def show(record: Record) -> dict[str, Any]:
    """Return a history as the API shows it."""
    return {key: value for key, value in record.out().items() if key not in _INTERNAL}


def read(emu: Emulation, record: Record) -> Record:
    """Count one read of a history and complete it when that was the last it waited for.

    :param emu: the emulator.
    :param record: the history.
    :returns: the history as it is now.
    """
    if record.id not in emu.running or emu.settings.history_reads is None:
        return record
    record.body["reads"] += 1
    emu.store.save("history", record)
    if record.body["reads"] >= emu.settings.history_reads and record.id in emu.staged:
        settle(emu, record)
    return emu.store.get("history", record.id)


def stage(emu: Emulation, history_id: str, result: Sequence[NewTask] | ApiError) -> None:
    """Hand in what an import found; its tasks appear when the history completes.

    :param emu: the emulator.
    :param history_id: the history.
    :param result: new tasks, or why it fails.
    """
    if history_id in emu.running:
        emu.staged[history_id] = result


def advance(emu: Emulation) -> None:
    """Settle all imports whose time has come."""
    settings = emu.settings
    if not emu.running or settings.history_manual or settings.history_reads is not None:
        return
    for ident in [ident for ident in emu.running if ident in emu.staged]:
        record = emu.store.find("history", ident)
        if record is None:
            emu.running.discard(ident)
        elif record.body["ready_at"] <= emu.clock.now():
            settle(emu, record)


def settle(emu: Emulation, record: Record, *, failure: str | None = None) -> None:
    """End an import: add its tasks, or let it fail.

    :param emu: the emulator.
    :param record: a running history.
    :param failure: why it fails; ``None`` to go by what the import found.
    """
    result = emu.staged.pop(record.id, ())
    emu.running.discard(record.id)
    if failure is None and record.body["fails"]:
        failure = "import_failed"
    if isinstance(result, ApiError):
        failure, result = result.message if failure is None else failure, ()
    with emu.store.transaction():
        if failure is not None:
            record.body |= {"status": "failed", "msgCode": failure, "msgLevel": "error"}
        else:
            record.body |= {"status": "completed", "count": _add(emu, record, result)}
        emu.store.save("history", record)


def _add(emu: Emulation, record: Record, tasks: Sequence[NewTask]) -> int:
    project = emu.store.find("project", record.scope)
    if project is None:
        return 0
    count = 0
    for task in tasks:
        taken = emu.store.row("SELECT 1 FROM tasks WHERE project_id=? AND name=?", project.id, task.name)
        if taken is None:
            task_table.insert_task(emu, project, task)
            count += 1
    return count


def resume(emu: Emulation, restart: Callable[[Record], None]) -> None:
    """Take up the imports that were running when the emulator was stopped.

    :param emu: the emulator.
    :param restart: begins the work of one history again.
    """
    for record in emu.store.list("history"):
        if record.body["status"] == "running":
            emu.running.add(record.id)
            restart(record)
