"""Files are taken out of JSON bodies however the bytes arrive."""

from __future__ import annotations

import base64
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_fastlabel.emulator.world.bodies import JsonSpooler
from airflow_provider_fastlabel.emulator.world.files import Files
from airflow_provider_fastlabel.emulator.world.settings import Clock

texts = st.text(max_size=30) | st.sampled_from(['a"b', "\\", '\\"', '\\\\"', "x" * 300, "filePath", '"file": "'])
values = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
cuts = st.lists(st.integers(0, 10**6), max_size=5)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("files"), b"key", Clock())


def spooled(files, body: bytes, cuts=(), path="tasks/image") -> bytes:
    spooler = JsonSpooler(files, path)
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in itertools.pairwise(edges):
        spooler.feed(body[start:end])
    return spooler.finish()


def content(files, text: str) -> bytes:
    return files.path(files.receive(text, "file").sha256).read_bytes()


@settings(max_examples=60, deadline=None)
@given(values, cuts, st.booleans())
def test_text_without_files_passes_unchanged(files, value, cuts, ascii_only):
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert spooled(files, body, cuts) == body


@settings(max_examples=60, deadline=None)
@given(values, st.binary(min_size=1, max_size=300), cuts, st.sampled_from([None, 1]))
def test_a_file_is_stored_and_its_marker_left(files, value, data, cuts, indent):
    sent = {"before": value, "file": base64.b64encode(data).decode(), "after": value}
    left = json.loads(spooled(files, json.dumps(sent, indent=indent).encode(), cuts))
    assert (left["before"], left["after"]) == (value, value)
    assert content(files, left["file"]) == data


@pytest.mark.parametrize(
    "body", ['{"a\\"file": "QUJD"}', '{"m": {"file": "QUJD"}}', '["file", "QUJD"]', '["file", ["file"]]']
)
def test_what_only_looks_like_a_file_is_left_as_it_is(files, body):
    assert spooled(files, body.encode()) == body.encode()


def test_a_file_path_is_a_file_for_dataset_objects_only(files):
    body = b'{"filePath": "QUJD"}'
    assert spooled(files, body, path="tasks/integrated-image") == body
    left = json.loads(spooled(files, body, path="dataset-revision-objects"))
    assert content(files, left["filePath"]) == b"ABC"


@pytest.mark.parametrize("text", ["QUJ", "QU%D", "QUJD=", "\\u0000blob:00:1", "\\\\"])
def test_text_that_is_not_base64_is_marked(files, text):
    left = json.loads(spooled(files, f'{{"file": "{text}", "name": "x"}}'.encode()))
    assert left == {"file": f"{files.marker}:0", "name": "x"}


@settings(max_examples=30, deadline=None)
@given(cuts)
def test_escaped_slashes_are_slashes(files, cuts):
    data = bytes([255] * 30)
    text = base64.b64encode(data).replace(b"/", b"\\/")
    left = json.loads(spooled(files, b'{"file": "' + text + b'"}', cuts))
    assert content(files, left["file"]) == data


def test_memory_stays_flat_while_a_file_arrives(files):
    spooler = JsonSpooler(files, "tasks/video")
    spooler.feed(b'{"file": "')
    for _ in range(100):
        spooler.feed(b"QUFB" * 16_384)
        assert spooler.size < 1024
    spooler.feed(b'"}')
    sha256, _, size = json.loads(spooler.finish())["file"][len(files.marker) :].partition(":")
    assert int(size) == files.path(sha256).stat().st_size == 100 * 16_384 * 3
