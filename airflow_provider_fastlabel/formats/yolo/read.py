"""YOLO label files become FastLabel annotations.

Which file belongs to which picture says :mod:`.label_files`, where the classes come from :mod:`.classes_file`, what
the rows may be :mod:`.kinds`, and what becomes of them :mod:`.objects`. A picture's size is read from its header and
follows its EXIF orientation, as in training. The object of these files is a row that is not empty.
"""

from __future__ import annotations

import math
import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from airflow_provider_fastlabel.formats.files import is_image
from airflow_provider_fastlabel.formats.image_size import image_size
from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder, why
from airflow_provider_fastlabel.formats.reading.imported import (
    NO_PICTURE,
    UNREADABLE,
    Annotation,
    ImportedAnnotations,
    UnusableError,
    collector_paused,
)
from airflow_provider_fastlabel.formats.reading.text import decoded
from airflow_provider_fastlabel.formats.yolo.classes_file import Classes, classes_of, list_named_by
from airflow_provider_fastlabel.formats.yolo.kinds import (
    Survey,
    YoloTask,
    YoloType,
    check_task,
    check_wish,
    disguised,
    has_visibilities,
)
from airflow_provider_fastlabel.formats.yolo.label_files import LabelFiles, Stray, stray
from airflow_provider_fastlabel.formats.yolo.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_fastlabel.formats.reading.spool import Spool


def read_yolo(
    classes_file: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str],
    *,
    task: YoloTask | None = None,
    annotation_type: YoloType | None = None,
    keypoints: Mapping[str, Sequence[str]] | None = None,
    follow_links: bool = False,
    spool: Spool | None = None,
) -> ImportedAnnotations:
    """Read a folder of images with YOLO labels, as Ultralytics, Roboflow, CVAT, Label Studio and Darknet write it.

    Label files lie beside the images or in ``labels`` beside ``images``, at any depth. Files that are something else,
    such as ``README.txt`` or the lists ``train.txt`` and ``val.txt``, are noted. Text is UTF-8, or what its byte order
    mark says.

    ``kpt_shape`` in the YAML file says that rows are poses. Where neither it nor ``task`` says what rows are, their
    length does (:mod:`.kinds`); a data set whose rows all fit several kinds is refused.

    :param classes_file: ``classes.txt``, ``obj.names`` (line number from 0 = class index), ``obj.data``, or a YAML file
        with ``names``; it may lie in the folder, and a relative path may be relative to it. None looks for such files
        in the folder, see :mod:`.classes_file`.
    :param folder: the data set.
    :param task: what the rows are, where the files do not tell: boxes (``"detect"``, among which an outline counts as
        the box around it, as in training), outlines (``"segment"``, among which a box counts as its four corners),
        poses (``"pose"``) or turned boxes (``"obb"``). With ``kpt_shape``, ``"detect"`` reads the poses' boxes.
    :param annotation_type: what every row becomes: ``bbox`` (of an outline the box around it, of a pose its box; turned
        boxes stay turned), ``polygon`` or ``segmentation`` (of a box its corners), ``pose_estimation``. Default: boxes
        ``bbox``, outlines ``segmentation``, poses ``pose_estimation``.
    :param keypoints: class value -> keypoint keys in the order of the rows of poses; default: ``kpt_names`` of the YAML
        file. Also says that rows that may be poses are poses.
    :param follow_links: whether links that leave the folder are followed; otherwise what they lead to is lost, and said
        to be.
    :param spool: keeps the annotations on disk until they are looked at; default: in memory.
    :returns: annotations by image path relative to the folder; an image without a label file is absent.
    :raises ValueError: unknown ``task`` or ``annotation_type``; no usable file of classes, or several that disagree;
        rows that may be of several kinds, or are of another than ``task`` or ``annotation_type`` say.
    :raises OSError: the classes file or the folder cannot be read.
    """
    if task not in (None, *get_args(YoloTask)) or annotation_type not in (None, *get_args(YoloType)):
        raise ValueError(
            f"task is one of {', '.join(get_args(YoloTask))} and annotation_type one of "
            f"{', '.join(get_args(YoloType))}, not {task!r} and {annotation_type!r}."
        )
    folder = DataFolder.of(folder, follow_links=follow_links)
    with collector_paused():
        files = LabelFiles(folder.names)
        classes = _classes(folder, files, None if classes_file is None else Path(classes_file))
        for index, name in enumerate(classes.names):
            if name is not None and keypoints and name in keypoints:
                classes.keys[index] = list(keypoints[name])
        reader = _Reader(folder, files, classes, annotation_type, spool, keyed=bool(keypoints))
        return folder.tell_closed(reader.read(task))


