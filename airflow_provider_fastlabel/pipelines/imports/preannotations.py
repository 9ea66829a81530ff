"""Reads pre-annotations in COCO, YOLO, Pascal VOC or labelme form and matches them to the items of an import.

The readers of :mod:`airflow_provider_fastlabel.formats` want a local data set: media and annotation files in one tree.
Where media or annotation files are elsewhere (an object store, a second folder), such a tree is laid out for them in a
temporary folder, from links, downloaded annotation files and the first bytes of each image, which hold its size.
"""

from __future__ import annotations

import logging
import tempfile
import unicodedata
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.imports import ImportRefused, Problem, Source, find_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations

log: logging.Logger = logging.getLogger(__name__)

AnnotationsFormat = Literal["coco", "yolo", "pascalvoc", "labelme"]

EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "coco": ("json",),
    "yolo": ("txt", "yaml", "yml"),
    "pascalvoc": ("xml",),
    "labelme": ("json",),
}
"""Extensions of each format's annotation files, which may lie beside the media."""

_HEAD_BYTES = 256 * 1024
_SHAPES = ("bbox", "polygon", "segmentation", "pose_estimation", "keypoint", "line")
_YOLO_TASKS = {"bbox": "detect", "polygon": "segment", "segmentation": "segment", "pose_estimation": "pose"}
# What formats note about every object; a class without such an attribute simply does not ask for it.
_FORMAT_FLAGS = {"iscrowd", "truncated", "occluded", "difficult"}


@dataclass(frozen=True)
class PreAnnotations:
    """What was read.

    :param by_name: task name -> annotations as the create methods take them.
    :param problems: what could not be taken.
    """

    by_name: dict[str, list[dict[str, Any]]]
    problems: list[Problem]


