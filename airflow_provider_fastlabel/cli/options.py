"""The options that commands share, each described once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from airflow_provider_fastlabel.client.statuses import ExternalStatus, TaskStatus
from airflow_provider_fastlabel.formats import AnnotationsFormat

Project = Annotated[str, typer.Argument(metavar="PROJECT", help="Slug of the project, as in the address of its page.")]
Target = Annotated[
    str, typer.Argument(metavar="OUTPUT", help="Folder that is published, or URL of an object store: s3://bucket/x.")
]
ConnId = Annotated[
    str | None,
    typer.Option(
        "--conn-id",
        metavar="ID",
        help="Airflow connection to use. Default: FASTLABEL_ACCESS_TOKEN and FASTLABEL_API_URL of the environment.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object; all else goes to stderr.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="How many files at a time.")]
Pattern = Annotated[str, typer.Option(help="Glob for paths relative to the folder; ** crosses folders.")]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Follow links that lead out of the folder.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="Only tasks with this tag. Repeatable.")]
Status = Annotated[TaskStatus | None, typer.Option(metavar="STATUS", help="Only tasks of this status.")]
External = Annotated[ExternalStatus | None, typer.Option(metavar="STATUS", help="Only tasks of this external status.")]
AnnotationsIn = Annotated[
    str | None,
    typer.Option("--annotations", metavar="PLACE", help="Where the annotations are, if not beside the pictures."),
]
ReaderArguments = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        metavar="KEY=VALUE",
        help="Argument of the format's reader, such as corners=zero_based or task=obb. Repeatable.",
    ),
]
AllowLost = Annotated[
    bool, typer.Option("--allow-lost", help="Do not fail where annotations are lost; they are counted by reason.")
]
Publish = Annotated[
    Literal["versions", "in_place"] | None,
    typer.Option(help="How. Default: versions in an object store, in_place in a folder, there by renaming."),
]
KeepVersions = Annotated[int, typer.Option(min=1, help="How many earlier versions stay beside the current one.")]
Form = AnnotationsFormat

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")


def seconds(text: str) -> float:
    """Read a span of time: ``90``, ``90s``, ``30m``, ``12h``, ``2d``.

    :param text: the span.
    :raises ValueError: it is none, or nothing.
    """
    found = _TIME.fullmatch(text.strip())
    span = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not 0 < span <= 1e9:
        raise ValueError(f"{text!r} is no span of time such as 90s, 30m, 12h or 2d.")
    return span


def pairs(option: str, given: Sequence[str] | None, value: Callable[[str], Any]) -> dict[str, Any]:
    """Read what was given as KEY=VALUE.

    :param option: its name, for messages.
    :param given: the texts.
    :param value: what to make of a value.
    :raises ValueError: a text is none, or a key comes twice.
    """
    found: dict[str, Any] = {}
    for text in given or ():
        key, is_pair, raw = text.partition("=")
        if not is_pair or not key or key in found:
            raise ValueError(f"{option} {text!r} is not KEY=VALUE, or comes twice.")
        try:
            found[key] = value(raw)
        except ValueError as error:
            raise ValueError(f"{option} {text!r}: {error}") from error
    return found


def plain_or_json(text: str) -> Any:
    """Return a value of the command line: what JSON makes of it, else the text.

    :param text: the text.
    """
    try:
        return json.loads(text)
    except ValueError:
        return text


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given.

    :param values: name -> value, ``None`` for not given.
    """
    return {name: value for name, value in values.items() if value is not None}
