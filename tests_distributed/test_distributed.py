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
from tests_distributed.conftest import BUCKET, TOKEN, Site

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_fastlabel.client import FastLabelClient

FILES = 80


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


def test_an_import_whose_worker_is_killed_goes_on_elsewhere_and_every_file_is_one_task(site: Site) -> None:
    for number in range(FILES):
        picture = io.BytesIO()
        Image.new("RGB", (32, 24), (number, 0, 0)).save(picture, "PNG")
        site.s3.put_object(Bucket=BUCKET, Key=f"many/{number:03}.png", Body=picture.getvalue())
    site.client.create_project(type="image_bbox", name="Killed", slug="killed")
    slow = {"method": "POST", "path": "tasks/image", "times": FILES, "kind": "slow", "seconds": 0.3}
    site.emulator.control("POST", "faults", slow)
    airflow = site.airflow
    run_id = airflow.trigger("slow_import", {"project": "killed", "folder": f"s3://{BUCKET}/many"})
    created = wait_for_tasks(site.client, 15)
    (first,) = [name for name, tasks in airflow.ran("slow_import", run_id).items() if tasks]
    airflow.cut_power(first)
    states = dict(airflow.watch("slow_import", run_id))
    assert states == {"create_tasks": "success"}, airflow.newest_log("slow_import", run_id, "create_tasks")
    assert created < FILES
    (instance,) = airflow.task_instances("slow_import", run_id)
    assert instance["try_number"] == 2
    assert all(airflow.ran("slow_import", run_id).values()), "the other worker went on"
    names = Counter(task["name"] for task in site.client.iter_image_tasks("killed"))
    assert names == {f"{number:03}.png": 1 for number in range(FILES)}


def test_the_account_of_the_import_is_in_the_store_and_the_quota_in_redis(site: Site) -> None:
    keys = [each["Key"] for each in site.s3.list_objects_v2(Bucket=BUCKET, Prefix="accounts/")["Contents"]]
    assert [key for key in keys if "/slow_import/" in key]
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
