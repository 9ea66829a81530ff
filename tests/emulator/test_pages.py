"""The pages for people, in a real browser and by plain calls: every kind, hostile texts, links, who may look."""

from __future__ import annotations

import io
import re
import struct
import time
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from airflow_provider_fastlabel.emulator import Emulator
from airflow_provider_fastlabel.hooks.pages import fill, parse_app_url
from tests.browser import SCREENS, browser

from .conftest import Api, encoded, picture
from .test_imports import bucket, dicom_file, link
from .test_kinds import ANNOTATED, CLASSIFIED, clip, label, sound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser import Page

__all__ = ["bucket"]

HOSTILE = (
    "\"'><script>document.title='got in'</script><img src=http://evil.example/x onerror=alert(1)>&lt;\u202e{{7*7}}"
)
SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("bbox", {"points": [5, 5, 30, 25], "rotation": 30}),
    ("polygon", {"points": [40, 5, 60, 10, 50, 30]}),
    ("keypoint", {"points": [70, 20]}),
    ("line", {"points": [5, 50, 30, 60, 40, 40]}),
    ("circle", {"points": [70, 50, 8]}),
    ("segmentation", {"points": [[[10, 60, 40, 60, 40, 78, 10, 78, 10, 60], [20, 65, 20, 70, 30, 70, 20, 65]]]}),
]


def class_of(api: Api, project: str, kind: str, value: str) -> None:
    """Make a class whose every text is hostile."""
    attributes = [{"type": "text", "name": HOSTILE, "key": HOSTILE}]
    body = {"project": project, "type": kind, "value": value, "title": HOSTILE, "attributes": attributes}
    api("POST", "annotations", body)


def cloud(points: list[tuple[float, float, float]], form: str = "binary") -> str:
    """Return a PCD file, in base64."""
    head = f"# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nPOINTS {len(points)}\n"
    binary = b"".join(struct.pack("<3f", *each) for each in points)
    ascii = "".join(f"{x} {y} {z}\n" for x, y, z in points).encode()
    return encoded(f"{head}DATA {form}\n".encode() + (ascii if form == "ascii" else binary))


def hostile_world(api: Api) -> list[str]:
    """Make a task of every kind with hostile texts, and return the addresses of all pages."""
    api.emulator.configure(strict=False, history_seconds=0)
    values, sent = [{"key": HOSTILE, "value": HOSTILE}], []
    for number, (path, (kind, payload, annotation)) in enumerate(ANNOTATED.items()):
        slug = f"p{number}"
        api.project(kind, slug, name=HOSTILE)
        value = HOSTILE + slug
        class_of(api, slug, annotation["type"], value)
        drawn = [{**annotation, "value": value, "attributes": values}]
        if path == "image":
            payload = {"file": picture(90, 80)}
            for shape, geometry in SHAPES:
                class_of(api, slug, shape, HOSTILE + shape)
                drawn.append(label(shape, **geometry) | {"value": HOSTILE + shape, "attributes": values})
        if path == "text":
            payload = {"file": encoded((HOSTILE * 30).encode())}
        if path == "pcd":
            payload = {"file": cloud([(1, 2, 0), (3, 4, 1), (float("nan"), 1, 1)])}
        body = {"project": slug, "name": HOSTILE, "annotations": drawn, "tags": [HOSTILE, "a,b"]}
        sent.append((path, slug, body | payload))
    for number, (path, (kind, payload)) in enumerate(CLASSIFIED.items()):
        slug = f"c{number}"
        api.project(kind, slug, name=HOSTILE)
        attributes = [{"type": "text", "name": HOSTILE, "key": HOSTILE}]
        api("POST", "annotations/classification", {"project": slug, "attributes": attributes})
        sent.append((path, slug, {"project": slug, "name": HOSTILE, "attributes": values} | payload))
    pages = ["/", "/imports", "/jobs", "/projects/p0?tags=" + quote(HOSTILE, safe=""), "/tasks/none"]
    for path, slug, body in sent:
        ident = api("POST", f"tasks/{path}", body)
        if "contents" not in body:  # of those, a comment is on one of the contents
            api("POST", "comments", {"taskId": ident, "points": [1, 1], "text": HOSTILE})
        pages += [f"/projects/{slug}", f"/tasks/{ident}"]
    pages.append(dicom_task(api))
    api("POST", "datasets-v2", {"name": "d", "tags": []})
    job = api("POST", "trainings", {"datasetName": "d", "baseModelName": "m", "epoch": 1})["trainingJobId"]
    histories = re.findall(r'href="(/imports/[^"]+)"', look(api, "/imports").text)
    assert histories
    return [*pages, *histories, "/projects/scans/imports", f"/jobs/{job}"]


