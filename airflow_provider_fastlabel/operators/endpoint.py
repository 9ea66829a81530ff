"""Sends the images of a folder through a model endpoint."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator, permanent_errors_fail
from airflow_provider_fastlabel.utils.arguments import refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.endpoints.results import Results
    from airflow_provider_fastlabel.pipelines.imports import Problem, Source

__all__ = ["FastLabelExecuteEndpointOperator"]

OUTAGE = 20
"""So many files in a row that fail because FastLabel does not answer mean an outage: the run stops."""


class FastLabelExecuteEndpointOperator(FastLabelBaseOperator):
    """Sends every image of a folder through a model endpoint and keeps the findings and the drawn pictures.

    ``output`` gets ``results.jsonl``, one line per file in ascending order of names (``{"name", "endpoint", "sha256",
    "image", "json"}``), and the pictures below ``images/``. The results file appears at the end, whole; answers until
    then wait beside it, so that a retry sends only what has no answer. A file whose answer is there, by the same
    endpoint to the same bytes, is not sent again, in later runs neither; to send all again, for instance after the
    endpoint got another model, give another ``output``. Results of files that are gone stay.

    Endpoints are made on FastLabel's screens. They take png, jpg and jpeg of at most 6 MB; all files are checked before
    the first is sent.

    Returns ``{"endpoint", "output", "results", "total", "executed", "kept", "failed"}``: the place of the results file,
    and how many files were sent, had their answer, or failed.

    :param endpoint_name: name of the endpoint. Templated.
    :param folder: local path on the worker, or URL of an object store that Airflow knows. Templated.
    :param output: folder for the results: local path or URL; not inside ``folder``. Templated.
    :param source_conn_id: Airflow connection of the object store of ``folder``. Templated.
    :param output_conn_id: Airflow connection of the object store of ``output``. Templated.
    :param pattern: glob that the path relative to ``folder`` must match; ``**`` crosses folders. Templated.
    :param max_failures: how many files may fail with the task still succeeding, and without a line in the results. By
        default none: any problem found by the checks ends the task before anything is sent, failures met later fail it
        after all others were tried.
    :param max_workers: how many files are sent at a time.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "endpoint_name",
        "folder",
        "output_path",
        "source_conn_id",
        "output_conn_id",
        "pattern",
    )

    def __init__(
        self,
        *,
        endpoint_name: str,
        folder: str,
        output: str,
        source_conn_id: str | None = None,
        output_conn_id: str | None = None,
        pattern: str = "**/*",
        max_failures: int | None = None,
        max_workers: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, not {max_workers}")
        if max_failures is not None and max_failures < 0:
            raise ValueError(f"max_failures must be None or at least 0, not {max_failures}")
        self.endpoint_name = endpoint_name
        self.folder = folder
        # `output` is taken: on an operator it is the reference to its XCom.
        self.output_path = output
        self.source_conn_id = source_conn_id
        self.output_conn_id = output_conn_id
        self.pattern = pattern
        self.max_failures = max_failures
        self.max_workers = max_workers
        self._stop: threading.Event | None = None

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Check the files, send those without an answer, then publish the results.

        :param context: Airflow's task context.
        :raises ImportRefused: files are not right, or there are none; nothing was sent.
        :raises AirflowException: more files failed than tolerated; answers so far are kept for the retry.
        """
        from airflow_provider_fastlabel.pipelines.endpoints.results import Results
        from airflow_provider_fastlabel.utils.object_stores import place

        self._stop = threading.Event()
        with permanent_errors_fail():
            sources, problems = self._find()
            results = Results(place("output", self.output_path, self.output_conn_id))
            run = _Run(self, results, sources, problems, self._stop)
            run.send_all()
            published = results.publish()
        summary = {
            "endpoint": self.endpoint_name,
            "output": self.output_path,
            "results": published,
            "total": len(sources) + len({problem.name for problem in problems}),
            **run.counts(),
        }
        self.log.info("Executed: %s", summary)
        return summary

    def on_kill(self) -> None:
        """Hand out no more files; the next try goes on."""
        if self._stop is not None:
            self._stop.set()
            self.log.info("Stopping; answers so far are kept, the next try sends the rest")

    def _find(self) -> tuple[list[Source], list[Problem]]:
        """Return the files that can be sent, and what is wrong with the others, as far as that is tolerated."""
        from airflow_provider_fastlabel.client.checks.media import too_large
        from airflow_provider_fastlabel.client.kinds import IMAGE
        from airflow_provider_fastlabel.client.resources.models import ENDPOINT_IMAGE
        from airflow_provider_fastlabel.pipelines.files.problems import enumerate_problems
        from airflow_provider_fastlabel.pipelines.imports import ImportRefused, Problem, find_sources
        from airflow_provider_fastlabel.utils.object_stores import place

        self._refuse_output_inside()
        found = find_sources(
            place("folder", self.folder, self.source_conn_id), extensions=IMAGE.extensions, pattern=self.pattern
        )
        wrong = "is no png, jpg or jpeg; move it away or narrow `pattern`"
        problems = [Problem(problem.name, wrong) for problem in found.problems]
        large = [source for source in found.sources if not 0 <= source.size <= ENDPOINT_IMAGE]
        problems += [Problem(s.name, too_large(s.size, "endpoints", ENDPOINT_IMAGE)) for s in large]
        if len(problems) > (self.max_failures or 0):
            raise ImportRefused(
                f"{len(problems)} file(s) in {self.folder} cannot be sent to an endpoint. Nothing was sent.\n"
                f"{enumerate_problems(problems)}",
                problems,
            )
        if not found.sources:
            raise ImportRefused(f"No file in {self.folder} matches pattern {self.pattern!r}. Nothing was sent.")
        for problem in problems:
            self.log.warning("Left out: %s", problem)
        return [source for source in found.sources if source not in large], problems

    def _refuse_output_inside(self) -> None:
        """Refuse an output whose pictures the next run would take for files to send.

        :raises FastLabelInvalidException: when ``output`` is ``folder`` or inside it.
        """
        from airflow_provider_fastlabel.utils.object_stores import path_below, place

        folder = place("folder", self.folder, self.source_conn_id)
        if path_below(folder, place("output", self.output_path, self.output_conn_id)) is not None:
            raise refused(f"output {self.output_path} is inside folder {self.folder}. Nothing was sent.")


class _Run:
    """One run over the files."""

    def __init__(
        self,
        operator: FastLabelExecuteEndpointOperator,
        results: Results,
        sources: Sequence[Source],
        problems: Sequence[Problem],
        stop: threading.Event,
    ) -> None:
        from airflow_provider_fastlabel.pipelines.running.progress import Progress

        self._operator = operator
        self._results = results
        self._sources = sources
        self._names = {source.name for source in sources}
        self._stop = stop
        self._failures = [str(problem) for problem in problems]
        self._silent = 0
        self._lock = threading.Lock()
        self._progress = Progress(len(sources), calls_left=operator.client.quota.remaining)

    def send_all(self) -> None:
        """Send what has no answer yet.

        :raises AirflowException: when more failed than tolerated, or the run was stopped.
        """
        from airflow_provider_fastlabel.pipelines.running.pool import run_bounded

        workers = self._operator.max_workers
        run_bounded(self._settle, self._sources, workers=workers, stop=self._stop, tick=self._progress.beat)
        if self._stop.is_set():
            raise self._incomplete("The run was stopped on request")
        if len(self._failures) > (self._operator.max_failures or 0):
            raise self._incomplete("The run is not complete")

    def counts(self) -> dict[str, int]:
        """Return how many files met which fate."""
        counts = self._progress.counts
        return {"executed": counts["executed"], "kept": counts["kept"], "failed": len(self._failures)}

    def _settle(self, source: Source) -> None:
        """Bring one file to its fate; only what concerns every file ends the run."""
        from airflow_provider_fastlabel.client.exceptions import AuthError, FastLabelException, NotFound, RateLimited
        from airflow_provider_fastlabel.pipelines.files.sources import without_temporary

        try:
            with source.local() as path:
                fate = self._execute(source.name, path)
        except (AuthError, NotFound, RateLimited):
            raise
        except (FastLabelException, OSError, ValueError) as error:
            self._fail(source.name, without_temporary(str(error)), error)
        else:
            self._silent = 0
            self._progress.count(fate)

    def _execute(self, name: str, path: Path) -> str:
        """Send a file unless its answer is there, and keep the answer."""
        endpoint = self._operator.endpoint_name
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if self._results.has(name, endpoint, digest):
            return "kept"
        answer = self._operator.client.execute_endpoint(endpoint, path)
        if not isinstance(answer, dict):
            raise ValueError(f"the endpoint answered no object but {type(answer).__name__}")
        try:
            self._results.add(name, endpoint, digest, answer, self._names)
        except OSError as error:
            # Not this file's failure: no other answer could be kept either, and each costs a call.
            raise self._incomplete(f"The run was stopped: an answer cannot be written ({error})") from error
        return "executed"

    def _fail(self, name: str, why: str, error: Exception) -> None:
        """Count a failure; end the run when there are too many, or when FastLabel seems to be down.

        :raises AirflowException: then.
        """
        from airflow_provider_fastlabel.client.exceptions import FastLabelException
        from airflow_provider_fastlabel.client.http.retry import may_retry

        self._operator.log.warning("Failed: %s: %s", name, why)
        self._progress.count("failed")
        tolerated = self._operator.max_failures
        with self._lock:
            self._failures.append(f"{name}: {why}")
            self._silent = self._silent + 1 if isinstance(error, FastLabelException) and may_retry(error) else 0
            over = tolerated is not None and len(self._failures) > tolerated
            out = self._silent >= OUTAGE
        if over:
            raise self._incomplete("The run was stopped: more files failed than max_failures tolerates")
        if out:
            raise self._incomplete(f"The run was stopped: FastLabel did not answer for {OUTAGE} files in a row")

    def _incomplete(self, what: str) -> AirflowException:
        """Return the error of a run that did not reach its end."""
        counts = self.counts()
        listed = "".join(f"\n  - {failure}" for failure in self._failures[:10])
        return AirflowException(
            f"{what}: of {len(self._sources)} files {counts['executed']} were executed, {counts['kept']} had their "
            f"answer, {counts['failed']} failed.{listed}\nAnswers are kept in {self._operator.output_path}; a retry "
            "sends only what has none."
        )
