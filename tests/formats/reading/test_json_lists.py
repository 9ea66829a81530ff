"""Lists of a JSON object in a file, batch by batch: the same values and the same refusals as of a text read whole."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_fastlabel.formats.reading.imported import ImportedAnnotations, read_json
from airflow_provider_fastlabel.formats.reading.json_lists import FileChangedError, JsonObject
from airflow_provider_fastlabel.json_text import UnusableJsonError
from tests.limits import run_limited

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = [
    {},
    {"a": []},
    {"a": [], "b": {}, "c": None, "d": 1, "e": "x", "f": True},
    {
        "images": [{"id": n, "file_name": f"{n}.jpg"} for n in range(50)],
        "annotations": [{"id": 1}],
        "info": {"x": [{}]},
    },
    {"a": [{"b": [{"c": {}}, {"d": [{}, {}, {}]}]} for _ in range(40)]},
    {"a": [1, 2.5, -3, "x", None, True, [], [[]], {}, {"a": "},{"}, 2**63] * 5},
    {"犬": [{"名": "猫" * n + "},\n{"} for n in range(60)], 'q"\\': [{"x": '"}, {"'}] * 9},
    {"long": [{"x": "y" * 9000}, {"x": ["z" * 20000, {"a": 1}]}] * 3, "more": "w" * 9000},
    [{"a": 1}] * 40,
    [],
    "text",
    17,
]


def whole(file: Path | bytes) -> Any:
    result = ImportedAnnotations()
    value = read_json(file if isinstance(file, bytes) else file.read_bytes(), "f", result)
    return result.problems[0] if result.problems else value


def in_batches(content: bytes, window: int) -> Any:
    """Read a document, and what was wrong with it as :func:`whole` says it."""
    found: dict[str, Any] = {}
    try:
        for name, value in JsonObject(io.BytesIO(content), window=window).members():
            if isinstance(value, None | bool | int | float | str | dict):
                found[name] = value
            else:
                found[name] = [entry for batch in value for entry in batch.entries]
    except UnusableJsonError as error:
        return (error.problem, error.line)
    return found


def assert_same(content: bytes, window: int) -> None:
    expected, found = whole(content), in_batches(content, window)
    if hasattr(expected, "message"):
        assert found == (expected.message, expected.line), (content[:200], window)
    else:
        assert found == (expected if isinstance(expected, dict) else {}), (content[:200], window)


@pytest.mark.parametrize("indent", [None, 0, 3])
@pytest.mark.parametrize("document", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_every_document_is_read_as_it_is_read_whole(document, indent):
    text = json.dumps(document, indent=indent, ensure_ascii=False).encode()
    for window in (1, 7, 64, 1000, 1 << 20):
        assert_same(text, window)
        assert_same(b"\xef\xbb\xbf" + text + b" \r\n\t", window)


def test_a_number_beyond_64_bits_is_the_same_number():
    for window in (1, 50, 1000):
        assert_same(json.dumps({"a": [{"n": 10**30}, 10**30] * 20}).encode(), window)


def test_nan_and_what_the_fast_parser_does_not_take_are_read_too():
    rows = [{"x": float("nan")}, {"y": float("-inf")}, {"z": "\ud800"}, *({"n": n} for n in range(300))]
    random.Random(3).shuffle(rows)
    content = json.dumps({"rows": rows, "last": rows}).encode()
    for window in (1, 200, 2000):
        assert repr(in_batches(content, window)) == repr(whole(content))


SOUND = json.dumps({"info": {"a": [1]}, "images": [{"id": n, "x": "né"} for n in range(30)], "n": -1}, indent=1)


def test_a_text_that_is_cut_off_anywhere_is_refused_in_the_same_words():
    content = SOUND.encode()
    for stop in range(len(content)):
        assert_same(content[:stop], 1 + stop % 40)


@pytest.mark.parametrize("wrong", [b"x", b",", b"]", b"}", b"\x00", b'"', b":", b"[", b"{", b"\\"])
def test_a_wrong_byte_anywhere_is_refused_in_the_same_words(wrong):
    content = SOUND.encode()
    for place in range(0, len(content), 3):
        assert_same(content[:place] + wrong + content[place:], 1 + place % 50)


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"a": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"a": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"a": [' + b"9" * 5000 + b"]}",
        b'{"a": [{"b": 1' + b"0" * 5000 + b"}]}",
        b'{"b": 1' + b"0" * 5000 + b"}",
        b'{"a": [{"b": "\xff"}]}',
        b'{"a": [1] "b": 2}',
        b'{"a": [1]} {}',
        b"\xff\xfe",
        b"",
    ],
)
def test_hostile_texts_are_refused_in_the_same_words(hostile):
    for window in (3, 64, 5000):
        assert_same(hostile, window)


def test_of_a_name_that_is_given_twice_both_values_are_told():
    content = b'{"a": [{"x": 1}, {"x": 2}], "b": 1, "a": [{"x": 3}]}'
    found = [
        (name, value if isinstance(value, int) else [e for batch in value for e in batch.entries])
        for name, value in JsonObject(io.BytesIO(content), window=4).members()
    ]
    assert found == [("a", [{"x": 1}, {"x": 2}]), ("b", 1), ("a", [{"x": 3}])]


def test_a_list_that_nobody_looks_at_is_checked_all_the_same():
    members = JsonObject(io.BytesIO(b'{"a": [{"x": 1}, {"x": }], "b": 1}'), window=4).members()
    assert next(members)[0] == "a"
    with pytest.raises(UnusableJsonError, match="Expecting value"):
        next(members)


def test_batches_that_were_put_aside_are_read_again(tmp_path):
    rows = [{"n": n, "x": float("nan") if n % 7 == 0 else "},{"} for n in range(500)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": rows}))
    with path.open("rb") as file:
        (batches,) = [[batch.put_aside() for batch in value] for _, value in JsonObject(file, window=900).members()]
        assert len(batches) > 5
        assert repr([row for batch in batches for row in batch.read(file)]) == repr(rows)
        path.write_bytes(b"?" * path.stat().st_size)
        with pytest.raises(FileChangedError, match="was changed while it was read"):
            batches[0].read(file)


@pytest.mark.parametrize(
    "make",
    [
        "b'{' + b','.join(b'\"%d\": 1' % n for n in range(200_000)) + b'}'",
        "b'{\"a\": [' + b','.join([b'0'] * 2_000_000) + b']}'",
        "b'{\"a\": [' + b','.join([b'{\"x\": [' + b'{},' * 30_000 + b'{}]}'] * 100) + b']}'",
        "b'{\"a\": [' + b','.join([b'{\"x\": NaN}'] * 300_000) + b']}'",
        "b'{\"a\": [' + b' ' * 30_000_000 + b']}'",
    ],
    ids=["members", "numbers", "nested", "nan", "spaces"],
)
def test_texts_made_to_be_slow_cost_little(make, tmp_path):
    run_limited(
        f"""
        import sys
        from airflow_provider_fastlabel.formats.reading.json_lists import JsonObject
        with open(sys.argv[1], "w+b") as file:
            content = {make}
            file.write(content)
            del content
            file.seek(0)
            for name, value in JsonObject(file).members():
                for batch in value if hasattr(value, "__next__") else ():
                    pass
        """,
        tmp_path / "a.json",
        megabytes=300,
    )
