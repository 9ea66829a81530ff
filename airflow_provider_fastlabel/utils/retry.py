"""Which failures a retry can cure, and how Airflow is told: a retry policy from 3.3 on, AirflowFailException before."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_fastlabel.utils.errors import is_permanent, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import RetryDecision, RetryPolicy

try:
    from airflow.sdk import RetryDecision as _Decision
    from airflow.sdk import RetryPolicy as _Policy
except ImportError:  # Airflow < 3.3
    HAS_RETRY_POLICY = False
else:
    HAS_RETRY_POLICY = True


def default_retry_policy() -> RetryPolicy | None:
    """Return the policy of our operators, or ``None`` on an Airflow that has none (before 3.3)."""
    return FastLabelRetryPolicy() if HAS_RETRY_POLICY else None


@contextmanager
def permanent_errors_fail() -> Iterator[None]:
    """Keep Airflow from retrying what cannot succeed.

    From Airflow 3.3 on the errors pass unchanged, because the retry policy judges them (and can be replaced by the DAG
    author); before, a permanent error becomes an ``AirflowFailException`` that carries its message.

    :raises AirflowFailException: on Airflow before 3.3, in place of a permanent error.
    """
    try:
        yield
    except Exception as error:
        if HAS_RETRY_POLICY or not is_permanent(error):
            raise
        raise AirflowFailException(str(error)) from error


if HAS_RETRY_POLICY:

    class FastLabelRetryPolicy(_Policy):
        """Fails at once on permanent errors and waits out an exceeded quota; the rest is left to Airflow.

        It is the default ``retry_policy`` of every FastLabel operator on Airflow 3.3 and later. A policy given to the
        operator or in ``default_args`` replaces it. The number of retries stays that of the task.
        """

        def evaluate(
            self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
        ) -> RetryDecision:
            """Judge one failure; see :func:`~airflow_provider_fastlabel.utils.errors.is_permanent`.

            :param exception: what the task raised.
            :param try_number: number of the try that failed, from 1.
            :param max_tries: tries the task has.
            :param context: Airflow's task context, unused.
            """
            del try_number, max_tries, context
            if is_permanent(exception):
                return _Decision.fail(reason=f"{type(exception).__name__}: a retry cannot succeed")
            if (seconds := retry_after(exception)) is not None:
                return _Decision.retry(delay=timedelta(seconds=seconds), reason="FastLabel's call quota is used up")
            return _Decision.default()

        def serialize(self) -> dict[str, Any]:
            """Return the policy as JSON; it has no settings."""
            return {"__type": "FastLabelRetryPolicy"}

        @classmethod
        def deserialize(cls, data: dict[str, Any]) -> FastLabelRetryPolicy:
            """Return the policy that :meth:`serialize` described."""
            del data
            return cls()
