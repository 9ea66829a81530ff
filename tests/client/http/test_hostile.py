"""What a careless or hostile stranger hands to the client ends in one clear error, and never half-way."""

from __future__ import annotations

import os
import threading

import pytest

from airflow_provider_fastlabel.client import ConnectionFailed, FastLabelClient, FastLabelInvalidException
from airflow_provider_fastlabel.client.http.bodies import CHUNK_BYTES, FilePart
from airflow_provider_fastlabel.client.http.quota import Quota
from airflow_provider_fastlabel.client.http.session import TokenAuth

# The client itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "api.fastlabel.ai/v1", "//x/v1", "ftp://x/", "http:///v1", "http://x/v1?a=b", "http://x/v1#f", "http://x y/v1",
        "http://x:port/v1", "http://x:99999/v1", "http://[::1/v1", "http://x/v1\n/", b"http://x/", 5,
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["argument", "environment"])
def test_what_is_no_address_of_an_api(monkeypatch, url, source):
    if source == "environment":
        monkeypatch.setenv("FASTLABEL_API_URL", str(url))
    with pytest.raises(ValueError, match="api_url or FASTLABEL_API_URL"):
        FastLabelClient("token", api_url=url if source == "argument" else None)


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(ValueError, match="api_url") as caught:
        FastLabelClient("token", api_url="http://me:hidden@x/v1/")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1]:8000/v1", " HTTP://[::1]:8000/v1/\n"])
def test_addresses(url):
    assert FastLabelClient("token", api_url=url).transport.api_url.lower() == "http://[::1]:8000/v1/"


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_address_is_none(monkeypatch, blank):
    monkeypatch.setenv("FASTLABEL_API_URL", blank)
    assert FastLabelClient("token", api_url=blank).transport.api_url == "https://api.fastlabel.ai/v1/"


@pytest.mark.parametrize("token", [5, b"token", "  ", "a b", "tökén"])
def test_what_is_no_token(token):
    with pytest.raises(ValueError, match=r"token|TOKEN") as caught:
        FastLabelClient(token)
    assert "tökén" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verify", "/nowhere.pem"),
        ("verify", 5),
        ("proxies", "http://proxy"),
        ("proxies", {"https": 5}),
        ("user_agent", "a\nb"),
    ],
)
def test_arguments_of_the_connection(name, value):
    with pytest.raises(ValueError, match=name):
        FastLabelClient("token", **{name: value})


@pytest.mark.parametrize("proxy", ["nonsense:://", "socks9://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_one_is_not_tried_again(client, proxy):
    client.transport._proxies = {"http": proxy}
    client.transport.sleep = lambda _: pytest.fail("nothing gets better by waiting")
    with pytest.raises(FastLabelInvalidException, match="GET projects.*proxy"):
        client.get_projects()


# Names and ids -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda c, text: c.find_image_task(text),
        lambda c, text: c.get_image_tasks("p", task_name=text),
        lambda c, text: c.get_image_tasks(text),
        lambda c, text: c.create_robotics_task("p", text),
        lambda c, text: c.update_task("t", tags=[text]),
    ],
)
def test_a_file_name_that_is_no_unicode(client, wire, call):
    """What os.listdir makes of bytes that are no UTF-8."""
    with pytest.raises(FastLabelInvalidException, match="Unicode") as caught:
        call(client, "caf\udce9.png")
    assert caught.value.code == 422
    assert str(caught.value).encode()
    assert wire.sent == []


def test_a_file_in_a_folder_whose_name_is_no_unicode(client, wire, tmp_path):
    (tmp_path / "caf\udce9.png").write_bytes(b"x")
    with pytest.raises(FastLabelInvalidException, match="Unicode"):
        client.create_sequential_image_task("p", "n", tmp_path)
    assert wire.sent == []


# Files ---------------------------------------------------------------------------------------------------------------

