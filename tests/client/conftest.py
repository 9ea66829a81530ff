"""A client whose network is played by ``responses``."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from airflow_provider_fastlabel.client import FastLabelClient

API = "http://fastlabel.test/v1/"


@pytest.fixture
def client():
    """A client that does not sleep between attempts."""
    with FastLabelClient("secret-token", api_url=API, max_retries=2) as client:
        client.transport.sleep = lambda _: None
        yield client


class Wire:
    """What went over the wire."""

    def __init__(self, mock):
        self.mock = mock

    def answer(self, method, path, value=None, status=200, **more):
        """Let a route answer; a value of ``None`` stands for an empty body."""
        if value is not None:
            more["json"] = value
        self.mock.add(method, API + path, status=status, **more)

    def lose(self, method, path):
        """Let the answer of a route get lost after the request was sent."""
        self.mock.add(method, API + path, status=502, json={"message": "bad gateway"})

    @property
    def sent(self):
        """Verb, path below the base URL, query as a list of pairs, and JSON body of every request."""
        return [self._line(call.request) for call in self.mock.calls]

    @staticmethod
    def _line(request):
        url = urlsplit(request.url)
        body = request.body
        if body is not None and not isinstance(body, str | bytes):
            body = b"".join(body)
        query = parse_qsl(url.query, keep_blank_values=True)
        return request.method, url.path.removeprefix("/v1/"), query, json.loads(body) if body else None


@pytest.fixture
def wire():
    """The network, faked."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Wire(mock)
