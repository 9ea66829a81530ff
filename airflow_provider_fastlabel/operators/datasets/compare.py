"""Compares two versions of a data set: what came, what went, and what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_fastlabel.operators.base import FastLabelBaseOperator
from airflow_provider_fastlabel.utils.asset_events import storage_uri, tell_outlets
from airflow_provider_fastlabel.utils.links import PUBLISHED, facts_of_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_fastlabel.utils.lineage import Edge
    from airflow_provider_fastlabel.utils.links import Links

__all__ = ["FastLabelCompareDatasetsOperator"]


class FastLabelCompareDatasetsOperator(FastLabelBaseOperator):
    """Compare two versions of a data set, or two data sets, that exports have published.

    It tells which pictures were added, removed, or have other bytes; and which objects were added, removed, moved,
    resized, reshaped, reclassed, or have other attributes, in all and of each class. Pictures are the same by their
    names; objects of a picture by how they are drawn, and then by how much they overlap. FastLabel is not asked.

    Pushes ``{"before", "after", "compared", "changed", "pictures", "objects", "unread", "output", "markdown"}``:
    counts, and a short text for the ``body`` of an approval or for a comment, which the log shows too. Where there is
    no earlier version, ``compared`` is ``False``, the text says so, and the task succeeds. Assets in ``outlets`` get
    the counts.

    With ``output`` three files are written there: ``comparison.json`` with all counts, ``comparison.md`` with the text,
    and ``changes.jsonl`` with a line for each picture and object that changed.

    :param before: the ``output`` of an export: the earlier version. ``None`` or an empty text for none, as on the first
        run. Templated.
    :param after: the ``output`` of an export: the later version. Templated.
    :param before_conn_id: Airflow connection of the object store of ``before``. Templated.
    :param after_conn_id: Airflow connection of the object store of ``after``. Templated.
    :param output: folder for the files: local path on the worker, or URL of an object store that Airflow knows
        (``s3://bucket/prefix``), whose bucket must exist. It may be the folder of ``after``, whose next export leaves
        the files where they are. ``None`` to write none. Templated.
    :param output_conn_id: Airflow connection of the object store of ``output``. Templated.
    """

    template_fields: Sequence[str] = (
        *FastLabelBaseOperator.template_fields,
        "before",
        "after",
        "before_conn_id",
        "after_conn_id",
        "output_path",
        "output_conn_id",
    )
    operator_extra_links: Links = (PUBLISHED,)
    renamed: ClassVar[Mapping[str, str]] = {"output": "output_path"}
    ui_color = "#e6f4e1"

    def __init__(
        self,
        *,
        before: str | None,
        after: str,
        before_conn_id: str | None = None,
        after_conn_id: str | None = None,
        output: str | None = None,
        output_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.before = before
        self.after = after
        self.before_conn_id = before_conn_id
        self.after_conn_id = after_conn_id
        self.output_path = output
        self.output_conn_id = output_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare the two versions.

        :param context: Airflow's task context.
        :returns: the summary, see the class.
        :raises FastLabelInvalidException: an argument rendered to what cannot be meant, or nothing can be read back
            from such a data set.
        :raises FileNotFoundError: there is no data set at ``after``, or the bucket of ``output`` does not exist.
        :raises DamagedFileError: a manifest is not as an export writes it.
        :raises OSError: a data set cannot be read, or ``output`` cannot be written.
        """
        from airflow_provider_fastlabel.pipelines.comparisons.run import compare_datasets
        from airflow_provider_fastlabel.pipelines.exports.places.local_folder import real_place
        from airflow_provider_fastlabel.pipelines.files.buckets import refuse_missing_bucket
        from airflow_provider_fastlabel.utils.object_stores import shown_place, storage_path

        with self.working(context):
            after = storage_path("after", self.after, self.after_conn_id)
            before = self.before and storage_path("before", self.before, self.before_conn_id)
            output = self.output_path and storage_path("output", self.output_path, self.output_conn_id)
            if output:
                output = real_place(output)
                refuse_missing_bucket(output, "output")
            self.show_links(context, **facts_of_output(after, self.after))
            comparison = compare_datasets(before or None, after, output=output or None)
        shown = shown_place(self.before) if self.before else None
        text = "There is no earlier version to compare with." if comparison is None else comparison.markdown()
        counts = {"compared": comparison is not None, **({} if comparison is None else comparison.counts())}
        self.log.info("Compared %s with %s:\n%s", shown_place(self.after), shown, text)
        tell_outlets(self, context, counts, storage_uri(after))
        place = shown_place(self.output_path) if self.output_path and comparison is not None else None
        return {"before": shown, "after": shown_place(self.after), **counts, "output": place, "markdown": text}

    def lineage(self, *, complete: bool) -> Edge:
        """Return the edge from the two versions to what was written; a failed task has written nothing whole."""
        from airflow_provider_fastlabel.utils.lineage import Edge, storage_place

        read = [storage_place(place) for place in (self.before, self.after) if place]
        return Edge(read, [storage_place(self.output_path)]) if complete and self.output_path else Edge(read)
