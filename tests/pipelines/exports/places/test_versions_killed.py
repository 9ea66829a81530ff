"""Kills and races while versions are published: a reader finds one version, whole, at any moment."""

from __future__ import annotations

import pytest

from tests.pipelines.exports.places import dying_versions, racing_versions
from tests.pipelines.exports.places.apart import lines_of, store

pytestmark = pytest.mark.slow


@pytest.fixture(params=["local", "disk", "s3"])
def where(request):
    if request.param != "s3":
        yield request.param
        return
    with store() as address:
        yield address


def test_an_export_killed_at_any_step_leaves_the_old_or_the_new_and_the_next_one_no_orphan(tmp_path, where):
    cases = lines_of(dying_versions, where, str(tmp_path))
    for case in cases:
        assert case["found"] in (case["old"], case["new"]), case
        assert case["next"] == case["wanted"], case
        assert case["there"] == sorted(["current.json", "versions", *case["kept"]]), case
        assert len(case["kept"]) == 2, case
    killed = [case for case in cases if case["killed"]]
    assert len(killed) >= 20
    assert [case["killed"] for case in cases] == [True] * len(killed) + [False]
    assert killed[0]["found"] == killed[0]["old"]  # before anything was written
    assert killed[-1]["found"] == killed[-1]["new"]  # when only an earlier version was left to be removed


def test_of_two_exports_at_once_one_fails_and_nothing_is_mixed(tmp_path, where):
    for race in lines_of(racing_versions, where, str(tmp_path)):
        won = [one for one in race["came"] if one["error"] is None]
        lost = [one for one in race["came"] if one["error"] is not None]
        assert [len(won), len(lost)] == [1, 1], race
        assert lost[0]["error"].startswith("OvertakenError: Another export has published to "), race
        assert race["found"] == won[0]["files"], race
        assert race["there"] == sorted(["current.json", "versions", *race["kept"]]), race
