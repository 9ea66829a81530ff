"""Sends suspicious labels back to the people who can judge them, as comments."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import rendered_texts, require_rendered, task_status
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.utils.links import PROJECT, TASKS
from airflow_provider_fastlabel.utils.numbers import Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelSendBackOperator"]


class FastLabelSendBackOperator(FastLabelBaseOperator):
    """Comment in FastLabel on labels that are suspicious, each once, for people to look at.

    Without ``predictions`` labels are suspected by the rules of the report's contact sheet: drawn twice, looks like
    another class, two classes on one place, outside of the picture, unusual size or shape. With them a model's
    predictions are held against the labels: another class, an object that is not labelled, another place, a label where
    the model sees nothing.

    The comments themselves say what has been sent, so no comment is made twice, whatever dies and however often the DAG
    runs; what a person has resolved is not sent again. Two runs at the same time may send the same comment both.

    Pushes ``{"new", "open", "resolved", "gone", "left", "suspicions", "dry_run"}``: comments of this run; earlier ones
    that are open, were resolved, or are open though the label is not suspicious any more; suspicions that another run
    may send; and suspicions by kind.

    :param project: slug of the project. Templated.
    :param predictions: COCO annotation file of a model (``images``, ``categories``, and ``annotations`` with
        ``score``): local path on the worker, or URL of an object store. Pictures are called as the tasks. Templated.
    :param source_conn_id: Airflow connection of the object store of ``predictions``. Templated.
    :param filter_status: only tasks of this status; ``None`` for any. Templated.
    :param filter_tags: only tasks that carry these tags. Templated.
    :param most: comments of one run at most; the most suspicious come first. Templated.
    :param dry_run: change nothing, and log the first twenty comments. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "predictions",
        "source_conn_id",
        "filter_status",
        "filter_tags",
        "most",
        "dry_run",
    )
    operator_extra_links: Links = (PROJECT, TASKS)
    link_arguments: ClassVar[Mapping[str, str]] = {
        "project": "project", "status": "filter_status", "tags": "filter_tags",
    }  # fmt: skip
    after_leaving: ClassVar[AfterLeaving] = "goes on"
    numbers: ClassVar[Mapping[str, Number]] = {"most": Number(least=1, most=10_000)}
    flags: ClassVar[Sequence[str]] = ("dry_run",)
    _stop: threading.Event | None = None

    def __init__(
        self,
        *,
        project: str,
        predictions: str | None = None,
        source_conn_id: str | None = None,
        filter_status: str | None = "approved",
        filter_tags: Sequence[str] | None = None,
        most: int | str = 100,
        dry_run: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.predictions = predictions
        self.source_conn_id = source_conn_id
        self.filter_status = filter_status
        self.filter_tags = filter_tags
        self.most: Any = most
        self.dry_run: Any = dry_run

    def execute(self, context: Context) -> dict[str, Any]:
        """Look for suspicious labels and comment on them.

        :param context: Airflow's task context.
        :returns: the counts, see the class.
        :raises RunIncomplete: some comments could not be made, or the work was ended early; all others are made.
        :raises NotFound: the project does not exist.
        :raises ValueError: ``predictions`` is no COCO file; nothing was sent.
        :raises OSError: ``predictions`` cannot be read.
        """
        from airflow_provider_fastlabel.pipelines.reviews.send import send_back
        from airflow_provider_fastlabel.pipelines.reviews.suspicions import by_model, by_rules, read_predictions
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        self._stop = threading.Event()
        with self.working(context):
            status = task_status("filter_status", self.filter_status)
            tags = sorted(rendered_texts("filter_tags", self.filter_tags))
            predicted = None
            if self.predictions is not None:
                require_rendered("predictions", self.predictions, "Nothing was sent.")
                predicted = read_predictions(storage_path("predictions", self.predictions, self.source_conn_id))
            kind = self.client.kind_of_project(self.project).name
            tasks = self.client.iter_tasks(self.project, kind, status=status, tags=tags)
            found = by_rules(tasks) if predicted is None else by_model(tasks, predicted)
            summary = send_back(
                self.client, self.project, found, most=self.most, dry_run=self.dry_run, stop=self._stop
            )  # fmt: skip
        self.log.info("Done: %s", summary)
        tell_of_project(self, context, summary)
        return summary

    def lineage(self, *, complete: bool) -> Edge:
        """Return the project, which is read and commented on, and the predictions."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        del complete
        read = [] if self.predictions is None else [storage_place(self.predictions)]
        return Edge([project_place(self.client, self.project), *read])

    def on_kill(self) -> None:
        """Send no more comments; a retry sends the rest."""
        if self._stop is not None:
            self._stop.set()
