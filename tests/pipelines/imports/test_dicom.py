"""DICOM imports are started without Airflow; the operator's tests cover the rest."""

from __future__ import annotations

import struct
import zipfile

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.files.problems import ImportRefused, RunIncomplete
from airflow_provider_fastlabel.pipelines.imports.dicom import find_zips, start_imports
from airflow_provider_fastlabel.pipelines.running.run import OUTAGE


@pytest.fixture
def client(fastlabel_emulator):
    with FastLabelClient(fastlabel_emulator.token, api_url=fastlabel_emulator.url, max_retries=0) as client:
        client.create_project("dicom_bbox", "Scans", "scans")
        yield client


@pytest.fixture
def sources(client, tmp_path):
    for number in range(OUTAGE + 3):
        with zipfile.ZipFile(tmp_path / f"{number:02}.zip", "w") as archive:
            archive.writestr("1.dcm", "dicom")
    return list(find_zips(client, "scans", tmp_path, "**/*.zip").sources)


def test_each_start_is_remembered_before_it_happens_and_after_the_last(client, sources):
    begun = {"earlier.zip": "1"}
    remembered: list[dict[str, str]] = []
    known: list[list[str]] = []

    def remember(histories, **kept):
        remembered.append(kept)
        known.append(list(histories))

    start_imports(client, "scans", sources[:2], begun, remember=remember)
    assert [kept.get("starting") for kept in remembered] == ["00.zip", "01.zip", None]
    assert known == [["earlier.zip"], ["earlier.zip", "00.zip"], ["earlier.zip", "00.zip", "01.zip"]]
    histories = {history["id"]: history["createdAt"] for history in client.iter_histories("scans")}
    assert remembered[1]["newest_before"] == histories[begun["00.zip"]]


def test_nothing_to_start_asks_nothing(client, fastlabel_emulator):
    fastlabel_emulator.clear_requests()
    start_imports(client, "scans", [], {}, remember=lambda **_: pytest.fail("there is nothing to remember"))
    assert fastlabel_emulator.requests() == []


def test_an_outage_ends_the_run_and_says_what_was_not_tried(client, sources, fastlabel_emulator):
    begun: dict[str, str] = {}
    remembered: list[dict[str, object]] = []
    fastlabel_emulator.faults(
        {"method": "GET", "path": "files", "times": 1, "kind": "slow", "seconds": 0},
        {"method": "GET", "path": "files", "times": 99, "kind": "status", "status": 503},
    )
    with pytest.raises(RunIncomplete) as caught:
        start_imports(client, "scans", sources, begun, remember=lambda **kept: remembered.append(kept))
    text = str(caught.value)
    assert f"{OUTAGE} files in a row got no usable answer from FastLabel" in text
    assert f"{OUTAGE} import(s) into project scans could not be started. 2 were not tried. 1 others have begun" in text
    assert "'01.zip': " in text
    assert list(begun) == ["00.zip"]
    assert remembered[-1] == {"histories": begun}


def test_a_zip_that_says_it_spans_several_disks_is_refused_by_name(client, tmp_path):
    locator = struct.pack("<4sLQL", b"PK\6\7", 1, 0, 2)
    (tmp_path / "a.zip").write_bytes(locator + b"PK\5\6" + bytes(18))
    with pytest.raises(ImportRefused, match=r"'a\.zip': is not a readable zip file"):
        find_zips(client, "scans", tmp_path, "**/*.zip")
