"""Labels that have a start and an end: marks in a text, and bars on a time line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from airflow_provider_fastlabel.emulator.pages.layout import own, shortened
from airflow_provider_fastlabel.emulator.pages.markup import Markup, tag
from airflow_provider_fastlabel.emulator.pages.shapes import colour_of

_COLOURS = 8
_NAMED = 5
_NAME = 40


def highlighted(body: str, annotations: Sequence[Mapping[str, Any]]) -> Markup:
    """Return a text with its labels marked; where several lie over each other, the last to begin gives the colour.

    :param body: the text.
    :param annotations: labels with ``start`` and ``end``, in characters.
    """
    kinds = colours(annotations)
    edges: dict[int, tuple[list[int], list[int]]] = {}
    for at, each in enumerate(annotations):
        start, end = (min(int(each[key]), len(body)) for key in ("start", "end"))
        if start < end:
            edges.setdefault(start, ([], []))[0].append(at)
            edges.setdefault(end, ([], []))[1].append(at)
    pieces: list[Any] = []
    open_now: dict[int, None] = {}
    last = 0
    for place in sorted(edges):
        pieces.append(_piece(body[last:place], open_now, annotations, kinds))
        begins, ends = edges[place]
        for at in ends:
            open_now.pop(at, None)
        for at in begins:
            open_now[at] = None
            pieces.append(tag("b", shortened(_name(annotations[at]), _NAME), class_=kinds[annotations[at]["value"]]))
        last = place
    pieces.append(_piece(body[last:], open_now, annotations, kinds))
    return tag("div", pieces, class_="text")


def colours(annotations: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the name of the colour that each class of labels has in a text, by its value."""
    values = dict.fromkeys(each["value"] for each in annotations)
    return {value: f"c{at % _COLOURS}" for at, value in enumerate(values)}


def _piece(
    part: str, open_now: dict[int, None], annotations: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]
) -> Any:
    if not open_now or not part:
        return part
    newest = list(islice(reversed(open_now), _NAMED))
    names = ", ".join(_name(annotations[at]) for at in newest) + (", …" if len(open_now) > _NAMED else "")
    return tag("mark", part, title=names, class_=kinds[annotations[newest[0]]["value"]])


def _name(annotation: Mapping[str, Any]) -> str:
    return str(annotation.get("title") or annotation["value"])


def time_line(annotations: Sequence[Mapping[str, Any]], unit: str) -> Markup:
    """Return labels as bars, one line for each class.

    :param annotations: labels with ``start`` and ``end``, or these two as points.
    :param unit: what the numbers count.
    """
    spans = [(each, *_ends(each)) for each in annotations]
    end = max((last for _, _, last in spans), default=0) or 1
    lines = []
    for value in dict.fromkeys(each["value"] for each, _, _ in spans):
        own_spans = [span for span in spans if span[0]["value"] == value]
        bars = [
            tag("rect", tag("title", f"{_name(each)}: {first:g} to {last:g} {unit}"), y=2, height=16, rx=1,
                x=f"{1000 * first / end:.2f}", width=f"{max(1000 * (last - first) / end, 2):.2f}", fill=colour_of(each))
            for each, first, last in own_spans
        ]  # fmt: skip
        count = f"{len(own_spans)} labels of this class, listed below"
        picture = tag("svg", bars, viewBox="0 0 1000 20", preserveAspectRatio="none", role="img", aria_label=count)
        lines.append((tag("dt", own(_name(own_spans[0][0]))), tag("dd", picture)))
    scale = tag("p", tag("span", "0"), tag("span", f"{end:g} {unit} (where the last label ends)"), class_="scale")
    return tag("div", tag("dl", lines), scale, class_="time")


def _ends(annotation: Mapping[str, Any]) -> tuple[float, float]:
    if "start" in annotation:
        return annotation["start"], annotation["end"]
    return annotation["points"][0], annotation["points"][1]
