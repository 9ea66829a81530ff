"""The laws of the house: which room may import which, what runs without Airflow, and what parsing a DAG may load."""

from __future__ import annotations

import ast
import importlib
import json
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
HEAVY = ("numpy", "cv2", "PIL", "pandas", "boto3", "pyarrow", "orjson", "shapely")

# Room -> what its modules may import: a room with all below it, or, written with a slash, only the modules in it. The
# longest room that fits counts. What stands in the package's own folder is for all.
MAY_IMPORT = {
    "client": {"client/"},
    "client/client": {"client/resources", "client/http", "client/"},
    "client/http": {"client/http", "client/"},
    "client/checks": {"client/checks", "client/http", "client/"},
    "client/resources": {"client/resources", "client/checks", "client/http", "client/", "client/types"},
    "client/resources/converters": {"client/resources", "client/", "formats"},
    "client/types": {"client/types", "client/statuses"},
    "formats": {"formats/"},
    "formats/geometry": {"formats/geometry"},
    "formats/writing": {"formats/writing", "formats/geometry", "formats/"},
    "formats/reading": {"formats/reading", "formats/geometry", "formats/"},
    "pipelines": {"pipelines", "client", "formats"},
    "cli": {"cli", "pipelines", "client", "formats"},
    "cli/connection": {"client", "hooks/fastlabel"},
    "hooks": {"hooks", "client", "provider_info"},
    "utils": {"utils", "hooks", "client", "pipelines/files", "pipelines/reports/page_file"},
    "triggers": {"triggers", "utils", "hooks", "pipelines/waits", "client"},
    "decorators": {"decorators", "operators", "utils"},
    "notifications": {"notifications", "triggers", "utils", "hooks", "pipelines", "client"},
    "task_groups": {"task_groups", "operators", "sensors", "utils", "hooks"},
    "sensors": {"sensors", "triggers", "utils", "hooks", "pipelines/waits", "client"},
    "plugins": {"plugins", "utils", "pipelines/files", "pipelines/exports/manifests", "pipelines/reports/page_file"},
    "operators": {"operators", "triggers", "utils", "hooks", "pipelines", "client", "formats"},
    "emulator": {"emulator/", "emulator/server", "emulator/world"},
    "emulator/server": {"emulator/server", "emulator/pages", "emulator/routes", "emulator/world", "emulator/"},
    "emulator/pages": {"emulator/pages", "emulator/world", "emulator/"},
    "emulator/routes": {"emulator/routes", "emulator/world", "emulator/"},
    "emulator/world": {"emulator/world", "emulator/"},
}
FORMATS = ("coco", "drawings", "labelme", "masks", "pascalvoc", "yolo")
MAY_IMPORT |= {
    f"formats/{name}": {f"formats/{name}", "formats/writing", "formats/reading", "formats/geometry", "formats/"}
    for name in FORMATS
}
FOR_ALL = {
    "./",
    "digests",
    "foreign_names",
    "foreign_text",
    "disk_table",
    "json_text",
    "lazy",
    "markdown_text",
    "marks",
    "regular_files",
    "scratch",
    "seen",
    "mp4",
    "number_text",
    "words",
    "yaml_text",
}
WITHOUT_AIRFLOW = ("cli", "client", "formats", "pipelines", "emulator")


