"""Uploads to and downloads from signed addresses."""

from __future__ import annotations

import logging
import threading

import pytest
import urllib3

from airflow_provider_fastlabel.client import (
    FastLabelException,
    FastLabelInvalidException,
    NotFound,
)
from tests.limits import run_limited
from tests.strange_files import STRANGE, make_strange


def signed(raw, name="f.bin"):
    return f"http://localhost:{raw.port}/v1/{name}?X-Signature=s3cr3t"


def test_an_upload_sends_the_bytes_as_they_are_without_the_token(raw, raw_client, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK" + bytes(range(256)) * 1000)
    raw.play(raw.RESET, raw.answer(503), raw.answer(200))
    raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
    last = raw.requests[-1]
    assert last["method"] == "PUT"
    assert last["body"] == (tmp_path / "a.zip").read_bytes()
    assert last["headers"]["content-type"] == "application/zip"
    assert last["headers"]["content-length"] == str(len(last["body"]))
    assert all("authorization" not in request["headers"] for request in raw.requests)


def test_a_store_that_refuses_is_an_error(raw, raw_client, tmp_path, caplog):
    (tmp_path / "a.zip").write_bytes(b"PK")
    raw.play(raw.answer(403, body=b"SignatureDoesNotMatch s3cr3t"))
    with caplog.at_level(logging.DEBUG), pytest.raises(FastLabelInvalidException) as caught:
        raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
    assert type(caught.value) is FastLabelInvalidException
    assert "a.zip" in caught.value.message
    assert "signed address" in caught.value.message
    assert "token" not in caught.value.message
    assert "s3cr3t" not in caught.value.message + caplog.text
    assert "PUT /v1/f.bin" in caplog.text  # urllib3 did log, without the signature


def test_no_hop_of_a_call_logs_its_signature(raw, raw_client, tmp_path, caplog):
    """A reading of the API may be redirected to a store; a store may redirect to the next, and fail there."""
    moved = raw.answer(302, Location=signed(raw, "moved.bin"))
    with caplog.at_level(logging.DEBUG):
        raw.play(moved, moved, raw.answer(200, []))
        raw_client.get_projects()
        raw.play(moved, raw.RESET, raw.answer(503), moved, raw.answer(200, body=b"x", Bad="a\r\n\x1bno header"))
        raw_client.transport.download(signed(raw), tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == b"x"
    assert "GET /v1/moved.bin" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert "Failed to parse headers" in caplog.text
    assert "\x1b" not in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_lines_of_other_users_of_urllib3_stay_as_they_are(raw, raw_client, tmp_path, caplog):
    """Also of those in another thread, while a call of ours runs."""

    def answer(request):
        other = threading.Thread(target=urllib3.request, args=("GET", f"http://localhost:{raw.port}/other?a=1"))
        if "other" not in request["path"]:
            other.start()
            other.join()
        return raw.answer(200, [], Bad="a\r\nno header")

    raw.play(answer)
    with caplog.at_level(logging.DEBUG):
        raw_client.get_projects()
    assert '"GET /other?a=1 HTTP/1.1" 200' in caplog.text
    assert "GET /v1/projects HTTP" in caplog.text
    failed = [record for record in caplog.records if "parse headers" in record.getMessage()]
    assert [bool(record.exc_info) for record in failed] == [True, False]


@pytest.mark.parametrize(("status", "taken"), [(302, False), (303, False), (307, True), (308, True)])
def test_a_store_that_redirects_has_the_file_or_there_is_an_error(raw, raw_client, tmp_path, status, taken):
    """HTTP makes a GET of a PUT behind 302 and 303, whose answer says nothing of the file."""
    (tmp_path / "a.zip").write_bytes(b"PK")
    raw.play(raw.answer(status, Location="elsewhere"), raw.answer(200))
    if not taken:
        with pytest.raises(FastLabelException, match=r"upload of a\.zip.*redirect.*Nothing was uploaded"):
            raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
        assert raw_client.pauses == []
    else:
        raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
        assert [request["body"] for request in raw.requests] == [b"PK", b"PK"]


def test_a_missing_file_is_not_uploaded(raw, raw_client, tmp_path):
    with pytest.raises(FastLabelInvalidException, match="No such file"):
        raw_client.transport.upload(signed(raw), tmp_path / "no.zip", "application/zip")
    assert raw.requests == []


def test_an_empty_file_is_uploaded_with_its_length(raw, raw_client, tmp_path):
    """Stores refuse what comes in chunks, as a body without a length would."""
    (tmp_path / "a.zip").touch()
    raw.play(raw.answer(200))
    raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
    assert raw.requests[0]["headers"]["content-length"] == "0"
    assert "transfer-encoding" not in raw.requests[0]["headers"]


def test_a_file_that_says_it_is_empty_and_is_not_is_not_uploaded(raw, raw_client, tmp_path):
    (tmp_path / "a.zip").symlink_to("/proc/self/environ")
    with pytest.raises(FastLabelInvalidException, match=r"a\.zip has more than the 0 bytes"):
        raw_client.transport.upload(signed(raw), tmp_path / "a.zip", "application/zip")
    assert raw.requests == []


def test_a_file_that_changes_between_two_attempts_is_not_uploaded(raw, raw_client, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK")

    def refuse(_request):
        path.write_bytes(b"PK and more")
        return raw.answer(503)

    raw.play(refuse, raw.answer(200))
    with pytest.raises(FastLabelInvalidException, match=r"a\.zip changed while it was uploaded"):
        raw_client.transport.upload(signed(raw), path, "application/zip")
    assert [request["body"] for request in raw.requests] == [b"PK"]


@pytest.mark.parametrize(("kind", "word"), STRANGE.items())
def test_what_is_no_regular_file_is_not_uploaded(tmp_path, kind, word):
    code = """
import sys
from airflow_provider_fastlabel.client import FastLabelClient, FastLabelInvalidException
client = FastLabelClient("t", api_url="http://127.0.0.1:9/v1/")
path, endings = sys.argv[1], ("png", "mp4", "txt", "mp3", "pcd", "zip")
calls = [
    lambda: client.create_image_task("p", "n", path + ".png"),
    lambda: client.create_image_classification_task("p", "n", path + ".png"),
    lambda: client.create_video_task("p", "n", path + ".mp4"),
    lambda: client.create_text_task("p", "n", path + ".txt"),
    lambda: client.create_audio_task("p", "n", path + ".mp3"),
    lambda: client.create_pcd_task("p", "n", path + ".pcd"),
    lambda: client.create_dicom_task("p", path + ".zip"),
    lambda: client.create_dataset_object("d", "o", path + ".png"),
    lambda: client.execute_endpoint("e", path + ".png"),
    lambda: client.transport.upload("http://127.0.0.1:9/x", path + ".zip", "application/zip"),
]
for call in calls:
    try:
        call()
    except FastLabelInvalidException as error:
        print(error.message)
"""
    for ending in ("png", "mp4", "txt", "mp3", "pcd", "zip"):
        make_strange(kind, tmp_path / f"a.{ending}")
    lines = run_limited(code, tmp_path / "a").splitlines()
    assert len(lines) == 10
    assert all("it is a " in line and word in line and "Nothing was sent" in line for line in lines)


def test_a_broken_download_goes_on_where_it_stopped(raw, raw_client, tmp_path):
    data = bytes(range(256)) * 4000

    def first(request):
        return raw.answer(body=data[:600_000], length=len(data), ETag='"e1"', Connection="close")

    def rest(request):
        assert request["headers"]["if-range"] == '"e1"'
        start = int(request["headers"]["range"].removeprefix("bytes=").rstrip("-"))
        return raw.answer(206, body=data[start:], Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")

    raw_client.transport._timeout = (5, 0.3)
    raw.play(first, rest)
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]
    assert len(raw.requests) == 2
    assert all("authorization" not in request["headers"] for request in raw.requests)


@pytest.mark.parametrize("changed", [False, True])
def test_a_broken_download_starts_again_where_it_cannot_go_on(raw, raw_client, tmp_path, changed):
    raw_client.transport._timeout = (5, 0.3)
    whole = raw.answer(body=b"new content", ETag='"e2"')
    raw.play(raw.answer(body=b"old", length=900, ETag='"e1"' if changed else None), whole)
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == b"new content"


@pytest.mark.parametrize("length", ["9" * 5000, "\xb2", "9" * 19])
def test_a_length_that_no_file_has_is_an_error_of_the_download(raw, raw_client, tmp_path, length):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")

    def step(request):
        yield head + b"abc"
        raise OSError("the connection ends here")

    raw.play(step)
    with pytest.raises(FastLabelException, match=r"download of f\.bin"):
        raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert list(tmp_path.iterdir()) == []


def test_a_part_whose_numbers_no_file_has_is_not_pasted_in(raw, raw_client, tmp_path):
    raw_client.transport._timeout = (5, 0.3)
    raw.play(
        raw.answer(body=b"abc", length=900, ETag='"e1"'),
        raw.answer(206, body=b"def", Content_Range=f"bytes 3-{'9' * 5000}/{'9' * 5000}"),
        raw.answer(body=b"whole"),
    )
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == b"whole"


def test_a_part_that_was_not_asked_for_is_not_pasted_in(raw, raw_client, tmp_path):
    raw_client.transport._timeout = (5, 0.3)
    raw.play(
        raw.answer(body=b"abc", length=900, ETag='"e1"'),
        raw.answer(206, body=b"xyz", Content_Range="bytes 100-102/900"),
        raw.answer(body=b"whole"),
    )
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == b"whole"


@pytest.mark.parametrize("part", ["bytes 0-2/900", "bytes 0-2/*", "bytes 0-", "rows 0-2/3"])
def test_a_part_that_ends_early_is_not_taken_for_the_whole(raw, raw_client, tmp_path, part):
    raw.play(raw.answer(206, body=b"abc", Content_Range=part), raw.answer(body=b"whole"))
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == b"whole"


def test_a_download_that_broke_at_its_very_end_starts_again(raw, raw_client, tmp_path):
    """All bytes came, only the end of the chunks did not: there is no rest to ask for."""
    raw_client.transport._timeout = (5, 0.3)
    chunked = b'HTTP/1.1 200 OK\r\nETag: "e1"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n'
    raw.play(chunked, raw.answer(416, Content_Range="bytes */5"), raw.answer(body=b"whole"))
    raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert "range" in raw.requests[1]["headers"]
    assert (tmp_path / "f.bin").read_bytes() == b"whole"


def test_a_file_with_the_longest_name_is_downloaded(raw, raw_client, tmp_path):
    raw.play(raw.answer(body=b"whole"))
    name = "a" * 251 + ".bin"
    raw_client.transport.download(signed(raw), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_there_already_is_not_fetched_again(raw, raw_client, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"old")
    raw.play(raw.answer(304))
    assert raw_client.transport.download(signed(raw), tmp_path / "f.bin", known_md5="abc") is False
    assert raw.requests[0]["headers"]["if-none-match"] == '"abc"'
    assert (tmp_path / "f.bin").read_bytes() == b"old"
    raw.play(raw.answer(body=b"new"))
    assert raw_client.transport.download(signed(raw), tmp_path / "f.bin", known_md5="abc") is True
    assert (tmp_path / "f.bin").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


def test_nothing_new_is_no_answer_to_who_has_nothing(raw, raw_client, tmp_path):
    raw.play(raw.answer(304))
    with pytest.raises(FastLabelException):
        raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert "if-none-match" not in raw.requests[0]["headers"]
    assert not list(tmp_path.iterdir())


def test_a_failed_download_leaves_the_old_file(raw, raw_client, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"old")
    raw_client.transport._timeout = (5, 0.3)
    raw.play(raw.answer(body=b"abc", length=900))
    with pytest.raises(FastLabelException) as caught:
        raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert "f.bin" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert (tmp_path / "f.bin").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


def test_a_missing_object_is_not_saved_as_a_file(raw, raw_client, tmp_path):
    raw.play(raw.answer(404, body=b"<Error>NoSuchKey</Error>"))
    with pytest.raises(NotFound):
        raw_client.transport.download(signed(raw), tmp_path / "f.bin")
    assert list(tmp_path.iterdir()) == []


NO_ADDRESSES = ["", "/files/x", "http://[::1?s3cr3t", "http://" + "a" * 70 + ".b/?s3cr3t", "ftp://x/?s3cr3t", None, 5]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_signed_address_is_refused_and_not_tried_again(raw_client, tmp_path, url):
    (tmp_path / "a.zip").write_bytes(b"PK")
    transport = raw_client.transport
    for transfer in (
        lambda: transport.upload(url, tmp_path / "a.zip", "application/zip"),
        lambda: transport.download(url, tmp_path / "b.bin"),
    ):
        with pytest.raises(FastLabelInvalidException, match="(upload of a.zip|download of b.bin).*address") as caught:
            transfer()
        assert "s3cr3t" not in str(caught.value)
    assert raw_client.pauses == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
