"""Model monitoring: what a model answered in production."""

# The answers are what the API sends; their types describe it and are not checked at run time.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.arguments import items, required
from airflow_provider_fastlabel.client.resources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Monitoring(Resource):
    """Calls on model monitoring."""

    def create_model_monitoring_request_results(
        self, name: str, results: Sequence[Mapping[str, Any]] | None = None
    ) -> str:
        """Add results of requests to a model.

        :param name: name of the monitoring setting in the workspace.
        :param results: ``{"status": "success" | "failed", "result": [{"value": class, "confidenceScore": 0..1}],
            "requestAt": ISO 8601 with offset}``.
        :raises OutcomeUnknown: if the answer was lost: sending the results again might count them twice.
        """
        body = required(name=name) | {"results": items("results", results) or []}
        return self._transport.post("model-monitorings/create", body)
