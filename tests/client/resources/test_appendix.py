from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client import FastLabelException, FastLabelInvalidException, NotFound, OutcomeUnknown

STORE = "http://store.test/put?X-Amz-Signature=topsecret"
IMPORTS = [
    ("import_appendix_file", "contents/imports/appendix/batch"),
    ("import_robotics_contents_file", "contents/imports/robotics-contents/batch"),
]


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "calib.ZIP"
    path.write_bytes(b"PK\x05\x06" + bytes(18))
    return path


def place(wire):
    wire.answer("GET", "files", {"url": STORE, "name": "key-1"})


@pytest.mark.parametrize(("call", "path"), IMPORTS)
def test_import_uploads_the_zip_and_names_it(client, wire, archive, call, path):
    place(wire)
    wire.mock.add("PUT", STORE)
    wire.answer("POST", path, ["ok"])
    assert getattr(client, call)("p", archive) == ["ok"]
    ask, upload, batch = wire.mock.calls
    assert ask.request.params == {"project": "p", "fileName": "calib.ZIP", "fileType": "application/zip"}
    assert upload.request.headers["Content-Type"] == "application/zip"
    assert int(upload.request.headers["Content-Length"]) == archive.stat().st_size
    assert "Authorization" not in upload.request.headers
    assert batch.request.url.endswith(path)
    assert b'"key-1"' in b"".join(
        batch.request.body if not isinstance(batch.request.body, bytes) else [batch.request.body]
    )


@pytest.mark.parametrize(("call", "path"), IMPORTS)
@pytest.mark.parametrize("name", ["calib.tar", "missing.zip", "folder.zip"])
def test_what_is_no_zip_is_refused_before_sending(client, wire, tmp_path, call, path, name):
    (tmp_path / "calib.tar").write_bytes(b"x")
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(FastLabelInvalidException, match=name) as caught:
        getattr(client, call)("p", tmp_path / name)
    assert caught.value.code == 422
    assert wire.sent == []


def test_a_refused_upload_stops_the_import_and_tells_no_signature(client, wire, archive):
    place(wire)
    wire.mock.add("PUT", STORE, status=403, body="SignatureDoesNotMatch topsecret")
    with pytest.raises(FastLabelException) as caught:
        client.import_appendix_file("p", archive)
    assert "topsecret" not in str(caught.value)
    assert [call.request.method for call in wire.mock.calls] == ["GET", "PUT"]


@pytest.mark.parametrize("answer", [{}, {"url": "", "name": "k"}])
def test_no_place_to_upload_to(client, wire, archive, answer):
    wire.answer("GET", "files", answer)
    with pytest.raises(FastLabelException, match=r"calib\.ZIP"):
        client.import_appendix_file("p", archive)


@pytest.mark.parametrize(("call", "path"), IMPORTS)
def test_an_import_whose_answer_is_lost_is_not_started_twice(client, wire, archive, call, path):
    place(wire)
    wire.mock.add("PUT", STORE)
    wire.lose("POST", path)
    with pytest.raises(OutcomeUnknown):
        getattr(client, call)("p", archive)
    assert len(wire.mock.calls) == 3


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("get_appendix_data", ("p",), ("contents/export/appendix", [("project", "p"), ("limit", "10000")])),
        (
            "get_appendix_data",
            ("p", "approved", "declined", ["a", "b"], "t", 3, 4),
            (
                "contents/export/appendix",
                [
                    ("project", "p"),
                    ("status", "approved"),
                    ("externalStatus", "declined"),
                    ("tags", "a"),
                    ("tags", "b"),
                    ("taskName", "t"),
                    ("offset", "3"),
                    ("limit", "4"),
                ],
            ),
        ),
        ("get_task_appendix_data", ("p",), ("tasks/appendix", [("project", "p"), ("limit", "10000")])),
        (
            "get_task_appendix_data",
            ("p", "t", 3, 4),
            ("tasks/appendix", [("project", "p"), ("taskName", "t"), ("offset", "3"), ("limit", "4")]),
        ),
    ],
)
def test_list_wire(client, wire, call, arguments, expected):
    wire.answer("GET", expected[0], [])
    assert getattr(client, call)(*arguments) == []
    assert wire.sent == [("GET", *expected, None)]


@pytest.mark.parametrize("call", ["get_appendix_data", "get_task_appendix_data"])
def test_too_large_a_page_is_refused_before_sending(client, wire, call):
    with pytest.raises(FastLabelInvalidException, match="10000"):
        getattr(client, call)("p", limit=10_001)
    assert wire.sent == []


def test_pagers(client, wire):
    wire.answer("GET", "contents/export/appendix", [{"id": "1"}])
    wire.answer("GET", "tasks/appendix", [{"id": "2"}])
    assert [entry["id"] for entry in client.iter_appendix_data("p", tags=["a"])] == ["1"]
    assert [entry["id"] for entry in client.iter_task_appendix_data("p")] == ["2"]


def test_an_unknown_project_says_so(client, wire, archive):
    wire.answer("GET", "files", {"message": "no project p"}, status=404)
    with pytest.raises(NotFound, match="no project p"):
        client.import_appendix_file("p", archive)
