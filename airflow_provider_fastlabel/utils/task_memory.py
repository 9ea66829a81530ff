"""A task's memory across its tries: the task state store of Airflow 3.3, and an honest nothing before it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import get_current_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

STORE = "task_state_store"
"""Name of the store in Airflow's context, from 3.3 on."""
PIECE = 48_000
"""Characters of one value: the store takes 64 KiB."""


def current_context() -> Any:
    """Return Airflow's context of the task that runs, empty if none does."""
    try:
        return get_current_context()
    except RuntimeError:
        return {}


def fingerprint(*parts: Any) -> str:
    """Return a digest of JSON values, to tell whether remembered work is still the work that is asked for."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class TaskMemory:
    """One remembered JSON object of this task instance.

    XComs cannot serve: Airflow deletes them when a try starts. What was remembered under another fingerprint counts as
    forgotten. Before Airflow 3.3 nothing is remembered and :attr:`available` is false.

    :param context: Airflow's task context.
    :param key: name in the store; must stay the same between releases.
    :param mark: fingerprint of the arguments.
    """

    def __init__(self, context: Context, key: str, mark: str) -> None:
        self._store: Any = context.get(STORE)
        self._key = key
        self._mark = mark
        self._max_tries: int = context["ti"].max_tries

    @property
    def available(self) -> bool:
        """Whether this Airflow can remember."""
        return self._store is not None

    def read(self) -> dict[str, Any]:
        """Return what an earlier try of the same work remembered, empty if nothing."""
        kept = self._store.get(self._key) if self.available else None
        if not isinstance(kept, dict) or kept.get("fingerprint") != self._mark:
            return {}
        return kept

    @property
    def cleared(self) -> bool:
        """Whether a person has cleared the task since something was remembered.

        The store outlives that. But a clear grants the task all its retries anew, counted from the tries it has had;
        nothing else changes how many tries it may have, neither a retry nor a change of the DAG.
        """
        return bool(self.read().get("max_tries", self._max_tries) != self._max_tries)

    def write(self, **values: Any) -> None:
        """Remember these values in place of the earlier ones.

        :param values: JSON values.
        """
        if self.available:
            self._store.set(self._key, {**values, "fingerprint": self._mark, "max_tries": self._max_tries})

    def forget(self) -> None:
        """Forget, so that clearing the task does the work again."""
        if self.available:
            self._store.delete(self._key)


class LongMemory:
    """Remembered texts by name, of any length: each value of Airflow's store holds a piece of at most 48 KB.

    :param context: Airflow's task context.
    :param key: beginning of the names in the store; must stay the same between releases.
    :param mark: fingerprint of the arguments.
    """

    def __init__(self, context: Context, key: str, mark: str) -> None:
        self._context = context
        self._key = key
        self._mark = mark

    def _piece(self, number: int) -> TaskMemory:
        return TaskMemory(self._context, f"{self._key}_{number}", self._mark)

    def read(self) -> dict[str, str]:
        """Return what was remembered of the same work, empty if nothing."""
        texts: dict[str, str] = {}
        number = 0
        while kept := self._piece(number).read():
            texts[kept["name"]] = texts.get(kept["name"], "") + kept["piece"]
            number += 1
        return texts

    def write(self, texts: Mapping[str, str]) -> None:
        """Remember texts in place of the earlier ones.

        :param texts: the texts.
        """
        pieces = [
            (name, text[start : start + PIECE]) for name, text in texts.items() for start in range(0, len(text), PIECE)
        ]
        for number, (name, piece) in enumerate(pieces):
            self._piece(number).write(name=name, piece=piece)
        self._piece(len(pieces)).forget()  # here the texts end now

    def forget(self) -> None:
        """Forget all of it."""
        number = 0
        while self._piece(number).read():
            self._piece(number).forget()
            number += 1
