"""What a task remembers across its parts, in pieces that Airflow's store takes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from airflow_provider_fastlabel.utils.task_memory import LongMemory


class Store(dict[str, Any]):
    """Airflow's store: JSON values of at most 64 KiB."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        assert len(json.dumps(value)) <= 65_536
        self[key] = value

    def delete(self, key: str) -> None:
        """Delete a value, if there is one."""
        self.pop(key, None)


def memory(store, mark="mark"):
    context: Any = {"task_state_store": store, "ti": SimpleNamespace(max_tries=3)}
    return LongMemory(context, "long", mark)


def test_long_texts_are_remembered_whole_and_forgotten_whole():
    store, texts = Store(), {"updated": "ab" * 100_000, "unchanged": "c"}
    memory(store).write(texts)
    assert memory(store).read() == texts
    assert memory(store, "another").read() == {}
    memory(store).write({"updated": "ab"})
    assert memory(store).read() == {"updated": "ab"}
    memory(store).write(texts)
    memory(store).forget()
    assert not store
