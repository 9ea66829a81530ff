"""What runs for a while: imports, and jobs of models."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from airflow_provider_fastlabel.emulator.pages.layout import HOME, Crumb, below, facts, link, own, page, table
from airflow_provider_fastlabel.emulator.pages.markup import tag
from airflow_provider_fastlabel.emulator.world import histories, jobs
from airflow_provider_fastlabel.emulator.world.errors import not_found
from airflow_provider_fastlabel.emulator.world.state import Emulation
from airflow_provider_fastlabel.emulator.world.store import Record

_SHOWN = 50
IMPORTS: Crumb = ("Imports", "/imports")
JOBS: Crumb = ("Model jobs", "/jobs")


def imports(emu: Emulation, project: Record | None = None) -> Response:
    """Return the page of the newest imports.

    :param emu: the emulator.
    :param project: only those of this one.
    """
    scope = project.id if project else None
    found = emu.store.list("history", scope=scope, limit=_SHOWN, newest=True)
    rows = [
        (link(below("imports", each.id), each.created_at[:19].replace("T", " ")), _project(emu, each.scope),
         own(each.body["type"]), own(each.body["status"]), each.body["count"])
        for each in found
    ]  # fmt: skip
    heads = ("Started (UTC)", "Project", "Type", "Status", "Tasks")
    note = f"The newest {_SHOWN}; the API lists all." if len(found) == _SHOWN else ""
    body = table("Imports", heads, rows) if rows else tag("p", "There is no import.")
    above = [HOME, (str(project.body["name"]), below("projects", project.id))] if project else [HOME]
    return page("Imports", body, tag("p", note, class_="note"), above=above)


def one_import(emu: Emulation, ident: str) -> Response:
    """Return the page of an import. Looking at it is no read that brings it forward.

    :raises ApiError: 404 when there is none.
    """
    record = emu.store.get("history", ident)
    found = {"project": _project(emu, record.scope), **histories.show(record)}
    return page("Import", facts(found), above=[HOME, IMPORTS])


def all_jobs(emu: Emulation) -> Response:
    """Return the page of the newest jobs of models."""
    found = [
        (collection, jobs.current(emu, collection, each))
        for collection in jobs.COLLECTIONS
        for each in emu.store.list(collection, limit=_SHOWN, newest=True)
    ]
    found.sort(key=lambda job: job[1].created_at, reverse=True)
    rows = [
        (link(below("jobs", job.id), job.created_at[:19].replace("T", " ")), collection.replace("_", " "),
         own(job.body["status"]), _project(emu, job.scope))
        for collection, job in found
    ]  # fmt: skip
    heads = ("Started (UTC)", "Job", "Status", "Project")
    return page(
        "Model jobs", table("Jobs", heads, rows) if rows else tag("p", "There is no job of a model."), above=[HOME]
    )


def one_job(emu: Emulation, ident: str) -> Response:
    """Return the page of a job of a model.

    :raises ApiError: 404 when there is none.
    """
    for collection in jobs.COLLECTIONS:
        record = emu.store.find(collection, ident)
        if record is not None:
            found = jobs.show(jobs.current(emu, collection, record))
            about = {"project": _project(emu, record.scope)} if record.scope else {}
            return page(collection.replace("_", " ").capitalize(), facts({**about, **found}), above=[HOME, JOBS])
    raise not_found("model job", ident)


def _project(emu: Emulation, ident: str) -> Any:
    record = emu.store.find("project", ident) if ident else None
    return link(below("projects", record.id), record.body["name"]) if record else "–"
