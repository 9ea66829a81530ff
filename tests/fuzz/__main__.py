"""Feeds parsers from a terminal: ``python -m tests.fuzz coco yolo --inputs 20000``.

Without names all of them. Each has a process of its own, so that the memory of one says nothing about the next.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import traceback
import warnings
from pathlib import Path

from tests.fuzz.harness import Target, input_of, run
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--inputs", type=int, default=1000, help="how many for each")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for NAME.json, and NAME.place with its last input"
    )
    parser.add_argument(
        "--show", type=int, metavar="NUMBER", help="write this input of NAME to the folder, and no more"
    )
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or TARGETS:
        if arguments.show is not None:
            (arguments.out / f"{name}.{arguments.show}").write_bytes(input_of(TARGETS[name], arguments.show))
            continue
        child = os.fork()
        if not child:
            os._exit(_feed(TARGETS[name], arguments.inputs, arguments.first, arguments.out))
        os.waitpid(child, 0)
    return 0


def _feed(target: Target, inputs: int, first: int, out: Path) -> int:
    """Run one target in this process, and write what became of it."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        outcome = run(target, inputs, first=first, place=out / f"{target.name}.place")
    except BaseException:
        traceback.print_exc()
        return 1
    (out / f"{target.name}.json").write_text(json.dumps(outcome.as_dict()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
