"""What the tests of the command line share: how a command is started and how it ended."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BOX = {"type": "bbox", "value": "cat", "points": [4, 5, 20, 25]}


def png(width: int = 40, height: int = 30, colour: int = 9) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (colour, 200, 30)).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        """The one JSON object on stdout."""
        (line,) = self.stdout.splitlines()
        return json.loads(line)


COMMAND = [sys.executable, "-m", "airflow_provider_fastlabel"]


def own_process(tmp_path: Path, *, airflow: bool = False, **more: str) -> dict[str, str]:
    """Return the environment of a process of its own, in which Airflow cannot be imported."""
    folder = tmp_path / "without-airflow"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['airflow'] = None\n")
    paths = [str(ROOT)] if airflow else [str(folder), str(ROOT)]
    kept = ("FASTLABEL_ACCESS_TOKEN", "FASTLABEL_API_URL", "FASTLABEL_QUOTA_FOLDER", "XDG_STATE_HOME", "HOME", "PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1", **more,
    }  # fmt: skip
