"""Fixtures of this room: see tests/airflow_fixtures.py and exporting.py."""

from tests.airflow_fixtures import *  # noqa: F403
from tests.operators.exporting import export, label, project  # noqa: F401