def modules_imported_by(path: Path) -> set[str]:
    """Return what a module imports anywhere in it: of our own modules the path, of others the top-level name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative path"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found.update(_as_path(name) for name in names)
    return found


def _as_path(name: str) -> str:
    """Return ``room/module`` of one of our own names, with ``room/`` for a package; the top-level name of others."""
    top, *rest = name.split(".")
    if top != PACKAGE.name:
        return top
    path = PACKAGE
    for part in rest:
        if not (path / part).is_dir() and not (path / f"{part}.py").exists():
            break
        path /= part
    own = path.relative_to(PACKAGE).as_posix()
    return f"{own}/" if path.is_dir() else own


def _modules(room: str) -> list[Path]:
    found = sorted((PACKAGE / room).rglob("*.py"))
    assert found
    return found


def _law_of(path: str) -> set[str]:
    """Return what a module may import: by the entry of the longest path that leads to it."""
    fitting = [room for room in MAY_IMPORT if path == room or path.startswith(f"{room}/")]
    return MAY_IMPORT[max(fitting, key=len)]


def _allows(rooms: set[str], imported: str) -> bool:
    """Tell whether a module lies in one of the rooms."""
    if imported in FOR_ALL:
        return True
    return any(
        imported.count("/") == 1 and imported.startswith(room) and not imported.endswith("/")
        if room.endswith("/")
        else imported == room or imported.startswith(f"{room}/")
        for room in rooms
    )


@pytest.mark.parametrize(
    "room",
    [
        "cli", "client", "decorators", "emulator", "formats", "hooks", "notifications", "operators", "pipelines",
        "plugins", "sensors", "task_groups", "triggers", "utils",
    ],
)  # fmt: skip
def test_arrows_point_down(room: str) -> None:
    ours = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    wrong = []
    for path in _modules(room):
        own = path.relative_to(PACKAGE).as_posix().removesuffix(".py")
        imported = {name for name in modules_imported_by(path) if name.split("/")[0] in ours or name == "./"}
        wrong += [f"{own} -> {name}" for name in sorted(imported) if not _allows(_law_of(own), name)]
    assert wrong == []


@pytest.mark.parametrize("room", WITHOUT_AIRFLOW)
def test_knows_no_airflow(room: str) -> None:
    assert [str(path) for path in _modules(room) if "airflow" in modules_imported_by(path)] == []


@pytest.mark.parametrize("room", WITHOUT_AIRFLOW)
def test_every_module_imports_without_airflow(room: str) -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in _modules(room)
        if path.name != "__main__.py"
    ]
    code = f"""
import importlib, sys
sys.modules["airflow"] = None
for name in {names!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def definitions(node: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the classes and functions a module defines, those below an ``if`` or ``try`` too, but not their members."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from definitions(child)


def test_operators_holds_operators_and_their_bases_and_nothing_else() -> None:
    wrong, operators = [], 0
    for path in (PACKAGE / "operators").rglob("*.py"):
        place = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        module = importlib.import_module(place.removesuffix(".__init__"))
        for node in definitions(ast.parse(path.read_text(encoding="utf-8"))):
            made = getattr(module, node.name, None)
            if isinstance(made, type) and issubclass(made, BaseOperator):
                operators += 1
            else:
                wrong.append(f"{path.name}: {node.name}")
    assert wrong == []
    assert operators


def test_parsing_a_dag_loads_nothing_heavy_and_opens_no_socket(tmp_path: Path) -> None:
    dags = sorted(str(path) for path in (ROOT / "dags_examples").glob("*.py"))
    assert dags
    code = f"""
import json, runpy, socket, sys
import airflow.sdk  # what Airflow itself loads is not ours to judge
def refuse(*args, **kwargs): raise AssertionError("a socket was opened while the DAG was parsed")
socket.socket.connect = refuse
heavy = {{}}
for dag in {dags!r}:
    before = set(sys.modules)
    runpy.run_path(dag)
    heavy[dag] = sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} & set({HEAVY!r}))
print(json.dumps(heavy))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {dag: [] for dag in dags}


DOORS = ["cli.app", "client", "formats", *(f"formats.{name}" for name in FORMATS), "pipelines", "pipelines.imports"]
OPERATORS = [
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in sorted((PACKAGE / "operators").rglob("[!_]*.py"))
]


@pytest.mark.parametrize("door", [*DOORS, *OPERATORS])
def test_a_door_loads_nothing_heavy(door: str) -> None:
    parser = "import airflow.sdk" if door in OPERATORS else ""  # what Airflow itself loads is not ours to judge
    code = f"""
import sys
{parser}
before = set(sys.modules)
import airflow_provider_fastlabel.{door}
print(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} & {{"requests", *{HEAVY!r}}}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_offers_its_functions_at_its_door(name: str) -> None:
    code = f"""
import airflow_provider_fastlabel.formats.{name} as door
print([getattr(door, name).__name__ for name in door.__all__] == door.__all__)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
