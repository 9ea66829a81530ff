"""Sends suspicions back again and again, each time killed by SIGKILL at one call, and prints what came of it.

Run with the emulator's address, token, project, whether the process dies before a call leaves or after its answer, the
numbers of those calls, a file of predictions if it is a model that suspects, and the status that tasks get, if any.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import requests

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.reviews.send import send_back
from airflow_provider_fastlabel.pipelines.reviews.statuses import Mover
from airflow_provider_fastlabel.pipelines.reviews.suspicions import by_model, by_rules, read_predictions


def send(url: str, token: str, project: str, predictions: str = "", status: str = "") -> dict[str, Any]:
    with FastLabelClient(token, api_url=url, max_retries=0) as client:
        mover = Mover(client, "image", "second_look", status) if status else None
        tasks: Any = client.iter_tasks(project, "image")
        tasks = mover.watch(tasks) if mover else tasks
        found = by_model(tasks, read_predictions(Path(predictions))) if predictions else by_rules(tasks)
        return send_back(client, project, found, most=1000, mover=mover, max_workers=2)


def dies(number: int, before: bool, *arguments: str) -> bool:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    calls, original = itertools.count(1), requests.adapters.HTTPAdapter.send
    alone = threading.Lock()  # a call still on its way would be done after the next run has looked

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        with alone:
            last = next(calls) == number
            if before and last:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = original(self, *args, **kwargs)
            if last:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

    requests.adapters.HTTPAdapter.send = counted  # type: ignore[method-assign]
    send(*arguments)
    os._exit(0)


if __name__ == "__main__":
    url, token, project, when, numbers, *options = sys.argv[1:]
    arguments = (url, token, project, *options)
    kills = sum(dies(int(number), when == "before", *arguments) for number in numbers.split(","))
    sys.stdout.write(json.dumps({"kills": kills, **send(*arguments)}))
