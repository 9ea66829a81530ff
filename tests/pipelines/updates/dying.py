"""Decides on tasks again and again, each time killed one call later, and prints what came of it.

Run with the emulator's address and token, a folder, a picture, and whether the process dies before a call leaves or
after its answer has come. What the function decides is random, so only the record can tell a retry what was decided
before. Each case prints a line of JSON: the call, and of each task its status, tags and number of comments.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.updates.decide import TaskDecisions
from airflow_provider_fastlabel.pipelines.updates.decision_record import DecisionRecord
from airflow_provider_fastlabel.pipelines.updates.selection import TaskSelection

TASKS = 3


def decide(url: str, token: str, project: str, record: Path) -> None:
    def ask(task: Any) -> dict[str, Any]:
        return {"status": "sent_back", "comment": f"{task['name']} {uuid4()}", "add_tags": ["seen"]}

    selection = TaskSelection(project, filter_status="registered")
    with FastLabelClient(token, api_url=url, max_retries=0) as client:
        TaskDecisions(client, selection, ask, record=DecisionRecord(record, project=project)).carry_out(max_workers=2)


def dies(number: int, before: bool, *arguments: Any) -> bool:
    """Decide in a process that is gone at its n-th call; say whether it was."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    calls, send = itertools.count(1), requests.adapters.HTTPAdapter.send

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        last = next(calls) == number
        if before and last:
            os._exit(9)
        answer = send(self, *args, **kwargs)
        if last:
            os._exit(9)
        return answer

    requests.adapters.HTTPAdapter.send = counted  # type: ignore[method-assign]
    decide(*arguments)
    os._exit(0)


def main(url: str, token: str, folder: Path, picture: str, *, before: bool) -> None:
    number, died = 0, True
    with FastLabelClient(token, api_url=url) as client:
        while died:
            number += 1
            project = f"dying-{before}-{number}".lower()
            client.create_project("image_bbox", project, project)
            for name in range(TASKS):
                client.create_image_task(project, f"{name}.png", picture, tags=["old"])
            arguments = (url, token, project, folder / f"{project}.jsonl")
            died = dies(number, before, *arguments)
            dies(number, before, *arguments)  # the first retry dies too
            decide(*arguments)
            tasks = {}
            for task in client.iter_tasks(project, "image"):
                comments = [
                    each["text"] for made in client.iter_task_comments(project, task["id"]) for each in made["threads"]
                ]
                tasks[task["name"]] = [task["status"], sorted(task["tags"]), len(comments)]
            sys.stdout.write(json.dumps({"call": number, "tasks": tasks}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], before=sys.argv[5] == "before")
