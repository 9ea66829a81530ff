"""What the pages quote and count is what the code says."""

from __future__ import annotations

import ast
import json
import re
from fnmatch import fnmatch

import pytest

from airflow_provider_fastlabel.client.kinds import KINDS, MB, Limits
from airflow_provider_fastlabel.provider_info import CONN_FIELDS
from tests.docs.pages import PAGES, ROOT, name_of
from tests_sdk import differences

DOCS = ROOT / "docs"
PACKAGE = ROOT / "airflow_provider_fastlabel"
TITLES = {
    "image": "images", "sequential_image": "sequential images", "video": "videos", "text": "texts", "audio": "audio",
    "multi_image_classification": "multi-image classification", "pcd": "point clouds", "dicom": "DICOM series",
    "sequential_pcd": "sequential point clouds",
}  # fmt: skip


def texts_of_the_package():
    """Yield every text in the code, with an ellipsis for what is put into it."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"%(\.\d)?[a-z]", "…", node.value)


def cells(text, first):
    """Return the rows of the table whose head starts so, as lists of cells."""
    lines = text[text.index(f"| {first} |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_quoted_errors_are_those_of_the_code():
    quoted = re.findall(r"^### `(.+)`$", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
    known = list(texts_of_the_package())
    assert len(quoted) > 30
    assert [error for error in quoted if not any(error in text for text in known)] == []


def media_of(name):
    media = KINDS[name].media
    assert media is not None
    return media


def test_sizes_are_those_of_the_client():
    limits = Limits()

    def files(name):
        return str(getattr(limits, most) if (most := KINDS[name].max_files) else 1)

    shown = {row[0]: tuple(row[2:]) for row in cells((DOCS / "sizing.md").read_text(), "tasks of")}
    assert shown == {
        title: (f"{getattr(limits, media_of(name).name) // MB} MB", files(name)) for name, title in TITLES.items()
    }


def test_types_of_files_are_those_of_the_client():
    shown = {row[0]: row[1].removesuffix(" with H.264") for row in cells((DOCS / "sizing.md").read_text(), "tasks of")}
    assert shown == {title: ", ".join(media_of(name).extensions) for name, title in TITLES.items()}


@pytest.mark.parametrize("page", [DOCS / "connection.md", ROOT / "README.md"], ids=name_of)
def test_fields_of_the_connection_are_those_of_its_form(page):
    shown = [row[0] for row in cells(page.read_text(), "field")]
    assert shown == ["Access token (password)", "API base URL (host)", *(f"extra `{name}`" for name in CONN_FIELDS)]


def test_settings_of_the_emulator_are_those_that_it_takes(fastlabel_emulator):
    shown = {row[0].strip("`"): row[2] for row in cells((DOCS / "reference" / "emulator.md").read_text(), "setting")}
    assert {name: json.loads(default) for name, default in shown.items()} == fastlabel_emulator.configure()


def test_releases_of_airflow_are_those_the_tests_run_on():
    pinned = re.search(r"^apache-airflow==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    older = [path.stem.removeprefix("constraints-airflow-") for path in ROOT.glob("constraints-airflow-*.txt")]
    shown = re.search(r"^\| tested on \| (.+) \|$", (DOCS / "compatibility.md").read_text(), re.MULTILINE)
    assert pinned
    assert shown
    assert re.findall(r"[\d.]+\d", shown[1]) == [*sorted(older), pinned[1]]


def test_every_difference_from_the_sdk_is_told():
    told = [name for row in cells((DOCS / "sdk.md").read_text(), "method") for name in re.findall("`([^`]+)`", row[0])]
    tested = {*differences.WIRE, *differences.RESULTS, *differences.FILES}
    assert {name for name in tested if not any(fnmatch(name, pattern) for pattern in told)} == set()


def test_commands_are_those_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named
    assert named <= targets


def test_links_to_the_repository_lead_to_its_files():
    """What is no page is checked here, because MkDocs does not."""
    link = re.compile(r"\]\(((?!https?:|#)[^)#\s]+)")
    missing = {
        f"{name_of(page)}: {target}"
        for page in PAGES
        for target in link.findall(page.read_text())
        if not (page.parent / target).exists()
    }
    assert missing == set()
