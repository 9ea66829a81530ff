"""``python -m tests.type_completeness``: fails when users of the package see too few of its types (``py.typed``).

What is left are the operators and sensors, whose metaclass Airflow does not type.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

LEAST = 0.98


def main() -> None:
    """Ask pyright how many of the public names have a known type, and name those that have not."""
    scripts = Path(sys.executable).parent
    answer = subprocess.run(
        [scripts / "pyright", "--verifytypes", "airflow_provider_fastlabel", "--ignoreexternal", "--outputjson"],
        # pyright looks for the package in the Python that is first on the path.
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(answer.stdout)["typeCompleteness"]
    score = found["completenessScore"]
    if score < LEAST:
        causes = (
            f"{symbol['name']}: {cause['message']}" for symbol in found["symbols"] for cause in symbol["diagnostics"]
        )
        sys.exit("\n".join([*causes, f"{score:.1%} of the public names have a known type; {LEAST:.0%} is the least."]))
    sys.stdout.write(f"{score:.1%} of the public names have a known type\n")


if __name__ == "__main__":
    main()