def dicom_task(api: Api) -> str:
    """Import a DICOM series and return the address of its task."""
    api.project("dicom_bbox", "scans")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("series/1.dcm", dicom_file(512, 256))
    place = api("GET", "files", project="scans", fileName="chest.zip", fileType="application/zip")
    assert requests.put(place["url"], data=buffer.getvalue(), timeout=9).ok
    api("POST", "tasks/dicom", {"project": "scans", "fileKey": place["name"]})
    until = time.monotonic() + 30
    while not (found := api("GET", "tasks/dicom", project="scans")):
        assert time.monotonic() < until
        time.sleep(0.05)
    return f"/tasks/{found[0]['id']}"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


def show(page: Page, api: Api, path: str, width: int = 1400, *, dark: bool = False) -> None:
    page.size(width, 900, dark=dark)
    page.complaints.clear()
    page.requests.clear()
    page.visit(api.emulator.base_url + path, "document.querySelector('h1')")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), SCREENS)
def test_hostile_texts_are_harmless_and_axe_finds_no_fault(api: Api, chromium: Page, width: int, dark: bool) -> None:
    for path in hostile_world(api):
        show(chromium, api, path, width, dark=dark)
        expected = ["the server responded with a status of 404"] if path == "/tasks/none" else []
        assert len(chromium.complaints) == len(expected), (path, chromium.complaints)
        assert all(text in said for text, said in zip(expected, chromium.complaints, strict=True))
        assert [each for each in chromium.requests if not each.startswith(api.emulator.base_url)] == []
        assert chromium.run("document.documentElement.scrollWidth") <= width, path
        assert chromium.run("document.querySelectorAll('script:not([src]), [onerror], iframe').length") == 0
        assert chromium.run("document.title").endswith("FastLabel emulator")
        unnamed = (
            "[...document.querySelectorAll('img:not([alt]), input')].filter(e => e.matches('img') || !e.labels.length)"
        )
        assert chromium.run(f"{unnamed}.length") == 0
        assert chromium.run("[...document.images].every(each => each.naturalWidth > 0)"), path
        assert chromium.run("document.documentElement.lang + document.querySelectorAll('h1').length") == "en1"
        assert chromium.faults() == [], path


def test_pages_lead_from_the_projects_to_a_task(cats: Api, chromium: Page) -> None:
    drawn = [{"type": "bbox", "value": "cat", "points": [1, 1, 4, 4], "rotation": 90}]
    for number in range(120):
        cats.image(
            f"{number:03}.png", annotations=drawn if number == 0 else [], tags=["even"] if number % 2 == 0 else []
        )
    show(chromium, cats, "/")
    click(chromium, "main table a", "document.querySelectorAll('tbody tr').length === 50")
    assert "Changed (UTC)" in chromium.run("document.querySelector('thead').innerText")
    click(chromium, ".pager a:last-child", "document.querySelector('tbody a').innerText === '050.png'")
    click(chromium, ".pager a:last-child", "document.querySelectorAll('tbody tr').length === 20")
    click(chromium, ".pager a", "document.querySelector('tbody a').innerText === '050.png'")
    click(chromium, ".pager a", "document.querySelector('tbody a').innerText === '000.png'")
    click(chromium, ".tag", "document.querySelectorAll('tbody a')[2].innerText === '002.png'")
    click(chromium, "tbody a", "document.querySelector('.overlay g path')")
    assert chromium.run("document.querySelector('.overlay g').getAttribute('transform')") == "rotate(90 2.5 2.5)"
    assert chromium.run("document.querySelector('h1').innerText") == "000.png"
    boxes = chromium.run(
        "['img', 'svg'].map(e => JSON.stringify(document.querySelector('.stage > ' + e).getBoundingClientRect()))"
    )
    assert boxes[0] == boxes[1]
    assert chromium.complaints == []


