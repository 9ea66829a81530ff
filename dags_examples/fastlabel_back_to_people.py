"""Every night the model gets its marks, and suspicious labels go back to the people who drew them.

Use it where a model draws first and people correct it. The scorecard says, by class and by version of the model, what
people kept, moved, reclassed, deleted and added. Then labels that the rules of the report suspect get a comment each,
and their tasks the status `sent_back`, both once: who finds the labels right approves them again, and is not asked a
second time. The score comes first, because what goes back is not approved any more.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_fastlabel.operators import FastLabelScorecardOperator, FastLabelSendBackOperator

with DAG(
    "fastlabel_back_to_people",
    schedule="@daily",
    catchup=False,
    max_active_runs=1,  # two runs at the same time might send the same comment both
    description="Marks for the model, and suspicious labels back to the annotators",
    doc_md=__doc__,
    params={
        "project": Param(
            "photos",
            type="string",
            minLength=1,
            pattern=r"^\S+$",
            title="Project",
            description="Slug of the FastLabel project, as in the address of its page.",
        ),
        "prelabels": Param(
            "s3://my-bucket/incoming/annotations.json",
            type="string",
            minLength=1,
            title="Pre-annotations",
            description="COCO file that was imported with the pictures: a path on the workers, or a URL.",
        ),
        "conn_id": Param(
            "aws_default",
            type=["null", "string"],
            title="Connection of the object store",
            description="Airflow connection that opens it. Empty for a local file, or if the workers may anyway.",
        ),
        "output": Param(
            "scores/photos",
            type="string",
            minLength=1,
            title="Scorecard",
            description="Folder or URL where scorecard.json and scorecard.md are written.",
        ),
        "most": Param(
            50,
            type="integer",
            minimum=1,
            title="Comments a night",
            description="How many comments one run makes at most, the most suspicious first.",
        ),
    },
    tags=["fastlabel"],
    default_args={"retries": 3},
):
    score = FastLabelScorecardOperator(
        task_id="score",
        project="{{ params.project }}",
        prelabels={"v1": "{{ params.prelabels }}"},  # one line for each version of the model
        source_conn_id="{{ params.conn_id }}",
        output="{{ params.output }}",
    )
    send_back = FastLabelSendBackOperator(
        task_id="send_back", project="{{ params.project }}", most="{{ params.most }}", status="sent_back"
    )
    score >> send_back