CREATES = [
    ("png", lambda c, path: c.create_image_task("p", "n", path)),
    ("txt", lambda c, path: c.create_text_task("p", "n", path)),
    ("mp4", lambda c, path: c.create_video_task("p", "n", path)),
    ("zip", lambda c, path: c.create_dicom_task("p", path)),
    ("zip", lambda c, path: c.import_appendix_file("p", path)),
    ("zip", lambda c, path: c.import_robotics_contents_file("p", path)),
    ("png", lambda c, path: c.execute_endpoint("e", path)),
    ("png", lambda c, path: c.create_dataset_object("d", "n", path)),
    ("png", lambda c, path: c.execute_training_job("d", "b", 1, config_file_path=path)),
]


@pytest.mark.parametrize("what", ["missing", "folder", "loop", "dangling", "too long", "nul"])
@pytest.mark.parametrize(("extension", "create"), CREATES)
def test_what_is_no_file(client, wire, tmp_path, extension, create, what):
    path = tmp_path / f"a.{extension}"
    if what == "folder":
        path.mkdir()
    elif what in ("loop", "dangling"):
        path.symlink_to(path if what == "loop" else tmp_path / "nothing")
    given = {"too long": f"{'a' * 300}.{extension}", "nul": f"a\0.{extension}"}.get(what, path)
    with pytest.raises(FastLabelInvalidException, match=r"\. Nothing was sent\.$") as caught:
        create(client, given)
    assert f".{extension}" in str(caught.value)
    assert caught.value.code == 422
    assert wire.sent == []


