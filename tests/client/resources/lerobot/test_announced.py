"""Sizes of parquet files: a file over which pyarrow ends its process is an error like any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_fastlabel.client.resources.lerobot.announced import most_values

DESCRIBE = """
import sys, pyarrow.parquet as pq
metadata = pq.ParquetFile(sys.argv[1]).metadata
print([metadata.row_group(0).column(number).num_values for number in range(2)])
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"episode_index": [1, 2], "state": [[1.0], [2.0, 3.0]]}), path)
    return path


def test_the_longest_column_counts_with_what_is_in_its_lists(table):
    assert most_values(table) == 3
    pq.write_table(pa.table({"a": np.zeros(5000), "b": np.zeros(5000)}), table, row_group_size=2000)
    assert most_values(table) == 2000
    pq.write_table(pa.table({"a": []}), table)
    assert most_values(table) == 0


def test_a_file_over_which_pyarrow_aborts_is_an_error_and_the_next_is_read(table, tmp_path):
    whole = table.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    spoilt = tmp_path / "spoilt.parquet"
    said: dict[str, bytes] = {}
    for at in range(footer, footer + 80):
        spoilt.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        try:
            most_values(spoilt)
        except (ValueError, OSError) as error:
            said.setdefault(str(error), spoilt.read_bytes())
    assert len(said) > 1
    assert most_values(table) == 3
    if damaged := said.get("its description of its own columns is damaged"):
        spoilt.write_bytes(damaged)
        done = subprocess.run([sys.executable, "-c", DESCRIBE, spoilt], capture_output=True, check=False)
        assert done.returncode == -signal.SIGABRT


@pytest.mark.parametrize("name", ["no\nnewline", "\udcff", "none"])
def test_any_name_is_asked_for(table, tmp_path, name):
    if name != "none":
        table.rename(tmp_path / name)
        assert most_values(tmp_path / name) == 3
    else:
        with pytest.raises(OSError, match="No such file"):
            most_values(tmp_path / name)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="named pipe"):
        most_values(tmp_path / "pipe")


def test_modules_in_the_current_folder_are_not_loaded(table, tmp_path):
    (tmp_path / "pyarrow.py").write_text("raise SystemExit(3)")
    ask = f"from {most_values.__module__} import most_values; print(most_values({str(table)!r}))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "3\n"


def test_a_child_that_cannot_start_is_not_blamed_on_the_file(table):
    ask = f"import sys; from {most_values.__module__} import most_values; sys.executable = '/bin/false'; "
    done = subprocess.run(
        [sys.executable, "-c", ask + f"most_values({str(table)!r})"], capture_output=True, text=True, check=False
    )
    assert "OSError: no process could be started that looks at it" in done.stderr
