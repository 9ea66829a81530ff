"""The official SDK, unmodified, against the emulator; and our client, call by call the same."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client import FastLabelClient

from . import compare, differences
from .conftest import METHODS


def test_the_sdk_has_the_methods_we_know(runs):
    """A method that falls away or is new shows here."""
    assert runs.sdk["methods"] == METHODS


def test_our_client_has_every_method_of_the_sdk():
    """None is missing."""
    assert [name for name in METHODS if not callable(getattr(FastLabelClient, name, None))] == []


def test_the_driver_came_to_the_end(runs):
    """No preparation failed, so that every call was made."""
    assert (runs.sdk["broken"], runs.ours["broken"]) == ({}, {})


@pytest.mark.parametrize("method", METHODS)
def test_method_works_with_the_sdk(runs, method):
    """Every call has a result, or is refused where it must be."""
    calls = [call for call in runs.sdk["calls"] if call["method"] == method]
    assert any(not call["refused"] for call in calls)
    assert [call["error"] for call in calls if (call["error"] is not None) != call["refused"]] == []


@pytest.mark.parametrize("method", METHODS)
def test_method_works_with_our_client(runs, method):
    """The same calls have a result, or are refused, with our client."""
    calls = [call for call in runs.ours["calls"] if call["method"] == method]
    assert any(not call["refused"] for call in calls)
    assert [call["error"] for call in calls if (call["error"] is not None) != call["refused"]] == []


def test_requests_are_the_same_but_for_the_listed_differences(runs):
    """Verb, path, query, body and status, request by request."""
    differing = {
        sdk["method"]: (compare.requests(sdk), compare.requests(ours))
        for sdk, ours in runs.pairs()
        if compare.requests(sdk) != compare.requests(ours)
    }
    assert {method: pair for method, pair in differing.items() if method not in differences.WIRE} == {}
    assert set(differences.WIRE) - differing.keys() <= differences.ORDER_OF_THE_FOLDER


def test_our_files_of_a_folder_go_out_in_order(runs):
    """Frames are in ascending order of file names, whatever order the folder gives."""
    sent = [
        [content["name"] for content in request["body"]["contents"]]
        for call in runs.ours["calls"]
        for request in call["requests"]
        if "contents" in (request["body"] or {})
    ]
    assert len(sent) == 6
    assert sent == [sorted(names) for names in sent]


def test_results_are_the_same_but_for_the_listed_differences(runs):
    """What a call returns is the same."""
    differing = {
        sdk["method"]: (sdk["result"], ours["result"])
        for sdk, ours in runs.pairs()
        if compare.neutral(sdk["result"]) != compare.neutral(ours["result"])
    }
    assert {method: pair for method, pair in differing.items() if method not in differences.RESULTS} == {}
    assert set(differences.RESULTS) - differing.keys() == set()


def test_files_say_the_same_but_for_the_listed_differences(runs):
    """What a call writes says the same."""
    found = [(sdk["method"], compare.differing_files(sdk, ours, runs.folders)) for sdk, ours in runs.pairs()]
    differing = {method: files for method, files in found if files}
    assert {method: files for method, files in differing.items() if method not in differences.FILES} == {}
    assert set(differences.FILES) - differing.keys() == set()