@pytest.mark.parametrize("nothing", ["", "nul\0", "missing", "file.png"])
@pytest.mark.parametrize("kind", ["sequential_image", "multi_image_classification", "sequential_pcd"])
def test_what_is_no_folder(client, wire, tmp_path, monkeypatch, nothing, kind):
    """An empty path would be the present folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.png").write_bytes(b"x")
    with pytest.raises(FastLabelInvalidException, match="folder"):
        client.create_task("p", kind, "n", nothing)
    assert wire.sent == []


@pytest.mark.parametrize(("extension", "create"), [CREATES[0], CREATES[1], CREATES[6], CREATES[7]])
def test_a_file_that_cannot_be_read(raw, raw_client, tmp_path, extension, create):
    path = tmp_path / f"a.{extension}"
    path.symlink_to("/proc/self/mem")  # a file with an error at the first byte, also for root
    raw.play(raw.RESET)
    with pytest.raises(FastLabelInvalidException, match=r"Cannot read .*a\.|a\.\w+ has 0 bytes"):
        create(raw_client, path)


@pytest.mark.parametrize(("extension", "create"), CREATES[3:6])
@pytest.mark.parametrize("content", [b"", None])
def test_a_zip_that_holds_nothing(client, wire, tmp_path, extension, create, content):
    """The store refuses an empty upload: requests would send it without a length."""
    path = tmp_path / "a.zip"
    if content is None:
        path.symlink_to("/proc/self/mem")
    else:
        path.write_bytes(content)
    with pytest.raises(FastLabelInvalidException, match="a.zip has 0 bytes"):
        create(client, path)
    assert wire.sent == []


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda c, d: c.create_dicom_task("p", d / "a.png"), r"a\.png ends in \.png; for dicom send a \.zip file"),
        (
            lambda c, d: c.create_image_task("p", "n", d / "a.zip"),
            r"a\.zip ends in \.zip; for image send a \.png, \.jpg",
        ),
        (lambda c, d: c.create_image_task("p", "n", d / "a"), r"a has no extension; for image send"),
        (lambda c, d: c.import_appendix_file("p", d / "a.png"), r"a\.png ends in \.png; .* send a \.zip file"),
        (
            lambda c, d: c.create_image_task("p", "n", d / "big.png"),
            r"big\.png has 20,971,521 bytes; for image at most 20,971,520 \(20 MB\) are allowed\. Make it smaller",
        ),
        (lambda c, d: c.execute_endpoint("e", d / "big.png"), r"big\.png has 20,971,521 bytes; .* 6,291,456 \(6 MB\)"),
    ],
)
def test_a_refusal_names_file_rule_and_remedy(client, wire, tmp_path, call, says):
    for name, size in (("a.png", 1), ("a.zip", 1), ("a", 1), ("big.png", 20 * 1024**2 + 1)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    with pytest.raises(FastLabelInvalidException, match=says + r".*\. Nothing was sent\.$"):
        call(client, tmp_path)
    assert wire.sent == []


# Threads -------------------------------------------------------------------------------------------------------------


def test_closing_while_others_work_breaks_nothing_or_says_so(raw, raw_client):
    raw.play(raw.answer(200, 5))
    outcomes = []

    def work():
        for _ in range(40):
            try:
                outcomes.append(raw_client.count_tasks("p"))
            except ConnectionFailed as error:
                outcomes.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        raw_client.close()
    assert len(outcomes) == 160
    assert {outcome for outcome in outcomes if not isinstance(outcome, ConnectionFailed)} == {5}


def test_an_interrupted_call_gives_its_slot_back(raw, raw_client):
    class Interrupting(TokenAuth):
        def __call__(self, request):
            raise KeyboardInterrupt

    raw_client.transport._auth = Interrupting("secret-token", raw.url)
    before = raw_client.quota.remaining()
    with pytest.raises(KeyboardInterrupt):
        raw_client.count_tasks("p")
    assert raw_client.quota.remaining() == before - 1
    raw_client.transport.quota = Quota(1, window=0.05)
    for _ in range(3):  # a call that was still under way would hold its slot for ever
        with pytest.raises(KeyboardInterrupt):
            raw_client.count_tasks("p")


class Interrupted(threading.Thread):
    """A thread that is stopped by an interrupt while it waits for its slot."""

    def __init__(self, quota):
        super().__init__()
        self.quota = quota

    def run(self):
        quota = self.quota
        told, looks = quota._wait, []

        def wait():
            if threading.current_thread() is self:
                looks.append(1)
                if len(looks) == 2:  # woken up, and interrupted before it could wake up anybody else
                    raise KeyboardInterrupt
            return told()

        quota._wait = wait
        try:
            with quota.slot():
                pass
        except KeyboardInterrupt:
            pass


def test_one_who_leaves_the_queue_does_not_keep_the_others_waiting():
    quota = Quota(1, window=0.1)
    done = []

    def work():
        with quota.slot():
            done.append(1)

    with quota.slot():
        others = [threading.Thread(target=work) for _ in range(3)]
        gone = Interrupted(quota)
        for thread in (gone, *others):
            thread.start()
    for thread in (gone, *others):
        thread.join(10)
    assert done == [1, 1, 1]


# Files that change ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["shrink", "grow", "rewrite"])
def test_a_zip_that_changes_between_attempts_is_not_uploaded_half_old(raw, raw_client, tmp_path, change):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK" + bytes(1000))
    os.utime(path, (1, 1))
    content = {"shrink": b"PK", "grow": b"PK" + bytes(2000), "rewrite": b"KP" + bytes(1000)}[change]
    raw.play(raw.answer(503), raw.answer(200))
    raw_client.transport.sleep = lambda _: path.write_bytes(content)
    with pytest.raises(FastLabelInvalidException, match=r"a\.zip changed while it was uploaded"):
        raw_client.transport.upload(raw.url + "store?sig=1", path, "application/zip")


@pytest.mark.parametrize("size", [1000, CHUNK_BYTES * 3])
def test_a_file_that_grows_while_it_is_read_is_cut_off(tmp_path, size):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(CHUNK_BYTES * 2))
    chunks = FilePart(path).chunks()
    assert len(next(chunks)) == CHUNK_BYTES
    path.write_bytes(bytes(size))
    with pytest.raises(FastLabelInvalidException, match="changed"):
        next(chunks)
