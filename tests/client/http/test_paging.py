from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from responses import matchers

from airflow_provider_fastlabel.client import FastLabelException
from airflow_provider_fastlabel.client.http.paging import iterate


class Listing:
    """A list on a server, in a stable order, that may change before each page."""

    def __init__(self, ids, changes=(), cap=10**9):
        self.ids = list(ids)
        self.changes = list(changes)
        self.cap = cap
        self.calls = []

    def __call__(self, offset, limit):
        if self.changes:
            self.changes.pop(0)(self)
        self.calls.append((offset, limit))
        return [{"id": name} for name in self.ids[offset : offset + min(limit, self.cap)]]


def names(listing, page_size):
    return [item["id"] for item in iterate("x", listing, page_size)]


@given(count=st.integers(0, 60), page=st.integers(10, 20), cap=st.integers(10, 20))
def test_a_quiet_list_is_read_once_in_order(count, page, cap):
    listing = Listing(range(count), cap=cap)
    assert names(listing, page) == list(range(count))
    assert all(limit == page for _, limit in listing.calls)
    assert len(listing.calls) <= count // (min(page, cap) - 1) + 2


def test_a_short_list_is_read_with_one_call():
    listing = Listing(range(9))
    assert names(listing, 1000) == list(range(9))
    assert listing.calls == [(0, 1000)]


def leaves(positions):
    def change(listing):
        listing.ids = [name for place, name in enumerate(listing.ids) if place not in positions]

    return change


def joins(place):
    return lambda listing: listing.ids.insert(min(place, len(listing.ids)), 1000 + len(listing.calls))


CHANGES = st.lists(
    st.one_of(
        st.sets(st.integers(0, 50), max_size=30).map(leaves),
        st.integers(0, 60).map(joins),
        st.just(lambda listing: None),
    ),
    max_size=12,
)


@given(count=st.integers(0, 80), page=st.integers(10, 14), changes=CHANGES)
def test_whatever_stays_in_a_changing_list_is_read_exactly_once(count, page, changes):
    """Tasks leave the list when their status changes; a loop over offsets would skip those that move up."""
    listing = Listing(range(count), changes)
    seen = names(listing, page)
    assert len(seen) == len(set(seen))
    assert {name for name in listing.ids if name < 1000} <= set(seen)


def test_a_plain_loop_would_have_missed_some():
    listing = Listing(range(30), [lambda _: None, leaves(set(range(9)))])
    assert names(listing, 10) == list(range(30))
    assert listing.calls[:4] == [(0, 10), (9, 10), (4, 10), (0, 10)]


class Busy(Listing):
    """A list that others change at every call, for ever: so many leave at the front, so many join at the end."""

    def __init__(self, count, *, leave=0, join=0, gap=1, **more):
        super().__init__(range(count), **more)
        self.start, self.leave, self.join, self.gap = count, leave, join, gap
        self.stayed = set(self.ids)

    def __call__(self, offset, limit):
        page = super().__call__(offset, limit)
        if len(self.calls) % self.gap == 0:
            self.stayed -= set(self.ids[: self.leave])
            self.ids = self.ids[self.leave :]
            self.ids += range(self.start, self.start + self.join)
            self.start += self.join
        return page


@pytest.mark.parametrize("count", [0, 1, 9, 35, 400])
@pytest.mark.parametrize("leave", [0, 3])
@pytest.mark.parametrize("join", [1, 5, 12])
@pytest.mark.parametrize(("page", "gap"), [(10, 1), (1000, 1), (10, 3)])
def test_a_list_that_others_change_as_fast_as_it_is_read_is_read_to_an_end(count, leave, join, page, gap):
    """Mapped imports into one project do that to each other's look at the names."""
    listing = Busy(count, leave=leave, join=join, gap=gap)
    seen = names(listing, page)
    assert len(seen) == len(set(seen))
    assert listing.stayed & set(range(count)) <= set(seen)


def test_names_that_join_one_by_one_cost_a_few_calls_only():
    listing = Busy(3000, join=1)
    names(listing, 1000)
    assert len(listing.calls) <= 5
    listing = Busy(3000, join=1, leave=1)
    names(listing, 1000)
    assert len(listing.calls) <= 40
    listing = Busy(3000, join=60)
    names(listing, 1000)
    assert len(listing.calls) <= 20


def test_a_list_without_end_is_refused():
    def endless(offset, limit):
        return [{"id": number} for number in range(offset, offset + limit)]

    with pytest.raises(FastLabelException, match="no end"):
        list(iterate("x", endless, 100))


def test_an_item_that_comes_twice_in_a_page_is_yielded_once():
    listing = Listing([*range(8), 7, 7, 8, 8, *range(9, 20), 19])
    assert names(listing, 10) == list(range(20))


