from __future__ import annotations

import contextlib
import http.server
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from airflow_provider_fastlabel.client import FastLabelClient, FastLabelException, FastLabelInvalidException
from airflow_provider_fastlabel.client.resources.dataset_download import safe_target
from tests.strange_files import STRANGE, make_strange

LIST = "dataset-revision-objects/signed-urls"
STORE = "http://store.test/"
UPDATED = "2026-05-06T07:08:09.123Z"


def an_object(name, content=b"", **more):
    url = STORE + (name or "x").replace("/", "-") + "?X-Amz-Signature=topsecret"
    return {
        "name": name, "size": len(content), "annotations": [{"type": "bbox", "points": [1, 2, 3, 4]}], "tags": ["t"],
        "customMetadata": {"k": "v"}, "updatedAt": UPDATED, "type": "none", "signedUrl": url,
    } | more  # fmt: skip


def serve(wire, contents, **more):
    """Offer these objects and their files."""
    objects = [an_object(name, content, **more) for name, content in contents.items()]
    wire.answer("GET", LIST, objects)
    for each in objects:
        wire.mock.add("GET", each["signedUrl"], body=contents[each["name"]])
    return objects


def fetched(wire):
    return [
        call.request.url.removeprefix(STORE).partition("?")[0] for call in wire.mock.calls if STORE in call.request.url
    ]


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "annotations.json"
    }


def test_objects_lie_under_their_names(client, wire, tmp_path):
    contents = {"a.jpg": b"aa", "sub/é b.png": b"bbb", "empty.txt": b""}
    objects = serve(wire, contents)
    assert client.download_dataset_objects("d", tmp_path / "new" / "out") == objects
    out = tmp_path / "new" / "out"
    assert tree(out) == contents
    assert json.loads((out / "annotations.json").read_text("utf-8")) == [
        {
            "name": name,
            "annotations": [{"type": "bbox", "points": [1, 2, 3, 4]}],
            "customMetadata": {"k": "v"},
            "tags": ["t"],
            "object_type": "none",
        }
        for name in contents
    ]
    assert sorted(path.name for path in out.iterdir()) == ["a.jpg", "annotations.json", "empty.txt", "sub"]


def test_query_and_no_token_to_the_store(client, wire, tmp_path):
    serve(wire, {"a.jpg": b"a"}, type="train")
    client.download_dataset_objects("d", str(tmp_path), "v1", "", ["t"], ["MIT"], ["train"], 3, 4)
    assert wire.sent[0][2] == [
        ("datasetName", "d"), ("offset", "3"), ("limit", "4"), ("version", "v1"), ("tags", "t"), ("licenses", "MIT"),
        ("types", "train"),
    ]  # fmt: skip
    assert "Authorization" not in wire.mock.calls[1].request.headers


def test_one_folder_per_type(client, wire, tmp_path):
    objects = [an_object("a.jpg", b"a", type="train"), an_object("b.jpg", b"b", type="valid")]
    wire.answer("GET", LIST, objects)
    for each in objects:
        wire.mock.add("GET", each["signedUrl"], body=each["name"][:1])
    client.download_dataset_objects("d", tmp_path, types=["train", "valid"])
    assert tree(tmp_path) == {"train/a.jpg": b"a", "valid/b.jpg": b"b"}
    for kind, name in (("train", "a.jpg"), ("valid", "b.jpg")):
        notes = json.loads((tmp_path / kind / "annotations.json").read_text())
        assert [(note["name"], note["object_type"]) for note in notes] == [(name, kind)]


