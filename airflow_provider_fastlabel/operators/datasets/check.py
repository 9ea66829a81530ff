"""Checks whether a data set is as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.standard.operators.branch import BranchMixIn

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.pipelines.checks.definition import MOST_BYTES, parse_checks, read_checks
from airflow_provider_fastlabel.utils.arguments import refused, require_rendered
from airflow_provider_fastlabel.utils.asset_events import storage_uri, tell_outlets
from airflow_provider_fastlabel.utils.checked_arguments import holds_reference
from airflow_provider_fastlabel.utils.links import PUBLISHED, facts_of_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.pipelines.checks.definition import Check
    from airflow_provider_fastlabel.pipelines.checks.results import Checked
    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links

__all__ = ["FastLabelCheckDatasetOperator"]

_RESULT = "return_value"


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
        told = {"dataset": shown, "passed": checked.passed, "counts": checked.counts()}
        tell_outlets(self, context, told, storage_uri(place))
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
