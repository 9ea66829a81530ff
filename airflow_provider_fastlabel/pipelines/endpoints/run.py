"""Sends the images of a folder through a model endpoint, each once however often it is run."""

from __future__ import annotations

import hashlib
import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.checks.media import EMPTY, too_large
from airflow_provider_fastlabel.client.exceptions import NotFound
from airflow_provider_fastlabel.client.http.bodies import FilePart
from airflow_provider_fastlabel.client.kinds import IMAGE
from airflow_provider_fastlabel.client.resources.models import ENDPOINT_IMAGE
from airflow_provider_fastlabel.pipelines.endpoints.results import Results
from airflow_provider_fastlabel.pipelines.files.problems import (
    ImportRefused,
    Problem,
    RunIncomplete,
    enumerate_problems,
)
from airflow_provider_fastlabel.pipelines.files.sources import find_sources
from airflow_provider_fastlabel.pipelines.running.run import HOPELESS, EndRun, Run

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from airflow_provider_fastlabel.client import FastLabelClient
    from airflow_provider_fastlabel.pipelines.files.source import Source
    from airflow_provider_fastlabel.pipelines.files.source_table import Sources
    from airflow_provider_fastlabel.pipelines.files.sources import Found

log: logging.Logger = logging.getLogger(__name__)


def execute_files(
    client: FastLabelClient,
    endpoint: str,
    folder: Any,
    output: Any,
    *,
    pattern: str = "**/*",
    max_failures: int | None = None,
    max_workers: int = 4,
    follow_links: bool = False,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Check the files, send those without an answer, then publish the results.

    :param client: the client.
    :param endpoint: name of the endpoint.
    :param folder: a ``pathlib.Path``, or an object with its interface in an object store.
    :param output: the same, for the results; not inside ``folder``.
    :param pattern: glob that the path relative to ``folder`` must match.
    :param max_failures: how many files may fail, in the checks or at FastLabel. ``None``: none, but failures met while
        sending do not keep the others from being sent.
    :param max_workers: how many files are sent at a time.
    :param follow_links: whether links that lead out of the folder are followed; otherwise they are left out.
    :param stop: set it to end the run early; answers so far are kept.
    :returns: ``{"results", "total", "executed", "kept", "failed", "links_left_out"}``: the place of the results file,
        and the counts.
    :raises ImportRefused: files are not right, or there are none; nothing was sent.
    :raises RunIncomplete: more files failed than tolerated, or the run was ended; answers so far are kept.
    """
    results = Results(output)
    found, problems = _find(folder, pattern, max_failures or 0, results, follow_links=follow_links)
    sources = found.sources
    sending = _Sending(client, endpoint, results, sources, problems, max_failures, output)
    sending.run.over(sources, workers=max_workers, stop=stop)
    counts = {"total": sending.run.total, **sending.counts(), "links_left_out": len(found.links)}
    return {"results": sending.results.publish(), **counts}


def _find(
    folder: Any, pattern: str, tolerated: int, results: Results, *, follow_links: bool
) -> tuple[Found, list[Problem]]:
    """Return the files that can be sent, and what is wrong with the others, as far as that is tolerated."""
    found = find_sources(folder, extensions=IMAGE.extensions, pattern=pattern, follow_links=follow_links)
    problems = list(map(_of_endpoints, found.problems))
    there = len(found.sources)

    def fits(source: Source) -> bool:
        if (why := _unfit(source.size) or results.refusal_of(source.name)) is not None:
            problems.append(Problem(source.name, why))
        return why is None

    found.sources.keep(fits)
    if len(problems) > tolerated:
        raise ImportRefused(
            f"{len(problems)} file(s) in {folder} cannot be sent to an endpoint. Nothing was sent.\n"
            f"{enumerate_problems(problems)}",
            problems,
        )
    if not there:
        raise ImportRefused(
            f"No file in {folder} matches pattern {pattern!r}. Nothing was sent. {found.links_in_words()}".rstrip()
        )
    if found.links:
        log.warning("%s", found.links_in_words().rstrip())
    return found, problems


def _of_endpoints(problem: Problem) -> Problem:
    """Say of a file of another kind what endpoints take, which is not what projects do."""
    if PurePosixPath(problem.name).suffix.lower().removeprefix(".") in IMAGE.extensions:
        return problem
    return Problem(problem.name, "is no png, jpg or jpeg; move it away or narrow `pattern`")


def _unfit(size: int) -> str | None:
    """Say what is wrong with the size of a file, if anything is."""
    if size < 0:
        return "cannot be read: it is gone, or a link that leads nowhere"
    if not size:
        return EMPTY
    return too_large(size, "endpoints", ENDPOINT_IMAGE) if size > ENDPOINT_IMAGE else None


class _Sending:
    """What one run over the files shares: the endpoint, the results and the counts."""

    def __init__(
        self,
        client: FastLabelClient,
        endpoint: str,
        results: Results,
        sources: Sources,
        problems: Sequence[Problem],
        max_failures: int | None,
        output: Any,
    ) -> None:
        self.results = results
        self._client = client
        self._endpoint = endpoint
        self._output = output
        self._names = {source.name for source in sources}
        self.run: Run[Source] = Run(
            "run",
            "files",
            len(sources) + len(problems),
            name=lambda source: source.name,
            settle=self._settle,
            incomplete=self._incomplete,
            max_failures=max_failures,
            hopeless=(*HOPELESS, NotFound),
            calls_left=client.quota.remaining,
        )
        for problem in problems:
            log.warning("Left out: %s", problem)
            self.run.fail(problem)

    def counts(self) -> dict[str, int]:
        """Return how many files met which fate."""
        return {fate: self.run.counts[fate] for fate in ("executed", "kept", "failed")}

    def _settle(self, source: Source) -> str:
        """Send a file unless its answer is there, and keep the answer."""
        with source.local() as path:
            file, digest = FilePart(path), hashlib.sha256()
            for piece in file.chunks():
                digest.update(piece)
            if self.results.has(source.name, self._endpoint, digest.hexdigest()):
                return "kept"
            answer = self._client.execute_endpoint(self._endpoint, path)
            file.refuse_changes()  # or the answer would be kept as that to other bytes
        if not isinstance(answer, dict):
            raise ValueError(f"the endpoint answered no object but {type(answer).__name__}")
        try:
            self.results.add(source.name, self._endpoint, digest.hexdigest(), answer, self._names)
        except OSError as error:
            # Not this file's failure: no other answer could be kept either, and each costs a call.
            raise EndRun(f"an answer cannot be written ({error})") from error
        return "executed"

    def _incomplete(self, why: str) -> RunIncomplete:
        """Return the error of a run that did not reach its end."""
        counts = self.counts()
        listed = f"\n{enumerate_problems(self.run.failures)}" if self.run.failures else ""
        return RunIncomplete(
            f"{why}: of {self.run.total} files {counts['executed']} were executed, {counts['kept']} had their answer, "
            f"{counts['failed']} failed.{listed}\n"
            f"Answers are kept in {self._output}; a retry sends only what has none.",
            {"total": self.run.total, **counts},
            self.run.failures,
        )
