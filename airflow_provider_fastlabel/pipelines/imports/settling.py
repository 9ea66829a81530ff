"""Brings one item of an import to its fate: its task is created, met, or given what it lacks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_fastlabel.client.exceptions import Conflict, NotFound
from airflow_provider_fastlabel.client.http.sent_files import noting_sent_files
from airflow_provider_fastlabel.pipelines.imports.content import facts_of
from airflow_provider_fastlabel.pipelines.imports.differences import Differences
from airflow_provider_fastlabel.pipelines.imports.manifest import TaskIds, digest_of_values
from airflow_provider_fastlabel.pipelines.imports.preflight import refuse_no_picture
from airflow_provider_fastlabel.pipelines.imports.tally import Tally
from airflow_provider_fastlabel.pipelines.running.people import People

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.choices import OnDifference, OnExists
    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.imports.manifest import Manifest
    from airflow_provider_fastlabel.pipelines.imports.matching import PreAnnotations
    from airflow_provider_fastlabel.pipelines.imports.preflight import Destination


class Settler:
    """What an import knows when it comes to a single item.

    :param client: the client.
    :param into: the project.
    :param manifest: where fates are written, open.
    :param on: what is done with names that exist, and with files that differ.
    :param fields: what every task gets.
    :param read: the pre-annotations.
    """

    def __init__(
        self,
        client: FastLabelClient,
        into: Destination,
        manifest: Manifest,
        on: tuple[OnExists, OnDifference],
        fields: Mapping[str, Any],
        read: PreAnnotations,
    ) -> None:
        self.client = client
        self.project = into.project
        self.kind = into.kind
        self.manifest = manifest
        self.on_exists, self.on_difference = on
        self.fields = fields
        self.read = read
        self.annotations = read.by_name
        self.tally = Tally(read.objects)
        self.existing = TaskIds()
        self.people = People()
        self.differences = Differences()

    def settle(self, source: Source) -> str:
        """Bring one item to its fate.

        :param source: the item.
        :returns: the fate.
        """
        task_id = self.existing.get(source.name)
        return self._create(source) if task_id is None else self._meet(source, task_id)

    def _create(self, source: Source) -> str:
        name, payload = source.name, self._payload(source.name)
        if self.on_exists == "fail":
            self.manifest.announce_now(name)
        try:
            with noting_sent_files() as sent, source.local() as path:
                refuse_no_picture(source, path, self.kind)
                task_id = self.client.create_task(self.project, self.kind.name, name, path, **payload)
        except Conflict:
            # Somebody else, or a call of ours whose answer a killed run never read, created it meanwhile.
            found = self.client.find_task_by_name(self.kind.name, self.project, name)
            self._note_existing(source, found["id"] if found else None)
            if self.on_exists == "fail" and not self.manifest.is_ours(name):
                raise
            return self._existed(name)
        digest = digest_of_values(payload) if self.on_exists == "update" else None
        return self._sent(source, "created", str(task_id), digest=digest, file=facts_of(source, str(task_id), sent))

    def _meet(self, source: Source, task_id: str) -> str:
        """Deal with a task that exists."""
        name, earlier = source.name, self.manifest.earlier.get(source.name)
        payload = self._payload(name)
        if self.on_exists == "update" and payload:
            digest = digest_of_values(payload)
            if earlier is None or earlier.digest != digest:
                self._update(name, task_id, payload)
                return self._sent(source, "updated", task_id, digest=digest)
        elif self.is_owed(name) and self._is_bare(name, task_id):
            self._update(name, task_id, {"annotations": payload["annotations"]})
            return self._sent(source, "updated", task_id)
        if earlier is None or earlier.fate in ("creating", "failed") or self.differences.of(source, task_id, earlier):
            self._note_existing(source, task_id)
        return self._existed(name)

    def _sent(self, source: Source, fate: Literal["created", "updated"], task_id: str, **more: Any) -> str:
        count = self.tally.arrived(source.name, sent=True)
        told = self.differences.of(source, task_id, self.manifest.earlier.get(source.name)) | more
        self.manifest.write(source.name, fate, task_id=task_id, annotations=count, **told)
        return fate

    def _existed(self, name: str) -> str:
        self.tally.arrived(name, sent=False)
        return "exists"

    def _note_existing(self, source: Source, task_id: str | None) -> None:
        name, earlier = source.name, self.manifest.earlier.get(source.name)
        more: dict[str, Any] = self.differences.of(source, task_id, earlier)
        more |= {"digest": earlier.digest if earlier else None}
        self.manifest.write(name, "created" if self.manifest.is_ours(name) else "exists", task_id=task_id, **more)

    def _is_bare(self, name: str, task_id: str) -> bool:
        """Tell whether nobody has annotated a task meanwhile."""
        with _told_if_gone(name, task_id):
            return not self.client.find_task(self.kind.name, task_id).get("annotations")

    def _update(self, name: str, task_id: str, payload: Mapping[str, Any]) -> None:
        with _told_if_gone(name, task_id):
            self.client.update_task_of(self.kind.name, task_id, **payload)

    def _payload(self, name: str) -> dict[str, Any]:
        payload = dict(self.fields) | self.people.of(name)
        if self.annotations.get(name):
            payload["annotations"] = list(self.annotations[name])
        return payload

    def is_owed(self, name: str) -> bool:
        """Tell whether this import created the task without the annotations that are there for it now."""
        earlier = self.manifest.earlier.get(name)
        return earlier is not None and earlier.bare and bool(self.annotations.get(name))


@contextmanager
def _told_if_gone(name: str, task_id: str) -> Iterator[None]:
    """Make an item's failure of a task that is gone: "not found" would otherwise be taken for the project."""
    try:
        yield
    except NotFound as error:
        raise ValueError(f"task {task_id} was deleted during the run; run again to create {name!r} anew") from error
