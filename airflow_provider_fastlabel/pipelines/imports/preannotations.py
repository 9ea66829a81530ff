"""Reads pre-annotations in COCO, YOLO, Pascal VOC or labelme form and matches them to the items of an import.

The readers of :mod:`airflow_provider_fastlabel.formats` want a local data set: media and annotation files in one tree.
Where media or annotation files are elsewhere (an object store, a second folder), such a tree is laid out for them in a
temporary folder, from links, downloaded annotation files and the first bytes of each image, which hold its size.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.foreign_names import place_below
from airflow_provider_fastlabel.formats.reading.data_folder import DataFolder
from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
from airflow_provider_fastlabel.formats.reading.pictures import Pictures
from airflow_provider_fastlabel.formats.reading.spool import Spool
from airflow_provider_fastlabel.formats.yolo.classes_file import ANNOTATION_ENDINGS
from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError, store_read
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.room import DiskFullError, room_needed
from airflow_provider_fastlabel.pipelines.files.stored import kind_at
from airflow_provider_fastlabel.pipelines.imports import ImportRefused, Source, find_sources
from airflow_provider_fastlabel.pipelines.imports.attributes import settle_attributes
from airflow_provider_fastlabel.pipelines.imports.class_rules import own_type
from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations, match, merged
from airflow_provider_fastlabel.regular_files import read_regular
from airflow_provider_fastlabel.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_fastlabel.formats import AnnotationsFormat
    from airflow_provider_fastlabel.formats.reading.imported import EntryProblem
    from airflow_provider_fastlabel.pipelines.choices import UnknownAttributes
    from airflow_provider_fastlabel.pipelines.imports import Found

EXTENSIONS: Mapping[AnnotationsFormat, tuple[str, ...]] = {
    "coco": ("json",),
    "yolo": ANNOTATION_ENDINGS,
    "pascalvoc": ("xml",),
    "labelme": ("json",),
    "masks": ("png", "bmp", "gif", "tif", "tiff", "webp", "json", "jsonl", "txt"),
}
"""Extensions of each format's annotation files."""

_ROBOFLOW = "_annotations.coco.json"

