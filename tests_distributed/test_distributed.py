"""Two workers on machines of their own: the labelling loop, and an import whose worker loses its power."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import redis
from PIL import Image

from demo.__main__ import DAG_ID, PROJECT, prepare_project
from demo.detector import detect_faces
from demo.photos import copy_photos, load_ground_truth
from demo.report import check_against_ground_truth
from tests_distributed.cluster import WORKERS
from tests_distributed.conftest import BUCKET, TOKEN, Site

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_fastlabel.client import FastLabelClient
    from tests_distributed.cluster import Cluster

FILES, CHUNK = 80, 16
GROUP = "import_in_chunks"


def test_the_labelling_loop_runs_on_both_workers(site: Site, tmp_path: Path) -> None:
    prepare_project(site.emulator)
    copy_photos(tmp_path / "photos")
    names = sorted(load_ground_truth())
    detect_faces((tmp_path / "photos" / name for name in names), tmp_path / "results.jsonl")
    for name in names:
        site.s3.upload_file(str(tmp_path / "photos" / name), BUCKET, f"photos/{name}")
    site.s3.upload_file(str(tmp_path / "results.jsonl"), BUCKET, "results.jsonl")
    places = {"photos": "photos", "output": "datasets", "results": "results.jsonl"}
    conf = {name: f"s3://{BUCKET}/{place}" for name, place in places.items()}
    states, run_id = run(site, DAG_ID, {"project": PROJECT, **conf})
    failed = [task for task, state in states.items() if state != "success"]
    assert not failed, site.airflow.newest_log(DAG_ID, run_id, failed[0])
    check_against_ground_truth(downloaded(site, "datasets/", tmp_path), load_ground_truth())
    assert len(site.emulator.control("GET", "monitoring?name=face-detector")) > 0
    ran = site.airflow.ran(DAG_ID, run_id)
    assert all(ran.values()), f"both workers ran tasks: {ran}"


def test_an_import_in_chunks_whose_worker_is_killed_is_whole(site: Site) -> None:
    for number in range(FILES):
        picture = io.BytesIO()
        Image.new("RGB", (32, 24), (number, 0, 0)).save(picture, "PNG")
        site.s3.put_object(Bucket=BUCKET, Key=f"many/{number:03}.png", Body=picture.getvalue())
    site.client.create_project(type="image_bbox", name="Killed", slug="killed")
    slow = {"method": "POST", "path": "tasks/image", "times": FILES, "kind": "slow", "seconds": 1.0}
    site.emulator.control("POST", "faults", slow)
    airflow = site.airflow
    conf = {"project": "killed", "folder": f"s3://{BUCKET}/many", "chunk_size": CHUNK}
    run_id = airflow.trigger("chunked_import", conf)
    created = wait_for_tasks(site.client, CHUNK)
    wait_until_both_import(airflow, run_id)
    airflow.cut_power(WORKERS[0])
    for _ in airflow.watch("chunked_import", run_id):
        pass
    instances = airflow.task_instances("chunked_import", run_id)
    summary_log = airflow.newest_log("chunked_import", run_id, f"{GROUP}.summary")
    assert {each["state"] for each in instances} == {"success"}, summary_log
    assert created < FILES
    tries = [each["try_number"] for each in instances if each["task_id"] == f"{GROUP}.create"]
    assert sorted(tries) == [1] * (FILES // CHUNK - 1) + [2]
    names = Counter(task["name"] for task in site.client.iter_image_tasks("killed"))
    assert names == {f"{number:03}.png": 1 for number in range(FILES)}
    place = f"dags/chunked_import/dagRuns/{run_id}/taskInstances/{GROUP}.summary/xcomEntries/return_value"
    summary = airflow.call("GET", f"{place}?deserialize=true")["value"]
    assert (summary["total"], summary["created"] + summary["exists"], summary["failed"]) == (FILES, FILES, 0)


def test_the_account_of_the_import_is_in_the_store_and_the_quota_in_redis(site: Site) -> None:
    keys = [each["Key"] for each in site.s3.list_objects_v2(Bucket=BUCKET, Prefix="accounts/")["Contents"]]
    assert [key for key in keys if "/chunked_import/" in key]
    counts = list(redis.Redis.from_url(f"{site.redis}/1").scan_iter("*"))
    assert len(counts) == 1
    assert counts[0].startswith(b"fastlabel-quota")


def test_the_token_is_on_no_machine(site: Site) -> None:
    files = [path for path in site.airflow.folder.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
    assert [path for path in files if path.name.startswith("attempt=")]


def run(site: Site, dag_id: str, conf: dict[str, Any]) -> tuple[dict[str, str], str]:
    run_id = site.airflow.trigger(dag_id, conf)
    return dict(site.airflow.watch(dag_id, run_id)), run_id


def downloaded(site: Site, prefix: str, folder: Path) -> Path:
    """Return a folder with the current version of each dataset in the store."""
    (folder / "current").mkdir()
    for page in site.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for each in page["Contents"]:
            target = folder / each["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            site.s3.download_file(BUCKET, each["Key"], str(target))
    for pointer in (folder / prefix).glob("*/current.json"):
        version = pointer.parent / json.loads(pointer.read_bytes())["path"]
        version.rename(folder / "current" / pointer.parent.name)
    return folder / "current"


def wait_for_tasks(client: FastLabelClient, created: int) -> int:
    deadline = time.monotonic() + 600
    while (count := client.count_tasks("killed")) < created:
        assert time.monotonic() < deadline, "the import never got so far"
        time.sleep(0.1)
    return count


def wait_until_both_import(airflow: Cluster, run_id: str) -> None:
    """Wait until each worker is at a chunk of its own."""
    deadline = time.monotonic() + 600
    while not all(airflow.begun("chunked_import", run_id).values()):
        assert time.monotonic() < deadline, "a worker never began a chunk"
        time.sleep(0.1)
