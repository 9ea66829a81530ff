"""All checks that need no sending, made for all items before the first task is created."""

from __future__ import annotations

import logging
import time
import unicodedata
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.checks import media
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.http.shapes import needed
from airflow_provider_fastlabel.client.kinds import kind_of_project_type
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.cut_off import cut_off
from airflow_provider_fastlabel.formats.image_size import ImageSize, image_size
from airflow_provider_fastlabel.json_text import unsendable
from airflow_provider_fastlabel.mp4 import NotMp4, codec_of
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused, Problem
from airflow_provider_fastlabel.pipelines.files.source import Source, without_temporary
from airflow_provider_fastlabel.pipelines.files.source_table import Sources
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from airflow_provider_fastlabel.pipelines.imports.class_rules import ClassRules, are_numbers, geometry_complaints
from airflow_provider_fastlabel.pipelines.running.pool import run_bounded

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.kinds import Kind, Limits, Media
    from airflow_provider_fastlabel.formats import AnnotationsFormat
    from airflow_provider_fastlabel.pipelines.files.sources import Found

    Annotations = Mapping[str, Sequence[Mapping[str, Any]]]

log: logging.Logger = logging.getLogger(__name__)

LONGEST_NAME = 1024
"""Characters of a task name we accept. FastLabel documents no limit; longer is a mistake (our choice)."""

_FIRST = 100
"""Items that are checked one by one, to see whether reading them means waiting."""
_REPLACE_IT = "Replace it, or leave it out"
_UNPRINTABLE = {"Cc": "a control character", "Cs": "bytes that are not UTF-8"}


@dataclass(frozen=True)
class Destination:
    """The project an import goes to, as found once at its beginning.

    :param project: its slug.
    :param type: its type, such as ``image_bbox``.
    :param kind: the kind of its tasks.
    """

    project: str
    type: str
    kind: Kind


def resolve_destination(client: FastLabelClient, project: str, kind: str | None = None) -> Destination:
    """Find out what kind of tasks a project takes, by one call.

    :param client: the client.
    :param project: the project's slug.
    :param kind: the kind the caller expects, if any.
    :returns: the project with its type and kind.
    :raises ImportRefused: the project does not exist, takes another kind, or takes tasks that are not made of
        named files (DICOM archives give their tasks names of their own).
    """
    found = client.find_project_by_slug(project)
    if found is None:
        raise ImportRefused(
            f"Project {project!r} does not exist, or the token may not see it. Nothing was created. "
            "Check `project` (the slug, as in the address of the project's page)."
        )
    resolved = kind_of_project_type(needed(found, "type", f"project {project}"))
    if kind is not None and kind != resolved.name:
        raise ImportRefused(
            f"Project {project!r} is of type {found['type']} and takes {resolved.name} tasks, not {kind} tasks. "
            "Nothing was created. Leave out `kind`, or give another project."
        )
    if resolved.media is None or resolved.name == "dicom":
        raise ImportRefused(
            f"Project {project!r} takes {resolved.name} tasks, which cannot be created from named files. "
            "Nothing was created."
        )
    return Destination(project, found["type"], resolved)


def find_items(
    folder: Any,
    into: Destination,
    *,
    pattern: str,
    annotated: AnnotationsFormat | None = None,
    own: str | None = None,
    follow_links: bool = False,
) -> Found:
    """List a folder as the items of an import into a project.

    :param folder: a local path, or an object with the ``pathlib`` interface over an fsspec file system.
    :param into: the project.
    :param pattern: glob that paths relative to ``folder`` must match.
    :param annotated: the format of the annotations that belong to the pictures, if any do.
    :param own: path relative to ``folder`` of a file of ours, which is no item.
    :param follow_links: whether links that lead out of the folder are followed.
    :returns: the items, files that cannot become one, and links that were left out.
    :raises ImportRefused: the folder does not exist, nothing in it matches, or tasks of the project's kind take no
        annotations of such a format.
    """
    if annotated is not None and into.kind.name not in ("image", "sequential_image"):
        raise ImportRefused(
            f"Project {into.project!r} takes {into.kind.name} tasks; {annotated} annotations are for image and "
            "sequential image tasks. Nothing was created. Give another project, or import without `annotations_format`."
        )
    assert into.kind.media is not None
    found = find_sources(
        folder,
        extensions=into.kind.media.extensions,
        by_folder=into.kind.max_files is not None,
        pattern=pattern,
        pictures_only=annotated is not None,
        follow_links=follow_links,
    )
    found.problems = [problem for problem in found.problems if problem.name != own]
    if not found.sources and not found.problems:
        left = f" ({len(found.left_out)} files are there, but do not match)" if found.left_out else ""
        raise ImportRefused(
            f"No file to import: nothing in {folder} matches pattern {pattern!r}{left}. "
            f"Nothing was created. {found.links_in_words()}"
            "Check `folder` and `pattern`, or wait for the files with a sensor."
        )
    if found.left_out:
        log.info("%d files do not match pattern %r and are left out", len(found.left_out), pattern)
    if found.links:
        log.warning("%s", found.links_in_words().rstrip())
    return found


