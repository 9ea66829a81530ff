"""An S3 import whose worker dies between the submit and the wait."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from tests.airflow_live.conftest import Live

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000"
    "000049454e44ae426082"
)
HISTORY = "tasks/import/histories/[^/]+"


def test_a_killed_worker_s_retry_attaches_and_there_is_one_import(live: Live) -> None:
    keys = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=live.s3, **keys)
    s3.create_bucket(Bucket="live")
    for number in range(3):
        s3.put_object(Bucket="live", Key=f"{number}.png", Body=PIXEL)
    s3.close()
    try:
        kill_after_submit(live)
    finally:
        live.emulator.control("PUT", "config", {"history_seconds": 0})
        live.emulator.control("DELETE", "faults")


def kill_after_submit(live: Live) -> None:
    live.client.create_project(type="image_bbox", name="From S3", slug="from-s3")
    live.emulator.control("PUT", "config", {"history_seconds": 10})
    live.emulator.control(
        "POST", "faults", {"method": "GET", "path": HISTORY, "times": 1, "kind": "slow", "seconds": 20}
    )
    run_id = live.airflow.trigger("s3_import", {"project": "from-s3"})
    deadline = time.monotonic() + 60
    while not live.client.get_histories("from-s3"):
        assert time.monotonic() < deadline, "the import was never submitted"
        time.sleep(0.2)
    time.sleep(1)
    (instance,) = live.airflow.task_instances("s3_import", run_id)
    os.kill(instance["pid"], signal.SIGKILL)
    seen = list(live.airflow.watch("s3_import", run_id))
    assert seen[-1] == ("import", "success")
    assert ("import", "deferred") in seen
    (instance,) = live.airflow.task_instances("s3_import", run_id)
    assert instance["try_number"] == 2
    assert len(live.client.get_histories("from-s3")) == 1
    assert live.client.count_tasks("from-s3") == 3
