"""Fixtures of this room: see tests/airflow_fixtures.py."""

from tests.airflow_fixtures import *  # noqa: F403
