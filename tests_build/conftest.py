"""The wheel, the sdist, and empty environments to install the wheel into."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Environment:
    """A virtual environment far from this checkout.

    :param folder: its folder.
    """

    folder: Path

    def python(self, *words: str, longest: float | None = None) -> str:
        """Run its Python and return what that printed.

        :param words: the words of the command after ``python``.
        :param longest: seconds it may take.
        """
        command = [str(self.folder / "bin" / "python"), *words]
        home = {"AIRFLOW_HOME": str(self.folder / "airflow"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | home,
            capture_output=True,
            text=True,
            check=False,
            timeout=longest,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def install(self, *words: str, longest: float | None = None) -> None:
        """Install something, at the versions this project is tested with.

        :param words: options and requirements for ``pip install``.
        :param longest: seconds it may take.
        """
        command = ("-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), *words)
        self.python(*command, longest=longest)


def only(pattern: str) -> Path:
    """Return the one file in ``dist/`` that a pattern fits."""
    (found,) = (ROOT / "dist").glob(pattern)
    return found


def metadata_file(wheel: Path, name: str) -> bytes:
    """Return a file that says something about a wheel.

    :param wheel: the wheel.
    :param name: the file below the wheel's ``.dist-info``.
    """
    distribution, version, *_ = wheel.name.split("-")
    with ZipFile(wheel) as archive:
        return archive.read(f"{distribution}-{version}.dist-info/{name}")


@pytest.fixture(scope="session")
def wheel() -> Path:
    return only("*.whl")


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    return BytesParser().parsebytes(metadata_file(wheel, "METADATA"))


@pytest.fixture(scope="session")
def sdist() -> Path:
    return only("*.tar.gz")


@pytest.fixture
def empty(tmp_path: Path) -> Environment:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    return Environment(tmp_path / "venv")
