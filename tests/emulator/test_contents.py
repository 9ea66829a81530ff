"""Contents that come as a zip: appendix pictures and episodes of robots."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import requests

from .conftest import encoded, picture_bytes

if TYPE_CHECKING:
    from .conftest import Api


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def upload(api: Api, project: str, name: str, data: bytes) -> dict[str, str]:
    place = api("GET", "files", project=project, fileName=name, fileType="application/zip")
    requests.put(place["url"], data=data, timeout=60)
    return {"project": project, "fileKey": place["name"]}


def test_appendix_pictures_are_found_by_task(api: Api):
    api.project("pcd_cuboid", "clouds")
    api("POST", "tasks/pcd", {"project": "clouds", "name": "drive", "file": encoded(b"# .PCD")})
    files = {"drive/01.pcd/000.png": picture_bytes(), "drive/01.pcd/000.yaml": b"k: 1", "other/02.pcd/000.png": b"x"}
    body = upload(api, "clouds", "app.zip", zipped(**files))
    assert len(api("POST", "contents/imports/appendix/batch", body)) == 2
    (entry,) = api("GET", "contents/export/appendix", project="clouds", limit=10_000)
    assert (entry["imageFileName"], entry["calibrationFileName"], entry["format"]) == ("000.png", "000.yaml", "yml")
    assert entry["calibration"] == "k: 1"
    assert requests.get(entry["url"], timeout=60).content == picture_bytes()
    names = [item["name"] for item in api("GET", "tasks/appendix", project="clouds")]
    assert names == ["drive/01.pcd/000.png", "other/02.pcd/000.png"]


def test_robotics_contents_go_to_the_task_the_zip_is_named_after(api: Api):
    api.project("robotics_task_classification", "arm")
    task = api("POST", "tasks/robotics", {"project": "arm", "name": "episode_1"})
    body = upload(api, "arm", "episode_1.zip", zipped(**{"episode_1/top.mp4": b"film"}))
    api("POST", "contents/imports/robotics-contents/batch", body)
    (content,) = api("GET", f"tasks/robotics/{task}")["contents"]
    assert (content["name"], requests.get(content["url"], timeout=60).content) == ("top.mp4", b"film")
    lost = upload(api, "arm", "episode_2.zip", zipped(a=b"x"))
    assert "episode_2" in api.refused(404, "POST", "contents/imports/robotics-contents/batch", lost)