def test_an_empty_dataset(client, wire, tmp_path):
    wire.answer("GET", LIST, [])
    assert client.download_dataset_objects("d", tmp_path / "out") == []
    assert not (tmp_path / "out" / "annotations.json").exists()


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/etc/x", "a//b", "", ".", "..", "a/./b", "C:/x", "a\\..\\b", "a\nb", "a\x00b", "a/",
     "annotations.json", ".download-x/a", "./../a", "..\\a", "x" * 300, "\ud800"],
)  # fmt: skip
def test_hostile_names_are_refused_and_the_others_kept(client, wire, tmp_path, name):
    out = tmp_path / "out"
    bad = an_object(name, b"evil")
    objects = [an_object("good.jpg", b"good"), bad]
    wire.answer("GET", LIST, objects)
    wire.mock.add("GET", objects[0]["signedUrl"], body=b"good")
    with pytest.raises(FastLabelException, match="1 of 2 objects of dataset d") as caught:
        client.download_dataset_objects("d", out)
    assert "unsafe name" in str(caught.value)
    assert tree(tmp_path) == {"out/good.jpg": b"good"}
    assert [note["name"] for note in json.loads((out / "annotations.json").read_text())] == ["good.jpg"]


def test_a_symbolic_link_does_not_lead_out(client, wire, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    serve(wire, {"link/a.jpg": b"x"})
    with pytest.raises(FastLabelException, match="symbolic link"):
        client.download_dataset_objects("d", tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_symbolic_link_in_place_of_a_file_does_not_lead_out(client, wire, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "precious.jpg").write_bytes(b"mine")
    (tmp_path / "out" / "a.jpg").symlink_to(tmp_path / "precious.jpg")
    serve(wire, {"a.jpg": b"evil"})
    with pytest.raises(FastLabelException, match="symbolic link"):
        client.download_dataset_objects("d", tmp_path / "out")
    assert (tmp_path / "precious.jpg").read_bytes() == b"mine"


def test_a_hostile_type_is_refused(client, wire, tmp_path):
    wire.answer("GET", LIST, [an_object("a.jpg", b"a", type="../train")])
    with pytest.raises(FastLabelException, match="unknown type"):
        client.download_dataset_objects("d", tmp_path / "out", types=["train"])
    assert tree(tmp_path) == {}


def test_names_that_only_look_hostile_are_fine():
    for name in ("..a", "a..b/c", "...", "a b/c;d.jpg", "日本/猫.jpg", "annotations.json/x", "sub/annotations.json"):
        assert safe_target(Path("/base"), name) == Path("/base", *name.split("/"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 404, "body": "NoSuchKey topsecret"}, "404"),
        ({"status": 200, "body": b"short"}, "5 bytes"),
        ({"status": 500, "body": "oops"}, "500"),
    ],
)
def test_failed_objects_are_named_and_the_others_kept(client, wire, tmp_path, fault, said):
    good, bad = an_object("good.jpg", b"good"), an_object("bad.jpg", b"long enough")
    wire.answer("GET", LIST, [bad, good])
    wire.mock.add("GET", good["signedUrl"], body=b"good")
    wire.mock.add("GET", bad["signedUrl"], **fault)
    with pytest.raises(FastLabelException) as caught:
        client.download_dataset_objects("d", tmp_path)
    text = str(caught.value)
    assert "1 of 2" in text
    assert "bad.jpg" in text
    assert said in text
    assert "topsecret" not in text
    assert tree(tmp_path) == {"good.jpg": b"good"}
    assert [note["name"] for note in json.loads((tmp_path / "annotations.json").read_text())] == ["good.jpg"]


def test_a_long_list_of_failures_is_shortened(client, wire, tmp_path):
    wire.answer("GET", LIST, [an_object(f"{n}.jpg", b"x", signedUrl="") for n in range(12)])
    with pytest.raises(FastLabelException, match="and 2 more") as caught:
        client.download_dataset_objects("d", tmp_path)
    assert "12 of 12" in str(caught.value)
    assert not (tmp_path / "annotations.json").exists()


