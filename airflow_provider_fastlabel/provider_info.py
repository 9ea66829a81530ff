"""What Airflow reads about this provider at start; light, because every ``airflow`` command imports it."""

from __future__ import annotations

from typing import Any

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.client.const import DEFAULT_API_URL

_PACKAGE = "airflow_provider_fastlabel"
_INTEGRATION = "FastLabel"

UI_FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["login", "port", "schema"],
    "relabeling": {"password": "Access token", "host": "API base URL"},
    "placeholders": {
        "password": "FastLabel access token",
        "host": DEFAULT_API_URL,
    },
}
"""How the connection form treats the standard fields."""

CONN_FIELDS: dict[str, dict[str, Any]] = {
    "timeout": {
        "label": "Timeout (seconds)",
        "description": "Connect and read timeout of one request. Empty: 10 s to connect, 60 s to read.",
        "schema": {"type": ["number", "null"], "minimum": 0.1},
    },
    "max_retries": {
        "label": "Retries per request",
        "description": "How often a request is repeated after a connection error, 429 or 5xx. Empty: 5.",
        "schema": {"type": ["integer", "null"], "minimum": 0},
    },
    "calls_per_10_minutes": {
        "label": "Calls per 10 minutes",
        "description": "Call quota of one worker process. Empty: 10000, FastLabel's limit. Share it out when many run.",
        "schema": {"type": ["integer", "null"], "minimum": 1},
    },
    "verify": {
        "label": "TLS verification",
        "description": "true, false, or the path of a CA bundle on the workers. Empty: true.",
        "schema": {"type": ["string", "null"]},
    },
    "proxies": {
        "label": "Proxies",
        "description": 'JSON object from URL scheme to proxy URL, such as {"https": "http://proxy.example.com:3128"}.',
        "schema": {"type": ["object", "null"]},
    },
}
"""The fields of the connection's extra, as the form shows them; FastLabelHook checks the values."""


def _modules(room: str, *names: str) -> list[dict[str, Any]]:
    """Describe the modules of one room in the form the provider schema wants."""
    return [{"integration-name": _INTEGRATION, "python-modules": [f"{_PACKAGE}.{room}.{name}" for name in names]}]


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, as ``airflow/provider_info.schema.json`` defines it."""
    return {
        "package-name": "airflow-provider-fastlabel",
        "name": "FastLabel",
        "description": "Labelling tasks in, datasets out: FastLabel for Apache Airflow.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://docs.fastlabel.ai/",
                "tags": ["service"],
            }
        ],
        "hooks": _modules("hooks", "fastlabel"),
        "operators": _modules(
            "operators",
            "imports",
            "s3_import",
            "classes",
            "decide",
            "dicom",
            "endpoint",
            "exports",
            "models",
            "monitoring",
            "projects",
            "update",
        ),
        "sensors": _modules("sensors", "task_status", "import_history", "model_job", "s3_import"),
        "triggers": _modules("triggers", "fastlabel"),
        "task-decorators": [{"name": "fastlabel", "class-name": f"{_PACKAGE}.decorators.fastlabel.fastlabel_task"}],
        "notifications": [f"{_PACKAGE}.notifications.progress.FastLabelProgressNotifier"],
        "asset-uris": [
            {
                "schemes": ["fastlabel"],
                "handler": f"{_PACKAGE}.utils.asset_uris.sanitize_uri",
                "factory": f"{_PACKAGE}.utils.asset_uris.create_asset",
                "to_openlineage_converter": f"{_PACKAGE}.utils.asset_uris.convert_to_openlineage",
            }
        ],
        "connection-types": [
            {
                "connection-type": "fastlabel",
                "hook-class-name": f"{_PACKAGE}.hooks.fastlabel.FastLabelHook",
                "hook-name": "FastLabel",
                "ui-field-behaviour": UI_FIELD_BEHAVIOUR,
                "conn-fields": CONN_FIELDS,
            }
        ],
    }
