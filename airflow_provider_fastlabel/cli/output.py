"""What a command says: progress and messages to stderr, the result to stdout, and how it ended as exit code."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from shutil import get_terminal_size
from typing import Any, TextIO

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from airflow_provider_fastlabel.cli.ends import DONE, FAILED, code_of, is_expected
from airflow_provider_fastlabel.cli.progress import SHOWN_BY_BAR, Bar
from airflow_provider_fastlabel.foreign_text import foreign_text, visible
from airflow_provider_fastlabel.pipelines.running.progress import results

_OURS = "airflow_provider_fastlabel"
_MOST_SHOWN = 20
_ENDED = "The command itself has ended, and what it did stays; the same command again says its result."
_LEAST_WIDTH = 20
_SECOND_COLUMN = re.compile(r" *(- |\S+ {2,})")
_WORD = re.compile(r"( *)([^ ]+)")


class Output:
    """Takes the result of a command.

    :param bar: the progress bar.
    """

    def __init__(self, bar: Bar) -> None:
        self.bar = bar
        self.result: Mapping[str, Any] = {}
        self.code: int = DONE
        self.complaint: str = ""

    def tell(self, result: Mapping[str, Any], code: int = DONE) -> None:
        """Say what the command has come to.

        :param result: JSON values.
        :param code: its exit code.
        """
        self.result, self.code = result, code

    def complain(self, message: str) -> None:
        """Say why a command that has a result has failed all the same.

        :param message: whole sentences.
        """
        self.complaint = message


@contextmanager
def command(title: str, *, as_json: bool, kept: str) -> Iterator[Output]:
    """Run the work of a command: its messages, its errors and its result become what a person or a script expects.

    :param title: what is done, for the progress bar.
    :param as_json: whether the result is one JSON object.
    :param kept: what an interrupt leaves and how to go on, a sentence.
    :raises typer.Exit: with the exit code, unless all is done.
    """
    # A shell may have closed either.
    stdout, console = sys.stdout, Console(file=sys.stderr or io.StringIO(), highlight=False)
    output = Output(Bar(console, title))
    error: BaseException | None = None
    # Whatever others print on the way must not come between the result and its reader.
    with _logging_to(console) as handler, redirect_stdout(sys.stderr):
        try:
            with output.bar.shown():
                yield output
        except (Exception, KeyboardInterrupt) as raised:
            error = raised
            if isinstance(raised, KeyboardInterrupt):
                handler.setLevel(logging.CRITICAL)  # what threads meet that are left behind concerns nobody any more
            output.tell(getattr(raised, "summary", {}), code_of(raised))
            output.complain(_message(raised, kept))
        if error is not None and not is_expected(error):
            console.print(Text(visible("".join(traceback.format_exception(error)))), soft_wrap=True)
        if output.complaint:
            _say(console, visible(output.complaint), "Error: ", "bold red")
    if stdout is not None:
        try:
            _write(stdout, output, as_json=as_json)
        except BrokenPipeError:
            raise
        except OSError as refused:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # what is held back would fail again at the end
            _say(console, f"The result cannot be written: {refused.strerror}. {_ENDED}", "Error: ", "bold red")
            output.code = output.code or FAILED
    if output.code:
        raise typer.Exit(output.code)


def _write(stdout: TextIO, output: Output, *, as_json: bool) -> None:
    """Write the result of a command."""
    if as_json:
        said = {"error": output.complaint} if output.complaint else {}
        stdout.write(json.dumps({**output.result, **said}, ensure_ascii=True) + "\n")
    else:
        width = get_terminal_size().columns if stdout.isatty() else 0
        stdout.write("".join(f"{line}\n" for line in _lines(output.result, width)))
    stdout.flush()


def _message(error: BaseException, kept: str) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"Interrupted. {kept}"
    return str(error) or type(error).__name__


@contextmanager
def _logging_to(console: Console) -> Iterator[logging.Handler]:
    """Let our own log be read in the terminal, and of others what is wrong."""
    handler, root, ours = _Handler(console), logging.getLogger(), logging.getLogger(_OURS)
    levels = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    ours.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(levels[0])
        ours.setLevel(levels[1])


class _Handler(logging.Handler):
    """Writes messages as lines above the bar, in which nothing that strangers wrote is a command to the terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message, unless the bar or the result says the same."""
        shown = record.name == results.name or (self._console.is_terminal and record.name in SHOWN_BY_BAR)
        if shown and record.levelno < logging.WARNING:
            return
        level = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        _say(self._console, visible(record.getMessage()), level, "yellow")


def _say(console: Console, words: str, start: str = "", style: str = "") -> None:
    """Print a message: on a terminal broken between words, and never within a path; elsewhere as it is.

    :param console: the terminal, or what stands in its place.
    :param words: the message.
    :param start: what stands before it, in a style.
    :param style: that style.
    """
    whole = start + words
    if console.is_terminal:
        whole = "\n".join(each for line in whole.splitlines() for each in _wrapped(line, console.width) or [""])
    console.print(Text.assemble((start, style), whole[len(start) :]), soft_wrap=True)


def _wrapped(line: str, width: int) -> list[str]:
    """Break a line between words; what goes on is indented as its beginning is, or below its second column.

    :param line: the line.
    :param width: of the terminal in columns, of which a Japanese character takes two.
    :returns: the lines; none of an empty one.
    """
    indent = line[: len(line) - len(line.lstrip(" "))]
    column = _SECOND_COLUMN.match(line)
    further = " " * cell_len(column[0]) if column else indent
    lines: list[str] = []
    for space, word in _WORD.findall(line.strip(" ")):
        if lines and cell_len(lines[-1] + space + word) <= width:
            lines[-1] += space + word
        else:
            lines.append((further if lines else indent) + word)
    return lines


def _lines(result: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield a result as lines with a name and a value each.

    :param result: the result.
    :param width: of the terminal, below whose columns a long value goes on; 0 for one line each, as a script reads it.
    """
    rows = [(foreign_text(name.replace("_", " ")), value) for name, value in result.items()]
    indent = max((len(name) for name, _ in rows), default=0) + 2
    for name, value in rows:
        lines = [in_words(value)]
        if width > indent + _LEAST_WIDTH:
            lines = [line for one in _apart(value) for line in _wrapped(one, width - indent)] or [""]
        yield f"{name:<{indent}}{lines[0]}"
        yield from (" " * indent + line for line in lines[1:])


def _apart(value: Any) -> list[str]:
    """Return a value as what begins with a line each: of a list of objects each by itself."""
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value) and len(value) <= _MOST_SHOWN:
        return [in_words(one) for one in value]
    return [in_words(value)]


def in_words(value: Any) -> str:
    """Return a value of a result as people write it, on one line.

    :param value: JSON value.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == [] or value == {}:
        return "none"
    if isinstance(value, Mapping):
        # Of counts below a heading those that are nothing are no news.
        told = {key: one for key, one in value.items() if one or isinstance(one, bool)}
        return (
            ", ".join(f"{foreign_text(key.replace('_', ' '))} {in_words(one)}" for key, one in told.items()) or "none"
        )
    if isinstance(value, list):
        between = "; " if any(isinstance(one, Mapping | list) for one in value) else ", "
        more = f"{between}and {len(value) - _MOST_SHOWN} more" if len(value) > _MOST_SHOWN else ""
        return between.join(map(in_words, value[:_MOST_SHOWN])) + more
    return f"{value:,}" if isinstance(value, int) else foreign_text(value, 2000)
