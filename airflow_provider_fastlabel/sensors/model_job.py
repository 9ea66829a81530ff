"""Waits until a job of a model has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.pipelines.waits.conditions import ModelJobWait
from airflow_provider_fastlabel.pipelines.waits.model_jobs import job_kind
from airflow_provider_fastlabel.sensors.base import FastLabelSensor
from airflow_provider_fastlabel.utils.arguments import require_rendered
from airflow_provider_fastlabel.utils.links import MODEL_JOB, PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_fastlabel.utils.links import Links


class FastLabelModelJobSensor(FastLabelSensor):
    """Waits for one training, evaluation or auto-annotation job, whoever started it.

    However many sensors defer on jobs of one kind (auto-annotation: of one project), each interval costs one call. A
    failed job fails the sensor at once. Returns the job's summary, see the operator that starts such jobs.

    For ``deferrable``, ``poll_interval`` and ``timeout`` see :class:`FastLabelSensor`.

    :param kind: ``training``, ``evaluation`` or ``auto_annotation``.
    :param job_id: id of the job. Templated.
    :param project: slug of the project; for ``auto_annotation``, whose jobs are listed per project. Templated.
    :raises ValueError: when the kind is unknown, or lacks its project.
    """

    template_fields: Sequence[str] = (*FastLabelSensor.template_fields, "job_id")

    operator_extra_links: Links = (PROJECT, MODEL_JOB)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "job_id": "job_id"}

    def __init__(self, *, kind: str, job_id: str, project: str | None = None, **kwargs: Any) -> None:
        super().__init__(project=project or "", **kwargs)
        if job_kind(kind).per_project and not project:
            raise ValueError(f"A job of the kind {kind} is found by its project; give project")
        self.kind = kind
        self.job_id = job_id

    def build_wait(self) -> ModelJobWait:
        """Return the wait on the job.

        :raises FastLabelInvalidException: when the id has rendered to nothing.
        """
        require_rendered("job_id", self.job_id, "Did the task that starts the job push it?")
        return ModelJobWait(self.kind, self.job_id, self.project)
