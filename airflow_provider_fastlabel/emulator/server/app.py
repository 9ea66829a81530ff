"""Assembles the emulator: database, files, routes, gate."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from airflow_provider_fastlabel.emulator.pages import router as pages
from airflow_provider_fastlabel.emulator.routes import (
    classes,
    comments,
    contents,
    control,
    control_data,
    datasets,
    imports,
    merge,
    models,
    projects,
    storage,
    tasks,
    users,
)
from airflow_provider_fastlabel.emulator.server import description
from airflow_provider_fastlabel.emulator.server.callers import Callers
from airflow_provider_fastlabel.emulator.server.gate import Gate
from airflow_provider_fastlabel.emulator.world import annotators, errors
from airflow_provider_fastlabel.emulator.world.files import Files, secret_of
from airflow_provider_fastlabel.emulator.world.settings import Clock, Settings
from airflow_provider_fastlabel.emulator.world.state import Emulation
from airflow_provider_fastlabel.emulator.world.store import IN_MEMORY, Store

_API = (
    imports, storage.api, merge, contents, tasks, projects, classes, models, datasets, comments, users,
)  # fmt: skip
_DESCRIPTION = "FastLabel on one machine. What FastLabel does not document is listed at /_emulator/choices."


def build(
    token: str,
    *,
    db: str | os.PathLike[str] | None = None,
    files: str | os.PathLike[str] | None = None,
    settings: Settings | None = None,
    allow_hosts: Iterable[str] = (),
    ground_truth: Iterable[str | os.PathLike[str]] = (),
) -> Gate:
    """Return the emulator as an ASGI application.

    :param token: the access token it accepts.
    :param db: SQLite file that outlives the process; ``None`` keeps the data in memory.
    :param files: folder of the stored files; ``None`` puts them beside ``db``, or into a folder removed at the end.
    :param settings: settings to start with.
    :param allow_hosts: names beside those of this machine under which it is called, see :class:`Callers`.
    :param ground_truth: JSON files that the control plane may name by their file names.
    :raises ValueError: when one of them is not a name, or not such a file.
    """
    callers = Callers(token, allow_hosts)
    truths = {Path(file).name: annotators.read_truth(Path(file)) for file in ground_truth}
    clock = Clock()
    with ExitStack() as failed:
        store = Store(IN_MEMORY if db is None else os.fspath(db), clock)  # before anything is made beside it
        failed.callback(store.close)
        temporary: tempfile.TemporaryDirectory[str] | None = None
        if files is None and db is not None:
            files = f"{os.fspath(db)}.files"
        if files is None:
            temporary = tempfile.TemporaryDirectory(prefix="fastlabel-emulator-")
            files = temporary.name
        secret = secret_of(None if db is None else Path(f"{os.fspath(db)}.key"))
        chosen = settings or Settings()
        emu = Emulation(
            store=store,
            files=Files(Path(files), secret, clock),
            clock=clock,
            token=token,
            settings=chosen,
            defaults=dataclasses.replace(chosen, page_maxima=dict(chosen.page_maxima)),
            ground_truth=truths,
        )
        emu.seed()
        failed.pop_all()
    return Gate(_routes(emu, temporary), emu, callers)


def _routes(emu: Emulation, temporary: tempfile.TemporaryDirectory[str] | None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        imports.resume(emu)
        yield
        emu.store.close()
        if temporary is not None:
            temporary.cleanup()

    app = FastAPI(
        title="FastLabel emulator",
        description=_DESCRIPTION,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.emulation = emu
    errors.install(app)
    description.install(app)
    for module in _API:
        part: Any = getattr(module, "router", module)
        app.include_router(part, prefix="/v1")
    app.include_router(storage.router)
    app.include_router(control.router)
    app.include_router(control_data.router)
    app.include_router(pages.router)
    return app
