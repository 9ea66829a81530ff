"""Notices that a file is another one than its task was made of, and that a folder's root has moved.

A task keeps the file it was created with: FastLabel has no call to replace it. What was sent is in the manifest, so
that a look at the listing is enough as long as nothing changed; a file is read again only where its size is the same
and its stamp is not. The project's tasks themselves are asked for only where differences are failures.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.http.reading_ahead import PAGES_AHEAD
from airflow_provider_fastlabel.formats.image_size import image_size
from airflow_provider_fastlabel.pipelines.files.problems import Problem, enumerate_problems
from airflow_provider_fastlabel.pipelines.imports.manifest import FileFacts
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.http.sent_files import SentFile
    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.files.source_table import Sources
    from airflow_provider_fastlabel.pipelines.imports.manifest import Record

log: logging.Logger = logging.getLogger(__name__)

REMEDY = (
    "FastLabel cannot replace the file of a task: give the new file another name, or delete the task, and its "
    "annotations with it, and import again"
)
"""What can be done about a file that differs."""

PICTURE_KINDS = ("image", "image_classification")
"""Kinds whose tasks say how large their one picture is."""

SAMPLE = 20
"""How many files are read to tell whether new items are the pictures of tasks that exist under other names."""

_READ_BYTES = 1 << 20


@dataclass
class Differences:
    """What is known of the files of tasks that exist.

    :param differs: task name -> in what its file is another one than was sent.
    :param seen: task name -> what was sent, with the stamp that the file has now: it was read, and is the same.
    :param not_compared: how many tasks nobody knows the file of.
    :param moved: item -> task whose file it seems to be, under another path.
    """

    differs: dict[str, str] = field(default_factory=dict)
    seen: dict[str, FileFacts] = field(default_factory=dict)
    not_compared: int = 0
    moved: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> dict[str, Any]:
        """Return what the manifest is to keep of the file of a task that exists.

        :param name: the task's name.
        """
        differs, seen = self.differs.get(name), self.seen.get(name)
        return ({"differs": differs} if differs else {}) | ({"file": seen} if seen else {})

    def problems(self) -> list[Problem]:
        """Return the differences as what keeps items from being imported."""
        return [Problem(name, f"differs from its task: {why}. {REMEDY}") for name, why in sorted(self.differs.items())]

    def warn(self) -> None:
        """Log what differs."""
        if self.differs:
            listed = [Problem(name, why) for name, why in sorted(self.differs.items())]
            log.warning(
                "%d files are others than those their tasks were made of; the tasks keep the old ones. %s.\n%s",
                len(listed),
                REMEDY,
                enumerate_problems(listed),
            )


def find_differences(
    client: FastLabelClient,
    into: tuple[str, str],
    sources: Sources,
    known: tuple[Mapping[str, str], Mapping[str, Record]],
    *,
    thorough: bool,
    workers: int,
    stop: threading.Event,
) -> Differences:
    """Find out which files are others than their tasks were made of, and whether the root has moved; warn of both.

    :param client: the client.
    :param into: the project's slug, and the kind of its tasks.
    :param sources: the items.
    :param known: task name -> id, of all tasks of the project; and what the manifest says.
    :param thorough: whether FastLabel is asked about pictures that the manifest does not know.
    :param workers: how many files are read at a time.
    :param stop: set it to end early.
    """
    existing, earlier = known
    found = _compare(sources, existing, earlier, workers=workers, stop=stop)
    if thorough and found.not_compared:
        found.differs |= _compare_pictures(client, *into, sources, earlier, workers=workers, stop=stop)
    found.moved = _find_moved(sources, existing, earlier)
    found.warn()
    _warn_of_moved(found.moved, len(sources))
    return found


def _compare(
    sources: Sources,
    existing: Mapping[str, str],
    earlier: Mapping[str, Record],
    *,
    workers: int,
    stop: threading.Event,
) -> Differences:
    """Compare the files of tasks with what an import has sent of them."""
    found = Differences()
    unreadable: list[str] = []

    def read(pair: tuple[Source, FileFacts]) -> None:
        source, sent = pair
        try:
            digest = digest_of(source)
        except (OSError, ValueError):
            unreadable.append(source.name)  # its task exists, so that nobody needs to read it
            return
        if digest == sent.sha256:
            found.seen[source.name] = sent._replace(stamp=source.stamp)
        else:
            found.differs[source.name] = f"it has as many bytes as were sent, {source.size:,}, but others"

    if existing:
        run_bounded(read, _unsure(sources, existing, earlier, found), workers=workers, stop=stop)
    found.not_compared += len(unreadable)
    return found


def _unsure(
    sources: Sources, existing: Mapping[str, str], earlier: Mapping[str, Record], found: Differences
) -> Iterator[tuple[Source, FileFacts]]:
    """Yield what must be read to be compared, with what was sent; note what the listing alone tells."""
    for source in sources:
        task_id = existing.get(source.name)
        if task_id is None:
            continue
        sent = _sent(earlier.get(source.name), task_id)
        if sent is None:
            found.not_compared += 1
        elif source.size != sent.size:
            found.differs[source.name] = f"it has {source.size:,} bytes, {sent.size:,} were sent"
        elif source.stamp != sent.stamp or not source.stamp:
            yield source, sent


def _sent(record: Record | None, task_id: str) -> FileFacts | None:
    """Return what was sent as the file of a task, as far as the manifest knows."""
    known = record is not None and record.file is not None and record.file.task_id == task_id
    return record.file if record is not None and known else None


def _compare_pictures(
    client: FastLabelClient,
    project: str,
    kind: str,
    sources: Sources,
    earlier: Mapping[str, Record],
    *,
    workers: int,
    stop: threading.Event,
) -> dict[str, str]:
    """Compare pictures that no manifest knows with the sizes that FastLabel tells of its tasks.

    It takes one call per 1000 tasks, whose answers hold all annotations, and the beginning of every picture.
    """
    differs: dict[str, str] = {}
    if kind not in PICTURE_KINDS:
        return differs

    def told() -> Iterator[tuple[Source, tuple[Any, Any]]]:
        for task in client.iter_tasks(project, kind, pages_ahead=PAGES_AHEAD):
            source = sources.named(task["name"])
            if source is not None and _sent(earlier.get(source.name), task["id"]) is None:
                yield source, (task.get("width"), task.get("height"))

    def look(pair: tuple[Source, tuple[Any, Any]]) -> None:
        if why := _other_size(*pair):
            differs[pair[0].name] = why

    run_bounded(look, told(), workers=workers, stop=stop)
    return differs


def _other_size(source: Source, told: tuple[Any, Any]) -> str:
    """Say in what the size of a picture is not its task's, empty if it is or nobody can tell."""
    if not all(type(side) is int and side > 0 for side in told):
        return ""
    try:
        with source.open() as file:
            size = image_size(file)
    except (OSError, ValueError):
        return ""
    if sorted(size) == sorted(told):  # nobody says how FastLabel counts a turned photo
        return ""
    return f"it has {size.width} x {size.height} pixels, the task's picture {told[0]} x {told[1]}"


