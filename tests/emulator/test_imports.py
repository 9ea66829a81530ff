"""S3 imports, import histories, DICOM zips, monitoring, annotators."""

from __future__ import annotations

import http.server
import io
import threading
import time
import zipfile
from typing import Any

import boto3
import pytest
import requests

from airflow_provider_fastlabel.emulator import Emulator

from .conftest import Api, picture, picture_bytes

BOX = {"type": "bbox", "value": "cat", "points": [1, 2, 5, 4]}


def wait(read, status="completed"):
    for _ in range(200):
        history = read()
        if history["status"] != "running":
            assert history["status"] == status, history
            return history
        time.sleep(0.02)
    raise AssertionError("still running")


@pytest.fixture
def bucket(s3_address, cats):
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=s3_address, **keys)
    client.create_bucket(Bucket="photos")
    for key, data in {
        "in/a.png": picture_bytes(),
        "in/deep/b.PNG": picture_bytes(9, 7),
        "in/readme.txt": b"no image",
        "in/broken.png": b"no image",
        "out/c.png": picture_bytes(),
    }.items():
        client.put_object(Bucket="photos", Key=key, Body=data)
    cats.emulator.configure(s3_endpoint=s3_address, history_seconds=0)
    yield client
    client.close()


def link(api: Api, **fields):
    return api("PUT", "storages/aws-s3/cats", {"bucketName": "photos", "bucketRegion": "us-east-1"} | fields)


def test_an_s3_import_lists_the_bucket_and_makes_each_file_one_task(cats, bucket):
    assert "storage" in cats.refused(422, "POST", "tasks/aws-s3", {"project": "cats"})
    assert link(cats, prefix="in") == "success"
    body = {"project": "cats", "status": "registered", "tags": ["night"], "priority": 10}
    history = cats("POST", "tasks/aws-s3", body)
    assert (history["status"], history["storageType"]) == ("running", "aws-s3")
    done = wait(lambda: cats("GET", f"tasks/import/histories/{history['id']}"))
    assert done["count"] == 2
    assert cats("GET", "tasks/import/status/aws-s3/cats") == done
    tasks = cats("GET", "tasks/image", project="cats")
    assert [(t["name"], t["width"], t["tags"], t["priority"]) for t in tasks] == [
        ("in/a.png", 8, ["night"], 10),
        ("in/deep/b.PNG", 9, ["night"], 10),
    ]
    assert requests.get(tasks[0]["url"], timeout=60).content == picture_bytes()

    link(cats)
    again = cats("POST", "tasks/aws-s3", body)
    assert wait(lambda: cats("GET", f"tasks/import/histories/{again['id']}"))["count"] == 1
    assert [h["id"] for h in cats("GET", "tasks/import/histories", project="cats")] == [history["id"], again["id"]]


def test_an_import_of_a_missing_bucket_fails_and_says_so(cats, bucket):
    link(cats, bucketName="nowhere")
    history = cats("POST", "tasks/aws-s3", {"project": "cats"})
    failed = wait(lambda: cats("GET", f"tasks/import/histories/{history['id']}"), "failed")
    assert "nowhere" in failed["msgCode"]
    assert failed["msgLevel"] == "error"


def test_imports_can_be_made_to_fail_or_to_wait_for_reads_or_for_a_hand(cats, bucket):
    link(cats)
    cats.emulator.configure(fail_histories=1)
    first = cats("POST", "tasks/aws-s3", {"project": "cats"})
    wait(lambda: cats("GET", f"tasks/import/histories/{first['id']}"), "failed")
    assert cats("GET", "tasks/count", project="cats") == 0

    cats.emulator.configure(history_manual=True)
    second = cats("POST", "tasks/aws-s3", {"project": "cats"})
    cats.emulator.advance(3600)
    assert cats("GET", f"tasks/import/histories/{second['id']}")["status"] == "running"
    cats.emulator.settle_history(second["id"], status="failed", message="no_rights")
    assert cats("GET", f"tasks/import/histories/{second['id']}")["msgCode"] == "no_rights"

    cats.emulator.configure(history_manual=False, history_reads=1000)
    third = cats("POST", "tasks/aws-s3", {"project": "cats"})
    assert cats("GET", f"tasks/import/histories/{third['id']}")["status"] == "running"
    cats.emulator.configure(history_reads=3)
    wait(lambda: cats("GET", f"tasks/import/histories/{third['id']}"))
    assert cats("GET", "tasks/count", project="cats") == 3


