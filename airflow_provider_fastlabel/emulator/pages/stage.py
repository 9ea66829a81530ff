"""What a task is about, as far as a browser can show it, with its labels on it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from airflow_provider_fastlabel.emulator.pages.clouds import from_above, read_cloud
from airflow_provider_fastlabel.emulator.pages.layout import below, own
from airflow_provider_fastlabel.emulator.pages.markup import Markup, tag, text
from airflow_provider_fastlabel.emulator.pages.media import type_of
from airflow_provider_fastlabel.emulator.pages.shapes import Label, numbers_of, overlay
from airflow_provider_fastlabel.emulator.pages.spans import highlighted, time_line
from airflow_provider_fastlabel.emulator.world.kinds import KINDS, Kind
from airflow_provider_fastlabel.emulator.world.state import Emulation

_MOST_TEXT = 200_000


@dataclass(slots=True)
class Shown:
    """A task as a page needs it.

    :param ident: its id.
    :param name: its name.
    :param kind: its kind.
    :param files: descriptions of its files.
    :param annotations: its labels.
    :param attributes: its values, of a classification.
    """

    ident: str
    name: str
    kind: Kind
    files: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    attributes: list[dict[str, Any]]


def read(row: sqlite3.Row) -> Shown:
    """Return what a page shows of a task's row."""
    kind, media = KINDS[row["kind"]], orjson.loads(row["media"])
    files = orjson.loads(row["contents"]) or ([{"name": row["name"], **media}] if media else [])
    labels = orjson.loads(row["annotations"])
    return Shown(row["id"], row["name"], kind, files, labels, orjson.loads(row["attributes"]))


def frames_of(task: Shown) -> int:
    """Return how many frames a task has that are shown one at a time; 0 for other tasks."""
    if task.kind.name in ("sequential_image", "sequential_pcd"):
        return max(len(task.files), 1)
    if task.kind.name != "video":
        return 0
    labelled = (int(key) for each in task.annotations for key in each["points"])
    return max(*labelled, int(task.files[0].get("frameCount", 1)) if task.files else 1, 1)


async def stage(emu: Emulation, task: Shown, frame: int) -> Markup:
    """Return the picture, text, sound or cloud of a task with its labels.

    :param emu: the emulator.
    :param task: the task.
    :param frame: the frame to show, from 1; 0 where there are none.
    """
    name = task.kind.name
    here: list[Label]
    if name == "image":
        return _picture(task, 0, [(each, each.get("points")) for each in task.annotations])
    if name == "video":
        return _clip(task, frame)
    if name == "sequential_image":
        content = task.files[frame - 1]["name"] if task.files else None
        here = [(each, each["points"]) for each in task.annotations if each.get("content") == content]
        return text(_scrubber(task, frame, "picture seen"), _picture(task, frame - 1, here), _seen(here))
    if name == "sequential_pcd":
        here = in_frame(task.annotations, frame)
        return text(_scrubber(task, frame, "picture seen"), await _cloud(emu, task, frame - 1, here), _seen(here))
    if name == "pcd":
        return await _cloud(emu, task, 0, [(each, each["points"]) for each in task.annotations])
    if name in ("text", "text_classification"):
        return await _text(emu, task)
    return text([_media(emu, task, at) for at in range(len(task.files))], _about(task))


def in_frame(annotations: Sequence[Mapping[str, Any]], frame: int) -> list[Label]:
    """Return the labels that have points in a frame. What FastLabel does not say of a frame is not made up."""
    key = str(frame)
    return [(each, each["points"][key]["value"]) for each in annotations if key in each["points"]]


def _about(task: Shown) -> Markup:
    """Return what is said of a task whose labels lie on no picture."""
    if task.kind.name == "dicom":
        return tag("p", "This is a DICOM series, which a browser does not show. Its labels are listed below.")
    if task.kind.name == "robotics" and task.annotations:
        return time_line(task.annotations, "frames")
    if task.kind.name in ("audio", "multi_modal_video_audio") and task.annotations:
        return time_line(task.annotations, "seconds")
    return text()


def _address(task: Shown, at: int) -> str:
    return below("files", task.ident, str(at))


