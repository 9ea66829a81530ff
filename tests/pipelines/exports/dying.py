"""Publishes one data set after another, each time killed one step later, and prints what came of it.

Run with the folder to work in. Every call that changes a file system is a step: before the n-th the process is gone,
as by SIGKILL. Each case prints a line of JSON: the step, what a reader finds then, and after the next publish.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.pipelines.exports.places.local_folder import settle
from airflow_provider_fastlabel.pipelines.exports.publish import publish
from tests.pipelines.exports.places.spots import content, staged

STEPS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink")

FIRST = {"a.txt": "1", "gone.txt": "1", "sub/gone too.txt": "1", "sub/deep/gone.txt": "1", "z.txt": "1"}
SECOND = {"a.txt": "2", "new.txt": "2", "other/new.txt": "2"}
THIRD = {"a.txt": "3"}
USERS = {"notes.md": "mine", "sub/notes.md": "mine", "other/notes.md": "mine"}


def dies_before(number: int, work: Any) -> bool:
    """Do some work in a process that ends before its n-th step; say whether it did."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = number

    def step(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[1], str) and arguments[1][0] in "wax"
        if writes or event in STEPS:
            left -= 1
            if not left:
                os._exit(9)

    sys.addaudithook(step)
    work()
    os._exit(0)


def main(root: Path) -> None:
    """Kill a publish, and the tidying after it, at every step."""
    number, died = 0, True
    while died:
        number += 1
        place = root / str(number)
        target = place / "set"
        publish(staged(place / "first", FIRST), target, {})
        staged(target, USERS)
        second = staged(place / "second", SECOND)
        died = dies_before(number, partial(publish, second, target, {}))
        found = content(target) if target.exists() else None
        step, again = 0, True
        while again:  # it dies again and again, until it is through
            step += 1
            again = dies_before(step, partial(settle, target))
        settled = content(target)
        publish(staged(place / "third", THIRD), target, {})
        left = sorted(path.name for path in place.iterdir() if path.name.startswith("."))
        row = {"found": found, "settled": settled, "next": content(target), "left": left}
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
