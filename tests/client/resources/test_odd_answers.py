"""Answers of the right kind with something odd in them: told in words that have an end."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.client import FastLabelException, NotFound, UnexpectedAnswer
from airflow_provider_fastlabel.client.kinds import kind_of_project_type


@pytest.mark.parametrize("attributes", [["x"], [[]], [{}], [{"key": ""}]])
def test_attributes_of_a_class_that_are_none_are_told(client, wire, attributes):
    wire.answer("GET", "annotations", [{"id": "c", "type": "bbox", "value": "cat", "attributes": attributes}])
    with pytest.raises(UnexpectedAnswer, match="class c of project cats"):
        list(client.iter_annotations("cats"))


def test_an_endless_id_does_not_make_an_endless_message(client, wire):
    endless = "9" * 10_000
    wire.answer("GET", f"trainings/{endless}", {"message": f"training is not found: {endless}"}, 404)
    with pytest.raises(NotFound) as missing:
        client.find_training_job(endless)
    with pytest.raises(FastLabelException) as unknown:
        kind_of_project_type(endless)
    assert max(len(str(missing.value)), len(str(unknown.value))) < 2000