def each_once(sources: Iterable[Source]) -> tuple[Sources, list[Problem]]:
    """Put items on disk.

    :param sources: the items.
    :returns: them, each name once, and the names that several have.
    """
    if isinstance(sources, Sources):
        return sources, []
    items = Sources()
    repeated = {source.name for source in sources if items.add(source) is not None}
    return items, [Problem(name, "is the name of several items; names are unique in a project") for name in repeated]


def find_problems(
    client: FastLabelClient,
    project: str,
    kind: Kind,
    sources: Collection[Source],
    left_alone: Callable[[str], bool],
    annotations: Annotations,
    *,
    classes: Sequence[Mapping[str, Any]] | None = None,
    workers: int,
    stop: threading.Event,
) -> list[Problem]:
    """Check names, files and pre-annotations of all items; sends nothing, reads the project's classes if needed.

    :param client: the client, for its limits and the project's classes.
    :param project: the project's slug.
    :param kind: the kind of the tasks.
    :param sources: the items.
    :param left_alone: tells of a name whether its task exists and stays as it is: it need not be fit for creating.
    :param annotations: task name -> pre-annotations.
    :param classes: the project's annotation classes; read from FastLabel if needed and not given.
    :param workers: how many items are checked at a time, where reading them means waiting.
    :param stop: set it to end the checks early.
    :returns: what is wrong, in no particular order.
    """

    def chosen() -> Iterator[Source]:
        return (source for source in sources if not left_alone(source.name))

    rules = None
    if annotations and any(annotations.get(source.name) for source in chosen()):
        if kind.holder != "annotations":
            raise ImportRefused(f"Tasks of kind {kind.name} carry no annotations. Nothing was created.")
        rules = ClassRules(client.iter_annotations(project) if classes is None else classes)
    problems: list[Problem] = []

    def check(source: Source) -> None:
        own = list(annotations.get(source.name) or ())
        sizes: dict[str, ImageSize | None] = {}
        complaints = [*_name_complaints(source.name), *_file_complaints(source, kind, client.limits, sizes)]
        if own and rules is not None:
            complaints += _annotation_complaints(source, own, rules, sizes)
        problems.extend(Problem(source.name, complaint) for complaint in complaints)

    items = chosen()
    began, used = time.perf_counter(), time.process_time()
    run_bounded(check, islice(items, _FIRST), workers=1, stop=stop)
    waits = time.perf_counter() - began > 2 * (time.process_time() - used)
    # Where nothing is waited for, as on a local disk, several threads only take turns, and took twice as long.
    run_bounded(check, items, workers=workers if waits else 1, stop=stop)
    return problems


def _name_complaints(name: str) -> Iterator[str]:
    if not name:
        yield "has no name"
    if len(name) > LONGEST_NAME:
        yield f"the name has {len(name)} characters; at most {LONGEST_NAME} are taken. Rename it"
    if not name.isprintable():
        found = {_UNPRINTABLE.get(unicodedata.category(character), "") for character in name}
        for what in sorted(filter(None, found)):
            yield f"the name holds {what}. Rename it"


def _file_complaints(source: Source, kind: Kind, limits: Limits, sizes: dict[str, ImageSize | None]) -> Iterator[str]:
    """Check files by the rules of the create call: local ones by its own code, remote ones by what the listing says.

    The sizes of the pictures that are looked into are kept by the ``content`` that annotations name them by.
    """
    assert kind.media is not None
    try:
        if source.filesystem is not None:
            yield from _listing_complaints(source, kind, kind.media, limits)
            return
        with source.local() as path:
            if kind.max_files is None:
                media.checked_file(path, kind.media, limits)
            else:
                media.checked_folder(path, kind, limits)
            for file in source.files or (source,):
                if kind.media.name != "image":
                    continue
                content = _base_name(file) if source.files else ""
                found, sizes[content] = _looked_into(file)
                if found:
                    yield f"{foreign_text(content)} {found}" if source.files else found
    except FastLabelInvalidException as error:
        yield without_temporary(error.message.removesuffix(" Nothing was sent."))
    except (OSError, ValueError) as error:
        if isinstance(error, StoreFailedError) and not isinstance(error.__cause__, PermissionError):
            raise  # which may pass, and is no fault of the file
        yield f"cannot be read: {error}"


