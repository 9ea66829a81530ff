"""Sends suspicious labels back to the people who can judge them, as comments or by a status."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.arguments import (
    external_status,
    refused,
    rendered_texts,
    require_rendered,
    task_status,
)
from airflow_provider_fastlabel.utils.asset_events import tell_of_project
from airflow_provider_fastlabel.utils.links import PROJECT, TASKS
from airflow_provider_fastlabel.utils.numbers import Number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.reviews.statuses import Mover
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

    With ``status`` or ``external_status`` the tasks get that status besides, after their comments; or instead, with
    ``comment=False``. One call sets it together with ``tag``, and a task that carries the tag is never moved again, so
    that somebody who finds the labels right can approve them for good. A task that is no longer as it was listed, since
    somebody has moved it meanwhile, is left alone.

    Pushes ``{"new", "open", "resolved", "gone", "left", "suspicions", "status_set", "status_set_before", "moved_on",
    "dry_run"}``: comments of this run; earlier ones that are open, were resolved, or are open though the label is not
    suspicious any more; suspicions (with ``comment=False``, tasks) that another run may send; suspicions by kind; and
    how many tasks got the status, have or had it already, or were moved by somebody else meanwhile.

    :param project: slug of the project. Templated.
    :param predictions: COCO annotation file of a model (``images``, ``categories``, and ``annotations`` with
        ``score``): local path on the worker, or URL of an object store. Pictures are called as the tasks. Templated.
    :param source_conn_id: Airflow connection of the object store of ``predictions``. Templated.
    :param filter_status: only tasks of this status; ``None`` for any. Templated.
    :param filter_tags: only tasks that carry these tags. Templated.
    :param most: comments of one run at most, or tasks with ``comment=False``; the most suspicious come first. With a
        status, a task whose comments would not all fit waits for another run; one that has more of them than that gets
        them over several runs, and the status with the last. Templated.
    :param comment: whether to comment. Templated.
    :param status: status that the tasks get, such as ``sent_back``; ``None`` to leave it as it is. Templated.
    :param external_status: the same for the external status. Templated.
    :param tag: tag that says that a task has got the status. Templated.
    :param dry_run: change nothing, and log the first twenty comments and tasks. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "predictions",
        "source_conn_id",
        "filter_status",
        "filter_tags",
        "most",
        "comment",
        "status",
        "external_status",
        "tag",
        "dry_run",
    )
    operator_extra_links: Links = (PROJECT, TASKS)
    link_arguments: ClassVar[Mapping[str, str]] = {
        "project": "project", "status": "filter_status", "tags": "filter_tags",
    }  # fmt: skip
    after_leaving: ClassVar[AfterLeaving] = "goes on"
    numbers: ClassVar[Mapping[str, Number]] = {"most": Number(least=1, most=10_000)}
    flags: ClassVar[Sequence[str]] = ("comment", "dry_run")
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
        comment: bool | str = True,
        status: str | None = None,
        external_status: str | None = None,
        tag: str = "second_look",
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
        self.comment: Any = comment
        self.status = status
        self.external_status = external_status
        self.tag = tag
        self.dry_run: Any = dry_run

    def execute(self, context: Context) -> dict[str, Any]:
        """Look for suspicious labels and comment on them.

        :param context: Airflow's task context.
        :returns: the counts, see the class.
        :raises RunIncomplete: some comments or statuses could not be sent, or the work was ended early; all others are.
        :raises NotFound: the project does not exist.
        :raises FastLabelInvalidException: an argument rendered to what cannot be meant; nothing was sent.
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
            moves = self._moves(status, tags)
            predicted = None
            if self.predictions is not None:
                require_rendered("predictions", self.predictions, "Nothing was sent.")
                predicted = read_predictions(storage_path("predictions", self.predictions, self.source_conn_id))
            kind = self.client.kind_of_project(self.project).name
            tasks: Any = self.client.iter_tasks(self.project, kind, status=status, tags=tags)
            mover = self._mover(kind, moves)
            if mover is not None:
                tasks = mover.watch(tasks)
            found = by_rules(tasks) if predicted is None else by_model(tasks, predicted)
            summary = send_back(
                self.client, self.project, found, most=self.most, comment=self.comment, mover=mover,
                dry_run=self.dry_run, stop=self._stop,
            )  # fmt: skip
        self.log.info("Done: %s", summary)
        tell_of_project(self, context, summary)
        return summary

    def _moves(self, listed: str | None, tags: Sequence[str]) -> dict[str, str | None]:
        """Return the statuses that tasks get, and refuse what cannot be meant.

        :param listed: the status by which tasks are chosen.
        :param tags: the tags by which they are.
        """
        moves = {
            "status": task_status("status", self.status),
            "external_status": external_status("external_status", self.external_status),
        }
        if not any(moves.values()):
            if not self.comment:
                raise refused("comment is False, so give status or external_status. Nothing was sent.")
            return {}
        if moves["status"] is not None and moves["status"] == listed:
            raise refused(f"status and filter_status are both {listed!r}: no task would be moved. Nothing was sent.")
        require_rendered("tag", self.tag, "Nothing was sent.")
        if self.tag in tags:
            raise refused(f"tag {self.tag!r} is one of filter_tags: no task would be moved. Nothing was sent.")
        return moves

    def _mover(self, kind: str, moves: Mapping[str, str | None]) -> Mover | None:
        """Return what sets the statuses, if any is to be set."""
        from airflow_provider_fastlabel.pipelines.reviews.statuses import Mover

        return Mover(self.client, kind, self.tag, **moves) if moves else None

    def lineage(self, *, complete: bool) -> Edge:
        """Return the project, which is read and commented on, and the predictions."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        del complete
        read = [] if self.predictions is None else [storage_place(self.predictions)]
        return Edge([project_place(self.client, self.project), *read])

    def on_kill(self) -> None:
        """Send no more; a retry sends the rest."""
        if self._stop is not None:
            self._stop.set()
