"""Fixtures and helpers of the tests of exports: labelled tasks, and an export as a worker runs it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

BOX = {"type": "bbox", "value": "cat", "points": [4, 5, 20, 25]}


def png(width: int = 40, height: int = 30, colour: int = 9) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (colour, 200, 30)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def project(client):
    client.create_annotation("photos", "bbox", "dog", "Dog", color="#00ff00")
    client.create_annotation("photos", "bbox", "cat", "Cat", color="#ff0000")
    return "photos"


@pytest.fixture
def label(client, project, tmp_path):
    """Create approved tasks with one box each."""
    picture = tmp_path / "picture.png"

    def create(*names, annotations=(BOX,), status="approved", colour=9, **fields):
        picture.write_bytes(png(colour=colour))
        for name in names:
            client.create_image_task(project, name, picture, status=status, annotations=list(annotations), **fields)

    return create


@pytest.fixture
def export(airflow_run, tmp_path):
    """Run an export operator as a worker does and return its outcome."""

    def go(operator, **arguments):
        arguments = {"project": "photos", "output": str(tmp_path / "out" / operator.format), **arguments}
        return airflow_run(lambda: operator(task_id="export", **arguments)).attempt()

    return go


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