def digest_of(source: Source) -> str:
    """Read an item and return its digest, as :func:`facts_of` makes it of what was sent.

    :param source: the item.
    :raises OSError: it cannot be read.
    """
    if not source.files:
        return _read(source)
    return _of_folder({one.name.rpartition("/")[2]: _read(one) for one in source.files})


def facts_of(source: Source, task_id: str, sent: Mapping[Path, SentFile]) -> FileFacts | None:
    """Return what was sent of an item, ``None`` where not all of it was.

    :param source: the item.
    :param task_id: the task's id.
    :param sent: what went out while its task was created.
    """
    if len(sent) != (len(source.files) or 1):
        return None
    size = sum(one.size for one in sent.values())
    if source.files:
        digest = _of_folder({path.name: one.sha256 for path, one in sent.items()})
    else:
        (digest,) = (one.sha256 for one in sent.values())
    return FileFacts(task_id, size, digest, source.stamp)


def _of_folder(digests: Mapping[str, str]) -> str:
    text = "".join(f"{digest} {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _read(source: Source) -> str:
    digest = hashlib.sha256()
    with source.open() as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _find_moved(sources: Sources, existing: Mapping[str, str], earlier: Mapping[str, Record]) -> dict[str, str]:
    """Find the tasks of which new items seem to be copies, as when the folder's root was moved.

    Only asked where every item is new. An item is taken for a copy where a task is called as it is but for folders in
    front, and where the manifest knows a file of its name, size and content; the content of some is looked at.
    Empty unless that holds for most of them.
    """
    if not sources or not existing or any(source.name in existing for source in sources):
        return {}
    found: dict[str, str] = {}
    sampled: list[Source] = []
    alike = _by_name_and_size(existing, earlier)
    shortened = _without_folders(existing, sources)
    for source in sources:
        same = [name for name in (_end_of(source.name, existing), shortened.get(source.name)) if name]
        facts = {name: earlier[name].file for name in same if name in earlier}
        if same and all(known is None or known.size == source.size for known in facts.values()):
            found[source.name] = same[0]
        elif twins := alike.get((source.name.rpartition("/")[2], source.size)):
            found[source.name] = twins[0]
            sampled.append(source)
    for source in sampled[:SAMPLE]:
        twins = alike[source.name.rpartition("/")[2], source.size]
        found[source.name] = next((twin for twin in twins if _same_content(source, earlier[twin])), "")
    if not all(found[source.name] for source in sampled):
        for source in sampled:
            del found[source.name]
    return found if 2 * len(found) > len(sources) else {}


def _warn_of_moved(found: Mapping[str, str], total: int) -> None:
    """Log that items seem to double tasks."""
    if found:
        name, task = next(iter(found.items()))
        log.warning(
            "All %d items are new, but %d of them seem to be the files of tasks that exist under another path: %r "
            "looks like task %r. Names are paths relative to `folder`: if it was moved, or names another level, tasks "
            "are made twice. Stop the run, give the folder that fits, and delete what is double",
            total,
            len(found),
            name,
            task,
        )


def _by_name_and_size(existing: Mapping[str, str], earlier: Mapping[str, Record]) -> dict[tuple[str, int], list[str]]:
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for name, record in earlier.items():
        if record.file is not None and name in existing:
            found[name.rpartition("/")[2], record.file.size].append(name)
    return dict(found)


def _ends(name: str) -> Iterator[str]:
    """Yield a path without its first folder, without its first two ..."""
    while "/" in name:
        name = name.partition("/")[2]
        yield name


def _end_of(name: str, existing: Mapping[str, str]) -> str | None:
    return next((end for end in _ends(name) if end in existing), None)


def _without_folders(existing: Iterable[str], wanted: Sources) -> dict[str, str]:
    """Return the tasks whose names end in one that is wanted, by it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in existing:
        for end in _ends(name):
            if wanted.has(end):
                found[end].append(name)
    # Several tasks of one end are the pictures of several folders, and say nothing about a new one.
    return {end: names[0] for end, names in found.items() if len(names) == 1}


def _same_content(source: Source, record: Record) -> bool:
    try:
        return record.file is not None and digest_of(source) == record.file.sha256
    except (OSError, ValueError):
        return False
