"""A real browser for the tests of pages: Chromium without a window, driven over its DevTools protocol.

Chromium comes from the system (``make browser`` installs it with apt, as ``make test`` does where it is missing). No
test is skipped without one: it fails and says so.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120.0
SCREENS = [(1400, False), (1400, True), (390, False), (390, True)]
"""Width, and whether it is dark, of each screen on which pages must be fit to be seen."""


class Page:
    """One page of the browser.

    :ivar requests: addresses that the page has asked for, its own and those of data left out.
    :ivar complaints: what the console and the security policy said, and errors of programs.
    """

    def __init__(self, socket: Any, address: str) -> None:
        self._socket = socket
        self._address = address
        self._number = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": arguments}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message["method"], message["params"])

    def _note(self, method: str, facts: Any) -> None:
        if method == "Network.requestWillBeSent" and not facts["request"]["url"].startswith("data:"):
            self.requests.append(facts["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(facts["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.complaints.append(facts["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(facts["args"])[:500])

    def open(self, path: Path, *, width: int = 1400, height: int = 900, dark: bool = False) -> None:
        """Show a file, as on a screen of a size; a narrow one is a phone's."""
        self.size(width, height, dark=dark)
        self.visit(path.as_uri(), "document.querySelector('h1')")

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """Be a screen of a size, in light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def visit(self, address: str, ready: str) -> None:
        """Go to an address, and wait until it is loaded and something holds in it."""
        self.call("Page.navigate", url=address)
        self.wait(ready)

    def wait(self, ready: str) -> None:
        """Wait until the page is loaded and something holds in it."""
        until = time.monotonic() + PATIENCE
        while self.run(f"document.readyState === 'complete' && Boolean({ready})") is not True:
            assert time.monotonic() < until, (self.complaints, self.run("document.body.innerText"))
            time.sleep(0.1)

    @contextmanager
    def frame(self, ending: str) -> Iterator[Page]:
        """Look into a frame without rights, which has a process of its own, by the end of its address."""
        until = time.monotonic() + PATIENCE
        found: list[str] = []
        while not found:
            assert time.monotonic() < until, self.complaints
            targets = self.call("Target.getTargets")["targetInfos"]
            found = [each["targetId"] for each in targets if each["type"] == "iframe" and each["url"].endswith(ending)]
        address = f"{self._address.rpartition('/')[0]}/{found[0]}"
        with connect(address, max_size=None, open_timeout=PATIENCE) as socket:
            yield Page(socket, address)

    def run(self, script: str) -> Any:
        """Run a program in the page and return its value."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def faults(self, within: str = "document") -> list[str]:
        """Return what the rules of axe find: impact, rule and the elements, worst first, for those who cannot see."""
        if not self.run("'axe' in self"):
            spec = importlib.util.find_spec("axe_core_python")
            assert spec is not None
            assert spec.origin is not None
            self.run(Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
        found: list[str] = self.run(
            f"axe.run({within}).then(found => found.violations.map(fault => `${{fault.impact}} ${{fault.id}}: ` + "
            "fault.nodes.slice(0, 3).map(node => node.html.slice(0, 200) + ' ' + node.failureSummary).join('; ')))"
        )
        return sorted(found, key=lambda text: not text.startswith(("critical", "serious")))

    def press(self, key: str) -> None:
        """Press a key, as a person does."""
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowRight": 39, "ArrowDown": 40}[key]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Take a picture of the page into a file."""
        shot = self.call("Page.captureScreenshot", format=path.suffix[1:], captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start Chromium with a profile of its own, and end it.

    :param folder: existing folder for the profile.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    assert program, f"Tests of pages need a browser, one of {NAMES}: run `make browser`, which installs chromium"
    arguments = (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
    try:
        address = _address(folder, process)
        with connect(address, max_size=None, open_timeout=PATIENCE) as socket:
            yield Page(socket, address)
    finally:
        process.terminate()
        process.wait(30)


def _address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Return where the first page listens, once there is one."""
    import requests

    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, (folder / "log").read_text(errors="replace")
        try:
            port = (folder / "DevToolsActivePort").read_text().splitlines()[0]
            pages = requests.get(f"http://127.0.0.1:{port}/json", timeout=5).json()
            return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
        except (OSError, IndexError, StopIteration, requests.RequestException):
            time.sleep(0.2)
    raise AssertionError("Chromium did not start in time")
