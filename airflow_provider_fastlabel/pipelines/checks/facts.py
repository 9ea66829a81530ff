"""What the checks of a list ask of a data set is read once, and only if one of them asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.pipelines.checks.labels import read_labels
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.checks.labels import Labels


@dataclass
class Facts:
    """A data set, and what it is compared with.

    :param place: its folder: a local path, or an object with its interface in an object store.
    :param earlier: the same of an earlier version; ``None`` for none.
    :param second: the same of the data set of a second annotator.
    :param api: asks FastLabel about the project; ``None`` if nobody may.
    """

    place: Any
    earlier: Any = None
    second: Any = None
    api: FastLabelClient | None = None

    @cached_property
    def published(self) -> PublishedDataset:
        """The data set's manifest."""
        return PublishedDataset(self.place)

    @cached_property
    def labels(self) -> Labels:
        """The data set's objects."""
        return read_labels(self.published)

    @cached_property
    def earlier_labels(self) -> Labels | None:
        """The objects of the earlier version."""
        return None if self.earlier is None else read_labels(PublishedDataset(self.earlier))

    @cached_property
    def second_labels(self) -> Labels:
        """The objects of the second annotator's data set."""
        return read_labels(PublishedDataset(self.second))

    def read(self) -> list[Labels]:
        """Return the objects that have been read so far."""
        return [
            self.__dict__[name] for name in ("labels", "earlier_labels", "second_labels") if self.__dict__.get(name)
        ]

    @property
    def client(self) -> FastLabelClient:
        """The client, for a check that needs one."""
        assert self.api is not None
        return self.api

    @cached_property
    def filters(self) -> Mapping[str, Any]:
        """What the export selected the tasks by: ``project``, its slug, and what ``count_tasks`` takes beside it.

        :raises FastLabelInvalidException: the manifest names no project.
        """
        filters = self.published.manifest.get("filters")
        known = {} if not isinstance(filters, dict) else filters
        found = {name: known[name] for name in ("project", "status", "external_status", "tags") if known.get(name)}
        if not isinstance(found.get("project"), str):
            raise FastLabelInvalidException(
                f"The manifest of {self.place} names no project, so nobody can ask for its tasks. Nothing was checked. "
                "Leave out the checks approved and open_comments, or check what an export operator published."
            )
        return found
