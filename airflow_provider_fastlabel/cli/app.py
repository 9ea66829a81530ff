"""Puts the commands together."""

from __future__ import annotations

from typing import Annotated

import typer

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.cli import (
    checking,
    comparing,
    converting,
    emulating,
    exporting,
    importing,
    reporting,
    verifying,
    waiting,
)

COMMANDS = {
    "import": importing,
    "export": exporting,
    "convert": converting,
    "check": checking,
    "diff": comparing,
    "report": reporting,
    "verify": verifying,
    "wait": waiting,
}
"""Name of each command and its module."""
_EXAMPLE = "\b\nExample:\n  {}"

app: typer.Typer = typer.Typer(
    name="fastlabel-pipelines",
    no_args_is_help=True,
    rich_markup_mode=None,  # in tables of four columns the words of most options would stand one below the other
    pretty_exceptions_enable=False,  # they show values of variables, and one may be the token
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _module in COMMANDS.items():
    app.command(_name, epilog=_EXAMPLE.format(_module.EXAMPLE))(_module.run)
app.command(
    "emulator",
    add_help_option=False,  # the emulator's own
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(emulating.run)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run FastLabel labelling pipelines from a terminal.

    The access token is read from FASTLABEL_ACCESS_TOKEN, the address from FASTLABEL_API_URL; or both from an Airflow
    connection, --conn-id.

    Exit codes: 0 done, 1 failed or something was lost, 2 wrong usage or input, 3 the wait timed out, 130 interrupted.
    """
    del version
