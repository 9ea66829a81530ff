"""Imports a folder or bucket prefix with its pre-annotations: from what lies there to one task per file."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
from airflow_provider_fastlabel.pipelines.files.local_path import path_below
from airflow_provider_fastlabel.pipelines.imports.engine import import_files
from airflow_provider_fastlabel.pipelines.imports.preannotations import Reader
from airflow_provider_fastlabel.pipelines.imports.preflight import find_items, resolve_destination

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.formats import AnnotationsFormat
    from airflow_provider_fastlabel.pipelines.choices import OnDifference, OnExists, UnknownAttributes
    from airflow_provider_fastlabel.pipelines.files.problems import ImportSummary
    from airflow_provider_fastlabel.pipelines.files.sources import Found
    from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations
    from airflow_provider_fastlabel.pipelines.imports.preflight import Destination
    from airflow_provider_fastlabel.pipelines.running.people import People


@dataclass(frozen=True, kw_only=True)
class FolderImport:
    """One import of a folder; what the arguments mean is said by :func:`~.imports.import_files`.

    :param client: the client.
    :param project: slug of the project.
    :param folder: a local path, or an object with the ``pathlib`` interface over an fsspec file system.
    :param manifest: where the fate of each file is written, of the same kind; it is continued.
    :param kind: the task kind's name; by default that of the project's type.
    :param pattern: glob that the path relative to ``folder`` must match.
    :param annotations_format: read pre-annotations in this format; ``None`` for none.
    :param annotations: where they are, of the same kind as ``folder``; ``None`` for beside the media.
    :param annotations_arguments: further arguments of the format's reader.
    :param attributes: what becomes of attributes that a class does not have.
    :param fields: what every task gets: ``tags``, ``status``, ``priority``; what is nothing is left out.
    :param people: who works on which task.
    :param on_exists: what to do with a file whose task exists.
    :param on_difference: what to do where the file is another one than its task was made of.
    :param max_failures: how many files may fail with the import still succeeding.
    :param max_workers: how many files are uploaded at a time.
    :param follow_links: whether links that lead out of the folder are followed.
    """

    client: FastLabelClient
    project: str
    folder: Any
    manifest: Any
    kind: str | None = None
    pattern: str = "**/*"
    annotations_format: AnnotationsFormat | None = None
    annotations: Any | None = None
    annotations_arguments: Mapping[str, Any] = field(default_factory=dict)
    attributes: UnknownAttributes = "fail"
    fields: Mapping[str, Any] = field(default_factory=dict)
    people: People | None = None
    on_exists: OnExists = "skip"
    on_difference: OnDifference = "warn"
    max_failures: int | None = None
    max_workers: int = 4
    follow_links: bool = False

    def run(self, stop: threading.Event | None = None) -> ImportSummary:
        """Check the folder against the project, then create what is missing.

        :param stop: set it to end the run early.
        :returns: the counts and the manifest's place.
        :raises BucketMissingError: the bucket of the manifest does not exist.
        :raises ImportRefused: the folder, the files or the pre-annotations are not right; nothing was created.
        :raises ImportIncomplete: more files failed than tolerated; what was created stays.
        """
        with self.prepared() as (into, found, annotations):
            return import_files(
                self.client,
                into,
                found.sources,
                manifest=self.manifest,
                annotations=annotations,
                fields=self.given_fields,
                on_exists=self.on_exists,
                on_difference=self.on_difference,
                people=self.people,
                max_failures=self.max_failures,
                max_workers=self.max_workers,
                problems=found.problems,
                links=found.links,
                stop=stop,
            )

    @property
    def given_fields(self) -> dict[str, Any]:
        """What every task gets, without what is nothing."""
        return {name: value for name, value in self.fields.items() if value not in (None, [], "")}

    @contextmanager
    def prepared(self) -> Iterator[tuple[Destination, Found, PreAnnotations | None]]:
        """Give the project, what the folder holds, and its pre-annotations, which are there as long as the block lasts.

        :raises BucketMissingError: the bucket of the manifest does not exist.
        :raises ImportRefused: the folder or the pre-annotations are not right.
        """
        refuse_missing_bucket(self.manifest, "manifest")
        into = resolve_destination(self.client, self.project, self.kind)
        found = find_items(
            self.folder,
            into,
            pattern=self.pattern,
            annotated=self.annotations_format,
            own=path_below(self.folder, self.manifest),
            follow_links=self.follow_links,
        )
        # First the annotations: pictures that turn out to be masks are taken off the list.
        with self._read_annotations(found, into) or nullcontext() as annotations:
            yield into, found, annotations

    def _read_annotations(self, found: Found, into: Destination) -> PreAnnotations | None:
        if self.annotations_format is None:
            return None
        return Reader(
            self.annotations_format,
            self.folder,
            self.annotations,
            into.type,
            list(self.client.iter_annotations(self.project)),
            self.annotations_arguments,
            self.attributes,
            self.follow_links,
        ).read(found)
