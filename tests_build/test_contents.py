"""What the wheel and the sdist hold."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from zipfile import ZipFile

from .conftest import ROOT, metadata_file

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

PACKAGE = "airflow_provider_fastlabel"


def tracked(*paths: str) -> set[str]:
    """Return the files that git knows, below some paths or all."""
    found = subprocess.run(["git", "ls-files", "-z", *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.split("\0")) - {""}


def test_the_wheel_holds_every_file_of_the_package_and_the_examples_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not PurePosixPath(name).parts[0].endswith(".dist-info")}
    examples = {f"{PACKAGE}/example_dags/{PurePosixPath(name).name}" for name in tracked("dags_examples")}
    assert examples
    assert names == tracked(PACKAGE) | examples
    assert f"{PACKAGE}/py.typed" in names


def test_the_wheel_says_what_it_is_and_brings_its_licence(wheel: Path, metadata: Message) -> None:
    addresses = {address.partition(",")[0] for address in metadata.get_all("Project-URL", [])}
    assert addresses == {"Documentation", "Source", "Changelog", "Issues"}
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata_file(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_the_sdist_is_the_checkout(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert names - {"PKG-INFO"} == tracked()
