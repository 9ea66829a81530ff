"""``emulator``: a FastLabel for this machine, until it is stopped."""

from __future__ import annotations

import importlib.util
import os
import sys

import typer


def run(context: typer.Context) -> None:
    """Start a FastLabel for this machine. --help lists its options."""
    missing = [name for name in ("fastapi", "uvicorn", "multipart") if importlib.util.find_spec(name) is None]
    if missing:
        typer.echo(
            f"Error: the emulator needs {', '.join(missing)}: install airflow-provider-fastlabel[emulator].", err=True
        )
        raise typer.Exit(2)
    # It takes the place of this process, so that signals and the exit code are its own.
    os.execv(sys.executable, [sys.executable, "-m", "airflow_provider_fastlabel.emulator", *context.args])
