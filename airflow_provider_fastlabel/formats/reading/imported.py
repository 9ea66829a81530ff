"""What every importer hands back, and the few rules all importers share.

An importer never stops at one bad entry and never loses one silently: what it could take is in
:attr:`ImportedAnnotations.by_image`, what it could not is in :attr:`ImportedAnnotations.problems`.
"""

from __future__ import annotations

import gc
import json
import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

PLACES = 6
"""Decimals kept of a computed pixel coordinate: far below any format's precision, far above float noise."""


Annotation = dict[str, Any]


class UnusableError(Exception):
    """One entry of a file cannot become an annotation; the text says why."""


@dataclass(frozen=True)
class EntryProblem:
    """Something an importer could not take.

    :param file: the file, relative to the folder that was read (posix), or its name when one file was read.
    :param line: line number from 1, or None where the format has no useful lines (JSON: the message names the entry).
    :param message: what is wrong, with which entry.
    """

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        """Return ``file:line: message``, the form editors turn into a link."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}"


@dataclass
class ImportedAnnotations:
    """The annotations of a data set, ready for the create methods, and the problems met.

    :param by_image: image path relative to the data set's folder (posix; meant to be the task name) -> FastLabel
        annotations. An image that is described without objects has an empty list.
    :param problems: what was left out, in the order of reading.
    """

    by_image: dict[str, list[Annotation]] = field(default_factory=dict)
    problems: list[EntryProblem] = field(default_factory=list)

    def add_problem(self, file: str, message: str, line: int | None = None) -> None:
        """Remember that an entry was left out.

        :param file: file as in :class:`EntryProblem`.
        :param message: what is wrong.
        :param line: line number from 1, if there is one.
        """
        self.problems.append(EntryProblem(file, line, message))

    def open_image(self, image: str, file: str) -> list[Annotation]:
        """Return the list that collects an image's annotations; say so when a second file describes the same image.

        :param image: key of :attr:`by_image`.
        :param file: the file that describes it.
        :returns: the live list; appending to it adds to the image.
        """
        if image in self.by_image:
            self.add_problem(file, f"image {image!r} was described before; the annotations are put together")
        return self.by_image.setdefault(image, [])


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause Python's cyclic garbage collector while many dictionaries are built.

    Parsed files hold no cycles, yet the collector walks all of them again and again: two to four times the run time on
    a large file. A thread that ends its pause early switches it on for all, which costs speed and nothing else.

    :returns: a context manager.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_json(path: str | os.PathLike[str], file: str, result: ImportedAnnotations) -> Any:
    """Parse a JSON file, with ``NaN`` and a byte order mark let through as many writers produce them.

    :param path: the file.
    :param file: its name in problems.
    :param result: where an unreadable file is reported.
    :returns: the parsed document, or None when it was reported as a problem.
    :raises OSError: the file cannot be read.
    """
    import orjson

    with open(path, "rb") as source:
        data = source.read()
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        result.add_problem(file, f"not valid JSON: {error.msg}", error.lineno)
    except UnicodeDecodeError as error:
        result.add_problem(file, f"not UTF-8 text: byte {error.start} is {error.reason}")
    except RecursionError:
        result.add_problem(file, "not usable JSON: nested too deeply")
    return None


def finite(values: Sequence[Any]) -> bool:
    """Tell whether all values are ordinary numbers.

    :param values: what should be numbers.
    :returns: false when one is no number, NaN or infinite.
    """
    try:
        return math.isfinite(sum(values))
    except (TypeError, OverflowError):
        return False


def tidy(value: float) -> float:
    """Round away float noise of a computed coordinate.

    :param value: pixels.
    :returns: the value to :data:`PLACES` decimals.
    """
    return round(value, PLACES)
