"""What a store's failure says: the place, what the store said, what stays, what to do."""

from __future__ import annotations

import pickle

import pytest
from upath import UPath

from airflow_provider_fastlabel.pipelines.files.buckets import StoreFailedError, store_asked, store_listed, store_read

PLACE = UPath("memory://sets/photos")


def test_who_asked_first_says_what_stays_once_and_the_innermost_place_is_named():
    with (
        pytest.raises(StoreFailedError) as told,
        store_asked(PLACE, "cannot be looked at", "Nothing was published."),
        store_read(PLACE / "manifest.json"),
    ):
        raise PermissionError("Access Denied")
    said = str(told.value)
    assert said.startswith(
        "memory://sets/photos/manifest.json cannot be read (PermissionError: Access Denied). Nothing"
    )
    assert (said.count("Nothing was"), said.count("Check the address")) == (1, 1)
    assert "Nothing was published." in said
    assert isinstance(told.value.__cause__, PermissionError)


def test_a_failure_is_the_same_in_another_process():
    with pytest.raises(StoreFailedError) as told, store_listed(PLACE):
        raise TimeoutError("no answer")
    again = pickle.loads(pickle.dumps(told.value))
    assert (type(again), str(again)) == (StoreFailedError, str(told.value))


@pytest.mark.parametrize(
    "error", [FileNotFoundError("gone"), NotADirectoryError("a file"), IsADirectoryError("a folder")]
)
def test_what_is_not_there_is_no_failure_of_the_store(error):
    with pytest.raises(type(error)), store_read(PLACE):
        raise error
