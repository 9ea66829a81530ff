"""Datasets and the objects they hold."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import items, keyed, paging, path_text, required, texts
from airflow_provider_fastlabel.client.checks.media import sized_file
from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException, NotFound
from airflow_provider_fastlabel.client.http.bodies import StreamedBody
from airflow_provider_fastlabel.client.http.paging import exactly, iterate
from airflow_provider_fastlabel.client.http.settling import require_ours
from airflow_provider_fastlabel.client.http.shapes import a_list, an_object
from airflow_provider_fastlabel.client.kinds import MB
from airflow_provider_fastlabel.client.resources.dataset_download import OBJECT_TYPES, DatasetDownload
from airflow_provider_fastlabel.client.resources.resource import Resource, present, segment

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.client.types import Dataset, DatasetObject

MAXIMUM = 1000
OBJECT_BYTES = 250 * MB


class Datasets(Resource):
    """The calls on datasets.

    A version is named by ``version`` (default ``latest``) or by ``revision_id``, of which 8 characters suffice; both
    together are refused with :class:`FastLabelInvalidException` (400).
    """

    def find_dataset(self, dataset_id: str) -> Dataset:
        """Return a dataset, in its latest version.

        :param dataset_id: id of the dataset.
        :raises NotFound: if there is none.
        """
        return self._transport.get(f"datasets-v2/{segment(dataset_id)}", shape=an_object)

    def get_datasets(
        self,
        keyword: str | None = None,
        tags: Sequence[str] | None = None,
        license: str | None = None,
        visibility: str | None = None,
    ) -> list[Dataset]:
        """Return the datasets, up to 1000. This list has no pages.

        :param keyword: search term in the name.
        :param tags: only datasets with these tags.
        :param license: only datasets under this licence.
        :param visibility: only ``workspace``, ``public`` or ``organization`` ones.
        """
        filters = {"keyword": keyword, "tags": texts("tags", tags), "license": license, "visibility": visibility}
        return self._transport.get("datasets-v2", present(filters), shape=a_list)

    def create_dataset(self, name: str, tags: Sequence[str] | None = None, visibility: str | None = None) -> Dataset:
        """Create a dataset. If the answer is lost, the name is looked up.

        :param name: lower-case letters, digits and hyphens.
        :param tags: at most 5.
        :param visibility: ``workspace``, ``public`` or ``organization``.
        :raises Conflict: if the name is taken.
        """

        def settle(is_ours: Callable[[object], bool]) -> Dataset | None:
            dataset = self._dataset_named(name)
            if dataset is not None:
                require_ours(f"dataset {name!r} (id {dataset['id']})", dataset, is_ours)
            return dataset

        body = required(name=name) | present({"tags": texts("tags", tags), "visibility": visibility})
        return self._transport.post("datasets-v2", body, settle=settle)

    def update_dataset(self, dataset_id: str, name: str | None = None, tags: Sequence[str] | None = None) -> Dataset:
        """Change a dataset. What is not given stays (FastLabel's own client sends ``name: null`` then).

        :param dataset_id: id of the dataset.
        :param name: new name.
        :param tags: new tags; an empty list takes all away.
        """
        body: dict[str, Any] = {} if name is None else {"name": name}
        if (names := texts("tags", tags)) is not None:
            body["tags"] = names
        return self._transport.put(f"datasets-v2/{segment(dataset_id)}", body)

    def delete_dataset(self, dataset_id: str) -> None:
        """Delete a dataset, with its objects and the tasks made from them.

        :param dataset_id: id of the dataset.
        """
        self._transport.delete(f"datasets-v2/{segment(dataset_id)}")

    def find_dataset_object(
        self, dataset_id: str, object_name: str, version: str | None = None, revision_id: str | None = None
    ) -> DatasetObject:
        """Return an object of a dataset.

        :param dataset_id: id of the dataset.
        :param object_name: name of the object.
        :param version: version of the dataset.
        :param revision_id: revision of the dataset.
        :raises NotFound: if there is none.
        """
        path = f"dataset-revision-objects/datasets/{segment(dataset_id)}/objects/{segment(object_name)}"
        return self._transport.get(path, _version(version, revision_id), shape=an_object)

    def get_dataset_objects(
        self,
        dataset: str,
        version: str | None = None,
        tags: Sequence[str] | None = None,
        licenses: Sequence[str] | None = None,
        revision_id: str | None = None,
        types: Sequence[str] | None = None,
        offset: int = 0,
        limit: int | None = MAXIMUM,
    ) -> list[DatasetObject]:
        """Return objects of a dataset.

        :param dataset: name of the dataset.
        :param version: version of the dataset.
        :param tags: only objects with these tags.
        :param licenses: only objects under these licences.
        :param revision_id: revision of the dataset.
        :param types: only objects of these types: ``none``, ``train``, ``valid``, ``test``.
        :param offset: position of the first object, from 0.
        :param limit: objects per call, at most 1000.
        :raises FastLabelInvalidException: (422) for another type or a larger ``limit``.
        """
        query = _object_query(dataset, version, revision_id, tags, licenses, types, offset, limit)
        return self._transport.get("dataset-revision-objects", query, shape=a_list)

    def iter_dataset_objects(
        self,
        dataset: str,
        version: str | None = None,
        tags: Sequence[str] | None = None,
        licenses: Sequence[str] | None = None,
        revision_id: str | None = None,
        types: Sequence[str] | None = None,
    ) -> Iterator[DatasetObject]:
        """Yield all objects of a dataset. Parameters as in :meth:`get_dataset_objects`."""
        tags, licenses, types = texts("tags", tags), texts("licenses", licenses), texts("types", types)
        return iterate(
            "dataset-revision-objects",
            lambda offset, limit: self.get_dataset_objects(
                dataset, version, tags, licenses, revision_id, types, offset, limit
            ),
            MAXIMUM,
            key="name",
        )

    def download_dataset_objects(
        self,
        dataset: str,
        path: str | os.PathLike[str],
        version: str = "",
        revision_id: str = "",
        tags: Sequence[str] | None = None,
        licenses: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        offset: int | None = 0,
        limit: int | None = MAXIMUM,
    ) -> list[DatasetObject]:
        """Download objects of a dataset into a folder, under their names, and note them in its ``annotations.json``.

        Each file is fetched aside, its status, length and size are checked, and it appears complete or not at all. A
        file that an earlier call has fetched and that has not changed since (size and ``updatedAt``, kept as the time
        of the file) is not fetched again, so a call that was interrupted goes on where it stopped. ``annotations.json``
        is a list with one entry per object (``name``, ``annotations``, ``customMetadata``, ``tags``, ``object_type``);
        entries of earlier calls stay unless the same object is downloaded again. An object whose name leads out of the
        folder is refused.

        :param dataset: name of the dataset.
        :param path: the folder; made if missing. With ``types``, one folder per type below it.
        :param version: version of the dataset.
        :param revision_id: revision of the dataset.
        :param tags: only objects with these tags.
        :param licenses: only objects under these licences.
        :param types: only objects of these types: ``none``, ``train``, ``valid``, ``test``.
        :param offset: position of the first object, from 0.
        :param limit: how many objects, at most 1000; ``None`` for all.
        :returns: the objects, as FastLabel lists them.
        :raises FastLabelException: if an object was not downloaded; names the objects and says what was kept.
        :raises FastLabelInvalidException: (422) for another type or a larger ``limit``, or if the folder's
            ``annotations.json`` is not such a list.
        """
        tags, licenses, types = texts("tags", tags), texts("licenses", licenses), texts("types", types)
        first = paging(offset, limit, MAXIMUM)["offset"] or 0
        download = DatasetDownload(self._transport, Path(path_text(path)), by_type=bool(types))
        route = "dataset-revision-objects/signed-urls"

        def page(start: int, size: int) -> list[DatasetObject]:
            query = _object_query(dataset, version, revision_id, tags, licenses, types, first + start, size)
            found: list[DatasetObject] = self._transport.get(route, query, shape=a_list)
            return found

        listed: list[DatasetObject] = []
        pages = iter([page(0, limit)]) if limit is not None else _by_pages(iterate(route, page, MAXIMUM, key="name"))
        for some in pages:
            download.fetch(some)
            listed.extend(some)
        download.finish(dataset)
        return listed

    def create_dataset_object(
        self,
        dataset: str,
        name: str,
        file_path: str | os.PathLike[str],
        tags: Sequence[str] | None = None,
        licenses: Sequence[str] | None = None,
        annotations: Sequence[Mapping[str, Any]] | None = None,
        custom_metadata: Mapping[str, str] | None = None,
    ) -> DatasetObject:
        """Add a file to the latest version of a dataset. If the answer is lost, the name is looked up.

        :param dataset: name of the dataset.
        :param name: name of the object, unique in the dataset.
        :param file_path: image, video or audio file of at most 250 MB; read while it is sent.
        :param tags: at most 5.
        :param licenses: at most 10.
        :param annotations: annotations of the object.
        :param custom_metadata: further texts by key.
        :raises Conflict: if the name is taken.
        :raises FastLabelInvalidException: (422) if the file is larger or cannot be read.
        """
        required(dataset=dataset, name=name)
        file = sized_file(file_path, "dataset objects", OBJECT_BYTES)
        optional = {
            "tags": texts("tags", tags),
            "licenses": texts("licenses", licenses),
            "annotations": items("annotations", annotations),
            "customMetadata": keyed("custom_metadata", custom_metadata),
        }
        body = StreamedBody({"datasetName": dataset, "objectName": name, "filePath": file, **present(optional)})

        def settle(is_ours: Callable[[object], bool]) -> DatasetObject | None:
            owner = self._dataset_named(dataset)
            try:
                found = None if owner is None else self.find_dataset_object(owner["id"], name)
            except NotFound:
                return None
            if found is not None:
                require_ours(f"object {name!r} in dataset {dataset!r}", found, is_ours)
            return found

        return self._transport.post("dataset-revision-objects", body, settle=settle)

    def update_dataset_object(
        self,
        dataset_id: str,
        object_name: str,
        tags: Sequence[str] | None = None,
        licenses: Sequence[str] | None = None,
        annotations: Sequence[Mapping[str, Any]] | None = None,
        custom_metadata: Mapping[str, str] | None = None,
    ) -> DatasetObject:
        """Change an object. What is ``None`` stays; an empty list takes all away.

        :param dataset_id: id of the dataset.
        :param object_name: name of the object.
        :param tags: at most 5.
        :param licenses: at most 10.
        :param annotations: annotations of the object.
        :param custom_metadata: further texts by key.
        """
        required(dataset_id=dataset_id, object_name=object_name)
        optional = {
            "tags": texts("tags", tags),
            "licenses": texts("licenses", licenses),
            "annotations": items("annotations", annotations),
            "customMetadata": keyed("custom_metadata", custom_metadata),
        }
        given = {key: value for key, value in optional.items() if value is not None}
        body = {"datasetId": dataset_id, "objectName": object_name, **given}
        return self._transport.put("dataset-revision-objects", body)

    def delete_dataset_object(self, dataset_id: str, object_name: str) -> None:
        """Delete an object.

        :param dataset_id: id of the dataset.
        :param object_name: name of the object.
        """
        path = f"dataset-revision-objects/datasets/{segment(dataset_id)}/objects/{segment(object_name)}"
        self._transport.delete(path)

    def _dataset_named(self, name: str) -> Dataset | None:
        return exactly("datasets-v2", "name", name, self.get_datasets(name), lambda: iter(()))


def _by_pages(every: Iterator[DatasetObject]) -> Iterator[list[DatasetObject]]:
    """Yield what a pager yields page by page: a signed address expires, so that none is asked for long before its use.

    :param every: the pager; its pages after the first begin with an item of the one before.
    """
    size = MAXIMUM
    while some := list(islice(every, size)):
        yield some
        size = MAXIMUM - 1


def _version(version: str | None, revision_id: str | None) -> dict[str, str]:
    """Return the query keys that name a version."""
    if version and revision_id:
        raise FastLabelInvalidException("Give version or revision_id, not both. Nothing was sent.", 400)
    return present({"version": version, "revisionId": revision_id})


def _object_query(
    dataset: str,
    version: str | None,
    revision_id: str | None,
    tags: Sequence[str] | None,
    licenses: Sequence[str] | None,
    types: Sequence[str] | None,
    offset: int,
    limit: int | None,
) -> dict[str, Any]:
    """Return the query of the lists of objects; offset and limit are always sent."""
    wanted = texts("types", types)
    if unknown := [kind for kind in wanted or () if kind not in OBJECT_TYPES]:
        raise FastLabelInvalidException(f"Unknown object type {unknown[0]!r}: use {', '.join(OBJECT_TYPES)}.", 422)
    filters = {"tags": texts("tags", tags), "licenses": texts("licenses", licenses), "types": wanted}
    name = required(dataset=dataset)["dataset"]
    page = paging(offset, limit, MAXIMUM)
    return {"datasetName": name, **page, **_version(version, revision_id), **present(filters)}