def _looked_into(source: Source) -> tuple[str, ImageSize | None]:
    """Say that a file is no picture whatever its name says, or not a whole one; empty, and its size, if it is."""
    with source.open() as file:
        damage = cut_off(file)
        if damage:
            return f"is cut off or damaged ({foreign_text(damage)}). {_REPLACE_IT}", None
        file.seek(0)
        try:
            return "", image_size(file)
        except ValueError as error:
            if damage is not None:  # a whole JPEG or PNG, if an odd one
                return "", None
            return f"is no picture, whatever its name says ({foreign_text(error)}). {_REPLACE_IT}", None


def refuse_no_picture(source: Source, path: Path, kind: Kind) -> None:
    """Refuse a file of an object store that came down and is no whole picture; local ones are checked first.

    :param source: the item.
    :param path: where it came down: a file, or the folder of its files.
    :param kind: the kind of the task.
    :raises ValueError: it is none.
    """
    if source.filesystem is None or kind.media is None or kind.media.name != "image":
        return
    for place in [path] if not source.files else [path / _base_name(file) for file in source.files]:
        if found := _looked_into(Source(place.name, str(place), 0))[0]:
            raise ValueError(f"{foreign_text(place.name)} {found}. Nothing was created")


def _base_name(source: Source) -> str:
    return source.name.rpartition("/")[2]


def _listing_complaints(source: Source, kind: Kind, wanted: Media, limits: Limits) -> Iterator[str]:
    files = source.files or (source,)
    largest = getattr(limits, wanted.name)
    for file in files:
        if file.size > largest:
            yield f"{foreign_text(file.location)} {media.too_large(file.size, wanted.name, largest)}"
        elif not file.size:
            yield f"{foreign_text(file.location)} {media.EMPTY}"
        elif wanted.h264:
            yield from _codec_complaints(file)
    if kind.max_files is not None:
        most = getattr(limits, kind.max_files)
        if len(files) > most:
            yield media.too_many(len(files), most)
        characters = (media.content_characters(file.name.rpartition("/")[2], file.size) for file in files)
        if sum(characters) > limits.folder_characters:
            yield media.too_long(limits.folder_characters)


def _codec_complaints(source: Source) -> Iterator[str]:
    try:
        with source.open() as file:
            codec = codec_of(file)
    except NotMp4 as error:
        yield f"is not a readable MP4 file ({error})"
    else:
        if codec.lower() not in media.H264:
            yield f"holds {foreign_text(codec)} video; only AVC/H.264 can be registered"


def _annotation_complaints(
    source: Source, annotations: Sequence[Mapping[str, Any]], rules: ClassRules, known: dict[str, ImageSize | None]
) -> Iterator[str]:
    files = {file.name.rpartition("/")[2]: file for file in source.files}
    sendable = unsendable([_beside_coordinates(annotation) for annotation in annotations]) is None
    for number, annotation in enumerate(annotations):
        if not sendable and (held := unsendable(annotation)):
            yield f"annotation {number}: it holds {held}"
        content = str(annotation.get("content") or "") if files else ""
        if files and content not in files:
            yield f"annotation {number}: content {content!r} is no file of this task's folder"
            continue
        if content not in known:
            known[content] = _size_of(files[content] if files else source)
        for complaint in (*rules.complaints(annotation), *geometry_complaints(annotation, known[content])):
            yield f"annotation {number}: {complaint}"


def _beside_coordinates(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return an annotation without plain coordinates, which can be sent: as JSON they would cost most of the checks."""
    points = annotation.get("points")
    plain = isinstance(points, list | tuple) and are_numbers(points)
    return {key: value for key, value in annotation.items() if key != "points" or not plain}


def _size_of(source: Source) -> ImageSize | None:
    """Read an image's size; ``None`` for what has none or cannot be read, which other checks report."""
    try:
        with source.open() as file:
            return image_size(file)
    except (OSError, ValueError):
        return None
