"""``python -m demo``: run the labelling loop and leave three datasets and a report under ``demo-output/``."""

from __future__ import annotations

import argparse
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from airflow_provider_fastlabel.client import FastLabelClient
from demo.detector import detect_faces
from demo.local_airflow import LocalAirflow
from demo.local_emulator import LocalEmulator
from demo.photos import copy_photos, load_ground_truth
from demo.report import check_against_ground_truth, print_tree, tell_report

ROOT = Path(__file__).resolve().parent.parent
DAG_ID = "fastlabel_labeling_loop"
PROJECT = "demo-photos"
log = logging.getLogger("demo")


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave Airflow's UI and the emulator running")
    parser.add_argument("--output", type=Path, default=ROOT / "demo-output", help="folder of the datasets")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stdout)
    for chatty in ("airflow", "alembic", "airflow_provider_fastlabel"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    output: Path = arguments.output.resolve()
    shutil.rmtree(output, ignore_errors=True)
    state = Path(tempfile.mkdtemp(prefix="fastlabel-demo-"))
    with ExitStack() as stack:
        if not arguments.keep:
            stack.callback(shutil.rmtree, state, ignore_errors=True)
        emulator = stack.enter_context(LocalEmulator(state, token=secrets.token_urlsafe(24)))
        airflow = LocalAirflow(state / "airflow", ROOT / "dags_examples")
        log.info("starting Airflow (api-server, scheduler, dag-processor, triggerer), about half a minute ...")
        stack.enter_context(airflow)
        run_loop(airflow, emulator, state, output)
        check_against_ground_truth(output, load_ground_truth())
        print_tree(output)
        tell_report(output)
        if arguments.keep:
            stack.pop_all()
            keep_running(airflow, emulator, state)
    return 0


def run_loop(airflow: LocalAirflow, emulator: LocalEmulator, state: Path, output: Path) -> list[tuple[str, str]]:
    """Prepare project, photographs and connection, and run the DAG.

    :returns: the task and the state of every change seen, in order.
    :raises RuntimeError: when a task did not succeed, with its log.
    """
    prepare_project(emulator)
    copy_photos(state / "photos")
    detect_faces((state / "photos" / name for name in sorted(load_ground_truth())), state / "results.jsonl")
    airflow.add_connection(
        "fastlabel_default",
        conn_type="fastlabel",
        host=emulator.url,
        password=emulator.token,
        extra={"app_url": emulator.url.removesuffix("/v1/")},
    )
    started = time.monotonic()
    run_id = airflow.trigger(
        DAG_ID,
        {
            "project": PROJECT,
            "photos": str(state / "photos"),
            "output": str(output),
            "results": str(state / "results.jsonl"),
        },
    )
    log.info("Airflow runs %s", DAG_ID)
    seen = []
    for task, task_state in airflow.watch(DAG_ID, run_id):
        seen.append((task, task_state))
        if task_state not in {"None", "scheduled", "queued"}:
            log.info("  %-18s %s", task, task_state)
    log.info("run: %s after %.0f s", airflow.run_state(DAG_ID, run_id), time.monotonic() - started)
    if failed := [task for task, task_state in dict(seen).items() if task_state != "success"]:
        raise RuntimeError(f"{failed[0]} did not succeed:\n{airflow.newest_log(DAG_ID, run_id, failed[0])}")
    received = emulator.control("GET", "monitoring?name=face-detector")
    log.info("FastLabel's monitoring received %d results of the model", len(received))
    return seen


def prepare_project(emulator: LocalEmulator) -> None:
    """Create the project and its classes, and let the simulated annotators begin."""
    truth = load_ground_truth()
    classes: dict[str, str] = {}
    for labels in truth.values():
        classes.update({label["value"]: label["type"] for label in labels})
    with FastLabelClient(emulator.token, api_url=emulator.url) as client:
        client.create_project(type="image_all", name="Demo photos", slug=PROJECT)
        for value, kind in classes.items():
            client.create_annotation(project=PROJECT, type=kind, value=value, title=value.title())
    annotators: dict[str, Any] = {
        "project": PROJECT,
        "ground_truth": truth,
        "tasks_per_second": 0.5,
        "approve_after": 4,
    }
    emulator.control("PUT", "annotators", annotators)
    log.info(
        "project %s has %d classes; the simulated annotators know %d photographs", PROJECT, len(classes), len(truth)
    )


def keep_running(airflow: LocalAirflow, emulator: LocalEmulator, state: Path) -> None:
    """Say where what goes on running is, and how to stop it."""
    pids = [emulator.process.pid, *(process.pid for process in airflow.processes.values())]
    log.info("Airflow's UI:  %s/dags/%s  (no password: loopback, demo only)", airflow.url, DAG_ID)
    log.info('               open the task "report" of the newest run there: its tab "Dataset" shows the report')
    log.info("the emulator:  %s  (its calls: %sdocs)", emulator.url, emulator.url.removesuffix("v1/"))
    log.info("its pages:     %s  (projects, tasks, labels)", emulator.url.removesuffix("v1/"))
    log.info("to stop both:  kill %s && rm -rf %s", " ".join(map(str, pids)), state)


if __name__ == "__main__":
    sys.exit(main())
