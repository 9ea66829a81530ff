"""What a task's outlets say when it has done its work: counts, digest and place, in the events of its assets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.providers.common.compat.sdk import Asset, AssetAlias

from airflow_provider_fastlabel.utils.asset_uris import uri_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook

log: logging.Logger = logging.getLogger(__name__)

_AS_THEY_ARE = "".join(map(chr, range(0x21, 0x7F))).translate({ord(sign): None for sign in "#?%"})


def tell_outlets(task: Any, context: Context, facts: Mapping[str, Any], place: str | None) -> None:
    """Give the events of a task's outlets their ``extra``, and each alias the asset of the place that was written.

    :param task: the operator, for its ``outlets``.
    :param context: Airflow's task context.
    :param facts: what was done, a small object of JSON values.
    :param place: URI of what was written; ``None`` if it has none, then aliases get nothing.
    """
    extra = dict(facts) if place is None else {**facts, "place": place}
    for outlet in task.outlets or ():
        if not isinstance(outlet, AssetAlias):
            context["outlet_events"][outlet].extra.update(extra)
        elif place is not None:
            _add(context["outlet_events"][outlet], place, extra)
        else:
            log.warning("Asset alias %r gets no asset: what was written has no address", outlet.name)


def tell_of_project(task: Any, context: Context, facts: Mapping[str, Any], project: str | None = None) -> None:
    """Do the same for a task that has written to a project.

    :param task: the operator, with ``hook``.
    :param context: Airflow's task context.
    :param facts: what was done.
    :param project: slug of the project; default: the operator's ``project``.
    """
    if task.outlets:
        tell_outlets(task, context, facts, project_uri(task.hook, project or task.project))


def silence_outlets(task: Any) -> None:
    """Keep Airflow from making events of a task that succeeds.

    Airflow makes one for each declared asset, whatever the task has done; it takes them from the operator when that has
    ended. So the outlets are taken off the operator of this try; the DAG, and the next run, have them as before.

    :param task: the operator that runs.
    """
    task.outlets = []


def storage_uri(path: Any) -> str:
    """Return the URI of a folder or file, as an asset names it.

    :param path: a local path, or what Airflow's object storage gives.
    """
    text = str(path)
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return f"file://{quote(text, safe=_AS_THEY_ARE)}"
    return f"{scheme}://{quote(rest, safe=_AS_THEY_ARE)}"


def project_uri(hook: FastLabelHook, *parts: str) -> str:
    """Return the URI of a project or model, as an asset names it.

    :param hook: that of the connection the work was done by.
    :param parts: as in :func:`~airflow_provider_fastlabel.utils.asset_uris.uri_of`.
    """
    return uri_of(urlsplit(hook.settings().api_url).netloc, *parts)


def _add(event: Any, uri: str, extra: dict[str, Any]) -> None:
    """Add to an alias the asset that some DAG declares at a place, else one that is named after it."""
    from airflow.sdk.exceptions import AirflowRuntimeError

    try:
        event.add(Asset.ref(uri=uri), extra=extra)
        return
    except AirflowRuntimeError:
        pass  # no DAG declares it
    try:
        event.add(Asset(uri=uri), extra=extra)
    except ValueError as error:
        # The work is done: a name that Airflow cannot keep must not make it undone.
        log.warning("Asset alias %r gets no asset: %s", event.key.name, error)