def _media(emu: Emulation, task: Shown, at: int) -> Markup:
    """Return one file of a task as the browser shows it by itself."""
    name, address = str(task.files[at]["name"]), _address(task, at)
    kind = type_of(emu.files.path(task.files[at]["sha256"]))
    if kind.startswith("image/"):
        shown = tag("img", src=address, alt=f"The picture {name}", class_="plain")
    elif kind.startswith("audio/") or task.kind.name.startswith("audio"):
        shown = tag("audio", src=address, controls=True, preload="metadata", aria_label=f"The recording {name}")
    elif kind.startswith("video/"):
        shown = tag("video", src=address, controls=True, preload="metadata", aria_label=f"The video {name}")
    else:
        shown = tag("p", tag("a", "Download the file", href=address))
    return tag("figure", shown, tag("figcaption", own(name)) if len(task.files) > 1 else None)


def _picture(task: Shown, at: int, labels: list[Label]) -> Markup:
    """Return a picture with its labels over it; the labels alone where there is no picture here."""
    if not task.files:
        flat = [number for each in labels for number in numbers_of(each[1])]
        far = max((abs(number) for number in flat), default=100) or 100
        note = tag("p", "The picture stays in the bucket that it was named in, which the emulator does not read.")
        return tag("div", note, tag("div", overlay(labels, far, far), class_="stage bare"), id="picture")
    file = task.files[at]
    width, height = file.get("width") or 1, file.get("height") or 1
    shown = tag("img", src=_address(task, at), width=width, height=height, alt=f"The picture {file['name']}")
    return tag("div", tag("div", shown, overlay(labels, width, height), class_="stage"), id="picture")


def _clip(task: Shown, frame: int) -> Markup:
    file = task.files[0] if task.files else {}
    width, height = file.get("width") or 1, file.get("height") or 1
    here = in_frame(task.annotations, frame)
    clip = tag("video", src=_address(task, 0), width=width, height=height, preload="auto", muted=True,
               playsinline=True, aria_label=f"Frame of the video {task.name}") if file else None  # fmt: skip
    picture = tag("div", clip, overlay(here, width, height), class_="stage")
    return text(_scrubber(task, frame, "overlay seen", file.get("fps") or 0), picture, _seen(here))


def _scrubber(task: Shown, frame: int, parts: str, rate: float = 0) -> Markup:
    """Return the control that chooses a frame. Without its script it is a form, which asks for the page anew.

    :param task: the task.
    :param frame: the frame that is shown.
    :param parts: ids of what another frame replaces.
    :param rate: frames in a second, of a video.
    """
    last = frames_of(task)
    return tag("form", tag("label", "Frame", for_="frame"),
               tag("input", type="range", id="frame", name="frame", min=1, max=last, value=frame),
               tag("output", f"{frame} of {last}", for_="frame"), tag("button", "Show"),
               class_="scrub", data_parts=parts, data_rate=rate, data_last=last)  # fmt: skip


def _seen(labels: Sequence[Label]) -> Markup:
    names = [own(each.get("title") or each["value"]) for each, _ in labels[:50]]
    more = f" and {len(labels) - 50} more" if len(labels) > 50 else ""
    listed = [(", " if at else "", name) for at, name in enumerate(names)]
    return tag("p", "In this frame: ", listed or "no label", more, ".", id="seen", aria_live="polite")


async def _cloud(emu: Emulation, task: Shown, at: int, labels: list[Label]) -> Markup:
    cloud, note = None, "There is no file: only the labels are drawn."
    if task.files:
        try:
            cloud = await asyncio.to_thread(read_cloud, emu.files.path(task.files[at]["sha256"]))
        except (ValueError, OSError) as error:
            note = f"The points cannot be shown, only cuboids are drawn: {error}"
        else:
            note = f"{len(cloud.place):,} of {cloud.count:,} points, seen from above."
    drawn = await asyncio.to_thread(from_above, cloud, labels)
    return tag("div", tag("div", drawn, class_="stage"), tag("p", note, class_="note"), id="picture")


async def _text(emu: Emulation, task: Shown) -> Markup:
    if not task.files:
        return tag("p", "The task has no text.")
    path = emu.files.path(task.files[0]["sha256"])
    body = (await asyncio.to_thread(path.read_bytes)).decode("utf-8", "replace")
    cut = body[:_MOST_TEXT]
    inside = [each for each in task.annotations if each.get("start", 0) < len(cut)]
    note = tag("p", f"The first {_MOST_TEXT:,} of {len(body):,} characters.") if len(body) > len(cut) else None
    return text(note, highlighted(cut, inside))
