"""Sends the images of a folder through a model endpoint."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import refused
from airflow_provider_fastlabel.utils.asset_events import storage_uri, tell_outlets
from airflow_provider_fastlabel.utils.links import HOME, PUBLISHED, facts_of_output
from airflow_provider_fastlabel.utils.numbers import FAILURES, WORKERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.numbers import Number
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelExecuteEndpointOperator"]


class FastLabelExecuteEndpointOperator(FastLabelBaseOperator):
    """Sends every image of a folder through a model endpoint and keeps the findings and the drawn pictures.

    ``output`` gets ``results.jsonl``, one line per file in ascending order of names (``{"name", "endpoint", "sha256",
    "image", "json"}``), and the pictures below ``images/``. The results file appears at the end, whole; answers until
    then wait beside it, so that a retry sends only what has no answer. A file whose answer is there, by the same
    endpoint to the same bytes, is not sent again, in later runs neither; to send all again, for instance after the
    endpoint got another model, give another ``output``. Results of files that are gone stay.

    Endpoints are made on FastLabel's screens. They take png, jpg and jpeg of at most 6 MB; all files are checked before
    the first is sent.

    Returns ``{"endpoint", "output", "results", "total", "executed", "kept", "failed", "links_left_out"}``: the place of
    the results file, how many files were sent, had their answer, or failed, and how many links out of the folder were
    left out.

    :param endpoint_name: name of the endpoint. Templated.
    :param folder: local path on the worker, or URL of an object store that Airflow knows. Templated.
    :param output: folder for the results: local path or URL; not inside ``folder``. Templated.
    :param source_conn_id: Airflow connection of the object store of ``folder``. Templated.
    :param output_conn_id: Airflow connection of the object store of ``output``. Templated.
    :param pattern: glob that the path relative to ``folder`` must match; ``**`` crosses folders. Templated.
    :param max_failures: how many files may fail with the task still succeeding, and without a line in the results. By
        default none: any problem found by the checks ends the task before anything is sent, failures met later fail it
        after all others were tried. Templated.
    :param max_workers: how many files are sent at a time. Templated.
    :param follow_links: whether links that lead out of ``folder`` are followed: only where whoever writes there may
        read whatever this worker may. Links inside work.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "endpoint_name",
        "folder",
        "output_path",
        "source_conn_id",
        "output_conn_id",
        "pattern",
        "max_failures",
        "max_workers",
    )
    operator_extra_links: Links = (HOME, PUBLISHED)
    after_leaving: ClassVar[AfterLeaving] = "goes on"
    numbers: ClassVar[Mapping[str, Number]] = {"max_failures": FAILURES, "max_workers": WORKERS}
    renamed: ClassVar[Mapping[str, str]] = {"output": "output_path"}
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        endpoint_name: str,
        folder: str,
        output: str,
        source_conn_id: str | None = None,
        output_conn_id: str | None = None,
        pattern: str = "**/*",
        max_failures: int | str | None = None,
        max_workers: int | str = 4,
        follow_links: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.folder = folder
        # `output` is taken: on an operator it is the reference to its XCom.
        self.output_path = output
        self.source_conn_id = source_conn_id
        self.output_conn_id = output_conn_id
        self.pattern = pattern
        self.max_failures: Any = max_failures
        self.max_workers: Any = max_workers
        self.follow_links = follow_links

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the files, send those without an answer, then publish the results.

        :param context: Airflow's task context.
        :raises ImportRefused: files are not right, or there are none; nothing was sent.
        :raises RunIncomplete: more files failed than tolerated; answers so far are kept for the retry.
        """
        from airflow_provider_fastlabel.pipelines.endpoints.run import execute_files
        from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
        from airflow_provider_fastlabel.pipelines.files.local_path import path_below
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        self._stop = threading.Event()
        with self.working(context):
            folder = storage_path("folder", self.folder, self.source_conn_id)
            output = storage_path("output", self.output_path, self.output_conn_id)
            self.show_links(context, **facts_of_output(output, self.output_path))
            refuse_missing_bucket(output, "output")
            if path_below(folder, output) is not None:
                # The next run would take the pictures there for files to send.
                raise refused(f"output {self.output_path} is inside folder {self.folder}. Nothing was sent.")
            done = execute_files(
                self.client,
                self.endpoint_name,
                folder,
                output,
                pattern=self.pattern,
                max_failures=self.max_failures,
                max_workers=self.max_workers,
                follow_links=self.follow_links,
                stop=self._stop,
            )
        summary = {"endpoint": self.endpoint_name, "output": shown_place(self.output_path), **done}
        self.log.info("Executed: %s", summary)
        self._summary = summary
        tell_outlets(self, context, summary, storage_uri(output))
        return summary

    def what_stays(self) -> str:
        """Say what a call that failed leaves behind; see the base class."""
        return "Nothing was published; answers so far are kept, and the next try sends only what has none."

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the folder of images to that of the results."""
        from airflow_provider_fastlabel.utils.lineage import Edge, storage_place

        written = [storage_place(self.output_path, rows=self._summary["executed"])] if complete else []
        return Edge([storage_place(self.folder)], written)

    def on_kill(self) -> None:
        """Hand out no more files; the next try goes on."""
        if self._stop is not None:
            self._stop.set()
            self.log.info("Stopping; answers so far are kept, the next try sends the rest")
