"""A wait's judgement in Airflow, whose connections may be missing, or seem so for a while."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_fastlabel.pipelines.waits.watch import Watch
from airflow_provider_fastlabel.utils.errors import is_permanent, is_transient

MISSING_LOOKS = 5
"""Looks in a row that a triggerer may fail to find the connection.

Airflow answers "isn't defined" also while its database or a secrets backend does not answer.
"""

HINT = (
    ". It must be defined for workers and triggerers alike: in Airflow's database (Admin > Connections), in a secrets "
    "backend of both, or in the environment of both."
)


class AirflowWatch(Watch):
    """A watch that knows Airflow's own failures, too.

    :param log: logger of the task or trigger.
    :param missing_looks: after how many looks in a row a missing Airflow connection ends the wait.
    :param more: further arguments of :class:`~airflow_provider_fastlabel.pipelines.waits.watch.Watch`.
    """

    def __init__(self, log: Any, *, missing_looks: int = 1, **more: Any) -> None:
        super().__init__(log, **more)
        self._missing_looks = missing_looks

    def is_permanent(self, error: Exception) -> bool:
        """Tell whether a failed look ends the wait; see the base class."""
        if isinstance(error, AirflowNotFoundException):
            return self.failures >= self._missing_looks
        return is_permanent(error)

    def is_transient(self, error: Exception) -> bool:
        """Tell whether the failure may pass; see the base class."""
        return isinstance(error, AirflowNotFoundException) or is_transient(error)

    def advice(self, error: Exception) -> str:
        """Say where a missing connection must be defined; see the base class."""
        return HINT if isinstance(error, AirflowNotFoundException) else ""
