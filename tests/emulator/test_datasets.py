"""Datasets and their objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from .conftest import dataset, picture_bytes

if TYPE_CHECKING:
    from .conftest import Api


def test_datasets_and_their_objects(api: Api):
    ident = dataset(api)
    assert api("GET", f"datasets-v2/{ident}")["name"] == "my-data"
    assert [item["id"] for item in api("GET", "datasets-v2", keyword="my", tags=["x"])] == [ident]
    assert api("GET", "datasets-v2", keyword="other") == []
    api.refused(409, "POST", "datasets-v2", {"name": "my-data"})
    assert "name" in api.refused(422, "POST", "datasets-v2", {"name": "My Data"})
    assert api("PUT", f"datasets-v2/{ident}", {"name": None, "tags": []})["tags"] == []

    path = f"dataset-revision-objects/datasets/{ident}/objects/in%2Fa.png"
    found = api("GET", path)
    assert (found["name"], found["width"], found["size"]) == ("in/a.png", 8, len(picture_bytes()))
    assert found["customMetadata"] == {"k": "v"}
    assert api("GET", "dataset-revision-objects", datasetName="my-data", offset=0, limit=1000) == [found]
    (signed,) = api("GET", "dataset-revision-objects/signed-urls", datasetName="my-data", types=["none"])
    assert requests.get(signed["signedUrl"], timeout=60).content == picture_bytes()
    assert api("GET", "dataset-revision-objects/signed-urls", datasetName="my-data", types=["train"]) == []
    api.refused(404, "GET", path, version="v9")

    changed = api("PUT", "dataset-revision-objects", {"datasetId": ident, "objectName": "in/a.png", "annotations": []})
    assert (changed["annotations"], changed["tags"]) == ([], ["t"])
    assert api.send("DELETE", path).status_code == 204
    api.refused(404, "GET", path)
    assert api.send("DELETE", f"datasets-v2/{ident}").status_code == 204
