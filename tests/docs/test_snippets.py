"""Every code block of the documentation does what its page says.

The Python blocks of a page are one program, as for a reader who types them one after the other. If it makes DAGs, each
of their tasks is run as a worker and a triggerer run it, and after each task the people at FastLabel label what waits
for them. URLs of S3 lead to a store in memory.
"""

from __future__ import annotations

import ast
import graphlib
import json
import re
import subprocess
import sys
from typing import Any

import pytest

import airflow_provider_fastlabel.operators as operators
import airflow_provider_fastlabel.sensors as sensors
from tests.docs.pages import PAGES, blocks_of, name_of
from tests.docs.world import folder, object_store, s3_bucket, world  # noqa: F401

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow before 3.2
    from airflow.models.dagbag import DagBag  # type: ignore[no-redef]

NOT_RUN = {"shell", "text"}
"""Languages of blocks that show what a person types or sees."""

QUICK = 0.05
"""Seconds between two looks of a task that waits."""

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PROGRAMS = {page: program for page in PAGES if (program := [b for b in blocks_of(page) if b.language == "python"])}
PYTEST = {page for page, program in PROGRAMS.items() if any(block.title == "conftest.py" for block in program)}
WITH_DAGS = {page for page, program in PROGRAMS.items() if any("DAG(" in block.text for block in program)} - PYTEST


def source_of(program):
    """Return the blocks as one text in which every line keeps its number."""
    lines: list[str] = []
    for block in program:
        lines += [""] * (block.line - 1 - len(lines)) + block.text.splitlines()
    return "\n".join(lines).replace("s3://", "memory://") + "\n"


@pytest.fixture
def files(folder):  # noqa: F811
    """Write down the files that a page shows."""

    def write(page):
        for block in blocks_of(page):
            if block.title:
                path = folder / block.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text)

    return write


def indices(task, upstream):
    """Return the arguments of each index of a task, ``None`` for one that is not mapped."""
    if not task.is_mapped:
        return [None]
    ((name, source),) = task.expand_input.value.items()
    return [{name: value} for value in upstream[source.operator.task_id]]


def unmapped(task, index):
    """Return a task, or of one that is mapped the index with these arguments."""
    return task if index is None else task.unmap(index)


@pytest.fixture
def run_dags(airflow_run, folder, world):  # noqa: F811
    """Run every task of every DAG of a page; returns how each ended, by DAG and task."""

    def parse(path):
        bag = DagBag(str(path), load_op_links=False)
        assert not bag.import_errors
        return bag.dags

    def make(path, dag_id, task_id, index):
        task = unmapped(parse(path)[dag_id].get_task(task_id), index)
        for interval in ("poll_interval", "poke_interval"):  # nobody here needs minutes
            if hasattr(task, interval):
                setattr(task, interval, QUICK)
        return task

    def run_task(path, dag_id, task_id, upstream, index=None):
        run = airflow_run(lambda: make(path, dag_id, task_id, index))
        run.supervisor.upstream.update(upstream)
        return run.attempt()

    def go(page):
        path = folder / f"dags_of_{page.stem}.py"
        source = source_of(PROGRAMS[page])
        path.write_text(source)
        ends = {}
        order = re.findall(r'DAG\(\s*"(\w+)"', source)
        for dag_id, dag in sorted(parse(path).items(), key=lambda one: order.index(one[0])):
            upstream: dict[str, Any] = {}
            for task_id in graphlib.TopologicalSorter(
                {task.task_id: task.upstream_task_ids for task in dag.tasks}
            ).static_order():
                for index in indices(dag.get_task(task_id), upstream):
                    end = ends[f"{dag_id}.{task_id}{index or ''}"] = run_task(path, dag_id, task_id, upstream, index)
                    upstream[task_id] = end.result
                world()
        return ends

    return go


@pytest.mark.parametrize("page", sorted(WITH_DAGS), ids=name_of)
def test_every_dag_of_a_page_succeeds(page, run_dags, files):
    files(page)
    ends = run_dags(page)
    assert ends
    assert {name: end.error for name, end in ends.items() if end.state != "success"} == {}


@pytest.mark.parametrize("page", sorted(set(PROGRAMS) - WITH_DAGS - PYTEST), ids=name_of)
def test_the_program_of_a_page_runs(page, world, files, capsys):  # noqa: F811
    files(page)
    exec(compile(source_of(PROGRAMS[page]), str(page), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", sorted(PYTEST), ids=name_of)
def test_the_tests_of_a_page_pass(page, world, files, folder, capsys):  # noqa: F811
    files(page)
    rest = [block for block in PROGRAMS[page] if not block.title]
    exec(compile(source_of(rest), str(page), "exec"), {"__name__": "__main__"})
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{sum(block.text.count('def test_') for block in PROGRAMS[page])} passed" in done.stdout


DEFINITIONS = [block for block in BLOCKS if block.language == "yaml" and not block.title.startswith("checks")]
"""The YAML that defines projects; a DAG of its page reads a list of checks."""


@pytest.mark.parametrize("block", DEFINITIONS, ids=lambda b: b.title or "untitled")
def test_a_definition_of_a_project_can_be_applied(block, world, files, airflow_run):  # noqa: F811
    files(block.page)
    end = airflow_run(
        lambda: operators.FastLabelApplyProjectOperator(task_id="apply", definition=block.title)
    ).attempt()
    assert end.state == "success", end.error
    assert end.result["created"] or end.result["classes_created"]


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=lambda b: b.title)
def test_json_is_json(block):
    assert all(json.loads(line) for line in block.text.splitlines())


def test_every_block_says_what_it_is():
    known = NOT_RUN | {"python", "yaml", "json"}
    assert {f"{name_of(b.page)}:{b.line}" for b in BLOCKS if b.language not in known} == set()


def test_every_operator_and_sensor_is_shown_at_work():
    called = {
        node.func.id
        for program in PROGRAMS.values()
        for node in ast.walk(ast.parse(source_of(program)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    parts = {
        "import_in_chunks": {f"FastLabel{part}Operator" for part in ("PlanImport", "ImportChunk", "ImportSummary")}
    }
    within = set().union(*(parts[group] for group in parts.keys() & called))
    assert {*operators.__all__, *sensors.__all__} <= called | within


def test_blocks_use_public_names_only():
    public = {
        "operators", "sensors", "hooks.fastlabel", "client", "client.exceptions", "emulator",
        "notifications", "task_groups", "triggers.watchers",
    }  # fmt: skip
    imported = {
        node.module
        for program in PROGRAMS.values()
        for node in ast.walk(ast.parse(source_of(program)))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airflow_provider_fastlabel")
    }
    assert imported <= {f"airflow_provider_fastlabel.{name}" for name in public}
