"""Figures become Markdown, and take their place in the documentation."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from typing import TYPE_CHECKING

from benchmarks.bench import PEERS_PYTHON, ROOT
from benchmarks.plan import FILE_PEERS, LARGE, MIDDLE, PEERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.bench import Figures
    from benchmarks.plan import Row

    Found = Mapping[str, Figures]

PAGE = ROOT / "docs" / "benchmarks.md"
START, END = "<!-- bench:start -->", "<!-- bench:end -->"


_WON = "¹"
_WHY = f"""\
{_WON} Another wins: it is compiled code, and starts from COCO's own JSON. How near Python comes to it without any check
says the column of the floor; the rest of ours are the checks, the shapes, and the account of what was written and left
out."""


def facts() -> str:
    """Say on what machine and beside which versions the figures were made."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    code = "import json,importlib.metadata as m;print(json.dumps({n:m.version(n) for n in %r}))"
    versions = ""
    if PEERS_PYTHON.exists():
        command = [str(PEERS_PYTHON), "-c", code % (["fastlabel", *PEERS, *FILE_PEERS],)]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        versions = " Beside " + ", ".join(f"{name} {version}" for name, version in found.items()) + "."
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}; {platform.system()}, Python {platform.python_version()}.{versions}"


def jobs(rows: Sequence[tuple[Row, Found, Found]], size: int) -> str:
    """Return the table of ours beside the floor and the SDK.

    :param rows: per job the figures of the run at ``size``, and those of the run in which the SDK took part.
    :param size: number of tasks.
    """
    head = (f"{size:,} tasks", "floor", "ours", "ours / floor", "SDK", "SDK / ours", "peak MB: ours", "SDK")
    return _table(head, [_job(row, found, beside, size) for row, found, beside in rows])


def _job(row: Row, found: Found, beside: Found, size: int) -> list[str]:
    ours, sdk = found["ours"], beside.get("sdk")
    title = row.title + (f" ({ours.size:,})" if ours.size != size else "")
    cells = [title, _time(found["floor"]), _time(ours), f"{ours.cpu / found['floor'].cpu:.2f}"]
    if sdk is None:
        return [*cells, "", "", f"{ours.peak:.0f}", ""]
    note = f" ({sdk.size:,})" if sdk.size != ours.size else ""
    mine = beside["ours"]
    ratio = f"**{_times(sdk.cpu / mine.cpu)}** ({_times(sdk.wall / mine.wall)})"
    return [*cells, _time(sdk) + note, ratio, f"{ours.peak:.0f}", "" if note else f"{sdk.peak:.0f}"]


def peers(rows: Sequence[tuple[Row, Found]]) -> str:
    """Return the table of ours beside other tools."""
    lines = []
    for row, found in rows:
        if others := {name: found[name] for name in PEERS if name in found}:
            best = min(others, key=lambda name: others[name].cpu)
            ratio = f"{others[best].cpu / found['ours'].cpu:.1f} ({best})"
            cells = [_time(found[name]) if name in found else "" for name in PEERS]
            lines.append([row.title, _time(found["ours"]), *cells, ratio])
    return _table(("", "ours", *PEERS, "best / ours"), lines)


def file_to_file(rows: Sequence[tuple[Row, Found]]) -> str:
    """Return the table of ours beside tools that go from a file to files without stopping in between.

    :param rows: per job the figures of the sides, and those of the parts ``tasks`` and ``shapes``, for how much of
        ours is which part.
    """
    lines = []
    for row, found in rows:
        ours, read, shaped = (found[name].cpu for name in ("ours", "tasks", "shapes"))
        others = [found.get(name) for name in FILE_PEERS]
        ratios = [f"{ours / other.cpu:.2f}{_WON * (ours > other.cpu)}" if other else "" for other in others]
        parts = [_seconds(part) for part in (read, shaped - read, ours - shaped)]
        lines.append([row.title, _time(found["floor"]), _time(found["ours"]), *parts, *map(_time, others), *ratios])
    head = ("file to file", "floor", "ours", "of it reading", "checks and shapes", "writing", *FILE_PEERS)
    table = _table((*head, *(f"ours / {name}" for name in FILE_PEERS)), lines)
    return f"{table}\n\n{_WHY}" if _WON in table else table


def busy(rows: Sequence[tuple[Row, Found]]) -> str:
    """Return the table of ours beside the SDK on a machine that is busy."""
    lines = []
    for row, found in rows:
        if sdk := found.get("sdk"):
            ours = found["ours"]
            lines.append([row.title, _time(ours), _time(sdk), f"**{_times(sdk.wall / ours.wall)}**"])
    return _table(("beside a busy process", "ours", "SDK", "SDK / ours, wall"), lines)


def one_pass(rows: Sequence[tuple[Row, Found, Found]]) -> str:
    """Return the table of growth: from a JSON Lines file, or the imports' files, in one pass."""
    lines = []
    for row, middle, large in rows:
        ours, floor = large["ours"], large.get("floor")
        growth = ours.cpu / middle["ours"].cpu / (LARGE / MIDDLE)
        cells = [_time(floor), f"{ours.cpu / floor.cpu:.2f}", f"{floor.peak:.0f}"] if floor else ["", "", ""]
        lines.append([row.title, _time(middle["ours"]), _time(ours), f"{growth:.2f}", f"{ours.peak:.0f}", *cells])
    head = ("one pass", f"{MIDDLE:,}", f"{LARGE:,}", "growth (1 = linear)", "peak MB")
    return _table((*head, "floor", "ours / floor", "floor's peak MB"), lines)


def upload(found: Found) -> str:
    """Return the table of the upload."""
    names = {"floor": "bare `requests.post`", "ours": "ours", "sdk": "SDK"}
    floor = found["floor"]
    lines = []
    for side, name in names.items():
        if one := found.get(side):
            ratios = f"{one.cpu / floor.cpu:.2f}", f"{one.wall / floor.wall:.2f}"
            lines.append([name, _time(one), *ratios, f"{one.extra:.0f}"])
    return _table(("250 MB video", "time", "/ bare, CPU", "/ bare, wall", "extra peak MB"), lines)


def _time(figures: Figures | None) -> str:
    """CPU seconds, and wall in brackets."""
    return f"{_seconds(figures.cpu)} ({_seconds(figures.wall)})" if figures else ""


def _times(ratio: float) -> str:
    """Two digits or so."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def _seconds(seconds: float) -> str:
    """Three digits or so."""
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, all columns but the first to the right."""
    rows = [head, ["---", *["--:"] * (len(head) - 1)], *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write_docs(text: str, path: Path = PAGE) -> bool:
    """Put a text between the marks of the page of benchmarks.

    :param text: markdown.
    :param path: the page.
    :returns: false if the marks are not there; nothing is changed then.
    """
    old = path.read_text(encoding="utf-8")
    before, start, rest = old.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        return False
    path.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")
    return True
