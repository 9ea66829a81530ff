"""The site builds strictly, and a browser that reads it asks no other host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from tests.docs.pages import ROOT

LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background"}
"""Attributes that make a browser ask for something; ``href`` does so in ``link`` and in drawings only."""

REMOTE = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)

ASLEEP = {
    "https://unpkg.com/mermaid@11/dist/mermaid.min.js",  # for diagrams, of which there are none
    "https://unpkg.com/resize-observer-polyfill",  # for browsers of before 2020
    "https://api.github.com/repos/${e}/${t}",  # for a repository in the header, which is not configured
    "https://api.github.com/users/${e}",
    "https://${e}/api/v4/projects/${encodeURIComponent(t)}",
}
"""Addresses in the theme's program that these pages give no cause to ask; and their policy forbids it."""


class Loads(HTMLParser):
    """Collects the addresses that a page makes a browser ask."""

    def __init__(self, text):
        super().__init__()
        self.remote = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        for name, value in attrs:
            loads = name in LOADING or (name in ("href", "xlink:href") and tag != "a")
            if loads and REMOTE.match(value or ""):
                self.remote.append((tag, name, value))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_no_page_loads_from_another_host(site):
    pages = {path: Loads(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) == len([*(ROOT / "docs").rglob("*.md")]) + 1  # and the page for what is not found
    assert {str(path): page.remote for path, page in pages.items() if page.remote} == {}
    assert {page.policy for page in pages.values()} == {"default-src 'self' 'unsafe-inline' data:"}


def test_no_style_loads_from_another_host(site):
    styles = [*site.rglob("*.css"), *site.rglob("*.html")]
    found = {
        address
        for path in styles
        for address in re.findall(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')\s]+)", path.read_text())
    }
    assert found == set()


def test_scripts_know_no_other_address(site):
    text = "".join(path.read_text() for path in site.rglob("*.js"))
    assert set(re.findall(r"[\"'`](https?://[^\"'`\s]+)[\"'`]", text)) <= ASLEEP


def test_every_method_of_the_client_is_described(site):
    text = "".join(path.read_text() for path in (site / "reference" / "client").glob("*.html"))
    public = {name for name in dir(FastLabelClient) if not name.startswith("_")}
    shown = set(re.findall(r'id="airflow_provider_fastlabel\.client\.FastLabelClient\.(\w+)"', text))
    assert public <= shown


def test_roles_of_docstrings_are_links_or_code(site):
    text = "".join(path.read_text() for path in (site / "reference").rglob("*.html"))
    assert re.findall(r":(?:class|meth|func|mod|data|attr|exc):", text) == []
    assert "``" not in text
    assert re.search(r'<a class="autorefs[^"]*"[^>]*><code>FastLabelExportOperator</code></a>', text)
