"""The jobs of models: what FastLabel's answers tell of them."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.pipelines.waits.model_jobs import id_in


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("j", "j"),
        ({"trainingJobId": "j", "id": "x"}, "j"),
        ({"id": "j"}, "j"),
        ({}, None),
        (None, None),
        (True, None),
        ("", None),
    ],
)
def test_the_id_in_an_answer(answer, found):
    assert id_in(answer, "trainingJobId") == found
