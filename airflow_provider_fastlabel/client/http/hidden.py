r"""What must not show is taken out: the token in texts of the server, signatures in the lines that urllib3 logs.

A server that repeats a token may spell it otherwise: JSON writes ``\u002b`` or ``\/``, a web page ``&#43;``, an address
``%2B``; and JSON inside of JSON writes each backslash twice.
"""

from __future__ import annotations

import logging
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.foreign_text import foreign_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SPELT = re.compile(
    r"\\{1,8}u00(?P<json>[0-9a-f]{2})|%(?P<address>[0-9a-f]{2})"
    r"|&#x0{0,6}(?P<page>[0-9a-f]{2});|&#0{0,6}(?P<number>[0-9]{2,3});|\\{1,8}(?P<plain>[^\\])",
    re.IGNORECASE,
)


def without_secret(text: str, secret: str) -> str:
    """Return a text in which each occurrence of a secret, in any spelling, is three stars.

    :param text: the text.
    :param secret: what is taken out, of printable ASCII.
    """
    text = text.replace(secret, "***")
    letters: list[str] = []
    places = [0]
    at = 0
    for spelt in _SPELT.finditer(text):
        plain = text[at : spelt.start()]
        letters += [plain, _letter(spelt)]
        places += [*range(at + 1, spelt.start() + 1), spelt.end()]
        at = spelt.end()
    if not letters:
        return text
    places += range(at + 1, len(text) + 1)
    pieces, kept = [], 0
    for found in re.finditer(re.escape(secret), "".join([*letters, text[at:]])):
        pieces += [text[kept : places[found.start()]], "***"]
        kept = places[found.end()]
    return "".join([*pieces, text[kept:]])


def _letter(spelt: re.Match[str]) -> str:
    """Return the one letter that something spelt otherwise stands for."""
    if spelt["plain"]:
        return spelt["plain"]
    return chr(int(spelt["number"]) if spelt["number"] else int(spelt["json"] or spelt["address"] or spelt["page"], 16))


_LOGGERS = ("connection", "connectionpool", "poolmanager", "response", "util.retry")
_this_thread = threading.local()


@contextmanager
def own_call(hide: Callable[[str], str] = str) -> Iterator[None]:
    """Mark this thread as one that makes a call of ours: what urllib3 logs meanwhile has no query and no foreign text.

    A call may be redirected to an address that is signed, so the queries of all of them are left out.

    :param hide: takes out what must not be shown: a redirect may repeat the token in the path.
    """
    outer = getattr(_this_thread, "hide", None)
    _this_thread.hide = hide
    try:
        yield
    finally:
        _this_thread.hide = outer


def _without_queries(record: logging.LogRecord) -> bool:
    """Change a line of urllib3 that is about a call of ours, and no other program's: it shares its loggers with them.

    It logs every request at level DEBUG, and at WARNING, with a traceback, headers that it cannot read.
    """
    hide = getattr(_this_thread, "hide", None)
    if hide is not None:
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(value, hide) for value in record.args)
        record.exc_info = None
    return True


def _shown(value: object, hide: Callable[[str], str]) -> object:
    """Return an argument of a line: numbers as they are, since the line may format them."""
    return value if isinstance(value, int | float) else foreign_text(hide(str(value).partition("?")[0]))


for _name in _LOGGERS:
    logging.getLogger(f"urllib3.{_name}").addFilter(_without_queries)
