"""Pytest fixtures: the emulator, started once and fresh for every test.

Load it with ``pytest_plugins = ["airflow_provider_fastlabel.emulator.pytest_plugin"]`` in the top ``conftest.py``, or
with ``-p airflow_provider_fastlabel.emulator.pytest_plugin``.
"""

from __future__ import annotations

from collections.abc import Iterator

try:
    import pytest
except ImportError as _error:
    raise ImportError("The fixtures of the emulator need pytest: pip install pytest") from _error

from airflow_provider_fastlabel.emulator.server.server import Emulator


@pytest.fixture(scope="session")
def fastlabel_emulator_server() -> Iterator[Emulator]:
    """Run one emulator for the whole test run."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def fastlabel_emulator(
    fastlabel_emulator_server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Emulator:
    """Reset the emulator: no data, settings at their defaults, and no call spent, in the count of clients neither."""
    monkeypatch.setenv("FASTLABEL_QUOTA_FOLDER", str(tmp_path_factory.mktemp("quota")))
    fastlabel_emulator_server.reset()
    return fastlabel_emulator_server
