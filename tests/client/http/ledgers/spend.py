"""A process that makes calls as fast as its quota lets it; its argument is its orders as JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time

from airflow_provider_fastlabel.client import FastLabelClient

orders = json.loads(sys.argv[1])
logging.basicConfig(level="WARNING", stream=sys.stderr)
end = time.monotonic() + 60  # to begin with: earlier tests may have spent the window
made = 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def work() -> None:
    global made
    while time.monotonic() < end:
        try:
            client.get_projects(limit=1)
        except Exception as error:
            say(type(error).__name__)
            return
        made += 1


with FastLabelClient(max_retries=0, **orders["client"]) as client:
    client.get_projects(limit=1)
    say("ready")
    sys.stdin.readline()
    end = time.monotonic() + orders["seconds"]
    client.patience = lambda: max(0.0, end - time.monotonic())
    threads = [threading.Thread(target=work, daemon=True) for _ in range(orders["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
say(json.dumps({"made": made}))
