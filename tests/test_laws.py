"""The laws of the house: which room may import which, and what parsing a DAG may load."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.providers.common.compat.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "airflow_provider_fastlabel"
ROOMS = ("client", "formats", "emulator", "hooks", "operators", "sensors", "triggers")
AIRFLOW_ROOMS = {"hooks", "operators", "sensors", "triggers"}
FORBIDDEN = {
    "client": {*AIRFLOW_ROOMS, "emulator", "airflow"},
    "formats": {*AIRFLOW_ROOMS, "client", "emulator", "airflow", "requests"},
    "emulator": {*AIRFLOW_ROOMS, "client", "formats", "airflow"},
    "hooks": {"operators", "sensors", "triggers", "formats", "emulator"},
    "triggers": {"operators", "sensors", "formats", "emulator"},
    "sensors": {"operators", "formats", "emulator"},
    "operators": {"emulator"},
}
HEAVY = ("numpy", "cv2", "PIL", "pandas", "boto3", "pyarrow", "orjson", "shapely")


def rooms_imported_by(path: Path) -> set[str]:
    """Return the rooms and the top-level packages that a module imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            top, _, rest = name.partition(".")
            found.add(rest.partition(".")[0] if top == PACKAGE.name and rest else top)
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_point_down(room: str) -> None:
    modules = list((PACKAGE / room).rglob("*.py"))
    assert modules
    wrong = {
        str(path.relative_to(PACKAGE)): sorted(bad)
        for path in modules
        if (bad := rooms_imported_by(path) & FORBIDDEN[room])
    }
    assert wrong == {}


def test_only_the_converters_lead_from_client_to_formats() -> None:
    leading = {path.name for path in (PACKAGE / "client").rglob("*.py") if "formats" in rooms_imported_by(path)}
    assert leading == {"converters.py"}


def definitions(node: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the classes and functions a module defines, those below an ``if`` or ``try`` too, but not their members."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from definitions(child)


def test_operators_holds_operators_and_their_bases_and_nothing_else() -> None:
    wrong, operators = [], 0
    for path in (PACKAGE / "operators").glob("*.py"):
        module = importlib.import_module(f"{PACKAGE.name}.operators.{path.stem}".removesuffix(".__init__"))
        for node in definitions(ast.parse(path.read_text(encoding="utf-8"))):
            made = getattr(module, node.name, None)
            if isinstance(made, type) and issubclass(made, BaseOperator):
                operators += 1
            else:
                wrong.append(f"{path.name}: {node.name}")
    assert wrong == []
    assert operators


@pytest.mark.parametrize("dag", sorted(path.name for path in (ROOT / "dags_examples").glob("*.py")))
def test_parsing_a_dag_loads_nothing_heavy_and_opens_no_socket(dag: str, tmp_path: Path) -> None:
    code = f"""
import socket, sys
import airflow.sdk  # what Airflow itself loads is not ours to judge
def refuse(*args, **kwargs): raise AssertionError("a socket was opened while the DAG was parsed")
socket.socket.connect = refuse
before = set(sys.modules)
import runpy; runpy.run_path({str(ROOT / "dags_examples" / dag)!r})
print(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} & set({HEAVY!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("module", ["client", "formats"])
def test_imports_without_airflow(module: str) -> None:
    code = f"""
import sys
sys.modules["airflow"] = None
import airflow_provider_fastlabel.{module}
print(sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r})))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
