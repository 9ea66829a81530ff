"""Values of strangers are put into words, also those that Python itself cannot write out."""

from __future__ import annotations

from airflow_provider_fastlabel.words import shortened


def test_a_value_is_written_as_python_writes_it_up_to_a_length():
    assert shortened("dog") == "'dog'"
    assert shortened("d" * 100, 10) == "'dddddd..."


def test_what_python_cannot_write_out_is_named_by_its_type():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert shortened(deep) == "<list that cannot be written out>"
    assert shortened(10**5000) == "<int that cannot be written out>"
