"""What an export tells of itself: a small result, and the same in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.formats.writing.naming import LEFT_OUT_FILE
from airflow_provider_fastlabel.pipelines.running.progress import results

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_fastlabel.formats.writing.report import ExportReport
    from airflow_provider_fastlabel.pipelines.exports.publish import Published


def result_of(place: str, format: str, report: ExportReport, published: Published) -> dict[str, Any]:
    """Return what an export did, small enough for an XCom.

    :param place: where the data set is published, as a reader finds it.
    :param format: name of the format.
    :param report: what the writer did.
    :param published: what publishing did.
    """
    path = f"{place.rstrip('/')}/{published.path}" if published.path else place
    listed = f"{path.rstrip('/')}/{LEFT_OUT_FILE}" if report.left_out and report.left_out.rows else None
    return {
        "output": place,
        "path": path,
        "format": format,
        **report.to_dict(),
        "sha256": published.digest,
        "changed": published.changed,
        "class_changes": report.class_changes,
        "left_out": listed,
    }


def say_result(result: Mapping[str, Any]) -> None:
    """Write into the log what an export did.

    :param result: as :func:`result_of` returned it.
    """
    words = "Published" if result["changed"] else "Nothing has changed, so nothing was published:"
    results.info(
        "%s %s with %d images and %d annotations (left out: %s; adjusted: %s)",
        words,
        result["path"],
        result["images"],
        result["annotations"],
        result["skipped"] or "none",
        result["adjusted"] or "none",
    )
    if result["left_out"]:
        results.info("What was left out is listed in %s", result["left_out"])
    for split, got in result.get("splits", {}).items():
        share = f"{got['share']:.1%} of the images, {got['asked']:.1%} asked for"
        results.info("Split %s has %d images: %s", split, got["images"], share)
