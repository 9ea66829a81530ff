"""Hostile input costs little and is answered with 4xx: bodies, zips, faults, the clock, the log, the disk."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import time
import zipfile
from urllib.parse import urlsplit

import pytest
import requests

from airflow_provider_fastlabel.emulator import Emulator
from airflow_provider_fastlabel.emulator.server import gate
from airflow_provider_fastlabel.emulator.world.state import CallLog

from .conftest import Api, encoded, picture, picture_bytes


@pytest.fixture
def own(tmp_path):
    """An emulator whose stored files lie in ``tmp_path / "files"``."""
    with Emulator(files=tmp_path / "files", history_seconds=0) as emulator:
        api = Api(emulator)
        api.project()
        yield api
        api.session.close()


def stored(tmp_path):
    return sorted(path.name for path in (tmp_path / "files").iterdir() if path.name != ".fastlabel-emulator")


def upload(api: Api, data: bytes, project: str, name: str = "a.zip") -> str:
    place = api("GET", "files", project=project, fileName=name, fileType="application/zip")
    requests.put(place["url"], data=data, timeout=60).raise_for_status()
    return place["name"]


def raw(api: Api, text: bytes) -> bytes:
    """Send bytes and return the answer up to where the emulator closes or falls silent."""
    url = urlsplit(api.emulator.base_url)
    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        connection.sendall(text)
        return connection.recv(1000)


# The marker of a file


def test_a_file_cannot_be_named_instead_of_sent(cats, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture_bytes())
    for text in (f"\x00blob:../../../../../..{secret}:9", "\x00blob:" + "0" * 64 + ":1", f"../..{secret}"):
        for key in ("file", "\\u0066ile"):
            body = f'{{"project": "cats", "name": "a.png", "{key}": {json.dumps(text)}}}'
            answer = cats.session.post(cats.emulator.url + "tasks/image", data=body, timeout=60)
            assert answer.status_code == 422
            assert "not valid base64" in answer.json()["message"]


def test_a_field_may_be_spelt_with_escapes(cats):
    body = f'{{"project": "cats", "name": "a.png", "\\u0066ile": "{picture()}"}}'
    ident = cats.session.post(cats.emulator.url + "tasks/image", data=body, timeout=60).json()
    url = cats("GET", f"tasks/image/{ident}")["url"]
    assert requests.get(url, timeout=60).content == picture_bytes()


def test_metadata_called_file_is_no_file(api: Api):
    ident = api("POST", "datasets-v2", {"name": "d"})["id"]
    body = {"datasetName": "d", "objectName": "a.png", "filePath": picture(), "customMetadata": {"filePath": "x"}}
    api("POST", "dataset-revision-objects", body)
    found = api("GET", f"dataset-revision-objects/datasets/{ident}/objects/a.png")
    assert found["customMetadata"] == {"filePath": "x"}


# What stays on the disk


def test_files_of_refused_calls_leave_the_disk(own, tmp_path):
    own.image("a.png")
    kept = stored(tmp_path)
    large = encoded(b"x" * (20 * 1024 * 1024 + 1))
    assert "20 MB" in own.refused(422, "POST", "tasks/image", {"project": "cats", "name": "b.png", "file": large})
    own.refused(422, "POST", "tasks/image", {"project": "cats", "name": "b.png", "file": encoded(b"no image")})
    own.refused(409, "POST", "tasks/image", {"project": "cats", "name": "a.png", "file": picture(color=1)})
    own.refused(404, "POST", "tasks/image", {"project": "no", "name": "a.png", "file": picture(color=2)})
    half = f'{{"project": "cats", "name": "c.png", "file": "{picture(color=3)}'
    assert own.session.post(own.emulator.url + "tasks/image", data=half, timeout=60).status_code == 422
    headers = {"Authorization": "Bearer wrong"}
    body = {"project": "cats", "name": "c.png", "file": picture(color=4)}
    assert requests.post(own.emulator.url + "tasks/image", json=body, headers=headers, timeout=60).status_code == 401
    assert stored(tmp_path) == kept


def test_a_refused_call_takes_no_file_that_another_has(own, tmp_path):
    ident = own.image("a.png")
    own.refused(409, "POST", "tasks/image", {"project": "cats", "name": "a.png", "file": picture()})
    own.emulator.fault("lost_answer", path="tasks/image")
    with pytest.raises(requests.ConnectionError):
        own.image("b.png", file=picture(color=7))
    assert len(stored(tmp_path)) == 2
    assert requests.get(own("GET", f"tasks/image/{ident}")["url"], timeout=60).content == picture_bytes()


def test_a_picture_that_a_model_only_looks_at_does_not_stay(own, tmp_path):
    own.emulator.control("PUT", "endpoints", {"name": "e", "detections": []})
    own("POST", "model-endpoints/execute", {"modelEndpointName": "e", "file": picture()})
    assert stored(tmp_path) == []


def test_a_file_over_every_limit_is_counted_and_not_kept(own, tmp_path, monkeypatch):
    from airflow_provider_fastlabel.emulator.world import bodies, files

    for module in (bodies, files):
        monkeypatch.setattr(module, "LARGEST_FILE", 1024 * 1024)
    body = {"project": "cats", "name": "a.png", "file": encoded(b"x" * 2_500_000)}
    assert "2500000 bytes, at most 1 MB" in own.refused(422, "POST", "tasks/image", body)
    assert stored(tmp_path) == []


# Bodies


def test_a_body_that_ends_too_early_is_not_carried_out(api: Api):
    body = b'{"type": "image_bbox", "name": "x", "slug": "x"}'
    url = urlsplit(api.emulator.base_url)
    head = (
        f"POST /v1/projects HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {api.emulator.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body) + 9}\r\n\r\n"
    )
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(0.1)
    for _ in range(200):
        if [call for call in api.emulator.requests() if call["ms"] is not None]:
            break
        time.sleep(0.02)
    assert [call["status"] for call in api.emulator.requests()] == [None]
    assert api("GET", "projects") == []


@pytest.mark.parametrize("path", ["/v1/projects", "/_emulator/config", "/storage/uploads/x?expires=1&signature=x"])
def test_a_body_without_end_is_cut_off(api: Api, monkeypatch, path):
    for name in ("_MOST_JSON", "_MOST_BODY", "LARGEST_UPLOAD", "_AROUND"):
        monkeypatch.setattr(gate, name, 100_000)
    url = urlsplit(api.emulator.base_url)
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {api.emulator.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = b""
    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        connection.sendall(head.encode())
        with contextlib.suppress(ConnectionError):  # it closes while we go on
            for _ in range(10_000):
                connection.sendall(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(300)
    assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 ")) or not answer
    assert api("GET", "projects") == []


def test_a_json_text_that_is_too_large_is_refused(api: Api, monkeypatch):
    monkeypatch.setattr(gate, "_MOST_JSON", 100_000)
    assert "too large" in api.refused(413, "POST", "projects", {"name": "x" * 200_000})
    assert api("GET", "projects") == []


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 900 + "1" + "}" * 900, "[" * 200 + "]" * 200])
def test_a_deep_body_is_refused_and_does_not_spoil_the_log(api: Api, body):
    answer = api.session.post(api.emulator.url + "projects", data=body, timeout=60)
    assert answer.status_code == 422
    assert "deep" in answer.json()["message"]
    assert api.session.put(api.emulator.control_url + "config", data=body, timeout=60).status_code == 422
    assert len(api.emulator.requests()) == 1


@pytest.mark.parametrize(
    "head", [b"X: " + b"a" * 400_000, b"\r\n".join(b"X%d: y" % number for number in range(60_000))]
)
def test_a_head_without_end_is_cut_off(api: Api, head):
    assert raw(api, b"GET /v1/projects HTTP/1.1\r\n" + head).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("trailer", ["Authorization: Bearer {}", "Host: {}", "Content-Type: application/json"])
def test_what_stands_behind_a_body_is_no_header(api: Api, trailer):
    """Whoever is in between looks at the headers alone."""
    sent = {"Host": api.emulator.base_url.removeprefix("http://"), "Authorization": f"Bearer {api.emulator.token}"}
    call = "GET /v1/projects" if "Host" in trailer else "POST /_emulator/reset"
    del sent["Host" if "Host" in trailer else "Authorization"]
    filled = trailer.format(api.emulator.token if "Auth" in trailer else api.emulator.base_url.removeprefix("http://"))
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    answer = raw(api, f"{call} HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n0\r\n{filled}\r\n\r\n".encode())
    assert answer.partition(b" ")[2][:3] in (b"403", b"415")


@pytest.mark.parametrize("behind", [b"X: x\r\n" * 200_000, b"X: " + b"x" * 1_000_000])
def test_what_stands_behind_a_body_is_bounded(api: Api, behind):
    host = api.emulator.base_url.removeprefix("http://").encode()
    head = b"POST /v1/projects HTTP/1.1\r\nHost: " + host + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert raw(api, head + b"0\r\n" + behind).startswith(b"HTTP/1.1 431 ")


def test_a_head_that_arrives_in_two_parts_before_a_body_is_taken(api: Api):
    """The rest of the head and a good part of the body may arrive together."""
    port = int(api.emulator.base_url.rpartition(":")[2])
    body = json.dumps({"type": "image_bbox", "name": "n", "slug": "s", "note": "x" * 900_000}).encode()
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(b"POST /v1/projects HTTP/1.1\r\nHo")
        time.sleep(0.2)
        head = f"st: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        caller.sendall(head.encode() + body)
        assert caller.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_bytes_that_are_no_text_in_a_path_are_no_fault_of_the_emulator(api: Api):
    host = urlsplit(api.emulator.base_url).netloc.encode()
    for path in (b"/v1/\xff\xfe", b"/v1/%ff%00", b"/v1/tasks/image/%00", b"//v1/projects", b"http://evil.example/v1/x"):
        token = api.emulator.token.encode()
        text = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nAuthorization: Bearer " + token + b"\r\n\r\n"
        assert raw(api, text).startswith(b"HTTP/1.1 4"), path


# Zips


def zipped(members, compression=zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def broken_deflate() -> bytes:
    data = bytearray(zipped({"a/b.pcd/0.png": bytes(range(256)) * 40}))
    at = data.index(b"0.png") + 5
    data[at : at + 40] = b"\xff" * 40
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [broken_deflate(), zipped({"a.dcm": b"x" * 9000}, zipfile.ZIP_LZMA), zipped({"a.dcm": b"x"})[:-30], b"PK"],
    ids=["broken deflate", "LZMA", "cut off", "PK"],  # a zip holds the time, so its own bytes are no name
)
def test_a_broken_zip_is_refused(own, data, tmp_path):
    own.project("dicom_bbox", "scans")
    own.project("robotics_task_classification", "arms")
    own("POST", "tasks/robotics", {"project": "arms", "name": "a"})
    history = own("POST", "tasks/dicom", {"project": "scans", "fileKey": upload(own, data, "scans")})
    for _ in range(300):
        found = own("GET", f"tasks/import/histories/{history['id']}")
        if found["status"] != "running":
            break
        time.sleep(0.02)
    assert (found["status"], found["msgCode"]) == ("failed", "the file is not a readable zip")
    before = stored(tmp_path)
    for route, project in (("robotics-contents", "arms"), ("appendix", "cats")):
        key = {"project": project, "fileKey": upload(own, data, project)}
        assert "zip" in own.refused(422, "POST", f"contents/imports/{route}/batch", key)
    assert stored(tmp_path) == before


def test_a_zip_that_swells_is_refused_and_leaves_nothing(own, tmp_path):
    bomb = zipped({f"a/b.pcd/{number}.png": bytes(8_000_000) for number in range(8)})
    assert len(bomb) < 100_000
    key = {"project": "cats", "fileKey": upload(own, bomb, "cats")}
    before = stored(tmp_path)
    assert "unpacks" in own.refused(422, "POST", "contents/imports/appendix/batch", key)
    assert stored(tmp_path) == before


# Signed addresses


def test_a_signature_opens_one_path_only(cats):
    url = cats("GET", f"tasks/image/{cats.image('a.png')}")["url"]
    path, _, query = url.partition("?")
    digest = path.split("/")[-2]
    expires = query.partition("&")[0].partition("=")[2]
    for other in (
        url.replace(digest, ".."), url.replace("a.png", "..%2f..%2fa.png"), url.replace(digest, "%2e%2e"),
        url.replace(expires, "1e400"), url.replace(expires, "nan"), url.replace(expires, "9" * 20),
        url.replace("/storage/files/", "/storage/uploads/"),
    ):  # fmt: skip
        assert requests.get(other, timeout=60).status_code in (403, 404, 405), other


def test_a_line_break_in_a_name_cannot_be_moved_into_the_date(cats):
    url = cats("GET", f"tasks/image/{cats.image('a' + chr(10) + '99999999999')}")["url"]
    assert "%0A" not in url
    assert requests.get(url, timeout=60).status_code == 200
    path, _, query = url.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    for date in (f"99999999999%0A{expires}", f"%20{expires}", f"{expires}_0", "%D9%A1"):
        assert requests.get(f"{path}?expires={date}&signature={signature}", timeout=60).status_code in (403, 422)


def test_a_list_of_files_is_no_video(api: Api):
    api.project("video_bbox", "clips")
    for text in (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile '/etc/passwd'\n"):
        body = {"project": "clips", "name": "a.mp4", "file": encoded(text)}
        assert "not a readable MP4" in api.refused(422, "POST", "tasks/video", body)


# The control plane

ABSURD = [
    ("POST", "faults", {"kind": "status", "path": "(?=a)"}),
    ("POST", "faults", {"kind": "status", "path": "("}),
    ("POST", "faults", {"kind": "slow", "seconds": 1e9}),
    ("POST", "faults", {"kind": "slow", "seconds": -1}),
    ("POST", "faults", {"kind": "status", "status": 9999}),
    ("POST", "faults", {"kind": "status", "status": 99}),
    ("POST", "faults", {"kind": "status", "retry_after": "1\r\nX-Evil: 1"}),
    ("POST", "faults", {"kind": "status", "retry_after": "a" * 5000}),
    ("POST", "faults", {"kind": "status", "retry_after": 1e300}),
    ("POST", "faults", {"kind": "status", "times": 10**30}),
    ("POST", "clock", {"advance": 1e308}),
    ("POST", "clock", {"advance": -1}),
    ("PUT", "config", {"quota": 10**30}),
    ("PUT", "config", {"fail_histories": 10**30}),
    ("PUT", "config", {"history_reads": 2**63}),
    ("PUT", "config", {"page_maxima": {"image": 10**30}}),
    ("POST", "annotators/run", {"project": "cats", "tasks": 10**30}),
]


@pytest.mark.parametrize(("method", "path", "body"), ABSURD)
def test_absurd_orders_are_refused(cats, method, path, body):
    answer = cats.session.request(method, cats.emulator.control_url + path, json=body, timeout=60)
    assert answer.status_code == 422, answer.text
    assert cats.send("GET", "projects").status_code == 200


@pytest.mark.parametrize(
    "text", ['{"advance": NaN}', '{"advance": Infinity}', '{"advance": 1e400}', '{"advance": "x"}']
)
def test_a_clock_takes_numbers_only(api: Api, text):
    assert api.session.post(api.emulator.control_url + "clock", data=text, timeout=60).status_code == 422


def test_the_clock_stays_within_the_calendar(api: Api):
    for _ in range(3):
        api.emulator.advance(1e9)
    with pytest.raises(RuntimeError, match="cannot be moved"):
        api.emulator.advance(1e9)
    assert api.send("GET", "projects").status_code == 200


def test_a_pattern_that_others_would_hang_on_is_searched_at_once(cats):
    cats.emulator.fault("status", path="(a+)+$", status=503)
    assert cats.send("GET", "projects/" + "a" * 60 + "!").status_code == 404
    assert cats.send("GET", "projects/" + "a" * 60).status_code == 503


@pytest.mark.parametrize("number", [10**30, -(10**30), 2**63, "9" * 5000, "NaN", "1e9", "\x00", "\ud800"])
def test_numbers_out_of_range_are_refused(cats, number):
    for name in ("offset", "limit"):
        value = number.encode("utf-8", "surrogatepass") if isinstance(number, str) else number
        assert cats.send("GET", "tasks/image", project="cats", **{name: value}).status_code == 422
        url = cats.emulator.control_url + "requests"
        assert requests.get(url, params={"after": value}, timeout=60).status_code == 422


@pytest.mark.parametrize("key", ["9" * 5000, "0", "-1", "1.5", "\u0661"])
def test_a_frame_is_a_small_number(api: Api, key):
    api.project("video_bbox", "clips")
    api("POST", "annotations", {"project": "clips", "type": "bbox", "value": "cat", "title": "Cat"})
    truth = {"a": [{"type": "bbox", "value": "cat", "points": {key: {"value": [1, 2, 3, 4]}}}]}
    with pytest.raises(RuntimeError, match="is not a number from 1 upwards"):
        api.emulator.annotators("clips", truth)


@pytest.mark.parametrize("value", [[[1]], [["large"]], [], [None], {"a": 1}, 1e300, True])
def test_a_choice_of_any_type_is_an_answer(cats, value):
    attributes = [{"key": "size", "value": value}]
    body = {"project": "cats", "name": "a.png", "file": picture()}
    box = {"type": "bbox", "value": "cat", "points": [1, 2, 3, 4], "attributes": attributes}
    assert cats.send("POST", "tasks/image", body | {"annotations": [box]}).status_code in (200, 422)


# The request log


def test_the_log_is_bounded_by_bytes(api: Api):
    log = CallLog(length=1000, most=200_000)
    for number in range(100):
        entry = {"id": number, "path": "p", "query": {}, "body": b""}
        log.append(entry)
        log.fill(entry, b"x" * 10_000)
    entries = log.entries()
    assert sum(len(entry["body"]) for entry in entries) <= 200_000
    assert [entry["id"] for entry in entries] == list(range(100 - len(entries), 100))
    assert len(entries) > 10
    many = CallLog(length=10)
    for number in range(100):
        many.append({"id": number, "path": "p", "query": {}, "body": b""})
    assert len(many.entries()) == 10
    log.clear()
    assert log.entries() == []


def test_a_very_long_body_is_logged_by_its_size(api: Api):
    api.send("POST", "projects", {"name": "x" * 5_000_000})
    assert api.emulator.requests()[-1]["body"]["omitted"] > 5_000_000
