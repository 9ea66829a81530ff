"""The pytest plugin in an environment that lacks pytest."""

from __future__ import annotations

from tests.limits import run_limited

WITHOUT = """
import sys
sys.modules["pytest"] = None
try:
    import airflow_provider_fastlabel.emulator.pytest_plugin
except ImportError as error:
    print(error)
"""


def test_without_pytest_it_says_what_to_install():
    assert "pip install pytest" in run_limited(WITHOUT)
