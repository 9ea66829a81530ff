"""The client as a whole: construction, secrets, weight, help."""

from __future__ import annotations

import copy
import inspect
import io
import logging
import pickle
import re
import subprocess
import sys
import traceback

import pytest

from airflow_provider_fastlabel.client import Client, FastLabelClient, FastLabelException, const

TOKEN = "tok-3f9a-secret"


def test_both_names_are_the_same():
    assert Client is FastLabelClient


@pytest.mark.parametrize("token", [None, ""])
@pytest.mark.parametrize("variable", [None, ""])
def test_without_a_token_there_is_no_client(monkeypatch, token, variable):
    monkeypatch.delenv("FASTLABEL_ACCESS_TOKEN", raising=False)
    if variable is not None:
        monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", variable)
    with pytest.raises(ValueError, match="FASTLABEL_ACCESS_TOKEN is not configured"):
        FastLabelClient(token)


@pytest.mark.parametrize("token", ["a b", "tok\nen", "トークン", "   ", "a\x00b"])
def test_a_token_that_cannot_be_one_is_refused_without_being_quoted(token):
    with pytest.raises(ValueError, match="Copy it again") as caught:
        FastLabelClient(token)
    assert token.strip() == "" or token not in str(caught.value)


def test_blanks_around_a_token_do_not_matter(raw):
    raw.play(raw.answer(200, 1))
    FastLabelClient(f" {TOKEN}\n", api_url=raw.url).count_tasks("p")
    assert raw.requests[0]["headers"]["authorization"] == f"Bearer {TOKEN}"


def test_token_and_address_come_from_the_environment(monkeypatch, raw):
    monkeypatch.setenv("FASTLABEL_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("FASTLABEL_API_URL", raw.url.rstrip("/"))
    raw.play(raw.answer(200, 1))
    assert FastLabelClient().count_tasks("p") == 1
    assert raw.requests[0]["headers"]["authorization"] == f"Bearer {TOKEN}"
    assert FastLabelClient("other", api_url="http://x.test/v1").transport.api_url == "http://x.test/v1/"
    monkeypatch.setenv("FASTLABEL_API_URL", "")
    assert FastLabelClient().transport.api_url == "https://api.fastlabel.ai/v1/"


@pytest.mark.parametrize("address", ["api.fastlabel.ai/v1", "ftp://x/v1", "http://", "/v1"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ValueError, match="http or https"):
        FastLabelClient("t", api_url=address)


def test_the_agent_says_who_calls(raw):
    raw.play(raw.answer(200, 1))
    FastLabelClient("t", api_url=raw.url, user_agent="airflow/3").count_tasks("p")
    assert raw.requests[0]["headers"]["user-agent"].startswith("airflow/3 airflow-provider-fastlabel/")


def test_proxies_are_used(raw):
    raw.play(raw.answer(200, 1))
    with FastLabelClient("t", api_url="http://api.test/v1/", proxies={"http": raw.url}) as client:
        assert client.count_tasks("p") == 1
    assert raw.requests[0]["path"] == "http://api.test/v1/tasks/count?project=p"


def test_proxies_of_the_environment_are_used_unless_excepted(raw, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{raw.port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    raw.play(raw.answer(200, 1))
    FastLabelClient("t", api_url="http://api.test/v1/").count_tasks("p")
    FastLabelClient("t", api_url=raw.url).count_tasks("p")
    assert [request["path"][:4] for request in raw.requests] == ["http", "task"]


def test_the_token_is_shown_nowhere(raw, caplog):
    client = FastLabelClient(TOKEN, api_url=raw.url, max_retries=1)
    client.transport.sleep = lambda _: None
    raw.play(raw.RESET, raw.answer(500, {"message": "m"}))
    shown = io.StringIO()
    with caplog.at_level(logging.DEBUG):
        try:
            client.find_project("p")
        except FastLabelException as error:
            for line in traceback.TracebackException.from_exception(error, capture_locals=True).format():
                shown.write(line)
            shown.write(repr(error) + str(error) + repr(vars(error)) + repr(pickle.dumps(error)))
            chain = [error, error.__cause__, error.__context__]
            assert chain[1:] == [None, None]
    shown.write(repr(client) + str(client) + repr(client.transport) + repr(vars(client)) + repr(vars(client.transport)))
    shown.write(f"{client.quota!r}{vars(client.quota)!r}")
    assert TOKEN not in shown.getvalue() + caplog.text
    assert repr(client) == f"<FastLabelClient {raw.url}>"
    assert "find_project" in shown.getvalue()
    assert "GET projects/p failed" in caplog.text


@pytest.mark.parametrize("pack", [pickle.dumps, copy.deepcopy])
def test_a_client_is_not_packed_with_its_token(pack):
    with pytest.raises(TypeError, match="pickle"):
        pack(FastLabelClient(TOKEN))


def test_importing_the_client_imports_nothing_heavy():
    heavy = ["airflow", "numpy", "cv2", "PIL", "orjson", "pandas", "pyarrow", "pycocotools", "boto3", "fastapi"]
    program = (
        "import sys; from airflow_provider_fastlabel.client import FastLabelClient; FastLabelClient('t');"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def public_methods():
    return [
        (name, method)
        for name, method in inspect.getmembers(FastLabelClient, inspect.isfunction)
        if not name.startswith("_")
    ]


@pytest.mark.parametrize(("name", "method"), public_methods())
def test_every_method_is_explained_and_typed(name, method):
    assert inspect.getdoc(method)
    signature = inspect.signature(method)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in list(signature.parameters.values())[1:]:
        assert parameter.annotation is not inspect.Parameter.empty, parameter
        shared = parameter.default is const.COLOR_PALETTE  # a constant, a list for the seed's sake
        assert shared or not isinstance(parameter.default, list | dict | set), parameter


def test_every_list_has_its_pager():
    lists = {
        name.removeprefix("get_") for name, _ in public_methods() if name.startswith("get_") and name.endswith("s")
    }
    pagers = {name.removeprefix("iter_") for name, _ in public_methods() if name.startswith("iter_")}
    assert lists - pagers == {"datasets"} - pagers


def test_the_palette():
    palette = const.COLOR_PALLETE
    assert palette is const.COLOR_PALETTE
    assert len(palette) == 174
    colours = [tuple(palette[index : index + 3]) for index in range(0, 174, 3)]
    assert colours[0] == (0, 0, 0)
    assert colours[1] == (228, 26, 28)
    assert colours[48] == (191, 91, 22)
    assert [colours[5], colours[40], colours[49]] == [colours[37], colours[45], colours[57]]
    assert len(set(colours)) == 55


@pytest.mark.parametrize(("name", "method"), public_methods())
def test_help_says_what_every_parameter_means(name, method):
    text = inspect.getdoc(method) or ""
    pointed = re.search(r"(?:Parameters as in|earlier spelling of|README once wrote) :meth:`(\w+)`", text)
    if pointed:
        text += inspect.getdoc(getattr(FastLabelClient, pointed[1])) or ""
    parameters = list(inspect.signature(method).parameters)[1:]
    assert [each for each in parameters if f":param {each}:" not in text] == []