def test_an_import_runs_as_long_as_the_clock_says(cats, bucket):
    link(cats)
    cats.emulator.configure(history_seconds=1000)
    history = cats("POST", "tasks/aws-s3", {"project": "cats"})
    assert cats("GET", "tasks/import/status/aws-s3/cats")["status"] == "running"
    cats.emulator.advance(1000)
    wait(lambda: cats("GET", f"tasks/import/histories/{history['id']}"))


def dicom_file(width, height):
    rows = b"\x28\x00\x10\x00US\x02\x00" + height.to_bytes(2, "little")
    return bytes(128) + b"DICM" + rows + b"\x28\x00\x11\x00US\x02\x00" + width.to_bytes(2, "little")


@pytest.mark.parametrize("multipart", [True, False])
def test_a_dicom_zip_is_uploaded_signed_and_becomes_a_task(api: Api, multipart):
    api.project("dicom_bbox", "scans")
    api.emulator.configure(history_seconds=0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("series/1.dcm", dicom_file(512, 256))
    place = api("GET", "files", project="scans", fileName="chest.zip", fileType="application/zip")
    assert "uploaded" in api.refused(422, "POST", "tasks/dicom", {"project": "scans", "fileKey": place["name"]})
    sent = {"files": {"file": buffer.getvalue()}} if multipart else {"data": buffer.getvalue()}
    assert requests.put(place["url"], timeout=9, **sent).status_code == 200
    assert requests.put(place["url"], headers={"Authorization": "x"}, timeout=60).status_code == 400

    body = {"project": "scans", "fileKey": place["name"], "tags": ["ct"]}
    history = api("POST", "tasks/dicom", body)
    assert (history["storageType"], history["status"]) == ("zip", "running")
    wait(lambda: api("GET", f"tasks/import/histories/{history['id']}"))
    (task,) = api("GET", "tasks/dicom", project="scans")
    assert (task["name"], task["width"], task["height"], task["tags"]) == ("chest", 512, 256, ["ct"])
    assert "priority" not in task
    assert requests.get(task["url"], timeout=60).content == buffer.getvalue()


def test_a_file_that_is_no_zip_fails_its_import(api: Api):
    api.project("dicom_bbox", "scans")
    api.emulator.configure(history_seconds=0)
    place = api("GET", "files", project="scans", fileName="x.zip", fileType="application/zip")
    requests.put(place["url"], data=b"junk", timeout=60)
    history = api("POST", "tasks/dicom", {"project": "scans", "fileKey": place["name"]})
    assert "zip" in wait(lambda: api("GET", f"tasks/import/histories/{history['id']}"), "failed")["msgCode"]


def test_monitoring_results_are_kept(api: Api):
    result = {"value": "person", "confidenceScore": 0.92}
    sent: list[dict[str, Any]] = [{"status": "success", "result": [result], "requestAt": "2023-05-08T12:10:53+09:00"}]
    ident = api("POST", "model-monitorings/create", {"name": "m", "results": sent})
    assert api("POST", "model-monitorings/create", {"name": "m", "results": sent}) == ident
    assert api.emulator.monitoring("m") == sent + sent
    sent[0]["result"][0]["confidenceScore"] = 1.2
    api.refused(422, "POST", "model-monitorings/create", {"name": "m", "results": sent})
    api.emulator.configure(monitoring_names=["m"])
    assert "other" in api.refused(404, "POST", "model-monitorings/create", {"name": "other", "results": []})


def statuses(api):
    return {task["name"]: task["status"] for task in api("GET", "tasks/image", project="cats")}


def test_annotators_label_at_their_pace_and_approve_later(cats):
    for number in range(3):
        cats.image(f"{number}.png")
    truth = {"0.png": [BOX], "1.png": [BOX, BOX]}
    cats.emulator.annotators("cats", truth, tasks_per_second=0.001, approve_after=5000, review=True)
    assert statuses(cats) == {"0.png": "registered", "1.png": "registered", "2.png": "registered"}
    cats.emulator.advance(2001)
    assert statuses(cats) == {"0.png": "completed", "1.png": "completed", "2.png": "registered"}
    assert [len(t["annotations"]) for t in cats("GET", "tasks/image", project="cats")] == [1, 2, 0]
    cats.emulator.advance(2600)
    assert statuses(cats) == {"0.png": "reviewed", "1.png": "reviewed", "2.png": "completed"}
    cats.emulator.advance(2500)
    assert statuses(cats) == {"0.png": "approved", "1.png": "approved", "2.png": "reviewed"}


def test_annotators_work_at_once_when_told(cats):
    for number in range(3):
        cats.image(f"{number}.png")
    cats.emulator.annotators("cats", {"0.png": [BOX]}, approve_after=9)
    assert cats.emulator.run_annotators("cats", 1, approve=False) == 1
    assert statuses(cats) == {"0.png": "completed", "1.png": "registered", "2.png": "registered"}
    assert cats.emulator.run_annotators("cats") == 2
    assert set(statuses(cats).values()) == {"approved"}
    assert cats.emulator.set_status("cats", "declined", ["0.png"]) == 1
    assert statuses(cats)["0.png"] == "declined"


def test_a_ground_truth_that_does_not_fit_is_refused(cats):
    with pytest.raises(RuntimeError, match=r"0\.png.*dog"):
        cats.emulator.annotators("cats", {"0.png": [BOX | {"value": "dog"}]})


def test_files_of_ground_truth_are_named_at_the_start_only(cats, tmp_path):
    file = tmp_path / "truth.json"
    file.write_text('{"0.png": []}')
    for name in (str(file), "/etc/passwd", "/no/such/file", "truth.json"):
        with pytest.raises(RuntimeError, match="named at the start"):
            cats.emulator.control("PUT", "annotators", {"project": "cats", "file": name})
    with Emulator(ground_truth=[file]) as emulator:
        api = Api(emulator)
        api.project()
        assert emulator.control("PUT", "annotators", {"project": "cats", "file": "truth.json"}) == {"tasks": 1}
        api.session.close()


@pytest.mark.parametrize("text", [None, "{", "[]", '{"a": 1}', "[" * 2000])
def test_a_file_of_ground_truth_is_read_at_the_start(tmp_path, text):
    file = tmp_path / "truth.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=r"truth\.json"):
        Emulator(ground_truth=[file])


def test_the_control_plane_cannot_say_where_the_buckets_are(cats):
    with pytest.raises(RuntimeError, match="s3_endpoint"):
        cats.emulator.control("PUT", "config", {"s3_endpoint": "http://127.0.0.1:9"})


class Listener:
    """Notes what an S3 client sends."""

    def __init__(self) -> None:
        seen: list[str] = []

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(str(self.headers))
                self.send_error(403)

            def log_message(self, *_: object) -> None:
                pass

        self.seen = seen
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.mark.parametrize("together", [False, True])
def test_keys_of_the_environment_go_only_to_the_endpoint_they_came_with(monkeypatch, together):
    listener = Listener()
    for name, value in {"ACCESS_KEY_ID": "AKIAOWNKEY", "SECRET_ACCESS_KEY": "s", "SESSION_TOKEN": "OWNSESSION"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", listener.url if together else "http://127.0.0.1:9")
    with Emulator(s3_endpoint=listener.url, history_seconds=0) as emulator:
        api = Api(emulator)
        api.project()
        link(api)
        history = api("POST", "tasks/aws-s3", {"project": "cats"})
        wait(lambda: api("GET", f"tasks/import/histories/{history['id']}"), "failed")
        api.session.close()
    listener.server.shutdown()
    listener.server.server_close()
    assert listener.seen
    assert ("OWNSESSION" in str(listener.seen)) is together
    assert ("AKIAOWNKEY" in str(listener.seen)) is together


def test_a_slow_network_never_sees_a_picture_twice(cats):
    body = {"project": "cats", "name": "a.png", "file": picture()}
    cats.emulator.fault("lost_answer", path="tasks/image")
    with pytest.raises(requests.ConnectionError):
        cats.send("POST", "tasks/image", body)
    cats.refused(409, "POST", "tasks/image", body)


def test_an_import_goes_on_after_a_restart(tmp_path):
    config = {"db": tmp_path / "e.db", "history_seconds": 1000}
    with Emulator(**config) as emulator:
        api = Api(emulator)
        api.project("dicom_bbox", "scans")
        place = api("GET", "files", project="scans", fileName="chest.zip", fileType="application/zip")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("1.dcm", dicom_file(4, 2))
        requests.put(place["url"], data=buffer.getvalue(), timeout=60)
        history = api("POST", "tasks/dicom", {"project": "scans", "fileKey": place["name"]})
        api.session.close()
    with Emulator(**config) as emulator:
        api = Api(emulator)
        assert api("GET", f"tasks/import/histories/{history['id']}")["status"] == "running"
        emulator.advance(1001)
        wait(lambda: api("GET", f"tasks/import/histories/{history['id']}"))
        assert api("GET", "tasks/dicom", project="scans")[0]["name"] == "chest"
        api.session.close()
