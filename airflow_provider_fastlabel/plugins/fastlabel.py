"""The plugin that Airflow loads in each of its processes; what it shows is loaded by the API server alone, when asked.

It is known to Airflow by the entry point ``airflow.plugins``, and not by the provider's description: that one is read
only where ``[core] lazy_discover_providers`` is off, and then as a second plugin of the same name.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import AirflowPlugin

from airflow_provider_fastlabel.utils.dataset_tab import PREFIX, TAB


class _Application:
    """Passes calls on to the application, loaded by the first: no fault in it keeps Airflow from starting."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from airflow_provider_fastlabel.plugins.application import application

        await application(scope, receive, send)


class FastLabelPlugin(AirflowPlugin):
    """Adds the tab "Dataset" to the page of a task: the report of the data set that the task has published."""

    name = "fastlabel"
    # Not of ClassVar, which Airflow's own class does not say either.
    fastapi_apps: list[Any] = [  # noqa: RUF012
        {"app": _Application(), "url_prefix": f"/{PREFIX}", "name": "FastLabel"}
    ]
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "Dataset",
            # Relative to Airflow's own address, which need not be the root of its host.
            "href": f"{PREFIX}/datasets/{{DAG_ID}}/{{RUN_ID}}/{{TASK_ID}}/{{MAP_INDEX}}",
            "destination": "task_instance",
            "url_route": TAB,
        }
    ]
