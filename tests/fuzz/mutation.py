"""Turns good files into damaged and hostile ones; the same generator of random numbers makes the same file."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

NUMBERS = (
    b"0", b"-1", b"1", b"2", b"255", b"65536", b"2147483648", b"4294967296", b"9223372036854775808", b"1" + b"0" * 30,
    b"1" + b"0" * 400, b"9" * 5000, b"1e308", b"1e999", b"-1e999", b"1e-400", b"NaN", b"nan", b"Infinity", b"-inf",
    b"0.1", b"1_0", b"0x10", b"1.", b".5", b"--1", "\u0663".encode(), "\u00b2".encode(), b"", b"null", b"true",
)  # fmt: skip
"""What may stand where a number is meant."""

TEXTS = (
    b"\0", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n", b"\r\n", b"\t", b" ",
    b"\x0b", b"\x1b[31m", b"\xe2\x80\xa8", b"..", b"../../x", b"/", b"\\", b"<", b">", b"&", b"&lt;", b"&x;", b"'",
    b'"', b":", b"#", b"[", b"]", b"{", b"}", b",", b"-", b"*a", b"&a ", b"? ", b"%", b"=", b"\\ud800", b"\\u0000",
    b"\x85",
)  # fmt: skip
"""What means something to one parser or another."""

WRONG: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 1.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"), float("-inf"), 2**31,
    2**63, 2**64, -(2**63), 10**30, 10**400, "", " ", "1", "x", "nan", "1e999", "\ud800", "\udc80x", "\0",
    "a\nb\x1b[31m", "../../x", "/x", "C:\\x", "x" * 3000, "日" * 300, [], {}, [[]], [None], [{}], [1], [1, 2], ["x"],
    [[1, 2], [3, 4]], [[[1, 2]]], {"": None}, {"x": []}, {"x": {"x": 1}}, {"key": [], "value": {}}, [True, False],
    [10**400] * 4, ["1", "2", "3", "4"], [0] * 2000,
)  # fmt: skip
"""Values of JSON of every type, and the odd ones among them."""

_DEEP = "deep\u2603"
_TWICE = "twice\u2603"


def damaged(data: bytes, random: Random, others: Sequence[bytes] = (), words: Sequence[bytes] = ()) -> bytes:
    """Damage a file at a few places.

    :param data: a good file.
    :param random: decides where and how.
    :param others: other good files, to take parts from.
    :param words: what means something in such a file.
    """
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.choice((1, 1, 2, 4, 8, 64, len(data))))
        data = random.choice(_DAMAGES)(_Place(data, at, to, random, others or (data,), words or TEXTS))
    return data


class _Place(NamedTuple):
    """A stretch of a file that is to be damaged."""

    data: bytes
    at: int
    to: int
    random: Random
    others: Sequence[bytes]
    words: Sequence[bytes]

    def with_(self, new: bytes) -> bytes:
        """Return the file with something else in this stretch."""
        return self.data[: self.at] + new + self.data[self.to :]

    def with_word(self, words: Sequence[bytes]) -> bytes:
        """Return the file with a word in this stretch, or before it."""
        end = self.random.choice((self.at, self.to))
        return self.data[: self.at] + self.random.choice(words) + self.data[end:]

    def spliced(self) -> bytes:
        """Return the file up to here, and then the end of another one."""
        other = self.random.choice(self.others)
        return self.data[: self.at] + other[self.random.randrange(len(other) + 1) :]

    def flipped(self) -> bytes:
        """Return the file with another bit."""
        bits = bytearray(self.data)
        if bits:
            bits[self.at - 1] ^= 1 << self.random.randrange(8)
        return bytes(bits)

    def with_integer(self) -> bytes:
        """Return the file with another binary number."""
        size = self.random.choice((1, 2, 4, 8))
        number = self.random.choice((0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1))
        value = (number & ((1 << 8 * size) - 1)).to_bytes(size, self.random.choice(("big", "little")))
        return self.data[: self.at] + value + self.data[self.at + size :]


_DAMAGES: tuple[Callable[[_Place], bytes], ...] = (
    _Place.flipped,
    _Place.spliced,
    _Place.with_integer,
    lambda place: place.with_(place.random.randbytes(place.random.choice((1, 2, 4, 16)))),
    lambda place: place.with_(b""),
    lambda place: place.data[: place.at],
    lambda place: place.with_(place.data[place.at : place.to] * place.random.choice((2, 2, 30))),
    lambda place: place.with_word(place.words),
    lambda place: place.with_word(place.words),
    lambda place: place.with_word(TEXTS),
    lambda place: _with_number(place.data, place.at, place.random),
    lambda place: _with_number(place.data, place.at, place.random),
)


def _with_number(data: bytes, at: int, random: Random) -> bytes:
    """Exchange the number that is written next behind a place."""
    digits = b"0123456789.-+eE"
    while at < len(data) and data[at] not in b"0123456789":
        at += 1
    to = at
    while to < len(data) and data[to] in digits:
        to += 1
    return data[:at] + random.choice(NUMBERS) + data[to:]


def wrong_json(document: Any, random: Random) -> bytes:
    """Put wrong values into a document.

    :param document: a good one; not changed.
    :param random: decides where and which.
    :returns: JSON, often with what only some parsers take: NaN, halves of surrogate pairs, repeated keys, great depth.
    """
    holder = [copy.deepcopy(document)]
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        _put_wrong(holder, random)
    text = json.dumps(holder[0], ensure_ascii=random.random() < 0.8)
    if _DEEP in text or json.dumps(_DEEP) in text:
        depth = random.choice((100, 500, 900, 980, 5_000, 200_000))
        opening, closing = random.choice((("[", "]"), ('{"x":', "}")))
        deep = opening * depth + "1" + closing * depth
        text = text.replace(json.dumps(_DEEP), deep).replace(f'"{_DEEP}"', deep)
    text = text.replace(json.dumps(_TWICE)[1:-1], "id").replace(_TWICE, "id")
    return text.encode("utf-8", "surrogatepass")


def _put_wrong(holder: list[Any], random: Random) -> None:
    """Change one value, wherever it stands."""
    places = list(places_in(holder))
    parent, key = random.choice(places)
    other_parent, other_key = random.choice(places)
    kind = random.randrange(10)
    if kind < 5:
        parent[key] = copy.deepcopy(random.choice(WRONG))
    elif kind == 5:
        parent[key] = copy.deepcopy(other_parent[other_key])
    elif kind == 6:
        parent[key] = random.choice(([parent[key]], {"x": parent[key]}, [parent[key]] * 3, str(parent[key])))
    elif kind == 7:
        parent[key] = _DEEP
    elif isinstance(parent, dict):
        if kind == 8:
            del parent[key]
        else:
            parent[random.choice((_TWICE, "", "\ud800", "x" * 500, str(other_key)))] = copy.deepcopy(
                random.choice(WRONG)
            )
    elif kind == 8 and parent is not holder:
        del parent[key]
    else:
        parent[key] = random.choice((random.uniform(-1e6, 1e6), random.randrange(-(10**6), 10**6), random.random()))


def places_in(parent: Any) -> Iterator[tuple[Any, Any]]:
    """Walk over all values of a document.

    :param parent: the document.
    :returns: what holds each value, and under which key.
    """
    if not isinstance(parent, (dict, list)):
        return
    for key in list(parent) if isinstance(parent, dict) else range(len(parent)):
        yield parent, key
        yield from places_in(parent[key])


def wrong_or_damaged(documents: Sequence[Any], random: Random, words: Sequence[bytes] = ()) -> bytes:
    """Return a JSON file of wrong values, or one that is damaged, or both."""
    document = random.choice(documents)
    kind = random.random()
    data = wrong_json(document, random) if kind < 0.8 else json.dumps(document).encode()
    return damaged(data, random, words=words) if kind > 0.7 else data
