"""How a command can end: the exit codes, and which error means which."""

from __future__ import annotations

from airflow_provider_fastlabel.client.exceptions import FastLabelException, cannot_pass
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete

DONE = 0
FAILED = 1
BAD_INPUT = 2
TIMED_OUT = 3
INTERRUPTED = 130

_OF_PLACES = (FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)


def code_of(error: BaseException) -> int:
    """Return the exit code of a command that ended with an error.

    :param error: the error.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, RunIncomplete):
        return FAILED
    if isinstance(error, FastLabelException):
        return BAD_INPUT if cannot_pass(error) else FAILED
    return BAD_INPUT if isinstance(error, (ValueError, *_OF_PLACES)) else FAILED


def is_expected(error: BaseException) -> bool:
    """Tell whether an error says all that a person needs; of any other the traceback helps.

    :param error: the error.
    """
    return isinstance(error, FastLabelException | ValueError | OSError | KeyboardInterrupt)
