"""Compares two published data sets, or two versions of one: :func:`compare_datasets` is the door.

Each is read once, into some sixty bytes an object. How objects are paired, and what the kinds of change mean, says
:mod:`.objects`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException
from airflow_provider_fastlabel.foreign_text import foreign_text
from airflow_provider_fastlabel.formats.files import is_image
from airflow_provider_fastlabel.formats.writing.json_bytes import dumps
from airflow_provider_fastlabel.pipelines.checks.labels import read_labels
from airflow_provider_fastlabel.pipelines.comparisons.objects import KINDS, pair_objects
from airflow_provider_fastlabel.pipelines.comparisons.result import (
    MOST_CLASSES,
    OBJECT_COUNTS,
    ClassChange,
    Comparison,
    Version,
)
from airflow_provider_fastlabel.pipelines.exports.manifests import DamagedFileError
from airflow_provider_fastlabel.pipelines.exports.places.pointer import NoDatasetError
from airflow_provider_fastlabel.pipelines.files.placed import put_file
from airflow_provider_fastlabel.pipelines.reports.dataset import PublishedDataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_fastlabel.pipelines.checks.labels import Labels
    from airflow_provider_fastlabel.pipelines.comparisons.objects import Numbers, Pairing

log: logging.Logger = logging.getLogger(__name__)

SUMMARY, TEXT, LIST = "comparison.json", "comparison.md", "changes.jsonl"
"""What is written: all numbers, a short text, and a line for each picture or object that changed."""
SAME_FORMAT, OTHER_FORMAT = 0.01, 1.0
"""Pixels by which lengths may differ without being different: a format may round to whole pixels."""
_EXAMPLES = 20


def compare_datasets(before: Any, after: Any, *, output: Any = None) -> Comparison | None:
    """Compare two versions of a data set, or two data sets, that exports have published.

    :param before: folder of the earlier version: a local path, or an object with its interface in an object store;
        ``None`` if there is none.
    :param after: folder of the later version.
    :param output: folder for :data:`SUMMARY`, :data:`TEXT` and :data:`LIST`, each written whole or not at all; ``None``
        to write nothing.
    :returns: what has changed; ``None`` if there is no data set at ``before``, and then nothing is written.
    :raises FileNotFoundError: there is no data set at ``after``.
    :raises DamagedFileError: a manifest is not as an export writes it.
    :raises FastLabelInvalidException: a data set has a format from which no objects can be read back.
    :raises DamagedDatasetError: a file of the later one is not as its format wants it.
    :raises OSError: a data set cannot be read, or ``output`` cannot be written.
    """
    later = PublishedDataset(after)
    earlier = None if before is None else published_at(before)
    if earlier is None:
        log.info("There is no earlier version (%s), so nothing was compared", before or "none was given")
        return None
    found = compare_published(earlier, later)
    if output is not None:
        put_file(output, LIST, _lines(found.pictures, *found.labels, found.pairing))
        put_file(output, TEXT, (found.comparison.markdown().encode("utf-8", "replace"), b"\n"))
        put_file(output, SUMMARY, (dumps(found.comparison.to_dict()),))
    return found.comparison


class EarlierVersionError(FastLabelInvalidException):
    """The earlier of two versions is not as an export wrote it. Nothing was compared."""


@dataclass(frozen=True)
class Compared:
    """Two versions, and all that was found, some hundred bytes an object.

    :param comparison: what has changed, in numbers.
    :param published: the earlier version and the later.
    :param labels: the objects of each.
    :param pairing: which is which.
    :param pictures: names of those that were ``added``, ``removed``, ``changed`` or ``compared``; each sorted.
    """

    comparison: Comparison
    published: tuple[PublishedDataset, PublishedDataset]
    labels: tuple[Labels, Labels]
    pairing: Pairing
    pictures: Mapping[str, list[str]]


def compare_published(earlier: PublishedDataset, later: PublishedDataset) -> Compared:
    """Compare two data sets whose manifests were read.

    :param earlier: the earlier version.
    :param later: the later one.
    :raises FastLabelInvalidException: a data set has a format from which no objects can be read back.
    :raises EarlierVersionError: a file of the earlier version is not as its format wants it, or is gone.
    :raises DamagedDatasetError: a file of the later one is not as its format wants it.
    :raises OSError: a data set cannot be read.
    """
    labels = read_labels(later)
    known = _of_earlier(earlier) if earlier.files != later.files else labels
    fine = earlier.manifest.get("format") == later.manifest.get("format")
    pairing = pair_objects(known, labels, tolerance=SAME_FORMAT if fine else OTHER_FORMAT, fine=fine)
    pictures = _pictures(earlier, later, known, labels)
    comparison = _comparison((earlier, later), (known, labels), pairing, pictures, fine=fine)
    return Compared(comparison, (earlier, later), (known, labels), pairing, pictures)


def _of_earlier(published: PublishedDataset) -> Labels:
    """Read the earlier version; what is wrong with it is told from what is wrong with the later one."""
    try:
        return read_labels(published)
    except (DamagedFileError, FileNotFoundError) as error:
        raise EarlierVersionError(str(error)) from error


def published_at(place: Any) -> PublishedDataset | None:
    """Return the data set at a place, if there is one.

    :param place: its folder, or the place in which it is the current version.
    :raises DamagedFileError: its manifest is not as an export writes it.
    """
    try:
        return PublishedDataset(place)
    except NoDatasetError:
        return None


def _pictures(
    earlier: PublishedDataset, later: PublishedDataset, known: Labels, labels: Labels
) -> dict[str, list[str]]:
    """Return which pictures were added, removed or changed, and which were compared; each sorted."""
    digests = [_digests(published) for published in (earlier, later)]
    names = [{*own.pictures, *found} for own, found in zip((known, labels), digests, strict=True)]
    both = [name for name in digests[0].keys() & digests[1].keys() if digests[0][name] and digests[1][name]]
    return {
        "added": sorted(names[1] - names[0]),
        "removed": sorted(names[0] - names[1]),
        "changed": sorted(name for name in both if digests[0][name] != digests[1][name]),
        "compared": sorted(both),
    }


def _digests(published: PublishedDataset) -> dict[str, str]:
    """Return the SHA-256 of each picture of a data set, by its name, as the manifest says."""
    beside = published.manifest.get("format") == "labelme"
    return {
        published.told_apart(path)[0]: digest
        for path, digest in published.files.items()
        if (beside or path.startswith("images/")) and is_image(path)
    }


def _comparison(
    published: tuple[PublishedDataset, PublishedDataset],
    labels: tuple[Labels, Labels],
    pairing: Pairing,
    pictures: Mapping[str, list[str]],
    *,
    fine: bool,
) -> Comparison:
    """Count what was found."""
    changed = pairing.changes.any(axis=1)
    classes, reclassed = _classes(pairing)
    objects = {"added": len(pairing.added), "removed": len(pairing.removed)}
    objects |= dict(zip(KINDS, pairing.changes.sum(axis=0).tolist(), strict=True))
    objects |= {"changed": int(changed.sum()), "unchanged": int((~changed).sum())}
    once = {*pictures["added"], *pictures["removed"]}
    touched = np.unique(
        np.concatenate(
            [
                pairing.picture[0][pairing.first[changed]],
                pairing.picture[0][pairing.removed],
                pairing.picture[1][pairing.added],
            ]
        )
    )
    relabelled = sorted(name for number in touched.tolist() if (name := pairing.pictures[number]) not in once)
    named = {**{name: pictures[name] for name in ("added", "removed", "changed")}, "relabelled": relabelled}
    versions = [
        Version(
            foreign_text(one.manifest.get("format"), 60),
            len({*own.pictures, *_digests(one)}),
            len(own.kind),
            own.unread.count,
            own.unread.examples,
        )
        for one, own in zip(published, labels, strict=True)
    ]
    return Comparison(
        before=versions[0],
        after=versions[1],
        pictures={**{what: len(names) for what, names in named.items()}, "compared": len(pictures["compared"])},
        objects=objects,
        classes=classes[:MOST_CLASSES],
        reclassed=reclassed[:MOST_CLASSES],
        examples={what: names[:_EXAMPLES] for what, names in named.items()},
        fine=fine,
    )


def _classes(pairing: Pairing) -> tuple[list[ClassChange], list[tuple[str, str, int]]]:
    """Count what has become of each class, and which became which."""

    def counts(kinds: Numbers) -> Numbers:
        return np.bincount(kinds, minlength=len(pairing.classes)).astype(np.int64)

    one, other = pairing.kind
    now = other[pairing.second]
    columns = [counts(other[pairing.added]), counts(one[pairing.removed])]
    columns += [counts(now[happened]) for happened in pairing.changes.T]
    before, after = counts(one).tolist(), counts(other).tolist()
    rows = np.array(columns).T.tolist()
    reclassed = pairing.reclassed()
    left = {value for value, _, _ in reclassed}
    found = [
        ClassChange(value, before[at], after[at], dict(zip(OBJECT_COUNTS, rows[at], strict=True)))
        for at, value in enumerate(pairing.classes)
        if any(rows[at]) or value in left
    ]
    found.sort(key=lambda each: (-sum(each.counts.values()), each.value))
    return found, reclassed


def _lines(pictures: Mapping[str, list[str]], known: Labels, labels: Labels, pairing: Pairing) -> Iterator[bytes]:
    """Yield a line for each picture and object that changed: pictures by name, then objects, picture by picture."""
    for became in ("added", "removed", "changed"):
        for name in pictures[became]:
            yield dumps({"picture": name, "what": [f"picture {became}"]}) + b"\n"
    changed = np.flatnonzero(pairing.changes.any(axis=1))
    gone, new = np.full(len(pairing.removed), -1), np.full(len(pairing.added), -1)
    rows = np.concatenate(
        [
            np.column_stack([pairing.first[changed], pairing.second[changed], changed]),
            np.column_stack([pairing.removed, gone, gone]),
            np.column_stack([new, pairing.added, new]),
        ]
    )
    where = np.where(rows[:, 0] < 0, _at(pairing.picture[1], rows[:, 1]), _at(pairing.picture[0], rows[:, 0]))
    for at in np.lexsort((rows[:, 1], rows[:, 0], where)).tolist():
        first, second, pair = rows[at].tolist()
        what = [name for name, so in zip(KINDS, pairing.changes[pair], strict=True) if so] if pair >= 0 else []
        line = {
            "picture": pairing.pictures[where[at]],
            "what": what or ["removed" if second < 0 else "added"],
            "before": _object(known, first),
            "after": _object(labels, second),
        }
        yield dumps(line) + b"\n"


def _at(numbers: Numbers, rows: Numbers) -> Numbers:
    """Return numbers by their rows; 0 for the row -1."""
    return np.append(numbers, 0)[rows]


def _object(labels: Labels, row: int) -> dict[str, Any] | None:
    """Describe an object; ``None`` for the row -1."""
    if row < 0:
        return None
    box: Iterable[float] = labels.boxes[row].tolist()
    return {"class": labels.classes[labels.kind[row]], "box": [round(number, 3) for number in box]}
