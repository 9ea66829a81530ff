"""FastLabel annotations drawn onto the images they belong to.

A file below the image folder belongs to the task whose name, made safe as all exports do, is its path relative to that
folder. The result has the same path, format, alpha channel and colour profile; a JPEG is written with quality 95. Grey
and palette images become colour images, or nothing could be told apart on them.

The EXIF orientation is applied, since annotations are made on the picture as it is displayed. Where a task's size shows
that FastLabel counted in unturned pixels, the picture stays unturned and keeps its orientation tag.

Files are decoded, drawn and encoded in several threads: OpenCV and Pillow work outside Python's lock.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_fastlabel.formats.drawings.image_file import Picture
from airflow_provider_fastlabel.formats.drawings.pen import Marker, draw
from airflow_provider_fastlabel.formats.files import suffix_of, walk
from airflow_provider_fastlabel.formats.geometry.shapes import image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.folder import Folder
from airflow_provider_fastlabel.formats.writing.naming import safe_name
from airflow_provider_fastlabel.formats.writing.palette import whole_palette
from airflow_provider_fastlabel.formats.writing.report import IMAGES_MISSING
from airflow_provider_fastlabel.formats.writing.stage import Labelled, OnError, Stage, name_of
from airflow_provider_fastlabel.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import Place
    from airflow_provider_fastlabel.formats.writing.report import ExportReport

log: logging.Logger = logging.getLogger(__name__)

DRAWN_TYPES = ("bbox", "polygon", "segmentation", "keypoint", "line", "circle", "pose_estimation")
"""Annotation types that are drawn."""
SUFFIXES = frozenset({".jpeg", ".jpg", ".png", ".tif", ".tiff", ".bmp"})
"""Endings, in lower case, of the images that are looked at."""
NO_IMAGE = "no_image"
"""Reason: there is no file for the task."""
IMAGE_UNREADABLE = "image_unreadable"
"""Reason: the file cannot be decoded; only with ``on_error="skip"``."""


IMAGES_UNREADABLE = "images_unreadable"
"""Counted: the images themselves."""


class Pending(NamedTuple):
    """An image that is being drawn on.

    :param name: its path in the output.
    :param task: its task.
    :param found: what is drawn.
    :param order: place of the task in the list of what is left out.
    :param future: the work.
    """

    name: str
    task: Mapping[str, Any]
    found: Sequence[Labelled]
    order: tuple[int, int]
    future: Future[OSError | None]


class ImageError(ValueError):
    """An image that cannot be read or written; the message names it."""


def export_drawings(
    tasks: Iterable[Mapping[str, Any]],
    image_dir: Place,
    folder: Place,
    *,
    classes: ClassMap | Iterable[str | Mapping[str, Any]] | None = None,
    on_error: OnError = "raise",
    left_out: LeftOut | None = None,
) -> ExportReport:
    """Draw every task's annotations onto its image and write ``<name>``.

    :param tasks: task objects as the API returns them; read once, never changed, not kept.
    :param image_dir: folder of the images. Each may come as late as its task. Those without a task are counted at the
        end, but for hidden ones.
    :param folder: existing folder; not ``image_dir``, or the originals would be overwritten.
    :param classes: class map, annotation classes or class values; annotations of other values are counted as
        ``unknown_class``. None takes all.
    :param on_error: ``raise`` stops at malformed points and at images that cannot be read, naming them; ``skip`` counts
        their annotations.
    :param left_out: gets a row for each annotation, picture and task that is left out; None for no list.
    :returns: counts, files, and the class values. ``images_without_task`` and ``default_colour`` are adjustments.
    :raises GeometryError: malformed points, with ``raise``.
    :raises ImageError: an image that cannot be read, with ``raise``.
    :raises OSError: a file that cannot be written.
    :raises ValueError: source and target are one folder.
    :raises NotADirectoryError: there is no ``image_dir``.
    """
    images = Path(image_dir)
    if Path(folder).resolve() == images.resolve():
        raise ValueError("the annotated images would overwrite the originals: give another output folder")
    stage = Stage(DRAWN_TYPES, ClassMap.of(classes), on_error=on_error, left_out=left_out, box_margin=None)
    writer = _Writer(stage, Folder(folder, stage.report), images, on_error)
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads, thread_name_prefix="fastlabel-draw") as pool:
        pending: deque[Pending] = deque()
        try:
            for task, found in stage.shapes(tasks):
                writer.submit(task, found, pool, pending)
                while len(pending) > 4 * threads:
                    writer.settle(pending.popleft())
            while pending:
                writer.settle(pending.popleft())
        finally:
            for one in pending:
                one.future.cancel()
    writer.finish()
    return stage.report


class _Writer:
    """Finds the image of each task, hands the work out and counts what became of it."""

    def __init__(self, stage: Stage, out: Folder, image_dir: Path, on_error: OnError) -> None:
        self.stage = stage
        self.out = out
        self.on_error = on_error
        self.image_dir = os.fspath(image_dir)
        if not image_dir.is_dir():
            raise NotADirectoryError(f"There is no folder {self.image_dir!r} of images.")
        self.taken = Seen()
        self.palette = whole_palette()

    def submit(
        self,
        task: Mapping[str, Any],
        found: list[Labelled],
        pool: ThreadPoolExecutor,
        pending: deque[Pending],
    ) -> None:
        """Start the work on one task's image."""
        name = safe_name(name_of(task))
        if name in self.taken or not self._has_image(name):
            self._leave_out(NO_IMAGE, IMAGES_MISSING, task, found, self.stage.order)
            return
        self.taken.add(name)
        markers = [self._marker(one) for one in found]
        width, height = image_size(task)
        future = pool.submit(_redraw, self.image_dir, name, self.out, markers, (round(width), round(height)))
        pending.append(Pending(name, task, found, self.stage.order, future))

    def _has_image(self, name: str) -> bool:
        """Whether there is a file for a task; asked when it is wanted, so that files may come one by one."""
        # No Path: on Python 3.12 its name would stay in memory for good.
        return suffix_of(name).lower() in SUFFIXES and os.path.isfile(f"{self.image_dir}/{name}")  # noqa: PTH113

    def settle(self, one: Pending) -> None:
        """Wait for one image, and raise or count what went wrong with it."""
        unwritten = None
        try:
            unwritten = one.future.result()
        except Exception as error:  # whatever a damaged image makes a decoder raise
            if self.on_error == "raise":
                raise ImageError(
                    f'image {one.name!r} cannot be drawn on: {error}. Replace it, or export with on_error="skip"'
                ) from error
            log.warning("Left out: image %r cannot be drawn on: %s", one.name, error)
            self._leave_out(IMAGE_UNREADABLE, IMAGES_UNREADABLE, one.task, one.found, one.order)
        else:
            if unwritten:
                raise unwritten
            self.out.count(one.name)

    def finish(self) -> None:
        """Count what was not asked for."""
        report = self.stage.report
        left, first = 0, ""
        for name in _images_below(self.image_dir):
            if name not in self.taken:
                left, first = left + 1, first or name
        if left:
            report.adjust("images_without_task", left)
            log.info("%d images have no task, one is %r", left, first)
        known = self.stage.classes
        report.classes = known.sorted().values if known.open else known.values

    def _leave_out(
        self, reason: str, change: str, task: Mapping[str, Any], found: Sequence[Labelled], order: tuple[int, int]
    ) -> None:
        """Count an image that is not in the output, and its annotations, which the stage took for written."""
        report = self.stage.report
        report.images -= 1
        report.annotations -= len(found)
        report.lose("picture", change, task, order)
        report.skip(reason, task, [annotation for annotation, _, _ in found], order)

    def _marker(self, found: Labelled) -> Marker:
        """Join a shape with what its drawing needs beside it."""
        annotation, class_id, shape = found
        colour = _colour(annotation.get("color"))
        if colour is None:
            self.stage.report.adjust("default_colour")
            index = 1 + class_id % 255
            colour = (self.palette[3 * index], self.palette[3 * index + 1], self.palette[3 * index + 2])
        edges = {
            str(row["key"]): [str(key) for key in row.get("edges") or ()]
            for row in (annotation.get("keypoints") or () if shape.kind == "pose_estimation" else ())
        }
        return Marker(shape, colour, edges)


def _images_below(folder: str) -> Iterator[str]:
    """Find the images below a folder."""
    for level in walk(folder, follow_links=True):
        for entry in level.files:
            if suffix_of(entry.name).lower() in SUFFIXES:
                yield level.prefix + entry.name


def _colour(text: Any) -> tuple[int, int, int] | None:
    """Read ``#rrggbb``."""
    if not isinstance(text, str) or len(text) != 7 or text[0] != "#":
        return None
    try:
        red, green, blue = bytes.fromhex(text[1:])
    except ValueError:
        return None
    return red, green, blue


def _redraw(images: str, name: str, out: Folder, markers: list[Marker], size: tuple[int, int]) -> OSError | None:
    """Read, draw and write one image.

    :returns: what kept the file from being written, which is not the image's fault.
    """
    picture = Picture.read(f"{images}/{name}", size)
    draw(picture.pixels, markers)
    content = picture.encoded()
    try:
        out.write_pieces(name, content)
    except OSError as error:
        return error
    return None
