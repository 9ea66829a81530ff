"""Converts a data set: a folder is read in one format and published in another, whole or not at all."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.formats.files import IMAGE_SUFFIXES
from airflow_provider_fastlabel.formats.image_size import image_size
from airflow_provider_fastlabel.formats.writing.classes import ClassMap
from airflow_provider_fastlabel.formats.writing.naming import PictureNames, safe_name
from airflow_provider_fastlabel.pipelines.exports.assembly import Assembly
from airflow_provider_fastlabel.pipelines.exports.publish import prepare
from airflow_provider_fastlabel.pipelines.exports.result import result_of, say_result
from airflow_provider_fastlabel.pipelines.exports.run import classes_at
from airflow_provider_fastlabel.pipelines.files.local_path import path_below
from airflow_provider_fastlabel.pipelines.files.problems import RunIncomplete, enumerate_problems
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
from airflow_provider_fastlabel.pipelines.running.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_fastlabel.formats import AnnotationsFormat
    from airflow_provider_fastlabel.formats.writing.left_out import LeftOut
    from airflow_provider_fastlabel.formats.writing.noted import NotedFolder
    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.pipelines.exports.dataset_formats import DatasetFormat
    from airflow_provider_fastlabel.pipelines.exports.rows import Rows
    from airflow_provider_fastlabel.pipelines.files.problems import Problem
    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.files.source_table import Sources
    from airflow_provider_fastlabel.pipelines.files.sources import Found
    from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations

    Task = Mapping[str, Any]

log: logging.Logger = logging.getLogger(__name__)

_FOLDER = "images/"
_ANY_PROJECT = "image_all"
"""The type of a project that takes every kind of object, so that each stays what the file says it is."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """One conversion.

    :param folder: the pictures, and beside them the annotations: a local path, or an object with the ``pathlib``
        interface over an fsspec file system.
    :param annotations_format: the format to read.
    :param target: where the data set is published, as :func:`.real_place` returned it.
    :param form: the format to write.
    :param annotations: where the annotations are, if not beside the pictures; as for an import.
    :param annotations_arguments: further arguments of the format's reader.
    :param pattern: glob that the path of a picture relative to ``folder`` must match.
    :param follow_links: whether links that lead out of the folder are followed.
    :param allow_lost: publish although annotations were lost; they are counted by reason.
    """

    folder: Any
    annotations_format: AnnotationsFormat
    target: Any
    form: DatasetFormat
    annotations: Any | None = None
    annotations_arguments: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = "**/*"
    follow_links: bool = False
    allow_lost: bool = False

    def run(self) -> dict[str, Any]:
        """Read everything, write what the other format can hold, and publish it.

        Class ids are given in the order of the class values; those of a data set that is published there stay.

        :returns: as :func:`.result_of` returns it; ``read`` counts the objects of the files, ``lost`` what of them is
            not in the data set, by reason, ``problems`` what was wrong with the files.
        :raises ImportRefused: the folder or the annotations are not right.
        :raises RunIncomplete: annotations were lost, and that is not allowed. Nothing was published.
        :raises FileExistsError: the target holds files that are no earlier data set of ours.
        :raises OSError: files cannot be read or written; what was published before stays.
        """
        if path_below(self.folder, self.target) is not None:
            raise FastLabelInvalidException(
                f"{self.target} lies in the folder that is read, so that the next run would read it too. Nothing was "
                "written. Give `output` a place beside it."
            )
        place = prepare(self.target)
        found = self._found()
        reader = Reader(
            self.annotations_format,
            self.folder,
            self.annotations,
            _ANY_PROJECT,
            (),
            self.annotations_arguments,
            follow_links=self.follow_links,
        )
        with reader.matched(found) as read:
            self._refuse_losses(read.lost, read.problems, read)
            values = {str(one["value"]) for own in read.by_name.values() for one in own}
            classes, _, last = classes_at(place.dataset, ClassMap.of(sorted(values)))

            def write(work: NotedFolder[Rows], folder: NotedFolder[Rows], left_out: LeftOut) -> ExportReport:
                report = self._written(found, read, classes, work, folder, left_out)
                self._refuse_losses(report.skipped, (), read)
                return report

            report, published = Assembly(
                destination=place,
                format=self.form.name,
                classes=classes,
                first_class_id=self.form.first_class_id,
                filters={"converted_from": self.annotations_format},
                class_changes=last,
            ).publish(write)
            lost = dict(sorted((Counter(read.lost) + Counter(report.skipped)).items()))
            result = {
                **result_of(str(self.target), self.form.name, report, published),
                "read": read.read,
                "lost": lost,
                "problems": len(read.problems),
            }
        say_result(result)
        return result

    def _found(self) -> Found:
        """List the pictures."""
        found = find_sources(
            self.folder,
            extensions=IMAGE_SUFFIXES,
            pattern=self.pattern,
            pictures_only=True,
            follow_links=self.follow_links,
        )
        if found.links:
            log.warning("%s", found.links_in_words().rstrip())
        if found.problems or not found.sources:
            what = enumerate_problems(found.problems) or f"Nothing in {self.folder} matches {self.pattern!r}."
            raise FastLabelInvalidException(
                f"There are pictures that cannot be read, or none. Nothing was written.\n{what}"
            )
        return found

    def _refuse_losses(self, lost: Mapping[str, int], problems: Sequence[Problem], read: PreAnnotations) -> None:
        """Refuse to go on where annotations were lost and nobody allowed it."""
        counts = {reason: count for reason, count in sorted(lost.items()) if count}
        if self.allow_lost or not (counts or problems):
            return
        said = f"\n{enumerate_problems(problems)}" if problems else ""
        raise RunIncomplete(
            f"Annotations would be lost: {counts or 'an unknown number'}. Nothing was published.{said}\n"
            "Correct them, or allow it (allow_lost): then the result counts them.",
            {"read": read.read, "lost": counts},
            tuple(problems),
        )

    def _written(
        self,
        found: Found,
        read: PreAnnotations,
        classes: ClassMap,
        work: NotedFolder[Rows],
        folder: NotedFolder[Rows],
        left_out: LeftOut,
    ) -> ExportReport:
        place = self.form.images_folder(work.path, folder.path)
        images = None if place is None else work.at(place)
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
        names = PictureNames(self.form.reserved)
        report = self.form.write(self._tasks(found.sources, read, names, place), folder, classes, images, left_out)
        if names.changed:
            report.adjust("names_changed", names.changed)
        return report

    def _tasks(
        self, sources: Sources, read: PreAnnotations, names: PictureNames, images: Path | None
    ) -> Iterator[Task]:
        """Yield each picture as a task, once it lies where the writer looks for it."""
        progress = Progress(len(sources))
        # Of a data set whose pictures have a folder to themselves, the folder is no part of their names.
        folder = _FOLDER if all(source.name.startswith(_FOLDER) for source in sources) else ""
        for source in sources:
            own = source.name.removeprefix(folder)
            name = own if images is None else names.name_for(own)
            if images is not None:
                _bring(source, images / safe_name(name))
            with source.open() as file:
                width, height = image_size(file)
            annotations = list(read.by_name.get(source.name, ()))
            yield {"id": "", "name": name, "width": width, "height": height, "annotations": annotations}
            progress.count("converted")
            progress.beat()


def _bring(source: Source, place: Path) -> None:
    """Copy a picture."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with source.open() as file, place.open("wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
