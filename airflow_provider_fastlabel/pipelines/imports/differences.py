"""Notices that a file is another one than its task was made of.

A task keeps the file it was created with: FastLabel has no call to replace it. What was sent is in the manifest, so
that a look at the listing is enough as long as nothing changed; a file is read again only where its size is the same
and its stamp is not. The project's tasks themselves are asked for only where differences are failures.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.http.reading_ahead import PAGES_AHEAD
from airflow_provider_fastlabel.formats.image_size import image_size
from airflow_provider_fastlabel.pipelines.files.problems import Problem, enumerate_problems
from airflow_provider_fastlabel.pipelines.imports.content import digest_of
from airflow_provider_fastlabel.pipelines.imports.manifest import FileFacts
from airflow_provider_fastlabel.pipelines.imports.moved import FITTING, find_moved, warn_of_moved
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from airflow_provider_fastlabel.client import FastLabelClient
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


@dataclass
class Differences:
    """What is known of the files of tasks that exist.

    :param differs: task name -> in what its file is another one than was sent.
    :param seen: task name -> what was sent, with the stamp that the file has now: it was read, and is the same.
    :param not_compared: how many tasks nobody knows the file of.
    :param unsent: how many tasks nobody knows what was sent for: these, and those whose file an import only met.
    :param moved: item -> task whose file it seems to be, under another path.
    """

    differs: dict[str, str] = field(default_factory=dict)
    seen: dict[str, FileFacts] = field(default_factory=dict)
    not_compared: int = 0
    unsent: int = 0
    moved: dict[str, str] = field(default_factory=dict)

    def of(self, source: Source, task_id: str | None, earlier: Record | None) -> dict[str, Any]:
        """Return what the manifest is to keep of the file of a task that exists.

        :param source: the item.
        :param task_id: the task's id, where it is known.
        :param earlier: what the manifest says of it.
        """
        differs, seen = self.differs.get(source.name), self.seen.get(source.name)
        if seen is None and task_id is not None and _known(earlier, task_id) is None:
            seen = FileFacts(task_id, source.size, "", source.stamp)  # so that a later overwrite is noticed
        return ({"differs": differs} if differs else {}) | ({"file": seen} if seen else {})

    def problems(self) -> list[Problem]:
        """Return the differences as what keeps items from being imported."""
        differs = [
            Problem(name, f"differs from its task: {why}. {REMEDY}") for name, why in sorted(self.differs.items())
        ]
        moved = [
            Problem(name, f"is new, and seems to be the file of task {task!r}. {FITTING}")
            for name, task in sorted(self.moved.items())
        ]
        return [*differs, *moved]

    def warn(self) -> None:
        """Log what differs."""
        if self.differs:
            listed = [Problem(name, why) for name, why in sorted(self.differs.items())]
            log.warning(
                "Files that are not those that their tasks were made of: %d; the tasks keep the old ones. %s.\n%s",
                len(listed),
                REMEDY,
                enumerate_problems(listed),
            )

    def tell_not_compared(self) -> None:
        """Log of how many tasks nobody knows the file."""
        if self.not_compared:
            log.info(
                "Tasks whose files could not be compared, mostly because the manifest does not know them: %d. It keeps "
                "what these files are like now: a `manifest` that stays from run to run makes later changes known",
                self.not_compared,
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
    """Find out which files are others than their tasks were made of, and which new items are the files of tasks.

    Warns of both, unless they are problems.

    :param client: the client.
    :param into: the project's slug, and the kind of its tasks.
    :param sources: the items.
    :param known: task name -> id, of all tasks of the project; and what the manifest says.
    :param thorough: whether what is found is a problem, and FastLabel is asked about pictures that the manifest does
        not know.
    :param workers: how many files are read at a time.
    :param stop: set it to end early.
    """
    existing, earlier = known
    found = _compare(sources, existing, earlier, workers=workers, stop=stop)
    found.tell_not_compared()
    if thorough and found.unsent:
        found.differs |= _compare_pictures(client, *into, sources, earlier, workers=workers, stop=stop)
    found.moved = find_moved(sources, existing, earlier)
    if not thorough:  # then they are problems
        found.warn()
        warn_of_moved(found.moved, sum(source.name not in existing for source in sources) if found.moved else 0)
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
        known = _known(earlier.get(source.name), task_id)
        if known is None:
            found.not_compared += 1
        if known is None or not known.sha256:
            found.unsent += 1
        if known is not None and source.size != known.size:
            were = "were sent" if known.sha256 else "were there when an import first met its task"
            found.differs[source.name] = f"it has {source.size:,} bytes, {known.size:,} {were}"
        elif known is not None and (source.stamp != known.stamp or not source.stamp):
            if known.sha256:
                yield source, known
            elif source.stamp:
                found.differs[source.name] = "it was written anew after an import had first met its task"


def _known(record: Record | None, task_id: str) -> FileFacts | None:
    """Return what the manifest knows of the file of a task: as it was sent or, without a digest, as it was met."""
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
    """Compare pictures of which no manifest knows what was sent with the sizes that FastLabel tells of its tasks.

    It takes one call per 1000 tasks, whose answers hold all annotations, and the beginning of every picture.
    """
    differs: dict[str, str] = {}
    if kind not in PICTURE_KINDS:
        return differs

    def told() -> Iterator[tuple[Source, tuple[Any, Any]]]:
        for task in client.iter_tasks(project, kind, pages_ahead=PAGES_AHEAD):
            source = sources.named(task["name"])
            known = _known(earlier.get(source.name), task["id"]) if source is not None else None
            if source is not None and (known is None or not known.sha256):
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