def test_a_passing_fault_of_the_store_is_waited_out(client, wire, tmp_path):
    each = an_object("a.jpg", b"abc")
    wire.answer("GET", LIST, [each])
    wire.mock.add("GET", each["signedUrl"], status=503)
    wire.mock.add("GET", each["signedUrl"], body=b"abc")
    client.download_dataset_objects("d", tmp_path)
    assert tree(tmp_path) == {"a.jpg": b"abc"}


def test_a_failed_replacement_leaves_the_old_file(client, wire, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"old")
    each = an_object("a.jpg", b"newer")
    wire.answer("GET", LIST, [each])
    wire.mock.add("GET", each["signedUrl"], body=b"new")
    with pytest.raises(FastLabelException, match=r"a\.jpg"):
        client.download_dataset_objects("d", tmp_path)
    assert tree(tmp_path) == {"a.jpg": b"old"}


def test_a_second_call_fetches_only_what_is_missing(client, wire, tmp_path):
    contents = {f"{n}.jpg": b"x" * n for n in range(5)}
    serve(wire, contents)
    client.download_dataset_objects("d", tmp_path)
    (tmp_path / "3.jpg").write_bytes(b"cut")
    (tmp_path / "3.jpg").write_bytes(b"c")
    (tmp_path / "4.jpg").unlink()
    wire.mock.calls.reset()
    client.download_dataset_objects("d", tmp_path)
    assert sorted(fetched(wire)) == ["3.jpg", "4.jpg"]
    assert tree(tmp_path) == contents
    assert len(json.loads((tmp_path / "annotations.json").read_text())) == 5


def test_an_object_that_changed_since_is_fetched_again(client, wire, tmp_path):
    serve(wire, {"a.jpg": b"old"})
    client.download_dataset_objects("d", tmp_path)
    wire.mock.reset()
    serve(wire, {"a.jpg": b"new"}, updatedAt="2026-06-01T00:00:00.000Z")
    client.download_dataset_objects("d", tmp_path)
    assert tree(tmp_path) == {"a.jpg": b"new"}


def test_without_a_time_the_size_decides(client, wire, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"abc")
    wire.answer("GET", LIST, [an_object("a.jpg", b"abc", updatedAt=None, signedUrl=None)])
    client.download_dataset_objects("d", tmp_path)
    assert fetched(wire) == []


def test_a_file_without_a_known_size_is_fetched(client, wire, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"abc")
    each = an_object("a.jpg", size=None)
    wire.answer("GET", LIST, [each])
    wire.mock.add("GET", each["signedUrl"], body=b"xyz")
    client.download_dataset_objects("d", tmp_path)
    assert tree(tmp_path) == {"a.jpg": b"xyz"}


def test_annotations_are_merged_by_name(client, wire, tmp_path):
    earlier = [{"name": "a.jpg", "annotations": ["old"]}, {"name": "gone.jpg", "annotations": []}]
    (tmp_path / "annotations.json").write_text(json.dumps(earlier))
    serve(wire, {"a.jpg": b"a", "b.jpg": b"b"})
    client.download_dataset_objects("d", tmp_path)
    client.download_dataset_objects("d", tmp_path)
    notes = json.loads((tmp_path / "annotations.json").read_text())
    assert [note["name"] for note in notes] == ["a.jpg", "gone.jpg", "b.jpg"]
    assert notes[0]["annotations"] == [{"type": "bbox", "points": [1, 2, 3, 4]}]


@pytest.mark.parametrize("text", ['[{"name": []}]', "[" * 100_000, '{"a": 1}', "[1]", "not json", '[{"x": 1}]'])
def test_a_strange_annotations_file_stops_before_the_first_download(client, wire, tmp_path, text):
    (tmp_path / "annotations.json").write_text(text)
    serve(wire, {"a.jpg": b"a"})
    with pytest.raises(FastLabelInvalidException, match=r"annotations\.json"):
        client.download_dataset_objects("d", tmp_path)
    assert fetched(wire) == []
    assert (tmp_path / "annotations.json").read_text() == text


