"""Answers of another shape than promised are said so by the call, not by a raw error of Python."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_fastlabel.client import FastLabelClient, FastLabelException, UnexpectedAnswer
from airflow_provider_fastlabel.client.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS: dict[str, Callable[[FastLabelClient], Any]] = {
    **{kind.path: partial(FastLabelClient.iter_tasks, project="p", kind=kind.name) for kind in KINDS.values()},
    "annotations": lambda c: c.iter_annotations("p"),
    "projects": lambda c: c.iter_projects(),
    "tags": lambda c: c.iter_tags("p"),
    "tasks/import/histories": lambda c: c.iter_histories("p"),
    "dataset-revision-objects": lambda c: c.iter_dataset_objects("d"),
    "trainings": lambda c: c.iter_training_jobs(),
    "evaluations": lambda c: c.iter_evaluation_jobs(),
    "auto-annotations": lambda c: c.iter_auto_annotation_jobs("p"),
    "metadatas": lambda c: c.iter_metadatas("p"),
    "contents/export/appendix": lambda c: c.iter_appendix_data("p"),
    "tasks/appendix": lambda c: c.iter_task_appendix_data("p"),
    "comments": lambda c: c.iter_task_comments("p", "t"),
    "comments/threads": lambda c: c.iter_project_comments("p"),
    "workspaces-users": lambda c: c.iter_workspace_users(),
}
MAPS = {
    "tasks/map/id-name": lambda c: c.task_ids_by_name("p"),
    "projects/map/id-slug": lambda c: c.iter_project_id_slug_map(),
}
OTHERS = {
    "tasks/image": lambda c: c.find_image_task_by_name("p", "n"),
    "projects": lambda c: c.find_project_by_slug("s"),
    "annotations": lambda c: c.find_annotation_by_value("p", "v"),
    "dataset-revision-objects/signed-urls": lambda c: c.download_dataset_objects("d", "nowhere"),
}


@pytest.mark.parametrize("answer", [{"items": []}, "text", 5, [None], ["text"], [[]]])
@pytest.mark.parametrize(("path", "call"), [*LISTS.items(), *OTHERS.items()])
def test_a_list_that_is_none(client, wire, path, call, answer):
    wire.answer("GET", path, answer)
    with pytest.raises(FastLabelException, match=f"GET {path}: .*list of objects"):
        list(call(client))


@pytest.mark.parametrize("name", [None, ["x"], {"x": 1}, ...])
@pytest.mark.parametrize(("path", "call"), LISTS.items())
def test_items_without_a_name_of_their_own(client, wire, path, call, name):
    """All of them would pass for one and the same."""
    wire.answer("GET", path, [{"a": 1} if name is ... else dict.fromkeys(("id", "name", "trainingJobId"), name)])
    with pytest.raises(UnexpectedAnswer, match=f"GET {path}: .*list of objects"):
        list(call(client))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"id": "\x1b[2J\n"}, r"an object, not a list"),
        ([{"id": "1"}, "\x1b[2J\n"], r"number 2 is a text \('\\x1b\[2J\\n'\), not an object"),
        (
            [{"id": "1", "annotations": {"0": {}}}],
            "number 1 is an object whose annotations is an object, not a list of",
        ),
        ([{"id": "1", "contents": [None]}], "contents is a list with null in it"),
        ([{"id": "1", "contents": [{}, 5]}], "contents is a list with a number in it"),
        ([{"id": "1", "tags": "a"}], "tags is a text .*, not a list of texts"),
        ([{"id": "1", "tags": [1]}], "tags is a list of something else than texts"),
        ([{"id": True}], "id is true, not a text"),
        ([{"id": "1", "name": 5}], "name is a number, not a text"),
        ([{"id": "1", "width": "100"}], "width is a text .*, not a number"),
        ([{"id": "1", "height": True}], "height is true, not a number"),
    ],
)
def test_an_answer_of_another_shape_is_told_in_words(client, wire, answer, says):
    wire.answer("GET", "tasks/image", answer)
    with pytest.raises(
        UnexpectedAnswer, match=f"^GET tasks/image: FastLabel answered with .*{says}.*Check the API"
    ) as caught:
        client.get_image_tasks("p")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("answer", [None, "5", -1, 1.5, True, [], {"count": 5}])
def test_a_count_that_is_none(client, wire, answer):
    wire.mock.add("GET", "http://fastlabel.test/v1/tasks/count", body=json.dumps(answer))
    with pytest.raises(UnexpectedAnswer, match="GET tasks/count: .*not a number of things"):
        client.count_tasks("p")


@pytest.mark.parametrize("answer", [None, [], "text", 5, {"status": 5}, {"id": {}}])
def test_a_single_thing_that_is_none(client, wire, answer):
    wire.mock.add("GET", "http://fastlabel.test/v1/tasks/import/histories/h", body=json.dumps(answer))
    with pytest.raises(UnexpectedAnswer, match="GET tasks/import/histories/h: .*not a"):
        client.find_history("h")


@pytest.mark.parametrize("answer", [[], [{"id": "n"}], "text", 5, {"id": None}, {"id": ["n"]}])
@pytest.mark.parametrize(("path", "call"), MAPS.items())
def test_a_map_that_is_none(client, wire, path, call, answer):
    wire.answer("GET", path, answer)
    with pytest.raises(FastLabelException, match=f"GET {path}: .*object"):
        list(call(client))


NESTED = "[" * 100_000


@pytest.mark.parametrize(
    "body", [NESTED, '{"a":' * 100_000, b"\xff\xfe\x00", b'[{"name": "caf\xe9"}]', "{'a': 1}", "[1" + "0" * 5000 + "]"]
)
def test_answers_no_parser_takes(client, wire, body):
    wire.mock.add("GET", "http://fastlabel.test/v1/projects", body=body)
    with pytest.raises(FastLabelException, match="GET projects: the answer is not JSON"):
        client.get_projects()


def test_refusals_no_parser_takes(client, wire):
    wire.mock.add("GET", "http://fastlabel.test/v1/projects", body=NESTED, status=400)
    with pytest.raises(FastLabelException, match="GET projects"):
        client.get_projects()


def test_a_byte_order_mark_is_no_part_of_the_answer(client, wire):
    wire.mock.add("GET", "http://fastlabel.test/v1/projects", body='﻿[{"id": "é"}]'.encode())
    assert client.get_projects() == [{"id": "é"}]


# By name, where the server matches by part ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "key", "find"),
    [
        ("tasks/image", "name", lambda c: c.find_image_task_by_name("p", "n7")),
        ("projects", "slug", lambda c: c.find_project_by_slug("n7")),
        ("annotations", "value", lambda c: c.find_annotation_by_value("p", "n7")),
    ],
)
def test_the_exact_one_is_found_on_whatever_page_it_is(client, wire, path, key, find):
    items = [{"id": str(number), "type": "t", key: f"n7{number}"} for number in range(30)]
    items.append({"id": "x", "type": "t", key: "n7"})
    wire.answer("GET", path, items[:10])
    wire.answer("GET", path, items[:20])
    wire.answer("GET", path, items[19:])
    assert find(client) == {"id": "x", "type": "t", key: "n7"}
    assert "offset" not in dict(wire.sent[0][2])
    assert [line[2][-1] for line in wire.sent[1:]] == [("limit", "1000")] * 2


@pytest.mark.parametrize("part", ["n77", None])
def test_none_of_the_matches_by_part_is_taken(client, wire, part):
    wire.answer("GET", "tasks/image", [{"id": "1", "name": part}])
    assert client.find_image_task_by_name("p", "n7") is None


def test_no_match_costs_one_call(client, wire):
    wire.answer("GET", "tasks/video", [])
    assert client.find_video_task_by_name("p", "n") is None
    assert len(wire.sent) == 1
