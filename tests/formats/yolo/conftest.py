"""A YOLO data set to be filled by a test."""

from __future__ import annotations

import pytest
from PIL import Image

from airflow_provider_fastlabel.formats.yolo import read_yolo


@pytest.fixture
def data(tmp_path):
    """A folder with a classes file beside it."""

    class Data:
        folder = tmp_path / "set"
        classes = tmp_path / "classes.txt"

        def image(self, name, size=(100, 200), **options):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size).save(path, **options)

        def label(self, name, text):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

        def read(self, **options):
            return read_yolo(self.classes, self.folder, **options)

        def read_alone(self, **options):
            """Read the folder without a word about the classes."""
            return read_yolo(None, self.folder, **options)

    data = Data()
    data.folder.mkdir()
    data.classes.write_text("dog\ncat\n")
    return data
