"""Notices new items that are the files of tasks under another path, as when a folder's root was moved.

Names are paths relative to the folder, so that another root makes every task a second time.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.pipelines.imports.content import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.files.source_table import Sources
    from airflow_provider_fastlabel.pipelines.imports.manifest import Record

log: logging.Logger = logging.getLogger(__name__)

SAMPLE = 20
"""How many files are read to tell whether new items are the pictures of tasks that exist under other names."""


FITTING = (
    "Names are paths relative to `folder`: if it was moved, or names another level, give the folder that fits; if "
    "files were moved or copied inside it, put them back or take the copies away"
)
"""What can be done about files that would become tasks a second time."""


def find_moved(sources: Sources, existing: Mapping[str, str], earlier: Mapping[str, Record]) -> dict[str, str]:
    """Find the tasks of which new items seem to be copies.

    An item is taken for a copy where a task is called as it is but for folders in front, and where the manifest knows a
    file of its name, size and content; the content of some is looked at. Where only some items are new, a name alone is
    not enough: many folders number their pictures from one.

    :param sources: the items.
    :param existing: task name -> id, of all tasks of the project.
    :param earlier: what the manifest says.
    :returns: item -> task; empty unless it holds for most of the new items.
    """

    def new() -> Iterator[Source]:
        return (source for source in sources if source.name not in existing)

    wanted = {hash(_key(source)) for source in new()} if existing else set()
    if not wanted:
        return {}
    count = sum(1 for _ in new())
    found: dict[str, str] = {}
    sampled: list[Source] = []
    alike = _by_name_and_size(existing, earlier, wanted)
    shortened = _without_folders(existing, lambda name: sources.has(name) and name not in existing)
    for source in new():
        same = [name for name in (_end_of(source.name, existing), shortened.get(source.name)) if name]
        facts = {name: earlier[name].file for name in same if name in earlier}
        if (
            count == len(sources)
            and same
            and all(known is None or known.size == source.size for known in facts.values())
        ):
            found[source.name] = same[0]
        elif twins := alike.get(_key(source)):
            found[source.name] = twins[0]
            sampled.append(source)
    for source in sampled[:SAMPLE]:
        twins = alike[_key(source)]
        found[source.name] = next((twin for twin in twins if _same_content(source, earlier[twin])), "")
    if not all(found[source.name] for source in sampled):
        for source in sampled:
            del found[source.name]
    return found if 2 * len(found) > count else {}


def warn_of_moved(found: Mapping[str, str], new: int) -> None:
    """Log that items seem to double tasks.

    :param found: item -> task.
    :param new: how many items are new.
    """
    if found:
        name, task = next(iter(found.items()))
        log.warning(
            "%d of the %d new items seem to be the files of tasks that exist under another path, and become tasks a "
            'second time: %r looks like task %r. %s, and delete what is double; on_difference="fail" refuses them',
            len(found),
            new,
            name,
            task,
            FITTING,
        )


def _key(source: Source) -> tuple[str, int]:
    return source.name.rpartition("/")[2], source.size


def _by_name_and_size(
    existing: Mapping[str, str], earlier: Mapping[str, Record], wanted: set[int]
) -> dict[tuple[str, int], list[str]]:
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for name, record in earlier.items():
        if record.file is None or not record.file.sha256:
            continue
        key = (name.rpartition("/")[2], record.file.size)
        if hash(key) in wanted and name in existing:
            found[key].append(name)
    return dict(found)


def _ends(name: str) -> Iterator[str]:
    """Yield a path without its first folder, without its first two ..."""
    while "/" in name:
        name = name.partition("/")[2]
        yield name


def _end_of(name: str, existing: Mapping[str, str]) -> str | None:
    return next((end for end in _ends(name) if end in existing), None)


def _without_folders(existing: Iterable[str], wanted: Callable[[str], bool]) -> dict[str, str]:
    """Return the tasks whose names end in one that is wanted, by it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in existing:
        for end in _ends(name):
            if wanted(end):
                found[end].append(name)
    # Several tasks of one end are the pictures of several folders, and say nothing about a new one.
    return {end: names[0] for end, names in found.items() if len(names) == 1}


def _same_content(source: Source, record: Record) -> bool:
    try:
        return record.file is not None and digest_of(source) == record.file.sha256
    except (OSError, ValueError):
        return False