@dataclass(frozen=True)
class Reader:
    """Reads one data set's annotations.

    :param form: the format.
    :param folder: where the media are (local path or object store path).
    :param annotations: where the annotation files are: for COCO the file or the folder that holds it, for the others a
        folder whose tree mirrors that of the media; ``None`` means beside the media.
    :param project_type: the project's type; says what objects become where a format leaves it open.
    :param classes: the project's annotation classes.
    :param arguments: further arguments of the format's reader.
    """

    form: AnnotationsFormat
    folder: Any
    annotations: Any | None
    project_type: str
    classes: Sequence[Mapping[str, Any]]
    arguments: Mapping[str, Any]

    def read(self, sources: Sequence[Source]) -> PreAnnotations:
        """Read the annotations of some items.

        :param sources: the items, from listing the media.
        :returns: the annotations by task name, and what could not be taken.
        :raises ImportRefused: the annotation files are not where they should be, or none belongs to any item.
        """
        with ExitStack() as stack:
            try:
                imported = self._parse(sources, stack)
            except ImportRefused:
                raise
            except (OSError, ValueError, TypeError) as error:
                raise ImportRefused(
                    f"The {self.form} annotations cannot be read: {str(error).rstrip('.')}. Nothing was created."
                ) from error
        problems = [Problem(_where(p.file, p.line), p.message) for p in imported.problems]
        return PreAnnotations(self._match(imported.by_image, sources), problems)

    def _parse(self, sources: Sequence[Source], stack: ExitStack) -> ImportedAnnotations:
        local = None if self.annotations is None else local_path(self.annotations)
        if local is not None and not local.exists():
            raise ImportRefused(
                f"There is nothing at {local} on this worker. Nothing was created. Check `annotations_path`."
            )
        if self.form == "coco":
            from airflow_provider_fastlabel.formats.coco import read_coco

            file = stack.enter_context(self._coco_file().local())
            return read_coco(file, **{"annotation_type": self._coco_type(), **self.arguments})
        root = self._tree(sources, stack)
        if self.form == "yolo":
            from airflow_provider_fastlabel.formats.yolo import read_yolo

            return read_yolo(_yolo_classes(root), root, **{**self._yolo_arguments(), **self.arguments})
        if self.form == "pascalvoc":
            from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc

            return read_pascalvoc(root, **self.arguments)
        from airflow_provider_fastlabel.formats.labelme import read_labelme

        return read_labelme(root, **self.arguments)

    def _coco_file(self) -> Source:
        place = self.annotations if self.annotations is not None else self.folder
        if place.is_file():
            return _single_file(place)
        found = find_sources(place, extensions=EXTENSIONS["coco"], pattern="*.json").sources
        named = [source for source in found if source.name == "annotations.json"] or found
        if len(named) != 1:
            listed = ", ".join(source.name for source in found[:5]) or "none"
            raise ImportRefused(
                f"{place} must hold annotations.json or exactly one other .json file; found: {listed}. "
                "Nothing was created. Give the COCO file itself as `annotations_path`."
            )
        return named[0]

    def _tree(self, sources: Sequence[Source], stack: ExitStack) -> Path:
        """Return a local folder with the media and the annotation files in one tree."""
        root = local_path(self.folder)
        if root is not None and self.annotations is None:
            return root
        tree = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fastlabel-annotations-")))
        notes = find_sources(
            self.annotations if self.annotations is not None else self.folder,
            extensions=EXTENSIONS[self.form],
            pattern="**/*",
        ).sources
        for source in notes:
            with source.local() as path:
                _put(tree, source.name).write_bytes(path.read_bytes())
        for source in sources:
            for file in source.files or (source,):
                self._picture(_put(tree, file.name), file)
        return tree

    def _picture(self, path: Path, source: Source) -> None:
        if source.filesystem is None:
            path.symlink_to(Path(source.location).absolute())
            return
        path.touch()
        if self.form == "yolo":
            with source.open() as file:
                path.write_bytes(file.read(_HEAD_BYTES))

    def _wanted_type(self) -> str | None:
        """Return the annotation type the project asks for; ``None`` when it takes several."""
        own = next((shape for shape in _SHAPES if self.project_type.endswith(f"_{shape}")), None)
        types = {str(item["type"]) for item in self.classes}
        return own or (types.pop() if len(types) == 1 else None)

    def _coco_type(self) -> str | None:
        wanted = self._wanted_type()
        return wanted if wanted in _YOLO_TASKS else None

    def _yolo_arguments(self) -> dict[str, Any]:
        wanted = self._wanted_type()
        arguments: dict[str, Any] = {"task": _YOLO_TASKS.get(wanted or "", "detect")}
        if wanted in ("polygon", "segmentation"):
            arguments["annotation_type"] = wanted
        keys = {item["value"]: [point["key"] for point in item.get("keypoints") or ()] for item in self.classes}
        if wanted == "pose_estimation":
            arguments["keypoints"] = {value: points for value, points in keys.items() if points}
        return arguments

    def _match(
        self, by_image: Mapping[str, list[dict[str, Any]]], sources: Sequence[Source]
    ) -> dict[str, list[dict[str, Any]]]:
        """Put annotations to task names; a picture of a folder task becomes the annotation's ``content``."""
        files = {file.name: source.name for source in sources for file in source.files or (source,)}
        composed = {unicodedata.normalize("NFC", name): name for name in files}
        matched: dict[str, list[dict[str, Any]]] = {}
        strangers = []
        for image, shapes in by_image.items():
            name = image if image in files else composed.get(unicodedata.normalize("NFC", image))
            if name is None:
                strangers.append(image)
                continue
            own = matched.setdefault(files[name], [])
            content = {} if files[name] == name else {"content": PurePosixPath(name).name}
            own += [{**annotation, **content} for annotation in shapes]
        self._report_strangers(strangers, matched, files)
        _drop_unasked_flags(matched, self.classes)
        return matched

    def _report_strangers(self, strangers: Sequence[str], matched: Mapping[str, Any], files: Mapping[str, str]) -> None:
        if not strangers:
            return
        listed = ", ".join(map(repr, strangers[:3]))
        if not matched:
            raise ImportRefused(
                f"None of the {len(strangers)} images the {self.form} annotations speak of (first: {listed}) is "
                f"among the files of the folder (first: {next(iter(files), None)!r}). Nothing was created. Image "
                "names must be paths relative to `folder`; give the folder they are relative to, or correct them."
            )
        log.warning(
            "The annotations speak of %d images that are not among the files to import (first: %s); they are left out",
            len(strangers),
            listed,
        )


def _drop_unasked_flags(matched: Mapping[str, list[dict[str, Any]]], classes: Iterable[Mapping[str, Any]]) -> None:
    """Take away a format's own flags (``truncated``, ``iscrowd`` ...) where the class has no such attribute."""
    asked = {
        (str(item["value"]), str(attribute["key"])) for item in classes for attribute in item.get("attributes") or ()
    }
    dropped = 0
    for shapes in matched.values():
        for annotation in shapes:
            given = annotation.get("attributes") or []
            kept = [
                a for a in given if a["key"] not in _FORMAT_FLAGS or (str(annotation.get("value")), a["key"]) in asked
            ]
            dropped += len(given) - len(kept)
            if len(kept) < len(given):
                annotation["attributes"] = kept
    if dropped:
        log.warning(
            "Left out %d flags (%s) of classes that have no such attribute in the project",
            dropped,
            ", ".join(sorted(_FORMAT_FLAGS)),
        )


def _single_file(place: Any) -> Source:
    path = local_path(place)
    if path is not None:
        return Source(path.name, str(path), path.stat().st_size)
    return Source(place.name, place.path, place.stat().st_size, place.fs)


def _yolo_classes(root: Path) -> Path:
    names = ("data.yaml", "data.yml", "classes.txt")
    for name in names:
        if (root / name).is_file():
            return root / name
    raise ImportRefused(
        f"YOLO annotations need one of {', '.join(names)} at the top of their folder, to name the classes. "
        "Nothing was created."
    )


def _put(tree: Path, name: str) -> Path:
    """Return where a file goes in the temporary tree, never outside of it."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    path = tree.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _where(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"
