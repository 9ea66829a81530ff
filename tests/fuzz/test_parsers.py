"""Every parser takes thousands of damaged and hostile inputs without an error of Python's, a hang, or much memory.

``make test`` gives each some hundred inputs, the same ones every time; ``make fuzz`` as many as ``FUZZ_EXAMPLES`` says,
and prints the table. ``python -m tests.fuzz NAME --show NUMBER --out FOLDER`` writes an input to a file, for the
regression test it is due.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.harness import GROWTH
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
NAMES = [*TARGETS]
# Few processes, as starting one takes longer than most parsers need for their inputs.
GROUPS = 3


@pytest.mark.slow
@pytest.mark.parametrize("names", [NAMES[at::GROUPS] for at in range(GROUPS)], ids=", ".join)
def test_whatever_the_input_it_ends_with_a_result_or_in_words(names, tmp_path, capsys):
    command = [sys.executable, "-m", "tests.fuzz", *names, "--inputs", str(EXAMPLES), "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = {name: _outcome(tmp_path, name) for name in names}
    with capsys.disabled():
        for name, outcome in outcomes.items() if "FUZZ_EXAMPLES" in os.environ else ():
            sys.stdout.write(f"\n{_line(name, outcome)}")
    wrong = {
        name: outcome
        for name, outcome in outcomes.items()
        if outcome["raw"] or outcome["growth"] > GROWTH or outcome["inputs"] != EXAMPLES
    }
    assert wrong == {}, done.stderr[-3000:]


def _outcome(folder, name):
    """Return what became of a target's inputs; of a process that died, at which of them."""
    try:
        return json.loads((folder / f"{name}.json").read_text())
    except FileNotFoundError:
        at = (folder / f"{name}.place").read_text().strip()
        return {"inputs": int(at), "refused": 0, "raw": {f"died at input {at}": 1}, "slowest": (0, at), "growth": 0}


def _line(name, outcome):
    seconds, number = outcome["slowest"]
    return (
        f"{name:16} {outcome['inputs']:6} inputs, {outcome['refused']:6} refused, {len(outcome['raw'])} raw errors, "
        f"slowest {seconds:.3f} s (input {number}), {outcome['growth']:.0f} MB"
    )