def click(page: Page, selector: str, ready: str) -> None:
    page.run(f"document.querySelector({selector!r}).click()")
    page.wait(ready)


def test_a_frame_has_the_labels_that_its_data_give_it(api: Api, chromium: Page) -> None:
    api.project("video_bbox", "clips")
    api("POST", "annotations", {"project": "clips", "type": "bbox", "value": "car", "title": "Car"})
    points = {key: {"value": [1, 1, 5, int(key)], "autogenerated": False} for key in ("2", "4")}
    body = {
        "project": "clips",
        "name": "a.mp4",
        "file": clip(),
        "annotations": [label("bbox", points=points) | {"value": "car"}],
    }
    ident = api("POST", "tasks/video", body)
    for frame, drawn in ((1, 0), (2, 1), (3, 0), (4, 1)):
        show(chromium, api, f"/tasks/{ident}?frame={frame}")
        assert chromium.run("document.querySelectorAll('#overlay g').length") == drawn
    chromium.run("const r = document.querySelector('#frame'); r.value = 2; r.dispatchEvent(new Event('input'))")
    chromium.wait("document.querySelector('#overlay path')?.getAttribute('d') === 'M1 1H5V2H1Z'")
    assert "Car" in chromium.run("document.querySelector('#seen').innerText")
    assert chromium.complaints == []


@pytest.mark.parametrize("form", ["binary", "ascii"])
def test_a_cloud_is_seen_from_above(api: Api, form: str) -> None:
    api.project("pcd_segmentation", "lidar")
    class_of(api, "lidar", "segmentation", "road")
    file = cloud([(float(at), 2.5, 0) for at in range(20_000)], form)
    marked = {"type": "segmentation", "value": "road", "points": [0, 3, 10**9, -4]}
    ident = api("POST", "tasks/pcd", {"project": "lidar", "name": "a", "file": file, "annotations": [marked]})
    page = look(api, f"/tasks/{ident}").text
    assert "6,667 of 20,000 points" in page
    assert 'd="M0 -2.5h0M3 -2.5h0"' in page


def test_a_cloud_that_claims_more_points_than_it_has_shows_those_it_has(api: Api) -> None:
    api.project("pcd_segmentation", "lidar")
    class_of(api, "lidar", "segmentation", "road")
    data = b"FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 1000000000000\nDATA ascii\n1 2\n3 4\n"
    marked = {"type": "segmentation", "value": "road", "points": [0, 1]}
    body = {"project": "lidar", "name": "a", "file": encoded(data), "annotations": [marked]}
    assert 'd="M1 -2h0M3 -4h0"' in look(api, f"/tasks/{api('POST', 'tasks/pcd', body)}").text


@pytest.mark.parametrize("data", [b"", b"# .PCD", b"FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 9\nDATA binary_compressed\n",
                                  b"FIELDS x y\nSIZE 4 4\nTYPE F F\nCOUNT 1 99999999\nPOINTS 9\nDATA binary\nxxxx",
                                  b"FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 9\nDATA ascii\n1 a\n"])  # fmt: skip
def test_of_a_cloud_that_cannot_be_read_the_cuboids_are_shown(api: Api, data: bytes) -> None:
    api.project("pcd_cuboid", "lidar")
    class_of(api, "lidar", "cuboid", "car")
    drawn = {"type": "cuboid", "value": "car", "points": [1, 2, 3, 0, 0, 0.5, 4, 2, 1]}
    body = {"project": "lidar", "name": "a", "file": encoded(data or b" "), "annotations": [drawn]}
    page = look(api, f"/tasks/{api('POST', 'tasks/pcd', body)}").text
    assert "only cuboids are drawn" in page
    assert 'fill-opacity="0.2"' in page


def test_a_task_of_5000_labels_and_a_sound_are_shown(cats: Api) -> None:
    drawn = [{"type": "bbox", "value": "cat", "points": [1, 1, 4, 4]}] * 5000
    page = look(cats, f"/tasks/{cats.image('a.png', annotations=drawn)}").text
    assert "5,000 labels" in page
    assert page.count("<title>") == 5001
    cats.project("audio_segmentation", "calls")
    class_of(cats, "calls", "segmentation", "word")
    spans = [{"type": "segmentation", "value": "word", "start": at / 10, "end": at / 10 + 0.5} for at in range(5000)]
    ident = cats("POST", "tasks/audio", {"project": "calls", "name": "a", "file": sound(0.1), "annotations": spans})
    assert look(cats, f"/tasks/{ident}").text.count("<rect y=") == 5000


