"""Text that strangers wrote is made fit for a message: error pages, histories, names of files, codecs and classes.

Such a text may hold escape sequences that repaint a terminal, line breaks that forge a line of a log, characters that
turn the reading direction round, half surrogate pairs that no file of UTF-8 takes, or a megabyte of anything.
"""

from __future__ import annotations

import unicodedata

LONGEST = 500
"""Characters of a foreign text in a message, unless the caller says otherwise."""
_CUT = " … "


def foreign_text(value: object, most: int = LONGEST) -> str:
    r"""Return a foreign text as one line of bounded length in which every character can be seen.

    What cannot be printed is written as Python escapes it (``\n``, ``\x1b``, ``\u202e``, ``\udcff``); spaces of all
    scripts stay. Of a long text the beginning and the end are kept: the end of a path is the name of the file.

    :param value: the text; anything else is taken as ``str`` writes it.
    :param most: characters at most, at least 20.
    """
    text = _cut(value if isinstance(value, str) else str(value), most)
    return text if text.isprintable() else _cut("".join(map(_visible, text)), most)


def visible(message: str) -> str:
    """Return a whole message of ours, of any length, with its line breaks, and every other character to be seen.

    The last guard, where messages become exceptions: what went into them should have come from :func:`foreign_text`.

    :param message: the message.
    """
    if message.isprintable():
        return message
    return "\n".join("".join(map(_visible, line)) for line in message.split("\n"))


def _visible(character: str) -> str:
    """Return a character that can be seen, or its escape."""
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode()


def _cut(text: str, most: int) -> str:
    """Return the beginning and the end of a text that is too long."""
    if len(text) <= most:
        return text
    end = (most - len(_CUT)) // 3
    return text[: most - len(_CUT) - end] + _CUT + text[len(text) - end :]
