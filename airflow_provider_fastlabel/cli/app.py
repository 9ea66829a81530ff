"""Puts the commands together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

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

if TYPE_CHECKING:
    from collections.abc import Callable

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


class Described(TyperCommand):
    """A command that says with ``--json`` as one JSON object, too, what is wrong with its words."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the words of a command.

        :param info_name: the command's name.
        :param args: the words, of which none may be left.
        :param parent: what the words before it said.
        :param extra: what else the context holds.
        :raises Exception: a word is wrong, as typer has it; typer says it to a person and ends with 2.
        """
        as_json = "--json" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except Exception as error:
            # Of the base of its errors typer exports no name; an end that --help asks for has no message.
            message: Callable[[], str] | None = getattr(error, "format_message", None)
            if as_json and message is not None:
                typer.echo(json.dumps({"error": message()}))
            raise


app: typer.Typer = typer.Typer(
    name="fastlabel-pipelines",
    no_args_is_help=True,
    rich_markup_mode=None,  # in tables of four columns the words of most options would stand one below the other
    pretty_exceptions_enable=False,  # they show values of variables, and one may be the token
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _module in COMMANDS.items():
    app.command(_name, cls=Described, epilog=_EXAMPLE.format(_module.EXAMPLE))(_module.run)
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
