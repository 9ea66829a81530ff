"""The files of a report are known by their first bytes, by which a server tells them from others before it shows them.

Light: who only serves a report loads nothing of what makes one.
"""

from __future__ import annotations

import re

PAGE = "report.html"
SHEET = "contact-sheet.jpg"

MADE_BY = b"airflow-provider-fastlabel"
"""The comment in each contact sheet."""
_JPEG = b"\xff\xd8\xff"
_COMMENT_WITHIN = 512
_DIGEST = r"'sha256-[A-Za-z0-9+/]{43}='"
_START = re.compile(
    rb"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    rb"<meta http-equiv=\"Content-Security-Policy\" content=\"("
    + f"default-src 'none'; img-src data:; style-src {_DIGEST}; script-src {_DIGEST}; ".encode()
    + rb"base-uri 'none'; form-action 'none')\">\n"
)


def policy(style: str, script: str) -> str:
    """Return what a browser lets a page do: run its one program, show its pictures, and load nothing.

    :param style: digest of its style sheet, as in ``sha256-...``.
    :param script: digest of its program.
    """
    return (
        f"default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


def policy_of(page: bytes) -> str | None:
    """Return the policy that a page states, ``None`` if it does not begin as a report does.

    :param page: the page, or its beginning.
    """
    found = _START.match(page)
    return found[1].decode() if found else None


def is_sheet(picture: bytes) -> bool:
    """Tell whether a file begins as a contact sheet of ours does.

    :param picture: the file, or its beginning.
    """
    return picture.startswith(_JPEG) and MADE_BY in picture[:_COMMENT_WITHIN]
