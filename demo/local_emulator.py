"""The emulator as its own process, for the demo and the live tests."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class LocalEmulator:
    """``python -m airflow_provider_fastlabel.emulator`` on a free port; a context manager that stops it.

    :param state: folder for its log.
    :param token: the access token it accepts.
    :param options: further options of its command line.
    """

    def __init__(self, state: Path, token: str, *options: str) -> None:
        self.state = state
        self.token = token
        self.options = options
        self.url = ""
        self.control_url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "airflow_provider_fastlabel.emulator", "--port", "0"]
        # In one word: a token may begin with a hyphen.
        command += [f"--token={self.token}", *self.options]
        with (self.state / "emulator.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline() or "{}")
        if "url" not in ready:
            self.process.wait()
            raise RuntimeError(f"the emulator did not start: {(self.state / 'emulator.log').read_text().strip()}")
        self.url, self.control_url = ready["url"], ready["control"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the emulator's control plane and return its JSON answer."""
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {self.token}"
            answer = session.request(method, f"{self.control_url}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None