def _classes(folder: DataFolder, files: LabelFiles, given: Path | None) -> Classes:
    """Read the classes, and take their files away from the label files."""
    if given is not None and not given.exists() and os.path.lexists(f"{folder.path}/{given}"):
        given = Path(folder.place(posixpath.normpath(given)))
    lists = list_named_by(folder, files.others, [*files.others, *files.labels])
    if given is not None:  # names are compared first as that costs nothing
        same = (name for name in files.labels if name.rpartition("/")[2] == given.name)
        lists |= {name for name in same if _is_same(given, f"{folder.path}/{name}")}
    files.leave_out(lists)
    return classes_of(folder, files.others, [*files.class_lists, *sorted(lists)], given)


def _is_same(one: Path, other: str) -> bool:
    """Tell whether two paths lead to the same file; one that leads nowhere is none."""
    try:
        return one.samefile(other)
    except OSError:
        return False


class _UndecidedError(Exception):
    """A row stands in the way of reading on before all rows were looked at."""


class _Reader:
    """Reads the label files of one data set."""

    def __init__(
        self,
        folder: DataFolder,
        files: LabelFiles,
        classes: Classes,
        annotation_type: YoloType | None,
        spool: Spool | None,
        *,
        keyed: bool,
    ) -> None:
        self._folder = folder
        self._files = files
        self._names = classes.names
        self._classes = classes
        self._annotation_type: YoloType | None = annotation_type
        self._keyed = keyed
        self._spool = spool
        self._result = ImportedAnnotations(spool=spool)
        self._objects = Objects("detect", None, None, {})
        self._watch: Callable[[list[float]], None] | None = None

    def read(self, task: YoloTask | None) -> ImportedAnnotations:
        """Pair label files with pictures and read them."""
        pairs = self._files.pairs()
        strays = {name: stray(self._folder, name) for name in self._files.labels if name not in pairs}
        candidates = [name for name, found in strays.items() if found.rows or found.unreadable]
        pairs |= self._files.by_stem(candidates, pairs.values())
        kind, why = self._known_kind(task)
        if kind is None and self._annotation_type == "pose_estimation":
            self._watch = None
            kind, why = self._surveyed(pairs), "by their length"
        try:
            self._read_as(kind or "detect", why, pairs, strays)
        except _UndecidedError:
            self._watch = None
            self._read_as(self._settled(task, pairs), "by their length" if task is None else why, pairs, strays)
        return self._result

    def _known_kind(self, task: YoloTask | None) -> tuple[YoloTask | None, str]:
        """Return what the rows are by what is said of them, and who says it; set the watch for what it may not be."""
        classes = self._classes
        if classes.keypoints:
            if task is not None:
                check_task(task, classes.keypoints, classes.described)
            if task == "detect" and self._annotation_type is None:
                self._annotation_type = "bbox"
            return "pose", f"kpt_shape in {classes.described}"
        if task is None:
            self._watch = _undecided
        elif task in ("detect", "segment") and not classes.described:
            self._watch = _undecided_if_pose
        return task, f"task={task!r}"

    def _settled(self, task: YoloTask | None, pairs: Mapping[str, str]) -> YoloTask:
        """Say what the rows are after a look at all of them."""
        if task is None:
            return self._surveyed(pairs)
        if self._survey(pairs, poses=True).are_poses():
            raise disguised(task)
        return task

    def _surveyed(self, pairs: Mapping[str, str]) -> YoloTask:
        return self._survey(pairs, poses=False).kind(
            described=bool(self._classes.described), annotation_type=self._annotation_type, keyed=self._keyed
        )

    def _survey(self, pairs: Mapping[str, str], *, poses: bool) -> Survey:
        survey = Survey(poses=poses)
        for name in pairs:
            try:
                lines = self._text(name).splitlines()
            except (OSError, ValueError):
                continue
            for line in lines:
                if fields := line.split():
                    survey.add(fields)
        return survey

    def _read_as(self, kind: YoloTask, why: str, pairs: Mapping[str, str], strays: Mapping[str, Stray]) -> None:
        """Read all label files as rows of one kind."""
        check_wish(kind, self._annotation_type, why)
        self._result = ImportedAnnotations(spool=self._spool)
        self._objects = Objects(kind, self._annotation_type, self._classes.keypoints, self._classes.keys)
        for name in self._files.labels:
            image = pairs.get(name)
            if image is not None:
                self._read_labels(name, image)
            else:
                self._tell(name, strays[name])

    def _text(self, name: str) -> str:
        return decoded(self._folder.read(name))

    def _tell(self, name: str, found: Stray) -> None:
        """Say of a text file without a picture what it is."""
        doubtful = self._files.doubtful.get(name)
        if found.unreadable and not found.other:
            self._result.add_problem(name, found.unreadable, reason=UNREADABLE, lost=0)
        elif not found.rows:
            self._result.add_note(name, "is no label file and belongs to no image")
        else:
            message = "there is no image for this label file"
            if doubtful:
                message = f"belongs to {' or '.join(doubtful)}; name it {doubtful[0]}.txt"
            self._result.add_problem(name, message, image=name[:-4], reason=NO_PICTURE, lost=found.rows)

    def _read_labels(self, name: str, image: str) -> None:
        """Read one label file."""
        try:
            lines = self._text(name).splitlines()
        except (OSError, ValueError) as error:
            self._result.describe(image, name, [])
            self._result.add_problem(name, why(error), image=image, reason=UNREADABLE, lost=0)
            return
        rows = [(number, fields) for number, line in enumerate(lines, 1) if (fields := line.split())]
        if rows and all(is_image(fields[-1]) for _, fields in rows):
            self._result.add_note(name, "lists pictures; it is no label file")
            return
        annotations: list[Annotation] = []
        if rows:
            self._read_rows(name, image, rows, annotations)
        self._result.describe(image, name, annotations)
        if annotations:
            self._result.objects[image] += len(annotations)

    def _read_rows(
        self, name: str, image: str, rows: list[tuple[int, list[str]]], annotations: list[Annotation]
    ) -> None:
        """Convert the rows of a label file."""
        try:
            with self._folder.open(image) as file:
                self._objects.width, self._objects.height = image_size(file)
        except (OSError, ValueError) as error:
            message = f"the size of {image} cannot be read: {why(error)}"
            self._result.add_problem(name, message, image=image, reason=UNREADABLE, lost=len(rows))
            return
        for number, fields in rows:
            try:
                annotations.append(self._annotation(fields))
            except UnusableError as error:
                self._result.add_problem(name, str(error), number, image=image)

    def _annotation(self, fields: list[str]) -> Annotation:
        """Convert one row."""
        try:
            index, *values = map(float, fields)
        except ValueError:
            raise UnusableError("a field is not a number") from None
        if not math.isfinite(sum(values)) or not index.is_integer():
            raise UnusableError("a field is not an ordinary number")
        names = self._names
        value = names[int(index)] if 0 <= index < len(names) else None
        if value is None:
            raise UnusableError(f"class {index:g} is not in the classes file, which has {len(names)}")
        if len(values) < 4:
            raise UnusableError(f"{len(fields)} fields; a box has five")
        if self._watch is not None and len(values) > 5:
            self._watch(values)
        annotation = self._objects.make(int(index), values)
        annotation["value"] = value
        return annotation


def _undecided(_: list[float]) -> None:
    raise _UndecidedError


def _undecided_if_pose(values: list[float]) -> None:
    if has_visibilities(values):
        raise _UndecidedError
