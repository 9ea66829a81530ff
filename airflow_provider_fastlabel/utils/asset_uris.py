"""``fastlabel://host/project`` and ``fastlabel://host/models/id``: what Airflow's assets call projects and models.

Registered in the provider's description, so that ``Asset("fastlabel://api.fastlabel.ai/photos")`` is checked where the
DAG is parsed, and means the same project in OpenLineage as the operators' own lineage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.sdk import Asset

SCHEME = "fastlabel"
DEFAULT_HOST = "api.fastlabel.ai"
MODELS = "models"
"""First part of the path of a model's URI."""


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return the one form of a URI; Airflow calls this for every asset of the scheme.

    :param uri: the URI in its parts.
    :raises ValueError: it does not name a host and one project, or one model.
    """
    parts = uri.path.strip("/").split("/")
    named = all(parts) and (len(parts) == 1 or (len(parts) == 2 and parts[0] == MODELS))
    if not uri.hostname or not named or uri.query or uri.fragment or "@" in uri.netloc:
        raise ValueError(
            f"A FastLabel asset is written {SCHEME}://host/project, for instance {SCHEME}://{DEFAULT_HOST}/photos, or "
            f"{SCHEME}://host/{MODELS}/id"
        )
    return urlsplit(uri_of(uri.netloc, *map(unquote, parts)))


def uri_of(host: str, *parts: str) -> str:
    """Return the URI of a project, or of a model.

    :param host: host of the API, with the port if it has one.
    :param parts: the slug; or :data:`MODELS` and the id.
    """
    return "/".join((f"{SCHEME}://{host.lower()}", *(quote(part, safe="") for part in parts)))


def create_asset(*, project: str, host: str = DEFAULT_HOST, extra: dict[str, Any] | None = None) -> Asset:
    """Return the asset of a project.

    :param project: slug of the project.
    :param host: host of the API, with the port if it has one.
    :param extra: further information for the asset.
    """
    from airflow.sdk import Asset

    return Asset(uri=uri_of(host, project), extra=extra or {})


def convert_to_openlineage(asset: Asset, lineage_context: Any) -> Any:
    """Return the OpenLineage dataset that an asset names; the OpenLineage provider calls this.

    :param asset: the asset.
    :param lineage_context: what reported it; not needed.
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset

    del lineage_context
    parts = urlsplit(asset.uri)
    return Dataset(namespace=f"{SCHEME}://{parts.netloc}", name=unquote(parts.path.strip("/")))
