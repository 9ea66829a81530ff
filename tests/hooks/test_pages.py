"""Addresses of FastLabel's application: the table, what replaces it, and what is refused."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.hooks.pages import PAGES, fill, pages_of, parse_app_url

API = "https://api.fastlabel.ai/v1/"
PROJECT = {"project": "photos", "project_id": "p-1"}


def test_every_page_of_fastlabels_own_api_is_the_projects_with_the_rest_in_the_query():
    facts = {**PROJECT, "status": ["approved", "skipped"], "tags": ["a b", "ü"], "history_id": "h1", "job_id": "j1"}
    assert {name: fill(address, facts) for name, address in pages_of(API, None).items()} == {
        "home": "https://app.fastlabel.ai/",
        "project": "https://app.fastlabel.ai/projects/p-1",
        "tasks": "https://app.fastlabel.ai/projects/p-1?status=approved,skipped&tags=a%20b,%C3%BC",
        "import": "https://app.fastlabel.ai/projects/p-1?importHistory=h1",
        "model_job": "https://app.fastlabel.ai/projects/p-1?modelJob=j1",
    }


@pytest.mark.parametrize(
    "api",
    ["http://127.0.0.1:9000/v1/", "https://gateway.example.com/v1/", "https://fastlabel.ai.example.com/v1/",
     "https://notfastlabel.ai/v1/"],
)  # fmt: skip
def test_behind_another_api_no_application_is_known(api):
    assert pages_of(api, None) == {}
    assert pages_of(api, {"project": "https://app.example.com/{project}"}) == {
        "project": "https://app.example.com/{project}"
    }


@pytest.mark.parametrize(
    ("pattern", "facts", "address"),
    [
        ("https://x.example/{project}/tasks/{task_id}", PROJECT, "https://x.example/photos/tasks/"),
        ("https://x.example/{project}/tasks/{task_id}", {"task_id": "t"}, "https://x.example/"),
        ("https://x.example/{project}", {"project": "../../a?b#c&d"}, "https://x.example/..%2F..%2Fa%3Fb%23c%26d"),
        ("https://x.example/{project}/x", {"project": ".."}, "https://x.example/"),
        ("https://x.example/{project}/x", {"project": None}, "https://x.example/"),
        (
            "https://x.example/{project}?a={status}&b=1&c={tags}",
            {"project": "p", "tags": []},
            "https://x.example/p?b=1",
        ),
        ("https://x.example/{project}?a={status}", {"project": "p"}, "https://x.example/p"),
        ("https://x.example/#/p/{project_id}", PROJECT, "https://x.example/#/p/p-1"),
        ("https://x.example/t/{task_id}", {"task_id": ["a"]}, "https://x.example/t/a"),
        ("https://x.example/t/{task_id}", {"task_id": ["a", "b"]}, "https://x.example/t/"),
        ("https://x.example/f/{path}", {"path": "a b/c"}, "https://x.example/f/a%20b/c"),
        ("https://x.example/{project}", {"project": "\ud800"}, "https://x.example/%3F"),
        ("https://x.example/{project}", {"project": {"a": 1}}, "https://x.example/"),
    ],
)
def test_what_is_known_is_quoted_and_what_is_not_known_ends_the_path(pattern, facts, address):
    assert fill(pattern, facts) == address


def test_an_address_alone_replaces_that_of_the_application():
    pages = parse_app_url("https://label.example.com/app/")
    assert list(pages) == list(PAGES)
    assert fill(pages["project"], PROJECT) == "https://label.example.com/app/projects/p-1"


def test_an_address_with_placeholders_is_that_of_every_page():
    pages = parse_app_url("http://127.0.0.1:9000/pages/{project}?import={history_id}")
    assert fill(pages["project"], PROJECT) == "http://127.0.0.1:9000/pages/photos"
    assert fill(pages["import"], {**PROJECT, "history_id": "h"}) == "http://127.0.0.1:9000/pages/photos?import=h"


@pytest.mark.parametrize("kind", [dict, lambda given: '{"tasks": "https://x.example/{tags}"}'])
def test_pages_one_by_one_leave_the_others_as_they_are(kind):
    pages = pages_of(API, parse_app_url(kind({"tasks": "https://x.example/{tags}"})))
    assert pages["tasks"] == "https://x.example/{tags}"
    assert pages["project"] == "https://app.fastlabel.ai/projects/{project_id}"


@pytest.mark.parametrize(
    "wrong",
    [
        "javascript:alert(1)", "JavaScript:alert({project})", "data:text/html,x", "ftp://x.example/{project}",
        "//x.example/", "app.example.com", "https://", "https:///x", "https://{project}.example.com/", "https://a b/",
        "https://x/\ny", "https://x:port/", "https://x/{secret}", "https://x/{project!r}", "https://x/{project:>9}",
        "https://x/{", "https://x/}", "https://x/{{project}}", "https://x/{}", "https://x/?a=1",
        "https://x/" + "a" * 3000, "{", "{}x", "", 5, True, [], ["https://x/"],
        {"nowhere": "https://x/"}, {"project": 5}, {"project": "javascript:x"}, '{"project": null}',
        "[" * 100_000, "{" * 100_000, 'https://x/"onclick=', "https://x/<b>",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_web_page_is_refused_in_few_words(wrong):
    with pytest.raises(ValueError, match=r"must be|has ") as caught:
        parse_app_url(wrong)
    assert len(str(caught.value)) < 400


def test_credentials_are_refused_and_not_shown():
    with pytest.raises(ValueError, match="without user and password") as caught:
        parse_app_url("https://user:secret@app.example.com/{project}")
    assert "secret" not in str(caught.value)
