r"""Text that strangers wrote is made fit for Markdown: it stays what it says, and becomes no markup, link or table.

CommonMark lets a backslash stand before every character that could mean something, so nothing has to be left out.
"""

from __future__ import annotations

import re

from airflow_provider_fastlabel.foreign_text import LONGEST, foreign_text

# A full stop counts where an address could begin, as in www.example.com; in a number it is left alone.
_MEANING = re.compile(r"[!\"#$&'()*+/:;<=>?@\[\\\]^_`{|}~]|(?<=[^\W\d])\.")


def markdown_text(value: object, most: int = LONGEST) -> str:
    r"""Return a foreign text as one line of Markdown that shows it as it is.

    :param value: the text; anything else is taken as ``str`` writes it.
    :param most: characters at most, before the backslashes.
    """
    return _MEANING.sub(r"\\\g<0>", foreign_text(value, most))


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table of Markdown.

    :param head: the titles of the columns, markup already.
    :param rows: the cells of each row, markup already.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
