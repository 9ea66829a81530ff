"""Makes a report of a project that people can look at, and checks whether a data set is as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.standard.operators.branch import BranchMixIn

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.pipelines.checks.definition import MOST_BYTES, parse_checks, read_checks
from airflow_provider_fastlabel.utils.arguments import (
    external_status,
    refused,
    rendered_texts,
    require_rendered,
    task_status,
)
from airflow_provider_fastlabel.utils.checked_arguments import holds_reference
from airflow_provider_fastlabel.utils.links import PROJECT, PUBLISHED, TASKS, facts_of_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.checks.definition import Check
    from airflow_provider_fastlabel.pipelines.checks.results import Checked
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links
    from airflow_provider_fastlabel.utils.slot import AfterLeaving

__all__ = ["FastLabelCheckDatasetOperator", "FastLabelReportOperator"]

_RESULT = "return_value"


class FastLabelReportOperator(FastLabelBaseOperator):
    """Make a report of a project: ``report.html``, one file that loads nothing, to be opened in any browser.

    It shows a contact sheet of the most suspicious labels, and as figures statuses, splits, classes, sizes, places,
    objects per picture, attributes, annotators, what was left out and what has changed since the report before. A click
    on any bar, point or cell shows its pictures. The file stays below 10 MB: of a large project it holds a choice of
    pictures, and says so; all counts are of everything. ``contact-sheet.jpg`` beside it shows the worst as one picture,
    and ``report.json`` holds the counts, from which the next report at the same place tells what has changed.

    The tasks are read once, and memory stays small at any number of tasks. The report names the annotators.

    Pushes ``{"output", "report", "tasks", "pictures", "objects", "suspicions", "photographs_missing",
    "photographs_damaged", "bytes", "sha256", "changed", "markdown"}``: counts, suspicions by kind, whether the report
    differs from the one before, and the contact sheet for the ``body`` of an approval; with ``output_conn_id`` if that
    is given, and ``worked_in``, the worker's folder, if the place is relative to it. Airflow shows the report in the
    tab "Dataset" of the task.

    :param project: slug of the project. Templated.
    :param output: folder that ``report.html`` is written into: local path on the worker, or URL of an object store that
        Airflow knows (``s3://bucket/prefix``), whose bucket must exist. It may be the ``output`` of an export, whose
        next run leaves the report where it is. Templated.
    :param output_conn_id: Airflow connection of the object store. Templated.
    :param dataset: the ``output`` of an export of the project, or the ``path`` of its result; of versions at ``output``
        the current one is meant. The report then shows its photographs (of an export with ``include_images``), its
        splits, and what it left out. Templated.
    :param dataset_conn_id: Airflow connection of the object store of ``dataset``. Templated.
    :param status: only tasks of this status; ``None`` or an empty text for any. Templated.
    :param external_status: only tasks of this external status. Templated.
    :param tags: only tasks that carry these tags, at most 10. Templated.
    :param include_images: download the photographs that are not in ``dataset``: as many as the file has room for, about
        a thousand. Without them the report draws labels on empty frames.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "project",
        "output_path",
        "output_conn_id",
        "dataset",
        "dataset_conn_id",
        "status",
        "external_status",
        "tags",
    )
    operator_extra_links: Links = (PROJECT, TASKS, PUBLISHED)
    link_arguments: ClassVar[Mapping[str, str]] = {"project": "project", "status": "status", "tags": "tags"}
    after_leaving: ClassVar[AfterLeaving] = "starts again"
    renamed: ClassVar[Mapping[str, str]] = {"output": "output_path"}
    ui_color = "#e6f4e1"

    def __init__(
        self,
        *,
        project: str,
        output: str,
        output_conn_id: str | None = None,
        dataset: str | None = None,
        dataset_conn_id: str | None = None,
        status: str | None = None,
        external_status: str | None = None,
        tags: Sequence[str] | None = None,
        include_images: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.output_path = output
        self.output_conn_id = output_conn_id
        self.dataset = dataset
        self.dataset_conn_id = dataset_conn_id
        self.status = status
        self.external_status = external_status
        self.tags = tags
        self.include_images = include_images

    def execute(self, context: Context) -> dict[str, Any]:
        """Make the report and write it.

        :param context: Airflow's task context.
        :returns: the summary, see the class.
        :raises FastLabelInvalidException: the project does not exist, or an argument rendered to what cannot be meant.
        :raises FileNotFoundError: there is no data set at ``dataset``, or the bucket of ``output`` does not exist.
        :raises DamagedFileError: the data set's manifest, or the last report's counts, are not as we write them.
        :raises OSError: the output cannot be written; the report that was there before stays.
        """
        from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
        from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
        from airflow_provider_fastlabel.pipelines.reports.project import ProjectReport
        from airflow_provider_fastlabel.utils.dataset_tab import readable, report_markdown
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        with self.working(context):
            target = real_place(storage_path("output", self.output_path, self.output_conn_id))
            self.show_links(context, **facts_of_output(target, self.output_path))
            refuse_missing_bucket(target, "output")
            filters = {
                "project": self.project,
                "status": task_status("status", self.status),
                "external_status": external_status("external_status", self.external_status),
                "tags": sorted(rendered_texts("tags", self.tags)),
            }
            dataset = self.dataset and storage_path("dataset", self.dataset, self.dataset_conn_id)
            made, changed = ProjectReport(
                client=self.client, filters=filters, target=target, dataset=dataset or None, fetch=self.include_images
            ).run()
        result = made.result(shown_place(self.output_path), changed=changed)
        return readable({**result, "markdown": report_markdown(context)}, self.output_conn_id)

    def what_stays(self) -> str:
        """Say what a call that failed leaves behind; see the base class."""
        return "Nothing was published; the report that was there before stays."

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the project to the report; a failed task has written none."""
        from airflow_provider_fastlabel.utils.lineage import Edge, project_place, storage_place

        source = project_place(self.client, self.project)
        return Edge([source], [storage_place(self.output_path)]) if complete else Edge([source])


class FastLabelCheckDatasetOperator(FastLabelBaseOperator, BranchMixIn):
    """Check a published data set by a list of checks, and fail, warn, or choose which tasks follow.

    Each check is a dictionary: ``check``, its name, its arguments, and ``severity``, ``fail`` (default) or ``warn``.
    The checks are ``approved``, ``open_comments``, ``unlabelled_pictures``, ``objects_per_class``, ``class_balance``,
    ``class_drift``, ``tiny_boxes``, ``overlapping_boxes``, ``split_leak``, ``agreement`` and ``sample_size``; the page
    "Check a data set" says what each means. The list is checked before anything is read, when the DAG is parsed already
    if no template is in it. Nothing is written, and FastLabel is asked only for ``approved`` and ``open_comments``.

    The log shows all results as a table. Pushes ``{"dataset", "passed", "counts", "failures", "markdown"}``, also when
    it fails: how many checks passed, failed and warned; what was expected, what is, and at most ten examples of each
    check that did not pass; and the same as a short text for the ``body`` of an approval. For OpenLineage the results
    are data quality assertions of the data set.

    :param dataset: the ``output`` of an export. Templated.
    :param checks: the list, or the path or URL of a YAML file with it. Templated.
    :param mode: what becomes of a data set that failed a check which is no warning. ``fail``: the task fails, without a
        retry. ``warn``: it succeeds. ``branch``: it succeeds, and only the tasks follow that are named below.
    :param follow_task_ids_if_true: for ``branch``: the task or tasks right behind this one that follow if it passed;
        the others are skipped.
    :param follow_task_ids_if_false: the same if it did not pass.
    :param earlier_dataset: an earlier version of the data set, for ``class_drift``. Templated.
    :param second_dataset: the data set of a second annotator of the same pictures, for ``agreement``. Templated.
    :param dataset_conn_id: Airflow connection of the object store of the data sets. Templated.
    :param source_conn_id: Airflow connection of the object store of ``checks``, where that is a URL. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "dataset",
        "checks",
        "earlier_dataset",
        "second_dataset",
        "dataset_conn_id",
        "source_conn_id",
    )
    operator_extra_links: Links = (PUBLISHED,)
    inherits_from_skipmixin: ClassVar[bool] = True
    ui_color = "#e6f4e1"

    _checked: Checked | None = None

    def __init__(
        self,
        *,
        dataset: str,
        checks: Sequence[Mapping[str, Any]] | str,
        mode: Literal["fail", "warn", "branch"] = "fail",
        follow_task_ids_if_true: str | Sequence[str] | None = None,
        follow_task_ids_if_false: str | Sequence[str] | None = None,
        earlier_dataset: str | None = None,
        second_dataset: str | None = None,
        dataset_conn_id: str | None = None,
        source_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        ways = (follow_task_ids_if_true, follow_task_ids_if_false)
        if (mode == "branch") != all(ways) or (mode != "branch" and any(ways)):
            raise refused(
                "follow_task_ids_if_true and follow_task_ids_if_false go together with mode='branch': give all or none."
            )
        if not isinstance(checks, str) and not holds_reference(checks):
            read_checks(checks)
        self.dataset = dataset
        self.checks = checks
        self.mode: Literal["fail", "warn", "branch"] = mode
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.earlier_dataset = earlier_dataset
        self.second_dataset = second_dataset
        self.dataset_conn_id = dataset_conn_id
        self.source_conn_id = source_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the data set.

        :param context: Airflow's task context.
        :returns: the summary, see the class.
        :raises ChecksFailedError: a check failed, and ``mode`` is ``fail``.
        :raises InvalidChecksError: the list of checks is not right; nothing was read.
        :raises FastLabelInvalidException: an argument rendered to what cannot be meant, or nothing can be read back
            from such a data set.
        :raises FileNotFoundError: there is no data set, or no file of checks.
        :raises DamagedFileError: a manifest is not as an export writes it.
        :raises OSError: a data set cannot be read.
        """
        from airflow_provider_fastlabel.pipelines.checks.run import CLIENT_CHECKS, check_dataset
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        with self.working(context):
            checks = self._read_checks()
            place = storage_path("dataset", self.dataset, self.dataset_conn_id)
            others = [
                storage_path(name, getattr(self, name), self.dataset_conn_id) if getattr(self, name) else None
                for name in ("earlier_dataset", "second_dataset")
            ]
            self.show_links(context, **facts_of_output(place, self.dataset))
            asks = any(check.name in CLIENT_CHECKS for check in checks)
            client = self.client if asks else None
            checked = check_dataset(place, checks, earlier_dataset=others[0], second_dataset=others[1], client=client)
            self._checked = checked
            shown = shown_place(self.dataset)
            summary = {"dataset": shown, **checked.to_dict(), "markdown": checked.markdown()}
            if self.mode == "fail" and not checked.passed:
                self._push(context, summary)
                checked.refuse_failed(shown)
        if self.mode == "branch":
            # Airflow ends a task that skips others by an exception, and pushes no result then.
            self._push(context, summary)
            follow = self.follow_task_ids_if_true if checked.passed else self.follow_task_ids_if_false
            self.do_branch(context, follow)
        return summary

    def lineage(self, *, complete: bool) -> Edge:
        """Return the data sets that were read, with the results as facts of the one that was checked."""
        from airflow_provider_fastlabel.utils.lineage import Edge, storage_place

        del complete
        results = self._checked.results if self._checked is not None else ()
        assertions = [
            {
                "assertion": each.assertion,
                "success": each.passed,
                "severity": "error" if each.severity == "fail" else "warn",
                "expected": each.expected,
                "actual": each.actual,
            }
            for each in results
        ]
        others = [place for place in (self.earlier_dataset, self.second_dataset) if place]
        return Edge([storage_place(self.dataset, assertions=assertions), *map(storage_place, others)])

    def _push(self, context: Context, summary: dict[str, Any]) -> None:
        if self.do_xcom_push:
            context["ti"].xcom_push(key=_RESULT, value=summary)

    def _read_checks(self) -> tuple[Check, ...]:
        """Read the list, or the file that holds it."""
        from airflow_provider_fastlabel.pipelines.files.local_path import open_place
        from airflow_provider_fastlabel.utils.object_stores import storage_path

        if not isinstance(self.checks, str):
            return read_checks(self.checks)
        require_rendered("checks", self.checks)
        path = storage_path("checks", self.checks, self.source_conn_id)
        try:
            with open_place(path) as source:
                data = source.read(MOST_BYTES + 1)
        except FileNotFoundError:
            raise FileNotFoundError(f"There is no file of checks {self.checks}. Nothing was read.") from None
        return parse_checks(data, self.checks)
