"""Several folders, each a labelling round of its own: import, wait for people, check by rule, publish.

Use it when one pipeline serves many projects. A list says which; each entry becomes a round, and a slow round holds up
no other. The check is a Python function that sees every finished task: one without any annotation goes back to its
annotator with a comment, all others are approved.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param, task, task_group

from airflow_provider_fastlabel.operators import FastLabelExportYoloOperator
from airflow_provider_fastlabel.task_groups import labeling_round


def check(labelled: dict[str, Any]) -> dict[str, Any] | str:
    """Send back what has no annotation, approve the rest."""
    if not labelled["annotations"]:
        return {"status": "sent_back", "comment": "Nothing is drawn here. Is there really no object?"}
    return "approved"


with DAG(
    "fastlabel_rounds",
    description="One labelling round for each project of a list",
    doc_md=__doc__,
    schedule=None,
    params={
        "rounds": Param(
            [{"project": "photos", "folder": "photos", "output": "datasets/photos"}],
            type="array",
            minItems=1,
            items={
                "type": "object",
                "required": ["project", "folder", "output"],
                "properties": {name: {"type": "string", "minLength": 1} for name in ("project", "folder", "output")},
                "additionalProperties": False,
            },
            title="Labelling rounds",
            description="One entry a round: project (slug), folder (of files), output (where the dataset goes).",
        ),
    },
    tags=["fastlabel"],
):

    @task
    def rounds(params: Any) -> Any:
        """Return what each round works on."""
        return params["rounds"]

    @task_group
    def each(project: str, folder: str, output: str) -> None:
        """Run one round."""
        labeling_round(
            project=project,
            folder=folder,
            output=output,
            check=check,
            export=FastLabelExportYoloOperator,
            deferrable=True,
            poll_interval=60,
            default_args={"retries": 2},
        )

    each.expand_kwargs(rounds())
