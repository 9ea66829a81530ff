"""Writes what a plan says into FastLabel: a project, its annotation classes."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_fastlabel.pipelines.projects.definition import CLASSIFICATION

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.projects.plan import ClassChange, Plan

log: logging.Logger = logging.getLogger(__name__)

_SHOWN = 10


def tell_extra(slug: str, made: Plan) -> None:
    """Say in the log what the project has beyond its definition, and what of that may be a class that was renamed.

    :param slug: the project's slug.
    :param made: the plan, written.
    """
    if made.extra:
        log.warning("Project %s has more than its definition, which stays: %s", slug, made.extra)
    for value, earlier in islice(made.perhaps_renamed.items(), _SHOWN):
        log.warning(
            "Class %s was created beside %s of the same type, which the definition lacks. If the two are one, the "
            "annotations carry the other value: rename that class at FastLabel, or correct the definition.",
            value,
            ", ".join(earlier[:_SHOWN]),
        )


def write_project(client: FastLabelClient, made: Plan) -> str:
    """Create or update a project's own fields if needed.

    :param client: the client.
    :param made: the plan; its classes are not written.
    :returns: the project's id.
    """
    if made.project_id is None:
        return str(client.create_project(**made.project_fields))
    if made.project_fields:
        client.update_project(made.project_id, **made.project_fields)
    return made.project_id


def write_class(client: FastLabelClient, slug: str, change: ClassChange) -> None:
    """Create or update an annotation class.

    :param client: the client.
    :param slug: the project's slug.
    :param change: the class, and what to send of it.
    """
    item = change.definition
    if item.type == CLASSIFICATION:
        attributes = change.fields.get("attributes", [])
        if change.class_id is None:
            client.create_classification_annotation(slug, attributes)
        else:
            client.update_classification_annotation(change.class_id, attributes)
    elif change.class_id is None:
        client.create_annotation(slug, item.type, item.value, **change.fields)
    else:
        client.update_annotation(change.class_id, **change.fields)
