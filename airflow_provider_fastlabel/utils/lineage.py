"""What a task read and wrote, for OpenLineage: folder -> project -> data set, and never single files.

Nothing of OpenLineage is imported until its Airflow provider asks an operator for its lineage. Without an answer that
provider would take what the object stores' file systems have noted, which is every file by itself.
"""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_fastlabel.pipelines.files.local_path import LOCAL_SCHEMES
from airflow_provider_fastlabel.utils.asset_uris import SCHEME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient


@dataclass(frozen=True)
class Place:
    """One node of the lineage.

    :param namespace: where it lives, as OpenLineage names it.
    :param name: what it is called there.
    :param version: what tells its content from any other.
    :param rows: how many tasks or images were written.
    :param files: how many files were written.
    :param classes: the classes of its annotations, which are its schema.
    :param assertions: what was asked of its quality: dictionaries with ``assertion``, ``success``, ``severity``,
        ``expected`` and ``actual``.
    """

    namespace: str
    name: str
    version: str | None = None
    rows: int | None = None
    files: int | None = None
    classes: Sequence[str] = ()
    assertions: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Edge:
    """What a task read, and what it wrote."""

    inputs: Sequence[Place] = field(default=())
    outputs: Sequence[Place] = field(default=())


def project_place(client: FastLabelClient, project: str, rows: int | None = None) -> Place:
    """Return a project as the node that its asset ``fastlabel://host/project`` is, too.

    :param client: the client, for the host.
    :param project: slug of the project.
    :param rows: how many of its tasks were written.
    """
    return Place(f"{SCHEME}://{urlsplit(client.transport.api_url).netloc.lower()}", project, rows=rows)


def storage_place(url: str, **more: Any) -> Place:
    """Return a folder as a node, named as OpenLineage names files and buckets.

    :param url: a local path, or a URL of an object store.
    :param more: see :class:`Place`.
    """
    scheme, is_url, rest = str(url).partition("://")
    if not is_url or scheme in LOCAL_SCHEMES:
        path = rest if is_url else os.path.expanduser(str(url))  # noqa: PTH111 - it may be no path of this machine
        return Place("file", os.path.abspath(path), **more)  # noqa: PTH100
    bucket, _, key = rest.partition("/")
    return Place(f"{scheme}://{bucket.rpartition('@')[2]}", key.strip("/") or "/", **more)


def openlineage_of(edge: Edge, task: Any, task_instance: Any) -> Any:
    """Return an edge as OpenLineage wants it, together with the inlets and outlets that the DAG declares.

    :param edge: what the task read and wrote.
    :param task: the operator.
    :param task_instance: its instance, for the assets that were named while it ran.
    """
    from airflow.providers.openlineage.extractors import OperatorLineage

    return OperatorLineage(
        inputs=_with_declared([_dataset(place) for place in edge.inputs], task.inlets),
        outputs=_with_declared(
            [_dataset(place) for place in edge.outputs], [*task.outlets, *_named_while_running(task_instance)]
        ),
    )


def _dataset(place: Place) -> Any:
    """Return a node as a dataset of OpenLineage."""
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import dataset_version_dataset, output_statistics_output_dataset, schema_dataset

    facets: dict[str, Any] = {}
    if place.version is not None:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=place.version)
    if place.classes:
        fields = [schema_dataset.SchemaDatasetFacetFields(name=name, type="class") for name in place.classes]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields)
    if place.rows is None and place.files is None:
        return InputDataset(place.namespace, place.name, facets=facets, inputFacets=_quality(place.assertions))
    written = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=place.rows, fileCount=place.files
    )
    return OutputDataset(place.namespace, place.name, facets=facets, outputFacets={"outputStatistics": written})


def _quality(assertions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the facet of data quality, with as much as this OpenLineage has fields for."""
    if not assertions:
        return {}
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

    known = inspect.signature(quality.Assertion).parameters
    made = [quality.Assertion(**{name: one[name] for name in one if name in known}) for one in assertions]
    return {"dataQualityAssertions": quality.DataQualityAssertionsDatasetFacet(assertions=made)}


def _with_declared(own: list[Any], declared: Iterable[Any]) -> list[Any]:
    """Add the assets that the DAG's author declares and that are not there already."""
    from airflow.providers.common.compat.openlineage.utils.utils import translate_airflow_asset
    from airflow.providers.common.compat.sdk import Asset

    seen = {(dataset.namespace, dataset.name) for dataset in own}
    for asset in declared:
        found = translate_airflow_asset(asset, None) if isinstance(asset, Asset) else None
        if found is not None and (found.namespace, found.name) not in seen:
            seen.add((found.namespace, found.name))
            own.append(found)
    return own


def _named_while_running(task_instance: Any) -> list[Any]:
    """Return the assets that came out of aliases, as far as this OpenLineage provider knows them."""
    try:
        from airflow.providers.openlineage.utils.utils import get_runtime_outlet_assets
    except ImportError:
        return []
    return [asset for asset, _ in get_runtime_outlet_assets(task_instance)]