@pytest.mark.parametrize("kind", STRANGE)
def test_notes_that_are_no_file_are_not_opened(client, wire, tmp_path, kind):
    serve(wire, {"a.jpg": b"aa"})
    make_strange(kind, tmp_path / "annotations.json")
    with pytest.raises(
        FastLabelInvalidException, match=f"cannot be read: it is a .*{STRANGE[kind]}.*not a regular file"
    ):
        client.download_dataset_objects("d", tmp_path)


def test_a_file_where_a_folder_must_be(client, wire, tmp_path):
    (tmp_path / "a").write_bytes(b"a file")
    serve(wire, {"a/b.jpg": b"b", "c.jpg": b"c"})
    with pytest.raises(FastLabelException, match=r"a/b\.jpg"):
        client.download_dataset_objects("d", tmp_path)
    assert tree(tmp_path) == {"a": b"a file", "c.jpg": b"c"}


def test_a_name_that_comes_twice_is_fetched_once(client, wire, tmp_path):
    each = an_object("a.jpg", b"a")
    wire.answer("GET", LIST, [each, each])
    wire.mock.add("GET", each["signedUrl"], body=b"a")
    client.download_dataset_objects("d", tmp_path)
    assert fetched(wire) == ["a.jpg"]
    assert len(json.loads((tmp_path / "annotations.json").read_text())) == 1


def test_no_more_than_four_at_a_time(client, wire, tmp_path):
    lock, running, most = threading.Lock(), [], []
    everyone = threading.Barrier(4)

    def answer(request):
        with lock:
            running.append(request)
            most.append(len(running))
        everyone.wait(timeout=10)  # reached only if four run together
        with lock:
            running.remove(request)
        return 200, {}, b"x"

    objects = [an_object(f"{n}.jpg", b"x") for n in range(12)]
    wire.answer("GET", LIST, objects)
    for each in objects:
        wire.mock.add_callback("GET", each["signedUrl"], answer)
    client.download_dataset_objects("d", tmp_path)
    assert max(most) == 4


def test_no_offset_is_the_start(client, wire, tmp_path):
    serve(wire, {"a.jpg": b"a"})
    client.download_dataset_objects("d", tmp_path, offset=None)
    assert tree(tmp_path) == {"a.jpg": b"a"}


class Listing:
    """The list of signed addresses, whose first object goes away after the first page."""

    def __init__(self, wire, names, page, *, heeds_offset=True):
        self.names, self.page, self.heeds_offset = list(names), page, heeds_offset
        self.offsets = []
        wire.mock.add_callback("GET", f"http://fastlabel.test/v1/{LIST}", self)
        wire.mock.add("GET", re.compile(re.escape(STORE)), body=b"x")

    def __call__(self, request):
        offset = int(request.params["offset"])
        self.offsets.append(offset)
        start = offset if self.heeds_offset else 0
        page = [an_object(name, b"x") for name in self.names[start : start + self.page]]
        if len(self.offsets) == 1:
            del self.names[0]
        return 200, {}, json.dumps(page)


MANY = [chr(ord("a") + number) for number in range(26)]


@pytest.mark.parametrize("offset", [0, 1])
def test_without_a_limit_all_pages_come_also_when_objects_go_meanwhile(client, wire, tmp_path, offset):
    listing = Listing(wire, MANY, 12)
    listed = client.download_dataset_objects("d", tmp_path, offset=offset, limit=None)
    assert [each["name"] for each in listed] == MANY[offset:]
    assert sorted(tree(tmp_path)) == MANY[offset:]
    assert [note["name"] for note in json.loads((tmp_path / "annotations.json").read_text())] == MANY[offset:]
    assert min(listing.offsets) == offset


def test_a_list_that_never_ends_is_not_read_for_ever(client, wire, tmp_path):
    Listing(wire, MANY, 12, heeds_offset=False)
    with pytest.raises(FastLabelException, match="same page"):
        client.download_dataset_objects("d", tmp_path, limit=None)


