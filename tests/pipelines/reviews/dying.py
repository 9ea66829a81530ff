"""Sends suspicions back again and again, each time killed by SIGKILL one call later, and prints what came of it.

Run with the emulator's address, token, project, and whether the process dies before a call leaves or after its answer.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from typing import Any

import requests

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.pipelines.reviews.send import send_back
from airflow_provider_fastlabel.pipelines.reviews.suspicions import by_rules


def send(url: str, token: str, project: str) -> dict[str, Any]:
    with FastLabelClient(token, api_url=url, max_retries=0) as client:
        return send_back(client, project, by_rules(client.iter_tasks(project, "image")), most=100, max_workers=2)


def dies(number: int, before: bool, *arguments: str) -> bool:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    calls, original = itertools.count(1), requests.adapters.HTTPAdapter.send

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
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
    url, token, project, when = sys.argv[1:]
    kills = sum(dies(number, when == "before", url, token, project) for number in (3, 4, 5, 7, 9, 12))
    sys.stdout.write(json.dumps({"kills": kills, **send(url, token, project)}))
