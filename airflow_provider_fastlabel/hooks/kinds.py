"""Which kind of task a project holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_fastlabel.client import FastLabelClient


def kind_of_project(client: FastLabelClient, slug: str) -> str:
    """Return the name of the kind of a project's tasks, such as ``image`` or ``video_classification``.

    :param client: whom to ask.
    :param slug: project slug.
    :raises NotFound: when there is no such project.
    """
    from airflow_provider_fastlabel.client.exceptions import NotFound
    from airflow_provider_fastlabel.client.kinds import kind_of_project_type

    project = client.find_project_by_slug(slug)
    if project is None:
        raise NotFound(f"There is no project with the slug {slug!r}. Check the slug, and the token's workspace.", 404)
    return kind_of_project_type(project["type"]).name
