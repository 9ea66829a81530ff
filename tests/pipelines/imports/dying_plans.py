"""Plans imports in chunks, or sums them up, each time killed one step later, and prints what came of it.

Run with ``local`` or the address of an S3-compatible store, where plan and manifest lie; a folder to work in; the
emulator's address and token; and who dies, ``planner`` or ``summary``. A step is what changes the place: a call of the
file system, half a line of the manifest, or a request that writes. Before the n-th the process is gone by SIGKILL; the
last kill is after all is written, before anybody was told. Each case, a project of its own, prints a line of JSON; the
first one, without a kill, tells what all others must come to.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.imports import ImportIncomplete, ImportRefused
from tests.pipelines.exports.places.dying_versions import in_a_process, killing, watch
from tests.pipelines.exports.places.stores_apart import s3_place
from tests.pipelines.imports.chunked import Parts, coco, fates, lines_on_items, png, tasks_of, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAN = f".plans/{'0' * 12}/{'1' * 12}"
BOXES = {"0.png": 2, "1.png": 1, "-2.png": 2, "4.png": 3, "later.png": 1}


@dataclass
class Setting:
    """Where everything is."""

    where: str
    root: Path
    url: str
    token: str
    who: str

    def folder(self, name: str) -> Path:
        return self.root / name / "photos"

    def place(self, name: str) -> Any:
        """Return where plan and manifest lie, in a process that has not used it before."""
        return s3_place(self.where, name) if self.where.startswith("http") else self.root / name / "accounts"

    @contextmanager
    def parts(self, name: str) -> Iterator[Parts]:
        tempfile.tempdir = str(self.root / name / "tmp")
        with FastLabelClient(self.token, api_url=self.url) as client:
            arguments = {"annotations_format": "coco", "max_failures": 4}
            yield Parts(client, self.folder(name), self.place(name), name, size=2, plan=PLAN, **arguments)

    def left(self, name: str) -> list[str]:
        """Return what lies in the place, and in the temporary folder."""
        place = self.place(name)
        if self.where.startswith("http"):
            place.fs.invalidate_cache()
            found = [key.removeprefix(f"{place.path}/") for key in place.fs.find(place.path)]
        else:
            found = [str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()]
        return sorted(found) + sorted(path.name for path in (self.root / name / "tmp").iterdir())


def begin(setting: Setting, name: str) -> None:
    """Plan an import; have the first chunk imported, and another file arrive, or have all imported."""
    folder = setting.folder(name)
    folder.mkdir(parents=True)
    (folder.parent / "tmp").mkdir()
    for number in range(5):
        (folder / f"{number}.png").write_bytes(png(number))
    (folder / "bad.png").write_bytes(b"no picture")
    with setting.parts(name) as one:
        one.client.create_project("image_bbox", name, name)
        one.client.create_annotation(name, "bbox", "cat", "Cat")
        coco(folder, BOXES)
        one.plan()
        for number in (0,) if setting.who == "planner" else range(len(one.chunks)):
            one.chunk(number)
        if setting.where == "local" and setting.who == "planner":  # where files can be made older than they are
            leave_old_plan(setting.place(name) / PLAN)
        (folder.parent / "chunks.json").write_text(json.dumps(one.chunks))
    if setting.who == "planner":
        (folder / "later.png").write_bytes(png(9))


def leave_old_plan(plan: Path) -> None:
    """Copy a plan as one that another run has left long ago."""
    old = plan.with_name("2" * 12)
    shutil.copytree(plan, old)
    for file in old.iterdir():
        os.utime(file, (1, 1))


def work(setting: Setting, name: str) -> None:
    with setting.parts(name) as one:
        one.plan() if setting.who == "planner" else one.summary()


def dies(setting: Setting, name: str, number: int) -> None:
    """Do the work, and die before the n-th step."""
    count = killing(number)
    watch(setting.where, count)
    if not setting.where.startswith("http"):
        os.write = in_halves(os.write, count)
    work(setting, name)
    count()


def in_halves(write: Any, count: Callable[[], None]) -> Any:
    """Return what writes half of the data before the next step, and the rest after it."""

    def written(descriptor: int, data: bytes) -> int:
        half: int = write(descriptor, data[: len(data) // 2])
        count()
        return half + int(write(descriptor, data[half:]))

    return written


def misuse(setting: Setting, name: str) -> str:
    """Try to use what is there after the kill; return what came of it."""
    with setting.parts(name) as one:
        for chunk in json.loads((setting.root / name / "chunks.json").read_text()):
            try:
                with one.plan_folder.read_chunk(chunk["number"], chunk["sha256"]) as lines:
                    assert sum("size" in line or "problems" in line for line in lines) == chunk["items"]
            except ImportRefused:
                continue
        try:
            return f"used: {one.summary()}"
        except (ImportIncomplete, LookupError) as error:
            return type(error).__name__


def finish(setting: Setting, name: str) -> dict[str, Any]:
    """Go on as the next try does, and return what all has come to."""
    with setting.parts(name) as one:
        if setting.who == "planner":
            for chunk in one.plan():
                one.chunk(chunk["number"])
        summary = one.summary()
        row = {"summary": told(summary), "again": told(one.summary()), "tasks": tasks_of(one.client, name)}
        row |= {"fates": fates(one.manifest), "lines": same_lines(one.manifest), "left": setting.left(name)}
        told_of = Counter((line["name"], line["fate"], line["at"]) for line in lines_on_items(one.manifest))
        row["doubles"] = [line for line, count in told_of.items() if count > 1]
    return row


def same_lines(manifest: Any) -> list[str]:
    """Return the lines on items, without what differs between any two imports."""
    lines = list(lines_on_items(manifest))
    for line in lines:
        line["at"] = line["task_id"] = None
        line.get("file", {}).pop("stamp", None)
    return sorted(json.dumps(line) for line in lines)


def case(setting: Setting, number: int) -> dict[str, Any]:
    """Be killed before the n-th step, of none for 0, and try again."""
    name = f"{setting.who}-{number}"
    row: dict[str, Any] = {"number": number, "killed": False}
    in_a_process(lambda: begin(setting, name))
    if number:
        row["killed"] = in_a_process(lambda: dies(setting, name, number))
    if row["killed"] and setting.who == "planner":
        row["misused"] = told_by(lambda: misuse(setting, name))
    return row | told_by(lambda: {"end": finish(setting, name)})


def told_by(work: Any) -> Any:
    """Return what some work in a process of its own comes to."""
    with tempfile.TemporaryFile("w+") as answer:

        def tell() -> None:
            json.dump(work(), answer)
            answer.flush()

        in_a_process(tell)
        answer.seek(0)
        return json.load(answer)


def main(*arguments: str) -> None:
    where, root, url, token, who = arguments
    setting = Setting(where, Path(root), url, token, who)
    number, killed = 0, True
    while killed:
        row = case(setting, number)
        sys.stdout.write(json.dumps(row) + "\n")
        number, killed = number + 1, row["killed"] or not number


if __name__ == "__main__":
    main(*sys.argv[1:])
