"""Index masks as PNG files: the bytes follow from the pixels alone."""

from __future__ import annotations

import threading
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.masks.png import Canvas

PALETTE = bytes(768)


@pytest.fixture(scope="module")
def canvases():
    random = np.random.default_rng(0)
    made = []
    for _ in range(300):
        canvas = Canvas(40, 10)
        canvas.pixels[:] = random.integers(0, 5, (10, 40))
        made.append(canvas)
    return made


def differing(runs):
    """Numbers of the masks that had other bytes in one run than in another."""
    return [number for number, files in enumerate(zip(*runs, strict=True)) if len(set(files)) > 1]


@pytest.mark.slow
def test_a_mask_has_the_same_bytes_wherever_the_stack_lies(canvases):
    runs = []
    together = threading.Barrier(200)  # threads that live at one time have stacks of their own

    def write():
        together.wait()
        runs.append([canvas.png(PALETTE) for canvas in canvases])
        together.wait()

    threads = [threading.Thread(target=write) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == together.parties
    assert differing(runs) == []


def test_a_mask_has_the_same_bytes_wherever_memory_is_free(canvases):
    taken, runs = [], []
    for _ in range(200):
        taken.append(bytearray(1 << 16))  # what comes next lies in another 64 kB
        runs.append([canvas.png(PALETTE) for canvas in canvases])
    assert differing(runs) == []


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 3), (3, 1), (7, 1), (8, 1), (40, 30)])
def test_a_mask_of_any_size_is_read_back(width, height, wide):
    canvas = Canvas(width, height, wide=wide)
    canvas.pixels[-1, -1] = 7
    with Image.open(BytesIO(canvas.png(PALETTE))) as image:
        assert image.size == (width, height)
        assert np.asarray(image).tolist() == canvas.pixels.tolist()
