"""Future tasks on disk: a collection like any other, in the order of their names, and flat in memory."""

from __future__ import annotations

from airflow_provider_fastlabel.pipelines.files.source import Source
from airflow_provider_fastlabel.pipelines.files.source_table import Sources
from tests.limits import run_limited

FILES = tuple(Source(f"clip/{n}.png", f"/in/clip/{n}.png", n, None, (), "/in", f"s{n}") for n in range(3))
SOURCES = [
    Source("b.png", "/in/b.png", 1, None, (), "/in", "7"),
    Source("\udcff.png", "/in/\udcff.png", -1),
    Source("日本.png", "photos/日本.png", 3, "a file system"),
    Source("clip", "/in/clip", 3, None, FILES, "/in", "whole"),
    Source("", "", 0),
]


def test_sources_come_back_as_they_were_in_the_order_of_their_names():
    table = Sources(SOURCES)
    assert list(table) == sorted(SOURCES, key=lambda source: source.name)
    assert len(table) == len(SOURCES)
    assert table.named("clip") == SOURCES[3]
    assert SOURCES[3] in table
    assert table.named("c") is None
    assert (table.has("b.png"), table.has("a.png")) == (True, False)


def test_the_first_of_a_name_stays():
    table = Sources(SOURCES)
    assert table.add(Source("b.png", "elsewhere", 5)) == SOURCES[0]
    assert table.add(Source("c.png", "elsewhere", 5)) is None
    assert len(table) == len(SOURCES) + 1
    assert table.named("b.png") == SOURCES[0]


def test_what_does_not_fit_is_taken_out():
    table = Sources(Source(f"{number:04}", "", number) for number in range(2500))
    table.keep(lambda source: source.size % 2 == 0)
    assert [source.size for source in table] == list(range(0, 2500, 2))
    assert (len(table), bool(table)) == (1250, True)
    table.keep(lambda _: False)
    assert not table


FLAT = """
from airflow_provider_fastlabel.pipelines.files.source import Source
from airflow_provider_fastlabel.pipelines.files.source_table import Sources
from pathlib import Path

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

def rows(count):
    return (Source(f"batch/{n:08}.jpg", f"/data/batch/{n:08}.jpg", n, None, (), "/data", str(n)) for n in range(count))

few = Sources(rows(10_000))
assert sum(1 for _ in few) == 10_000
before = peak()
many = Sources(rows(200_000))
assert sum(1 for _ in many) == 200_000
print(peak() - before)
"""


def test_many_take_no_more_memory_than_few():
    assert int(run_limited(FLAT)) < 12_000  # kB; in a list it were 80,000
