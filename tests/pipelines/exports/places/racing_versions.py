"""Two processes export to one place at once, round after round; prints what came of each, and what a reader finds.

Run with ``local``, ``disk`` or the address of a store, and a folder to work in. In the first rounds both begin, and
then one publishes after the other; in the others both publish at the same time, which a store without conditional
writes (``disk``) does not promise to keep apart.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.pipelines.exports.publish import destination, publish
from tests.pipelines.exports.places.dying_versions import look, place_of
from tests.pipelines.exports.places.spots import staged

ROUNDS = 3
TOGETHER = 3


def export(where: str, folder: Path, name: str, number: int, waits: Any) -> dict[str, Any]:
    """Begin an export, wait for the other, and publish."""
    begun, may = waits
    files = {f"{name}/{index}.txt": f"{name}{number}" for index in range(5)} | {"same.txt": "same", "a.txt": name}
    given = staged(folder / f"{name}{number}", files)
    place = destination(place_of(where, folder), "versions")
    begun.wait()
    may.wait()
    try:
        publish(given, place, {})
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "files": files}
    return {"error": None, "files": files}


def _send(pipe: Any, *given: Any) -> None:
    pipe.send(export(*given))


def race(where: str, folder: Path, number: int, *, together: bool) -> None:
    """Let two exports begin, and publish one after the other or at the same time."""
    context = multiprocessing.get_context("fork")
    begun = context.Barrier(2)
    may = [context.Event(), context.Event()]
    pipes, came = [], []
    for name, event in zip("ab", may, strict=True):
        ours, theirs = context.Pipe()
        given = (theirs, where, folder, name, number, (begun, event))
        context.Process(target=_send, args=given, daemon=True).start()
        pipes.append(ours)
    if together:
        for event in may:
            event.set()
    for event, pipe in zip(may, pipes, strict=True):
        event.set()
        came.append(pipe.recv())

    def tell(pipe: Any) -> None:
        found, kept, there = look(place_of(where, folder))
        pipe.send({"came": came, "found": found, "kept": kept, "there": there})

    ours, theirs = context.Pipe()
    context.Process(target=tell, args=(theirs,), daemon=True).start()
    sys.stdout.write(json.dumps(ours.recv()) + "\n")


def main(where: str, root: Path) -> None:
    """Race."""
    for number in range(ROUNDS):
        race(where, root, number, together=False)
    for number in range(ROUNDS, ROUNDS + TOGETHER if where != "disk" else ROUNDS):
        race(where, root, number, together=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
