"""A process that makes calls as fast as its quota lets it: ``python spend.py`` with its orders as JSON in the argument."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time

from airflow_provider_fastlabel.client import FastLabelClient

orders = json.loads(sys.argv[1])
logging.basicConfig(level="WARNING", stream=sys.stderr)
end = 0.0
made = 0


def work() -> None:
    global made
    while time.monotonic() < end:
        try:
            client.get_projects(limit=1)
        except Exception as error:
            print(type(error).__name__, flush=True)
            return
        made += 1


with FastLabelClient(max_retries=0, **orders["client"]) as client:
    client.patience = lambda: max(0.0, end - time.monotonic())
    client.get_projects(limit=1)
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.monotonic() + orders["seconds"]
    threads = [threading.Thread(target=work, daemon=True) for _ in range(orders["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(json.dumps({"made": made}), flush=True)