def look(api: Api, path: str, **headers: str) -> requests.Response:
    answer = requests.get(api.emulator.base_url + path, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def test_the_links_of_the_provider_open_these_pages(cats: Api, bucket: Any) -> None:
    cats.emulator.configure(history_manual=True, job_seconds=0)
    for name, status, tags in (("a", "approved", ["x,y", "z"]), ("b", "completed", ["z"]), ("c", "approved", [])):
        cats.image(f"{name}.png", status=status, tags=tags)
    link(cats)
    history = cats("POST", "tasks/aws-s3", {"project": "cats"})["id"]
    cats("POST", "datasets-v2", {"name": "d", "tags": []})
    job = cats("POST", "trainings", {"datasetName": "d", "baseModelName": "m", "epoch": 1})["trainingJobId"]
    ident = cats("GET", "projects", slug="cats")[0]["id"]
    pages = parse_app_url(cats.emulator.base_url)

    def opened(page: str, **known: Any) -> str:
        return look(cats, fill(pages[page], known).removeprefix(cats.emulator.base_url)).text

    assert "cats" in opened("home")
    assert opened("project", project_id=ident).count("/tasks/") == 3
    assert opened("tasks", project_id=ident, status=["approved", "completed"]).count("/tasks/") == 3
    assert opened("tasks", project_id=ident, status="approved", tags=["x,y", "z"]).count("/tasks/") == 1
    assert opened("tasks", project_id=ident, tags="z").count("/tasks/") == 2
    assert "training" in opened("model_job", job_id=job).lower()
    assert history in opened("import", project_id=ident, history_id=history)
    assert history in opened("import", history_id=history)
    assert "running" in look(cats, "/imports").text
    assert "running" in look(cats, "/projects/cats/imports").text
    assert job in look(cats, "/jobs").text


def test_who_may_look(cats: Api) -> None:
    page = f"/tasks/{cats.image('a.png')}"
    file = page.replace("tasks", "files") + "/0"
    cats.emulator.fault("status", status=503)
    before = len(cats.emulator.requests())
    for path in ("/", "/projects", "/projects/cats", page, "/imports", "/jobs", file):
        answer = look(cats, path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert len(cats.emulator.requests()) == before
    assert cats.send("GET", "projects").status_code == 503  # the fault is still there
    opened = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for path in ("/", "/projects", "/projects/cats", page):
        look(cats, path, **opened)
        for refused in (
            opened | {"Sec-Fetch-Dest": "iframe"},
            {"Sec-Fetch-Site": "same-site"},
            {"Host": "evil.example"},
        ):
            answer = requests.get(cats.emulator.base_url + path, headers=refused, timeout=60)
            assert answer.status_code == 403
    assert requests.get(cats.emulator.base_url + file, headers=opened, timeout=60).status_code == 403
    assert requests.get(cats.emulator.base_url + "/_emulator/state", headers=opened, timeout=60).status_code == 403


def test_a_page_of_100000_tasks_reads_only_its_own(tmp_path: Path) -> None:
    import sqlite3

    with Emulator(db=tmp_path / "db") as emulator:
        api = Api(emulator)
        api.project()
        api.image("first.png", status="approved", tags=["rare"])
        with sqlite3.connect(tmp_path / "db") as db:
            columns = [row[1] for row in db.execute("PRAGMA table_info(tasks)")]
            copied = ", ".join({"seq": "n.n + 10", "id": "'id' || n.n", "name": "'name' || n.n",
                                "status": "'registered'"}.get(name, f"t.{name}") for name in columns)  # fmt: skip
            numbers = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)"
            db.execute(f"INSERT INTO tasks {numbers} SELECT {copied} FROM n, (SELECT * FROM tasks LIMIT 1) t")
        started = time.process_time()
        for query in ("", "?after=99000", "?status=registered", "?status=approved", "?tags=rare", "?before=70000"):
            assert "/tasks/" in look(api, f"/projects/cats{query}").text
        spent = time.process_time() - started
        assert spent < 3, spent
        assert "100,001" in look(api, "/projects/cats").text
        api.session.close()
