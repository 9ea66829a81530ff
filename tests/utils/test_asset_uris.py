"""The URI of a project: one form, checked where a DAG is parsed."""

from __future__ import annotations

import pytest
from airflow.sdk import Asset

from airflow_provider_fastlabel.utils.asset_uris import convert_to_openlineage, create_asset


def test_airflow_brings_a_uri_into_its_one_form():
    assert Asset("fastlabel://API.fastlabel.ai/photos/").uri == "fastlabel://api.fastlabel.ai/photos"
    assert Asset("fastlabel://127.0.0.1:9000/my photos").uri == "fastlabel://127.0.0.1:9000/my%20photos"
    assert Asset("fastlabel://127.0.0.1:9000/models/a b").uri == "fastlabel://127.0.0.1:9000/models/a%20b"


@pytest.mark.parametrize(
    "uri",
    ["fastlabel:///photos", "fastlabel://api.fastlabel.ai", "fastlabel://api.fastlabel.ai/a/b",
     "fastlabel://api.fastlabel.ai/a?b=c", "fastlabel://api.fastlabel.ai/models//x"],
)  # fmt: skip
def test_what_names_no_project_is_refused_where_the_dag_is_parsed(uri):
    with pytest.raises(ValueError, match="is written fastlabel://host/project"):
        Asset(uri)


def test_the_asset_of_a_project_and_its_node_in_the_lineage():
    asset = create_asset(project="my photos/2026", host="127.0.0.1:9000", extra={"team": "x"})
    assert (asset.uri, asset.extra) == ("fastlabel://127.0.0.1:9000/my%20photos%2F2026", {"team": "x"})
    node = convert_to_openlineage(asset, None)
    assert (node.namespace, node.name) == ("fastlabel://127.0.0.1:9000", "my photos/2026")
