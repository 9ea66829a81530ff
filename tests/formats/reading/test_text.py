"""Text files say by a byte order mark what they are, or are UTF-8."""

from __future__ import annotations

import codecs

import pytest

from airflow_provider_fastlabel.formats.reading.text import decoded


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", ["", "a", "犬 1\r\n2", "\ufeffa"[1:], "ÿþ"])
def test_what_an_encoder_writes(encoding, text):
    assert decoded(text.encode(encoding)) == text


def test_both_orders_of_bytes():
    assert decoded(codecs.BOM_UTF16_BE + "犬".encode("utf-16-be")) == "犬"
    assert decoded(codecs.BOM_UTF16_LE + "犬".encode("utf-16-le")) == "犬"
    assert decoded(codecs.BOM_UTF32_BE + "犬".encode("utf-32-be")) == "犬"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("犬".encode("cp932"), "not UTF-8 text: byte 0 is invalid start byte"),
        (codecs.BOM_UTF8 + b"a\xff", "not UTF-8 text: byte 4 is invalid start byte"),
        (codecs.BOM_UTF16_LE + b"a", "not UTF-16 text"),
        ("1 0.5".encode("utf-16-le"), "as UTF-16 without a byte order mark"),
        ("1 0.5".encode("utf-16-be"), "as UTF-16 without a byte order mark"),
    ],
)
def test_what_it_is_not(data, why):
    with pytest.raises(ValueError, match=why):
        decoded(data)
