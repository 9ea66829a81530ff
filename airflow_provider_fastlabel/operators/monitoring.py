"""Sends the results of a model in production to FastLabel's model monitoring."""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.asset_events import tell_outlets
from airflow_provider_fastlabel.utils.links import HOME
from airflow_provider_fastlabel.utils.task_memory import TaskMemory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

CHUNK = 1000
"""Results sent in one call."""

MAX_PROBLEMS = 20
"""Problems listed in an error before the rest is only counted."""


class FastLabelPushMonitoringResultsOperator(FastLabelBaseOperator):
    """Sends model results to a monitoring setting of the workspace, in chunks of 1000.

    Every result is checked before the first call, and all problems are reported together. On Airflow 3.3 and later the
    operator remembers which chunks are sent, so a retry goes on behind them. FastLabel has no call to ask what it has
    received; so when the answer to a chunk is lost, that one chunk is sent again by the retry and may count twice. On
    earlier releases a retry sends everything again: give the task ``retries=0`` there when that matters.

    Returns ``{"name", "results", "success", "failed"}``.

    :param name: name of the monitoring setting, made in FastLabel's screens. Templated.
    :param results: the results, each ``{"status": "success" | "failed", "result": [{"value": class, "confidenceScore":
        0..1}, ...], "requestAt": ISO 8601 time with offset}``. Templated. Either this or ``results_path``.
    :param results_path: file with the results: a JSON list, or one result per line when the name ends in ``.jsonl`` or
        ``.ndjson``; a local path or any URL of ``ObjectStoragePath``. Templated.
    :param source_conn_id: Airflow connection for ``results_path``; ``None`` for none. Templated.
    :raises ValueError: when not exactly one source is given, or a result is wrong.
    """

    after_leaving: ClassVar[AfterLeaving] = "remembers"
    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "name",
        "results",
        "results_path",
        "source_conn_id",
    )

    operator_extra_links: Links = (HOME,)

    def __init__(
        self,
        *,
        name: str,
        results: Sequence[dict[str, Any]] | None = None,
        results_path: str | None = None,
        source_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (results is None) == (results_path is None):
            raise ValueError("Give either results or results_path")
        self.name = name
        self.results = results
        self.results_path = results_path
        self.source_conn_id = source_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Check all results, then send what has not been sent yet."""
        with self.working(context):
            counts, digest = self._check()
            total = sum(counts.values())
            memory = TaskMemory(context, "fastlabel_monitoring", digest)
            sent = int(memory.read().get("sent", 0))
            if sent:
                self.log.info("Going on behind %s results that an earlier try sent", sent)
            rest = islice((result for _, result in self._read()), sent, None)
            while chunk := list(islice(rest, CHUNK)):
                self.client.create_model_monitoring_request_results(self.name, chunk)
                sent += len(chunk)
                memory.write(sent=sent)
                self.log.info("%s of %s results sent to monitoring %s", sent, total, self.name)
            memory.forget()
        summary = {"name": self.name, "results": total, **counts}
        tell_outlets(self, context, summary, None)
        return summary

    def _check(self) -> tuple[dict[str, int], str]:
        """Check every result; return how many there are of each status, and a digest of name and results.

        :raises ValueError: listing the problems and where they are.
        """
        from airflow_provider_fastlabel.pipelines.monitoring.results import STATUSES, problems_of

        counts: dict[str, int] = dict.fromkeys(STATUSES, 0)
        digest = hashlib.sha256(json.dumps([self.fastlabel_conn_id, self.name]).encode())
        problems: list[str] = []
        for where, result in self._read():
            wrong = problems_of(result)
            problems += [f"{where}: {problem}" for problem in wrong]
            if not wrong:
                counts[result["status"]] += 1
            digest.update(json.dumps(result, sort_keys=True, default=str).encode())
        if problems:
            more = len(problems) - MAX_PROBLEMS
            listed = "; ".join(problems[:MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
            raise ValueError(f"{len(problems)} problem(s) in the results, nothing was sent. {listed}")
        return counts, digest.hexdigest()

    def _read(self) -> Iterator[tuple[str, Any]]:
        """Yield each result with a word on where it stands."""
        if self.results_path is None:
            if not isinstance(self.results, list | tuple):
                raise ValueError("results must be a list; a template must render natively")
            yield from ((f"result {number}", result) for number, result in enumerate(self.results, start=1))
            return
        from airflow_provider_fastlabel.pipelines.monitoring.results import read_results
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        path = storage_path("results_path", self.results_path, self.source_conn_id)
        if not path.is_file():
            raise ValueError(f"results_path {self.results_path}: there is no such file")
        yield from read_results(path)
