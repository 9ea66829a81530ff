from __future__ import annotations

import pytest
from responses import matchers

from airflow_provider_fastlabel.client import FastLabelInvalidException


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("get_metadatas", (), ("GET", "metadatas", [("limit", "100")], None)),
        ("get_metadatas", ("p", 0, 5), ("GET", "metadatas", [("project", "p"), ("limit", "5")], None)),
        ("get_project_id_slug_map", (), ("GET", "projects/map/id-slug", [("limit", "1000")], None)),
        ("get_project_id_slug_map", (3, 4), ("GET", "projects/map/id-slug", [("offset", "3"), ("limit", "4")], None)),
        (
            "update_project_metadata",
            ("P", None, "b", None),
            ("PUT", "projects/P/metadata", [], {"externalCode1": None, "externalCode2": "b", "externalCode3": None}),
        ),
        (
            "update_project_user_permission",
            ("p", "a@x.jp", "annotator"),
            ("PUT", "projects-users", [], {"project": "p", "email": "a@x.jp", "role": "annotator"}),
        ),
    ],
)
def test_wire(client, wire, call, arguments, expected):
    answer = [{"answer": call}] if call == "get_metadatas" else {"answer": call}
    wire.answer(expected[0], expected[1], answer)
    assert getattr(client, call)(*arguments) == answer
    assert wire.sent == [expected]


@pytest.mark.parametrize("call", ["get_metadatas", "get_project_id_slug_map"])
def test_too_large_a_page_is_refused_before_sending(client, wire, call):
    with pytest.raises(FastLabelInvalidException, match="1000"):
        getattr(client, call)(limit=1001)
    assert wire.sent == []


def test_the_whole_map_of_projects(client, wire):
    whole = {f"id-{n}": f"slug-{n}" for n in range(1500)}
    pairs = list(whole.items())
    for offset in (0, 999, 1499):
        wire.answer(
            "GET", "projects/map/id-slug", dict(pairs[offset : offset + 1000]),
            match=[matchers.query_param_matcher({"limit": "1000"} | ({"offset": str(offset)} if offset else {}))],
        )  # fmt: skip
    assert dict(client.iter_project_id_slug_map()) == whole


def test_all_metadata_fields(client, wire):
    wire.answer("GET", "metadatas", [{"id": "1"}])
    assert list(client.iter_metadatas("p")) == [{"id": "1"}]
    assert ("project", "p") in wire.sent[0][2]