_HEAD_BYTES = 256 * 1024
_AREAS = ("bbox", "polygon", "segmentation")
_OBJECTS = (*_AREAS, "pose_estimation")


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
    :param attributes: what becomes of attributes that the class does not have.
    :param follow_links: whether links that lead out of the folders are followed. Annotations of such a picture, or in
        such a file, are lost otherwise.
    """

    form: AnnotationsFormat
    folder: Any
    annotations: Any | None
    project_type: str
    classes: Sequence[Mapping[str, Any]]
    arguments: Mapping[str, Any]
    attributes: UnknownAttributes = "fail"
    follow_links: bool = False

    def read(self, found: Found) -> PreAnnotations:
        """Read the annotations of what a folder holds.

        :param found: the media, from listing the folder.
        :returns: the annotations by task name, and what was lost. They lie in a temporary file; use the object as a
            context manager, or the file is there until nothing refers to it.
        :raises ImportRefused: the annotation files are not where they should be, hold nothing, or nothing of them
            belongs to any item.
        :raises DiskFullError: the temporary folder has no room.
        """
        with ExitStack() as opened, room_needed(_spooling):
            result = opened.enter_context(self.matched(found))
            result.settled = settle_attributes(result.by_name.values(), self.classes, self.attributes)
            opened.pop_all()
        return result

    def matched(self, found: Found) -> PreAnnotations:
        """Read the annotations as :meth:`read` does, with their attributes as the files have them.

        :param found: the media, from listing the folder.
        :returns: as of :meth:`read`.
        :raises ImportRefused: as there.
        :raises DiskFullError: the temporary folder has no room.
        """
        with ExitStack() as opened, room_needed(_spooling):
            spool = Spool()
            opened.callback(spool.close)
            result = match(self.parsed(found, spool), found, self.form, one_file=self.form == "coco")
            opened.pop_all()
        return result

    def parsed(self, found: Found, spool: Spool) -> ImportedAnnotations:
        """Read the files as they are, whether a picture is there or not.

        :param found: the media, from listing the folder; COCO files need none.
        :param spool: keeps the annotations.
        :returns: the annotations by the names of the pictures.
        :raises ImportRefused: the files are not where they should be, or cannot be read.
        :raises StoreFailedError: the store that they are in cannot be read now.
        :raises DiskFullError: the temporary folder has no room.
        """
        try:
            with ExitStack() as stack, room_needed(_spooling):
                return self._parse(found, stack, spool)
        except (ImportRefused, DiskFullError):
            raise
        except StoreFailedError as error:  # which may pass, and so is no fault of the files
            kept = f"Nothing was created, because the {self.form} annotations are there."
            raise StoreFailedError(error.failed, kept) from error.__cause__
        except (OSError, ValueError, TypeError) as error:
            raise ImportRefused(
                f"The {self.form} annotations cannot be read: {str(error).rstrip('.')}. Nothing was created."
            ) from error

    def _parse(self, found: Found, stack: ExitStack, spool: Spool) -> ImportedAnnotations:
        local = None if self.annotations is None else local_path(self.annotations)
        if local is not None and not local.exists():
            raise ImportRefused(
                f"There is nothing at {local} on this worker. Nothing was created. Check `annotations_path`."
            )
        if self.form == "coco":
            return self._read_coco(found, stack, spool)
        if self.form == "masks":
            return self._read_masks(found, stack, spool)
        arguments = {**self.arguments, "spool": spool}
        root = self._tree(found, stack)
        if self.form == "yolo":
            from airflow_provider_fastlabel.formats.yolo import read_yolo

            return read_yolo(**{"classes_file": None, "folder": root, **self._yolo_arguments(), **arguments})
        if self.form == "pascalvoc":
            from airflow_provider_fastlabel.formats.pascalvoc import read_pascalvoc
            from airflow_provider_fastlabel.formats.pascalvoc.read import is_mask

            found.sources.keep(lambda source: not is_mask(source.name))
            return read_pascalvoc(root, **arguments)
        from airflow_provider_fastlabel.formats.labelme import read_labelme

        wanted = self._wanted_type()
        return read_labelme(root, **{"annotation_type": wanted if wanted in _AREAS else None, **arguments})

    def _read_masks(self, found: Found, stack: ExitStack, spool: Spool) -> ImportedAnnotations:
        """Read masks; those that lie among the pictures are no pictures to import."""
        from airflow_provider_fastlabel.formats.masks import read_masks

        if self.annotations is not None:
            masks, pictures = self._folder(stack), self._folder(stack)
            of_masks = self._bring_annotations(masks)
            self._bring_pictures(pictures, found.sources)
            places = {"pictures": _filled(pictures, found.unusable), **self.arguments, "spool": spool}
            return read_masks(_filled(masks, of_masks), **places)
        imported = read_masks(self._tree(found, stack), **{**self.arguments, "spool": spool})
        own = {*imported.files.values(), *(problem.file for problem in imported.problems)}
        found.sources.keep(lambda source: source.name not in own)
        return imported

    def _read_coco(self, found: Found, stack: ExitStack, spool: Spool) -> ImportedAnnotations:
        """Read the COCO files; image names are relative to the media's folder, or to the file's own below it."""
        from airflow_provider_fastlabel.formats.coco import read_coco

        arguments = {"annotation_type": self._coco_type(), **self.arguments, "spool": spool}
        pictures = Pictures([file.name for source in found.sources for file in source.files or (source,)])
        parts, files = [], self._coco_files()
        if self.folder is None and len(files) > 1:
            raise ImportRefused(
                f"{self.annotations} holds {len(files)} COCO files, each of which names its pictures from its own "
                "folder on. Nothing was created. Give the pictures as `folder`, or the one file."
            )
        for source in files:
            part = read_coco(stack.enter_context(source.local()), **arguments)
            parts.append(_below(part, source.name.rpartition("/")[0], pictures))
        return merged(parts[1:], parts[0])

    def _coco_files(self) -> Sequence[Source]:
        """Choose the COCO files: the one that is named, that lies alone, or Roboflow's one per folder."""
        place = self.annotations if self.annotations is not None else self.folder
        if place.is_file() if local_path(place) else kind_at(place) == "file":
            return [_single_file(place)]
        listed = find_sources(place, extensions=EXTENSIONS["coco"], pattern="**/*.json", follow_links=self.follow_links)
        # A file that cannot be opened is chosen too, or another one would be read in its place.
        unusable = {name: why for name, why in listed.unusable.items() if not name.endswith("/")}
        found = sorted([*listed.sources, *(Source(name, "", 0) for name in unusable)], key=lambda one: one.name)
        top = [source for source in found if "/" not in source.name]
        named = [source for source in top if source.name == "annotations.json"]
        of_folders = [source for source in found if source.name.endswith("/" + _ROBOFLOW)]
        for choice in (named, top, of_folders, found):
            if len(choice) == 1 or (choice and choice is of_folders and not top):
                for source in choice:
                    if source.name in unusable:
                        raise ImportRefused(
                            f"{place}/{source.name} cannot be read: {unusable[source.name]}. Nothing was created."
                        )
                return choice
        names = ", ".join(source.name for source in found[:5]) or "none"
        raise ImportRefused(
            f"{place} must hold annotations.json or exactly one other .json file; found: {names}. "
            f"Nothing was created. {listed.links_in_words()}Give the COCO file itself as `annotations_path`."
        )

    def _tree(self, found: Found, stack: ExitStack) -> DataFolder:
        """Return a local folder with the media and the annotation files in one tree."""
        root = local_path(self.folder)
        if root is not None and self.annotations is None:
            return DataFolder(root, follow_links=self.follow_links)
        tree = self._folder(stack)
        of_annotations = self._bring_annotations(tree)
        self._bring_pictures(tree, found.sources)
        # A linked folder among the pictures holds no annotation files: those lie elsewhere.
        return _filled(tree, {n: why for n, why in found.unusable.items() if n[-1] != "/"} | of_annotations)

    @staticmethod
    def _folder(stack: ExitStack) -> Path:
        return stack.enter_context(scratch_folder("fastlabel-annotations-"))

    def _bring_annotations(self, tree: Path) -> dict[str, str]:
        """Copy the annotation files, and return what cannot be opened -> why."""
        place = self.annotations if self.annotations is not None else self.folder
        found = find_sources(place, extensions=EXTENSIONS[self.form], follow_links=self.follow_links)
        for source in found.sources:
            with source.local() as path:
                _put(tree, source.name).write_bytes(read_regular(path))
        return found.unusable

    def _bring_pictures(self, tree: Path, sources: Iterable[Source]) -> None:
        for source in sources:
            for file in source.files or (source,):
                path = _put(tree, file.name)
                if not path.exists():
                    self._bring_picture(path, file)

    def _bring_picture(self, path: Path, source: Source) -> None:
        if source.filesystem is None:
            path.symlink_to(source.place().absolute())
            return
        path.touch()
        if self.form in ("yolo", "masks"):
            with source.open() as file:
                path.write_bytes(file.read(_HEAD_BYTES))

    def _wanted_type(self) -> str | None:
        """Return the annotation type the project asks for; ``None`` when it takes several."""
        types = {str(item["type"]) for item in self.classes}
        return own_type(self.project_type) or (types.pop() if len(types) == 1 else None)

    def _coco_type(self) -> str | None:
        wanted = self._wanted_type()
        return wanted if wanted in _OBJECTS else None

    def _yolo_arguments(self) -> dict[str, Any]:
        wanted = self._wanted_type()
        arguments: dict[str, Any] = {"annotation_type": wanted if wanted in _OBJECTS else None}
        if wanted == "pose_estimation":
            keys = {item["value"]: [point["key"] for point in item.get("keypoints") or ()] for item in self.classes}
            arguments["keypoints"] = {value: points for value, points in keys.items() if points}
        return arguments


