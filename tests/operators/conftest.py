"""Fixtures of this room: see tests/airflow_fixtures.py, exporting.py and stores.py."""

from tests.airflow_fixtures import *  # noqa: F403
from tests.operators.exporting import export, label, project  # noqa: F401
from tests.operators.stores import memory, run_with_pictures, s3  # noqa: F401
