"""The wheel in an environment that holds nothing else, away from the checkout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

    from .conftest import Environment

WITHOUT_AIRFLOW = """
import importlib, importlib.util, pkgutil
assert importlib.util.find_spec("airflow") is None
for room in ("client", "formats", "emulator"):
    package = importlib.import_module(f"airflow_provider_fastlabel.{room}")
    assert "site-packages" in package.__file__, package.__file__
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith((".__main__", ".pytest_plugin")):
            importlib.import_module(module.name)
    print(room)
"""

PROVIDERS = """
import json
from airflow.providers_manager import ProvidersManager
manager = ProvidersManager()
found = manager.providers["airflow-provider-fastlabel"]
print(json.dumps({"version": found.version, "hook": manager.hooks["fastlabel"].hook_class_name}))
"""


def needed_beside_airflow(metadata: Message) -> list[str]:
    """Return what the package and its emulator need, without Airflow and its providers."""
    listed = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    wanted = [each for each in listed if not each.marker or each.marker.evaluate({"extra": "emulator"})]
    return [f"{each.name}{each.specifier}" for each in wanted if not each.name.startswith("apache-airflow")]


def test_client_formats_and_emulator_import_where_airflow_is_not_installed(
    empty: Environment, wheel: Path, metadata: Message
) -> None:
    empty.install("--no-deps", str(wheel))
    empty.install(*needed_beside_airflow(metadata))
    assert empty.python("-c", WITHOUT_AIRFLOW).split() == ["client", "formats", "emulator"]


def test_airflow_finds_the_provider_and_its_connection(empty: Environment, wheel: Path, metadata: Message) -> None:
    empty.install(str(wheel))
    found = json.loads(empty.python("-c", PROVIDERS).splitlines()[-1])
    assert found["hook"] == "airflow_provider_fastlabel.hooks.fastlabel.FastLabelHook"
    assert found["version"] == metadata["Version"]
