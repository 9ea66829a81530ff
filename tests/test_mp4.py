"""The codec of a video, read from a stranger's file."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_fastlabel.mp4 import NotMp4, video_codec


def box(kind, *content, size=None):
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data) if size is None else size, kind) + data


def large_box(kind, *content):
    data = b"".join(content)
    return struct.pack(">I4sQ", 1, kind, 16 + len(data)) + data


def track(handler, code):
    stsd = box(b"stsd", bytes(4), struct.pack(">I", 1), box(code, bytes(78)))
    stbl = box(b"minf", box(b"vmhd", bytes(12)), box(b"stbl", stsd))
    return box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(13)), stbl))


def mp4(*tracks, lead=b"", kind=box):
    return box(b"ftyp", b"isom", bytes(4)) + lead + kind(b"moov", box(b"mvhd", bytes(100)), *tracks)


@pytest.fixture
def video(tmp_path):
    def write(data):
        path = tmp_path / "v.mp4"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("code", [b"avc1", b"avc3", b"hvc1", b"hev1", b"av01", b"mp4v", b"vp09"])
@pytest.mark.parametrize("kind", [box, large_box])
def test_the_codec_is_read_from_the_video_track(video, code, kind):
    path = video(mp4(track(b"soun", b"mp4a"), track(b"vide", code), kind=kind))
    assert video_codec(path) == code.decode()


def test_large_data_before_the_index_is_stepped_over(video):
    path = video(mp4(track(b"vide", b"avc1"), lead=large_box(b"mdat", bytes(5000))))
    assert video_codec(path) == "avc1"


def test_a_last_box_up_to_the_end_of_the_file(video):
    assert video_codec(video(mp4(track(b"vide", b"avc1")) + box(b"mdat", bytes(99), size=0))) == "avc1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF....AVI LIST",
        bytes(64),
        mp4(),
        mp4(track(b"soun", b"mp4a")),
        mp4(track(b"vide", b"avc1"))[:-60],
        box(b"moov", size=4),
        box(b"ftyp", size=2**31),
        struct.pack(">I4s", 1, b"moov"),
    ],
)
def test_what_is_no_video_is_found_out(video, data):
    with pytest.raises(NotMp4):
        video_codec(video(data))


@given(st.binary(max_size=400), st.integers(0, 300))
def test_damaged_files_end_in_a_finding(tmp_path_factory, noise, at):
    data = mp4(track(b"vide", b"avc1"))
    path = tmp_path_factory.mktemp("v") / "v.mp4"
    path.write_bytes(data[:at] + noise + data[at + len(noise) :])
    with contextlib.suppress(NotMp4):
        assert len(video_codec(path)) == 4


@pytest.mark.parametrize("begin", [b"ffconcat version 1.0\nfile 'a'\n", b"#EXTM3U\n#EXTINF:1,\na\n"])
def test_a_list_of_files_so_long_that_its_first_letters_are_the_size_of_a_box_is_no_video(tmp_path, begin):
    path = tmp_path / "v.mp4"
    with path.open("wb") as file:  # it has holes: nearly nothing is written
        file.write(begin)
        file.seek(int.from_bytes(begin[:4], "big"))
        file.write(mp4(track(b"vide", b"avc1")))
    with pytest.raises(NotMp4, match="does not begin with a box"):
        video_codec(path)
