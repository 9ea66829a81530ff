"""Stored files appear whole, whoever writes the same bytes at the same time."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

from airflow_provider_fastlabel.emulator.world.files import Files
from airflow_provider_fastlabel.emulator.world.settings import Clock


def test_a_small_file_is_whole_as_soon_as_it_is_there(tmp_path):
    files = Files(tmp_path / "files", b"secret", Clock())
    content = b"x" * 900_000
    stop = threading.Event()
    seen = set()

    def read_whatever_is_there():
        while not stop.is_set():
            for path in list(files.root.iterdir()):
                if "." not in path.name and path.exists():
                    seen.add(path.stat().st_size)

    reader = threading.Thread(target=read_whatever_is_there)
    reader.start()
    for number in range(200):
        writer = files.writer()
        writer.write(content + str(number).encode())
        assert files.path(writer.commit().sha256).stat().st_size == writer.size
    stop.set()
    reader.join()
    assert seen
    assert min(seen) > 900_000


def test_an_upload_that_breaks_off_is_no_file_and_no_fault_of_the_emulator(api, caplog):
    api.project("dicom_bbox", "scans")
    place = api("GET", "files", project="scans", fileName="a.zip", fileType="application/zip")
    url = urlsplit(place["url"])
    head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall(head.encode() + b"PK" * 50)
    for _ in range(500):
        seen = [each["ms"] for each in api.emulator.requests() if each["method"] == "PUT"]
        if seen and seen[0] is not None:
            break
        time.sleep(0.02)
    assert seen
    message = api.refused(422, "POST", "tasks/dicom", {"project": "scans", "fileKey": place["name"]})
    assert "nothing was uploaded" in message
    assert "Exception" not in caplog.text
