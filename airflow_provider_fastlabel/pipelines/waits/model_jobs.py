"""The jobs FastLabel's models do, one row per kind: how they are listed, and what is worth telling of them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_provider_fastlabel.client import FastLabelClient

    Job = Mapping[str, Any]

JOB_PAGE = 1000
"""Jobs asked for at once, the largest page FastLabel gives."""

SCORES = ("mAP", "recall", "precision", "f1")
"""The scores of an evaluation, as FastLabel names them."""


@dataclass(frozen=True)
class JobKind:
    """What sets one kind of job apart.

    :param name: ``training``, ``evaluation`` or ``auto_annotation``.
    :param title: as people call it.
    :param identity: field that holds the id.
    :param per_project: whether the list is that of a project, not of the workspace; such jobs can only be listed.
    :param details: what to tell of a job beyond id and status.
    :param page: the client's call for the newest jobs; the project is used by kinds that are listed per project.
    :param all: the client's pager over all of them.
    :param find: the client's call for one job; ``None`` where there is none.
    :param start: the client's call that starts one.
    """

    name: str
    title: str
    identity: str
    per_project: bool
    details: Callable[[Job], dict[str, Any]]
    page: Callable[[FastLabelClient, str], Sequence[Job]]
    all: Callable[[FastLabelClient, str], Iterator[Job]]
    find: Callable[[FastLabelClient, str], Job] | None
    start: Callable[[FastLabelClient, Mapping[str, Any]], Any]


def _training(job: Job) -> dict[str, Any]:
    model = job.get("customModel") or {}
    return {
        "base_model_name": job.get("baseModelName"),
        "model_id": model.get("modelId") or None,
        "model_name": model.get("modelName") or None,
        # The address is signed behind the question mark.
        "model_url": str(model.get("modelURL") or "").partition("?")[0] or None,
        "content_count": job.get("contentCount"),
    }


def _evaluation(job: Job) -> dict[str, Any]:
    return {
        "model_name": job.get("modelName"),
        "content_count": job.get("contentCount"),
        "metrics": {name: job.get(name) for name in SCORES},
    }


def _auto_annotation(job: Job) -> dict[str, Any]:
    return {
        "model_name": job.get("modelName"),
        "content_count": job.get("contentCount"),
        "annotation_count": job.get("taskAnnotationCount"),
    }


_ROWS = (
    JobKind(
        "training",
        "training job",
        "trainingJobId",
        per_project=False,
        details=_training,
        page=lambda client, _: client.get_training_jobs(limit=JOB_PAGE),
        all=lambda client, _: client.iter_training_jobs(),
        find=lambda client, job_id: client.find_training_job(job_id),
        start=lambda client, arguments: client.execute_training_job(**arguments),
    ),
    JobKind(
        "evaluation",
        "evaluation job",
        "id",
        per_project=False,
        details=_evaluation,
        page=lambda client, _: client.get_evaluation_jobs(limit=JOB_PAGE),
        all=lambda client, _: client.iter_evaluation_jobs(),
        find=lambda client, job_id: client.find_evaluation_job(job_id),
        start=lambda client, arguments: client.execute_evaluation_job(**arguments),
    ),
    JobKind(
        "auto_annotation",
        "auto-annotation job",
        "id",
        per_project=True,
        details=_auto_annotation,
        page=lambda client, project: client.get_auto_annotation_jobs(project, limit=JOB_PAGE),
        all=lambda client, project: client.iter_auto_annotation_jobs(project),
        find=None,
        start=lambda client, arguments: client.execute_auto_annotation_job(**arguments),
    ),
)

JOB_KINDS: Mapping[str, JobKind] = MappingProxyType({kind.name: kind for kind in _ROWS})
"""All kinds by name."""


def job_kind(name: str) -> JobKind:
    """Return a kind of job by its name.

    :raises ValueError: when there is none of this name.
    """
    if name not in JOB_KINDS:
        raise ValueError(f"There is no kind of job {name!r}; FastLabel has {', '.join(JOB_KINDS)}")
    return JOB_KINDS[name]


def listed_jobs(client: FastLabelClient, kind: JobKind, project: str) -> Sequence[Job]:
    """Return the jobs of a kind by one call, as many as a page holds.

    :param client: whom to ask.
    :param kind: the kind.
    :param project: slug of the project; not used by kinds whose list is the workspace's.
    """
    return kind.page(client, project)


def all_jobs(client: FastLabelClient, kind: JobKind, project: str) -> Iterator[Job]:
    """Yield all jobs of a kind; parameters as in :func:`listed_jobs`."""
    return kind.all(client, project)


def find_job(client: FastLabelClient, kind: JobKind, job_id: str, project: str) -> Job:
    """Return one job.

    :param client: whom to ask.
    :param kind: its kind.
    :param job_id: its id.
    :param project: slug of its project; not used by kinds whose list is the workspace's.
    :raises NotFound: when there is none.
    """
    from airflow_provider_fastlabel.client.exceptions import NotFound

    if kind.find is not None:
        return kind.find(client, job_id)
    for job in all_jobs(client, kind, project):
        if str(job.get(kind.identity)) == job_id:
            return job
    raise NotFound(f"Project {project} has no {kind.title} {job_id}. Check the id and the project.", 404)


def summary_of(kind: JobKind, job: Job) -> dict[str, Any]:
    """Return the small JSON object that tells of a job; the same keys whether it runs or has ended.

    :param kind: its kind.
    :param job: the job as FastLabel shows it; fields may be missing.
    """
    return {
        "job_id": str(job.get(kind.identity)),
        "kind": kind.name,
        "status": str(job.get("status") or "unknown").lower(),
        **kind.details(job),
        "created_at": job.get("createdAt"),
        "completed_at": job.get("completedAt"),
    }


def id_in(answer: Any, identity: str) -> str | None:
    """Return the job id in the answer to a start: FastLabel documents neither a bare id nor the job object.

    :param answer: the parsed answer.
    :param identity: field that holds the id in the kind's job object.
    """
    found = (answer.get(identity) or answer.get("id")) if isinstance(answer, dict) else answer
    return found if isinstance(found, str) and found else None
