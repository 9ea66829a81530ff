r"""What must not show is taken out: the token in texts of the server, signatures in the lines that urllib3 logs.

A server that repeats a token may spell it otherwise: JSON writes ``\u002b`` or ``\/``, a web page ``&#43;``, an address
``%2B``; and JSON inside of JSON writes each backslash twice.
"""

from __future__ import annotations

import re

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
