"""Publishes versions, each time killed one step later, and prints what a reader found then and after the next export.

Run with ``local``, ``disk`` (a store with real folders) or the address of an S3-compatible store, and a folder to work
in. A step is what changes the place: a call of the file system, or a request that writes. Before the n-th, the process
is gone by SIGKILL. Each case prints a line of JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.pipelines.exports.dying import STEPS
from tests.pipelines.exports.places.spots import Spot, read_whole, staged, store_at
from tests.pipelines.exports.places.stores_apart import s3_files, s3_place

if TYPE_CHECKING:
    from collections.abc import Callable

SAME = {f"same/{number}.txt": "same" for number in range(6)}
FIRST = {"a.txt": "first", "gone.txt": "1", **SAME}


def files_of(number: int) -> dict[str, str]:
    """Return the data set over which the n-th export dies."""
    return {"a.txt": f"{number}", **SAME, **{f"new/{each}.txt": f"{number}" for each in range(12)}}


def in_a_process(work: Any) -> bool:
    """Do some work in a process of its own; say whether it was killed."""
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    return status != 0


def dies_before(number: int, where: str) -> None:
    """Have this process killed before its n-th step."""
    watch(where, killing(number))


def killing(number: int) -> Callable[[], None]:
    """Return what is to be called at each step, and kills this process at the n-th."""
    steps = itertools.count(1)

    def count() -> None:
        if next(steps) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def watch(where: str, count: Callable[[], None]) -> None:
    """Call something before each step."""

    def step(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[1], str) and arguments[1][0] in "wax"
        if writes or event in STEPS:
            count()

    def sending(request: Any, **_: Any) -> None:
        if request.method != "GET" and request.method != "HEAD":
            count()

    if where.startswith("http"):
        s3_files(where).s3.meta.events.register("before-send.s3", sending)
    else:
        sys.addaudithook(step)


def place_of(where: str, folder: Path) -> Any:
    """Return a place of one kind for one case."""
    if where == "local":
        return folder / "set"
    return store_at(folder / "set") if where == "disk" else s3_place(where, folder.name)


def look(place: Any) -> tuple[dict[str, str], list[str], list[str]]:
    """Return what a reader finds, the versions that are kept, and everything that lies there."""
    found = read_whole(place)
    pointer = json.loads((place / "current.json").read_bytes())
    kept = [one["id"] for one in (pointer, *pointer["earlier"])]
    return found, kept, sorted(path.name for folder in (place, place / "versions") for path in folder.iterdir())


def case(where: str, folder: Path, number: int, old: dict[str, str]) -> dict[str, Any]:
    """Be killed while a data set is published, and publish once more; return what was found."""

    def publish(files: dict[str, str], name: str, dies: int = 0) -> None:
        given = staged(folder / f"{name}-{number}", files)
        spot = Spot(place_of(where, folder), "versions")
        if dies:
            dies_before(dies, where)
        spot.publish(given, {})

    new = files_of(number)
    last = new if number % 2 else {**FIRST, "a.txt": f"{number} later"}
    row: dict[str, Any] = {"killed": in_a_process(lambda: publish(new, "new", number)), "old": old, "new": new}
    read, write = os.pipe()

    def tell() -> None:
        row["found"] = look(place_of(where, folder))[0]
        publish(last, "last")
        row["next"], row["kept"], row["there"] = look(place_of(where, folder))
        os.write(write, json.dumps(row | {"wanted": last}).encode())
        os.close(write)

    in_a_process(tell)
    os.close(write)
    with os.fdopen(read) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def main(where: str, folder: Path) -> None:
    """Kill at each step, until there is no such step."""
    for name in ("zero", "one"):
        given = staged(folder / name, {**FIRST, "a.txt": name})
        in_a_process(lambda given=given: Spot(place_of(where, folder), "versions").publish(given, {}))
    number = 0
    row: dict[str, Any] = {"killed": True, "wanted": {**FIRST, "a.txt": "one"}}
    while row["killed"]:
        number += 1
        row = case(where, folder, number, row["wanted"])
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