def test_filters_from_an_iterator_hold_for_every_page(client, wire, tmp_path):
    Listing(wire, MANY, 12)
    client.download_dataset_objects("d", tmp_path, tags=iter(["t"]), types=iter(["none"]), limit=None)
    lists = [call.request.params for call in wire.mock.calls if LIST in call.request.url]
    assert len(lists) > 3
    assert all((each["tags"], each["types"]) == ("t", "none") for each in lists)
    assert sorted(tree(tmp_path)) == [f"none/{name}" for name in MANY]


def test_an_iterator_over_no_types_makes_no_folders(client, wire, tmp_path):
    serve(wire, {"a.jpg": b"a"})
    client.download_dataset_objects("d", tmp_path, types=iter(()))
    assert tree(tmp_path) == {"a.jpg": b"a"}


@pytest.mark.slow
def test_addresses_are_used_page_by_page(client, wire, tmp_path):
    """They expire: none is asked for long before its file."""
    Listing(wire, map(str, range(1005)), 1000)
    client.download_dataset_objects("d", tmp_path, limit=None)
    lists = [index for index, call in enumerate(wire.mock.calls) if LIST in call.request.url]
    assert lists[:2] == [0, 1001]


def test_files_bear_the_time_of_their_object(client, wire, tmp_path):
    serve(wire, {"a.jpg": b"a"})
    client.download_dataset_objects("d", tmp_path)
    assert (tmp_path / "a.jpg").stat().st_mtime == pytest.approx(1778051289.123, abs=0.01)


class Store(http.server.ThreadingHTTPServer):
    """A server on a free port, slow until told to be fast."""

    fast = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Shelves)


class Shelves(http.server.BaseHTTPRequestHandler):
    """Lists 30 objects of 100 kB and hands them out."""

    server: Store

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith("/v1/"):
            base = f"http://127.0.0.1:{self.server.server_port}/"
            body = json.dumps(
                [an_object(f"{n:02}.bin", bytes([n]) * 100_000, signedUrl=f"{base}{n}") for n in range(30)]
            ).encode()
        else:
            body = bytes([int(self.path[1:])]) * 100_000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for start in range(0, len(body), 20_000):
            self.wfile.write(body[start : start + 20_000])
            if not self.path.startswith("/v1/") and not self.server.fast:
                time.sleep(0.01)

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the killed process hangs up
            super().handle()


@pytest.fixture
def store():
    server = Store()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


KILLED = """
import sys
from airflow_provider_fastlabel.client import FastLabelClient
FastLabelClient("t", api_url=sys.argv[1]).download_dataset_objects("d", sys.argv[2])
"""


def test_a_killed_download_leaves_whole_files_and_goes_on(store, tmp_path):
    url = f"http://127.0.0.1:{store.server_port}/v1/"
    child = subprocess.Popen([sys.executable, "-c", KILLED, url, str(tmp_path)], cwd=Path(__file__).parents[3])
    while len(list(tmp_path.glob("*.bin"))) < 3:
        assert child.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    child.kill()
    child.wait()
    before = {path.name: path.stat().st_ino for path in tmp_path.glob("*.bin")}
    assert 3 <= len(before) < 30
    assert all(path.read_bytes() == bytes([int(path.stem)]) * 100_000 for path in tmp_path.glob("*.bin"))
    assert list(tmp_path.glob(".download-*"))

    store.fast = True
    with FastLabelClient("t", api_url=url) as client:
        assert len(client.download_dataset_objects("d", tmp_path)) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == [*(f"{n:02}.bin" for n in range(30)), "annotations.json"]
    assert all(path.read_bytes() == bytes([int(path.stem)]) * 100_000 for path in tmp_path.glob("*.bin"))
    assert len(json.loads((tmp_path / "annotations.json").read_text())) == 30
    assert all((tmp_path / name).stat().st_ino == inode for name, inode in before.items())  # not fetched again