def _spooling() -> str:
    """Say what cannot go on where there is no room."""
    return (
        f"annotations were written to {tempfile.gettempdir()}, where they wait for their pictures' turn. Nothing was "
        "created. Make room for about as much as the annotation files have, or set TMPDIR to a larger disk"
    )


def _filled(tree: Path, unusable: Mapping[str, str]) -> DataFolder:
    """Return a folder of ours, whose links are ours too, and in which some names stand for what cannot be opened."""
    return DataFolder(tree, follow_links=True, unusable=unusable)


def _below(part: ImportedAnnotations, folder: str, pictures: Pictures) -> ImportedAnnotations:
    """Put the folder of a file before the names it states, if that is what they are relative to."""
    if not folder or not any(pictures.named(f"{folder}/{image}") for image in part.by_image):
        return part
    return ImportedAnnotations(
        {f"{folder}/{image}": annotations for image, annotations in part.by_image.items()},
        Counter({f"{folder}/{image}": count for image, count in part.objects.items()}),
        {f"{folder}/{image}": f"{folder}/{file}" for image, file in part.files.items()},
        [_moved(problem, folder) for problem in part.problems],
        [_moved(note, folder) for note in part.notes],
    )


def _moved(problem: EntryProblem, folder: str) -> EntryProblem:
    image = None if problem.image is None else f"{folder}/{problem.image}"
    return replace(problem, file=f"{folder}/{problem.file}", image=image)


def _single_file(place: Any) -> Source:
    path = local_path(place)
    if path is not None:
        return Source(path.name, str(path), path.stat().st_size)
    with store_read(place):
        return Source(place.name, place.path, place.stat().st_size, place.fs)


def _put(tree: Path, name: str) -> Path:
    """Return where a file goes in the temporary tree.

    :raises ValueError: its key in an object store is no path.
    """
    path = place_below(tree, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
