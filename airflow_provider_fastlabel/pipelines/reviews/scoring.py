"""Makes the scorecard of a project or a published data set: reads pre-annotations and labels, counts, and writes."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.client.http.reading_ahead import PAGES_AHEAD
from airflow_provider_fastlabel.client.kinds import KINDS
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.reading.spool import Spool
from airflow_provider_fastlabel.formats.writing.json_bytes import dumps
from airflow_provider_fastlabel.pipelines.checks.labels import read_labels
from airflow_provider_fastlabel.pipelines.files.local_path import local_path
from airflow_provider_fastlabel.pipelines.files.placed import put_file
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused
from airflow_provider_fastlabel.pipelines.files.sources import Found, find_sources
from airflow_provider_fastlabel.pipelines.files.stored import kind_at
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
from airflow_provider_fastlabel.pipelines.imports.preflight import resolve_destination
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset
from airflow_provider_fastlabel.pipelines.reviews.scorecard import score, score_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.client.kinds import Kind
    from airflow_provider_fastlabel.formats import AnnotationsFormat
    from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations
    from airflow_provider_fastlabel.pipelines.reviews.scorecard import Scorecard

log: logging.Logger = logging.getLogger(__name__)

SUMMARY, TEXT = "scorecard.json", "scorecard.md"
"""What is written: all numbers, and a short text."""
_UNTOUCHED = "No scorecard was made."
_PICTURES = ("image", "sequential_image")


@dataclass(frozen=True, kw_only=True)
class Prelabels:
    """The pre-annotations that were imported.

    :param places: by the name of the model's version, the COCO file, or the folder of annotation files: a local path,
        or an object with its interface in an object store.
    :param form: their format.
    :param folder: the pictures that they were imported with; not needed for a single COCO file.
    :param arguments: further arguments of the format's reader.
    """

    places: Mapping[str, Any]
    form: AnnotationsFormat = "coco"
    folder: Any = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def read(
        self, project_type: str, kind: Kind, classes: Sequence[Mapping[str, Any]], stack: ExitStack
    ) -> dict[str, ImportedAnnotations]:
        """Read them as an import does.

        :param project_type: says what objects become where the format leaves it open; empty if there is no project.
        :param kind: the kind of the tasks.
        :param classes: the project's annotation classes.
        :param stack: keeps what was read, on disk.
        :raises FastLabelInvalidException: a version cannot be read, or describes no picture.
        """
        found = Found()
        if self.folder is not None:
            assert kind.media is not None
            found = find_sources(
                self.folder,
                extensions=kind.media.extensions,
                by_folder=kind.max_files is not None,
                pictures_only=True,
            )
        read = {}
        for version, place in self.places.items():
            spool = Spool()
            stack.callback(spool.close)
            name = f"prelabels[{foreign_text(repr(version), 100)}]"
            if not (place.exists() if local_path(place) else kind_at(place)):
                raise FastLabelInvalidException(f"{name}: there is nothing at {foreign_text(place)}. {_UNTOUCHED}")
            beside = self.form != "coco" and str(place) == str(self.folder)
            reader = Reader(
                self.form, self.folder, None if beside else place, project_type, classes, self.arguments
            )  # fmt: skip
            try:
                read[version] = reader.parsed(found, spool)
            except ImportRefused as error:
                said = str(error).replace(" Nothing was created.", "")  # the reader speaks of an import
                raise FastLabelInvalidException(f"{name}: {said} {_UNTOUCHED}") from error
            if not read[version].by_image:
                raise FastLabelInvalidException(
                    f"{name}: {foreign_text(place)} describes no picture in the {self.form} format. {_UNTOUCHED}"
                )
        return read


def score_project(
    client: FastLabelClient, project: str, prelabels: Prelabels, *, status: str | None = "approved", output: Any = None
) -> Scorecard:
    """Count what people have made of pre-annotations in a project.

    :param client: the client.
    :param project: slug of the project.
    :param prelabels: what was imported.
    :param status: only tasks of this status are looked at; ``None`` for all.
    :param output: folder for :data:`SUMMARY` and :data:`TEXT`, each written whole or not at all; ``None`` to write
        nothing.
    :raises FastLabelInvalidException: the project does not exist, or is not one of pictures; or a version cannot be
        read. Nothing was written.
    :raises OSError: ``output`` cannot be written.
    """
    into = resolve_destination(client, project)
    if into.kind.name not in _PICTURES:
        raise FastLabelInvalidException(
            f"project {project!r} takes {into.kind.name} tasks; pre-annotations are for image and sequential image "
            f"tasks. {_UNTOUCHED}"
        )
    with ExitStack() as stack:
        read = prelabels.read(into.type, into.kind, list(client.iter_annotations(project)), stack)
        tasks = client.iter_tasks(project, into.kind.name, pages_ahead=PAGES_AHEAD)
        return _written(score(tasks, read, status=status), output)


def score_dataset(dataset: Any, prelabels: Prelabels, *, output: Any = None) -> Scorecard:
    """Count what people have made of pre-annotations in a data set that an export has published.

    :param dataset: its folder: a local path, or an object with its interface in an object store.
    :param prelabels: what was imported.
    :param output: as for :func:`score_project`.
    :raises FileNotFoundError: there is no data set.
    :raises DamagedFileError: its manifest is not as an export writes it.
    :raises FastLabelInvalidException: no labels can be read back from its format, or a version cannot be read. Nothing
        was written.
    :raises OSError: the data set cannot be read, or ``output`` cannot be written.
    """
    with ExitStack() as stack:
        published = PublishedDataset(dataset)
        read = prelabels.read("", KINDS["image"], (), stack)
        return _written(score_labels(read_labels(published), read), output)


def _written(card: Scorecard, output: Any) -> Scorecard:
    """Write a scorecard, and say in the log what is in it."""
    if output is not None:
        put_file(output, TEXT, (card.markdown().encode("utf-8", "replace"), b"\n"))
        put_file(output, SUMMARY, (dumps(card.to_dict()),))
    for each in card.versions:
        if not each.pictures["seen"]:
            log.warning("No picture of version %s was seen: %s", foreign_text(repr(each.version), 100), each.pictures)
    return card
