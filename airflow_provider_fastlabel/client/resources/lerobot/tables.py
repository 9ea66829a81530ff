"""Parquet files of a LeRobot dataset, read piece by piece: a file of a few kilobytes may hold a billion rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_fastlabel.client.exceptions import FastLabelInvalidException

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_EPISODES = 1_000_000
"""Episodes that the table of a dataset may list."""
_MOST_BYTES = 1 << 27
"""Memory that the rows of an episode may take in Arrow's form; as Python's values they take some ten times as much."""
MOST_VALUES = 1 << 26
"""Values of a column of a row group, which is what is decoded at a time: lists count with all that is in them."""
_ROWS = 1 << 10


def rows_of(
    file: Any, where: str, *, most: int, columns: Sequence[str] | None = None, episode: int | None = None
) -> Iterator[dict[str, Any]]:
    """Read the rows of a file, one after the other.

    :param file: the file, open for reading bytes
    :param where: the file, for messages
    :param most: how many rows there may be
    :param columns: which to read, all by default
    :param episode: the only ``episode_index`` to read
    :returns: plain Python values by column name
    :raises FastLabelInvalidException: (422) there are more rows, or they would take too much memory
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    source = pq.ParquetFile(file)
    if episode is not None and "episode_index" not in source.schema_arrow.names:
        raise FastLabelInvalidException(f"{where} cannot be read: it has no column episode_index.", 422)
    count = size = 0
    for found in source.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False):
        # By a mask, not by an expression: pyarrow before 21 fails where no row of a batch fits one.
        batch = found
        if episode is not None:
            batch = found.filter(pc.equal(found["episode_index"], episode))  # pyright: ignore[reportAttributeAccessIssue]
        count, size = count + batch.num_rows, size + batch.nbytes
        if count > most or size > _MOST_BYTES:
            much = f"{most:,} rows" if count > most else f"{_MOST_BYTES >> 20} MB"
            raise FastLabelInvalidException(f"{where} holds more than the {much} that it may hold.", 422)
        yield from batch.to_pylist()
