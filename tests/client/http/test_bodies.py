from __future__ import annotations

import base64
import json
import os
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_fastlabel.client import FastLabelInvalidException
from airflow_provider_fastlabel.client.http.bodies import (
    CHUNK_BYTES,
    FilePart,
    RawBody,
    StreamedBody,
    base64_length,
    encode,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


@given(st.binary(max_size=5000))
def test_the_length_of_base64_is_known_before(data):
    assert base64_length(len(data)) == len(base64.b64encode(data))


@settings(max_examples=60)
@given(
    fields=st.dictionaries(st.text(), JSON, max_size=4),
    files=st.lists(st.binary(max_size=300), max_size=4),
)
def test_a_body_is_the_json_it_stands_for_and_as_long_as_it_says(fields, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    contents, plain = [], []
    for number, data in enumerate(files):
        path = folder / str(number)
        path.write_bytes(data)
        contents.append({"name": path.name, "file": FilePart(path)})
        plain.append({"name": path.name, "file": base64.b64encode(data).decode()})
    body = StreamedBody(fields | {"contents": contents})
    sent = b"".join(body)
    assert len(sent) == len(body)
    assert json.loads(sent) == fields | {"contents": plain}
    assert b"".join(body) == sent  # once more, for a retry


@pytest.mark.parametrize("size", [0, 1, 2, 3, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 2])
def test_files_around_the_size_of_a_piece(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    body = StreamedBody({"file": FilePart(tmp_path / "f")})
    sent = b"".join(body)
    assert len(sent) == len(body)
    assert base64.b64decode(json.loads(sent)["file"]) == data


def test_a_text_that_looks_like_a_file_is_a_text(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    body = StreamedBody({"name": '"file-00-0"', "file": FilePart(tmp_path / "f")})
    assert json.loads(b"".join(body)) == {"name": '"file-00-0"', "file": "eA=="}


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1, 2}, b"bytes", object()], ids=["nan", "inf", "set", "bytes", "object"]
)
def test_what_is_not_json_is_refused_before_sending(value):
    with pytest.raises(FastLabelInvalidException, match="Nothing was sent"):
        StreamedBody({"x": value})


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"a": 1, "annotations": [{"points": [1]}, {"points": [1, {2}]}]}, "annotations[1].points[1]"),
        ({"annotations": [{"points": {"1": {"value": [float("nan")]}}}]}, "annotations[0].points.1.value[0]"),
        ({"priority": Decimal(1)}, "priority"),
        ({"points": (1, b"x")}, "points[1]"),
    ],
)
@pytest.mark.parametrize("write", [encode, StreamedBody])
def test_what_is_not_json_is_named_by_its_place(fields, place, write):
    with pytest.raises(FastLabelInvalidException) as caught:
        write(fields)
    assert f" at {place}: " in str(caught.value)


def test_what_contains_itself_or_is_endless_is_refused():
    circle: dict[str, Any] = {"type": "bbox"}
    circle["points"] = [circle, circle]
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    for fields in ({"a": circle}, {"a": nested}, {("a", "b"): 1}):
        with pytest.raises(FastLabelInvalidException, match="Nothing was sent"):
            encode(fields)


def test_a_long_value_is_not_quoted_whole():
    with pytest.raises(FastLabelInvalidException) as caught:
        StreamedBody({"a": set(range(10_000))})
    assert len(str(caught.value)) < 300


def send(pieces, sent):
    for piece in pieces:
        sent += piece


def grow(path):
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path):
    os.truncate(path, 10)


def shrink_to_one_less(path):
    stat = path.stat()
    os.truncate(path, stat.st_size - 1)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def rewrite(path):
    stat = path.stat()
    path.write_bytes(os.urandom(stat.st_size))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))


@pytest.mark.parametrize(
    ("change", "when"),
    [
        *((change, when) for change in (grow, shrink, rewrite) for when in ("before", "meanwhile")),
        (os.remove, "before"),  # one that is removed while it is open can still be read to its end
    ],
)
def test_a_file_that_changes_is_not_sent_to_its_end(tmp_path, change, when):
    path = tmp_path / "video.mp4"
    path.write_bytes(os.urandom(2 * CHUNK_BYTES))
    body = StreamedBody({"file": FilePart(path)})
    sent, pieces = bytearray(), iter(body)
    if when == "meanwhile":
        for _ in range(3):
            sent += next(pieces)
    change(path)
    with pytest.raises(FastLabelInvalidException, match=r"video\.mp4"):
        send(pieces, sent)
    with pytest.raises(ValueError):
        json.loads(sent)  # the server cannot take it for a whole request


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_what_is_no_file_is_refused(tmp_path, kind):
    with pytest.raises(FastLabelInvalidException, match=str(tmp_path)):
        FilePart(tmp_path / "no" if kind == "missing" else tmp_path)


@pytest.mark.parametrize("target", ["/proc/self/status", "/proc/self/environ"])
def test_a_file_that_says_it_is_empty_and_is_not_is_never_sent(tmp_path, target):
    (tmp_path / "a.jpg").symlink_to(target)
    body = StreamedBody({"name": "n", "file": FilePart(tmp_path / "a.jpg")})
    sent = bytearray()
    with pytest.raises(FastLabelInvalidException, match=r"a\.jpg has more than the 0 bytes"):
        send(body, sent)
    assert sent == b'{"name": "n", "file": "'
    with pytest.raises(FastLabelInvalidException, match=r"a\.jpg has more than the 0 bytes"):
        list(RawBody(FilePart(tmp_path / "a.jpg")))


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 5])
@pytest.mark.parametrize("change", [grow, shrink_to_one_less, rewrite])
def test_the_last_piece_of_a_file_is_kept_back_until_it_has_not_changed(tmp_path, size, change):
    path = tmp_path / "a.zip"
    for pieces_before in range(-(-size // CHUNK_BYTES)):
        path.write_bytes(os.urandom(size))
        sent, pieces = bytearray(), iter(RawBody(FilePart(path)))
        for _ in range(pieces_before):
            sent += next(pieces)
        change(path)
        with pytest.raises(FastLabelInvalidException, match=r"a\.zip changed while it was uploaded"):
            send(pieces, sent)
        assert len(sent) < size  # never all that was announced


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_files_are_open_only_while_they_are_sent(tmp_path):
    for number in range(3):
        (tmp_path / str(number)).write_bytes(b"x" * 10)
    before = open_files()
    body = StreamedBody({"contents": [{"file": FilePart(tmp_path / str(n))} for n in range(3)]})
    most = max(open_files() for _ in body)
    assert most - before <= 2  # the file being sent, and the listing itself
    assert open_files() == before


def test_a_large_file_is_sent_in_flat_memory(raw, raw_client, tmp_path):
    size = 64 * 1024 * 1024
    path = tmp_path / "cloud.pcd"
    with path.open("wb") as file:
        file.truncate(size)
    raw_client.limits.pcd = size
    raw.sizes_only = True
    raw.play(raw.answer(200, "id"))
    tracemalloc.start()
    try:
        assert raw_client.create_pcd_task("p", "n", path) == "id"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    request = raw.requests[0]
    assert int(request["headers"]["content-length"]) == request["size"] > size * 4 // 3
    assert "transfer-encoding" not in request["headers"]
    assert peak < 12 * 1024 * 1024  # the receiving server's buffer included
