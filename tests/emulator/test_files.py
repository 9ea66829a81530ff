"""Stored files appear whole, whoever writes the same bytes at the same time."""

from __future__ import annotations

import threading

from airflow_provider_fastlabel.emulator.files import Files
from airflow_provider_fastlabel.emulator.settings import Clock


def test_a_small_file_is_whole_as_soon_as_it_is_there(tmp_path):
    files = Files(tmp_path / "files", b"secret", Clock())
    content = b"x" * 900_000
    stop = threading.Event()
    seen = set()

    def read_whatever_is_there():
        while not stop.is_set():
            for path in list(files.root.iterdir()):
                if "." not in path.name and path.exists():
                    seen.add(path.stat().st_size)

    reader = threading.Thread(target=read_whatever_is_there)
    reader.start()
    for number in range(200):
        writer = files.writer()
        writer.write(content + str(number).encode())
        assert files.path(writer.commit().sha256).stat().st_size == writer.size
    stop.set()
    reader.join()
    assert seen
    assert min(seen) > 900_000
