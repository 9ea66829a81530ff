"""Annotations on disk: what was put there comes back, from any thread, and nothing of it is left."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from airflow_provider_fastlabel.formats.reading.spool import Spool, change_each

VALUES = {
    "n": 10**40,
    "f": 0.1 + 0.2,
    "nan": float("inf"),
    "t": "\ud800猫",
    "l": [[1, [2.5]], None, True],
    "d": {"1": {}},
}


def test_lists_come_back_as_they_were_in_the_order_of_the_pieces():
    spool = Spool()
    lists = [spool.new_list() for _ in range(50)]
    expected: list[list[dict[str, object]]] = [[] for _ in lists]
    for piece in range(60):
        for number, own in enumerate(lists):
            items = [{**VALUES, "piece": piece, "list": number, "text": "x" * 500}] * (piece % 3)
            own.extend(items)
            expected[number] += items
    assert [list(own) for own in lists] == expected
    assert [len(own) for own in lists] == [60] * 50
    assert lists[3] == expected[3]
    assert (lists[3][-1], lists[3][:2]) == (expected[3][-1], expected[3][:2])
    assert not spool.new_list()


def test_what_is_looked_at_is_a_copy_and_is_changed_by_change_each_alone():
    spool = Spool()
    own, memory = spool.keep([{"n": 1}, {"n": 2}]), [{"n": 1}]
    own[0]["n"] = 5
    assert list(own) == [{"n": 1}, {"n": 2}]

    def double(item):
        item["n"] *= 2
        return True

    change_each([own, memory], double)
    assert (list(own), memory) == ([{"n": 2}, {"n": 4}], [{"n": 2}])


def test_threads_read_while_another_writes():
    spool = Spool()
    lists = [spool.keep([{"n": number, "text": "x" * 3000}]) for number in range(400)]
    wrong: list[int] = []

    def look():
        wrong.extend(number for number, own in enumerate(lists) if own.read()[0]["n"] != number)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(400):
        spool.keep([{"n": number, "text": "y" * 3000}])
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_file_has_no_name_and_its_room_is_given_back(tmp_path):
    spool = Spool(str(tmp_path))
    spool.keep([{"text": "x" * 3_000_000}])
    assert list(tmp_path.iterdir()) == []
    mine = [link for link in Path("/proc/self/fd").iterdir() if os.path.realpath(link).startswith(str(tmp_path))]
    assert len(mine) == 1
    spool.close()
    spool.close()
    assert not any(os.path.realpath(link).startswith(str(tmp_path)) for link in Path("/proc/self/fd").iterdir())