def test_a_list_that_empties_meanwhile_ends():
    assert names(Listing(range(30), [lambda _: None, leaves(set(range(30)))]), 10) == list(range(10))


def test_a_server_that_ignores_the_offset_is_not_read_for_ever():
    with pytest.raises(FastLabelException, match="same page"):
        list(iterate("x", lambda offset, limit: [{"id": number} for number in range(10)], 10))


def test_pages_are_fetched_only_when_needed():
    listing = Listing(range(100))
    pager = iterate("x", listing, 10)
    assert listing.calls == []
    next(pager)
    assert len(listing.calls) == 1


KINDS = {
    "image": ("tasks/image", 1000),
    "image_classification": ("tasks/image/classification", 1000),
    "multi_image_classification": ("tasks/multi-image/classification", 1000),
    "sequential_image": ("tasks/sequential-image", 10),
    "video": ("tasks/video", 10),
    "video_classification": ("tasks/video/classification", 1000),
    "text": ("tasks/text", 1000),
    "text_classification": ("tasks/text/classification", 1000),
    "audio": ("tasks/audio", 1000),
    "audio_classification": ("tasks/audio/classification", 1000),
    "multi_modal_video_audio": ("tasks/multi-modal-video-audio", 10),
    "pcd": ("tasks/pcd", 1000),
    "sequential_pcd": ("tasks/sequential-pcd", 10),
    "dicom": ("tasks/dicom", 1000),
    "robotics": ("tasks/robotics", 100),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("generic", [False, True])
def test_every_kind_of_task_is_paged_by_its_maximum(client, wire, kind, generic):
    path, page = KINDS[kind]
    tasks = [{"id": str(number)} for number in range(page + 5)]
    for start in (0, page - 1):
        query: dict[str, Any] = {"offset": str(start)} if start or kind == "robotics" else {}
        query |= {"project": "p", "status": "approved", "tags": ["a", "b"], "limit": str(page)}
        wire.answer("GET", path, tasks[start : start + page], match=[matchers.query_param_matcher(query)])
    if generic:
        pager = client.iter_tasks("p", kind, status="approved", tags=["a", "b"])
    else:
        pager = getattr(client, f"iter_{kind}_tasks")("p", "approved", tags=["a", "b"])
    assert list(pager) == tasks
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    ("pager", "path"),
    [
        (lambda c: c.iter_annotations("p", "v"), "annotations"),
        (lambda c: c.iter_projects("s"), "projects"),
        (lambda c: c.iter_tags("p", "k"), "tags"),
        (lambda c: c.iter_histories("p"), "tasks/import/histories"),
    ],
)
def test_other_lists_are_paged_by_a_thousand(client, wire, pager, path):
    items = [{"id": str(number), "value": f"v{number}", "type": "bbox"} for number in range(12)]
    wire.answer("GET", path, items)
    wire.answer("GET", path, items[-1:])
    assert list(pager(client)) == items
    assert dict(wire.sent[0][2])["limit"] == "1000"
    assert dict(wire.sent[1][2])["offset"] == "11"


def test_maps_are_read_to_their_end(client, wire):
    ids = {str(number): f"{number}.jpg" for number in range(1500)}
    for start in (0, 999, 1499):
        part = dict(list(ids.items())[start : start + 1000])
        for route in ("tasks/map/id-name", "projects/map/id-slug"):
            query = {"limit": "1000"} | ({"offset": str(start)} if start else {})
            wire.answer("GET", route, part, match=[matchers.query_param_matcher(query, strict_match=False)])
    assert client.task_ids_by_name("p") == {name: number for number, name in ids.items()}
    assert dict(client.iter_project_id_slug_map()) == ids


@pytest.mark.parametrize(
    ("path", "keys", "pager"),
    [
        ("tasks/image", ["tags"], lambda c, some: c.iter_image_tasks("p", tags=some())),
        ("comments/threads", ["taskTags"], lambda c, some: c.iter_project_comments("p", tags=some())),
        ("contents/export/appendix", ["tags"], lambda c, some: c.iter_appendix_data("p", tags=some())),
        (
            "dataset-revision-objects",
            ["tags", "licenses", "types"],
            lambda c, some: c.iter_dataset_objects("d", tags=some(), licenses=some(), types=some()),
        ),
    ],
)
def test_filters_from_an_iterator_hold_for_every_page(client, wire, path, keys, pager):
    """It gives its items once, to the first page."""
    items = [{"id": str(number), "name": str(number)} for number in range(25)]
    wire.answer("GET", path, items[:12])
    wire.answer("GET", path, items[11:24])
    wire.answer("GET", path, items[23:])
    assert len(list(pager(client, lambda: iter(["train", "test"])))) == 25
    assert len(wire.sent) == 3
    for _, _, query, _ in wire.sent:
        assert [pair for pair in query if pair[0] in keys] == [(k, v) for k in keys for v in ("train", "test")]
