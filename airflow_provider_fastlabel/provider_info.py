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
        "description": "Call quota of one machine, all its processes together. Empty: as configured, else 10000.",
        "schema": {"type": ["integer", "null"], "minimum": 1},
    },
    "quota_seconds": {
        "label": "Length of the quota's window (seconds)",
        "description": "For an emulator with another window than FastLabel's. Empty: 600.",
        "schema": {"type": ["number", "null"], "minimum": 0.1},
    },
    "quota_redis": {
        "label": "Redis of the quota",
        "description": "Address of a Redis by which several machines share the quota: redis://:password@host:6379/0.",
        "schema": {"type": ["string", "null"], "format": "password"},
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
    "app_url": {
        "label": "Application address",
        "description": (
            "Where the links of tasks lead: the address of FastLabel's web application, or of its pages with "
            "{project}, {project_id}, {task_id}. Empty: as configured, else https://app.fastlabel.ai, for FastLabel's "
            "own API only."
        ),
        "schema": {"type": ["string", "null"]},
    },
}
"""The fields of the connection's extra, as the form shows them; FastLabelHook checks the values."""


def _option(description: str, kind: str, example: str) -> dict[str, Any]:
    """Describe one option of the configuration; an empty one is not configured."""
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": "",
    }


CONFIG: dict[str, dict[str, Any]] = {
    "poll_interval": _option(
        "Seconds between two looks of a sensor or operator that waits and is not given poll_interval. "
        "Not set: 60 for sensors, 30 for operators.",
        "float",
        "120",
    ),
    "manifests_path": _option(
        "Folder, or URL of one in an object store, below which imports keep their manifests and decisions their "
        "records: shared storage, where a retry may run on another machine (Celery, Kubernetes). A URL may name its "
        "Airflow connection before an @. Not set: $AIRFLOW_HOME/fastlabel on the worker.",
        "string",
        "s3://aws_default@my-bucket/fastlabel",
    ),
    "wait_quota_share": _option(
        "Share of a connection's call quota that all waits of one process may use together, above 0 up to 1. "
        "Not set: 0.2.",
        "float",
        "0.1",
    ),
    "calls_per_10_minutes": _option(
        "Call quota of one machine, for connections that do not give it: FastLabel's quota, shared out among the "
        "machines. Not set: 10000, all of it.",
        "integer",
        "2500",
    ),
    "app_url": _option(
        "Where the links of tasks lead, for connections that do not give it: the address of FastLabel's web "
        "application, an address with placeholders, or a JSON object from page to address. "
        "Not set: https://app.fastlabel.ai, for FastLabel's own API only.",
        "string",
        "https://app.example.com/projects/{project_id}",
    ),
}
"""The options of ``[fastlabel]`` in Airflow's configuration; hooks/settings.py checks the values."""

DOCS = "https://github.com/fastlabel-pipelines/airflow-provider-fastlabel/blob/main/docs"
"""Where the documentation is read."""

HOW_TO = (
    "import-folder", "import-s3", "dicom", "wait", "export", "update-delete", "projects", "models", "monitoring",
    "links", "client", "emulator",
)  # fmt: skip
LINKS = ("Home", "Project", "Tasks", "Import", "ModelJob", "Output")


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
                "external-doc-url": DOCS + "/index.md",
                "how-to-guide": [f"/docs/how-to/{name}.md" for name in HOW_TO],
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
        "triggers": _modules("triggers", "fastlabel", "watchers"),
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
        "extra-links": [f"{_PACKAGE}.utils.links.FastLabel{name}Link" for name in LINKS],
        "config": {
            "fastlabel": {"description": "Defaults of the FastLabel provider; see docs/settings.md.", "options": CONFIG}
        },
    }
