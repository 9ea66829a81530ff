"""The application behind the "Dataset" tab: a page with one frame, in which the report is shown without any rights.

Airflow mounts the applications of plugins without a guard, so each address here asks for the right to read the XComs of
the DAG. A report comes out of a store into which others may write: its frame is sandboxed, and the answer with it says
so once more, so that its program has an origin of its own, sends no cookie of Airflow's and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator

from airflow_provider_fastlabel.pipelines.reports.page_file import PAGE, SHEET
from airflow_provider_fastlabel.plugins.published import NothingToShowError, Task, published_by

_STYLE = (
    ":root{color-scheme:light dark}html,body{height:100%;margin:0}body{display:flex;flex-direction:column;"
    "font:15px/1.5 system-ui,sans-serif}p{margin:0;padding:12px 16px}iframe{border:0;flex:1;min-height:0;width:100%}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_POLICY = (
    f"default-src 'none'; frame-src 'self'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
LATER = "A later run has written another report to the same place since: this is that one."


def _unmapped(value: Any) -> Any:
    """Airflow's screens leave the placeholder as it is where a task is not mapped."""
    return -1 if value == "{MAP_INDEX}" else value


def _task(dag_id: str, run_id: str, task_id: str, map_index: Annotated[int, BeforeValidator(_unmapped)]) -> Task:
    return Task(dag_id, run_id, task_id, map_index)


application = FastAPI(
    title="FastLabel",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.XCOM))],
)
_ADDRESS = "/datasets/{dag_id}/{run_id}/{task_id}/{map_index}"


@application.get(_ADDRESS)
def tab(task: Annotated[Task, Depends(_task)]) -> Response:
    """Return the page of the tab: a frame for the report, or one line that says why there is none.

    :param task: which task.
    """
    try:
        _, _, changed = published_by(task).report()
    except NothingToShowError as nothing:
        return _page(_line(str(nothing)))
    frame = f'<iframe sandbox="allow-scripts" src="{task.map_index}/{PAGE}" title="Report of the data set"></iframe>'
    return _page((_line(LATER) if changed else "") + frame)


@application.get(f"{_ADDRESS}/{PAGE}")
def report(task: Annotated[Task, Depends(_task)]) -> Response:
    """Return the report, which may run its own program and nothing else.

    :param task: which task.
    """
    try:
        page, policy, _ = published_by(task).report()
    except NothingToShowError as nothing:
        return _page(_line(str(nothing)), 404)
    sandboxed = f"sandbox allow-scripts; {policy}; frame-ancestors 'self'"
    return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": sandboxed})


@application.get(f"{_ADDRESS}/{SHEET}")
def sheet(task: Annotated[Task, Depends(_task)]) -> Response:
    """Return the contact sheet of the report, for the text of an approval.

    :param task: which task.
    """
    try:
        picture = published_by(task).sheet()
    except NothingToShowError as nothing:
        return _page(_line(str(nothing)), 404)
    policy = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return Response(picture, media_type="image/jpeg", headers={**_HEADERS, "Content-Security-Policy": policy})


@application.exception_handler(HTTPException)
def refuse(request: Request, error: HTTPException) -> Response:
    """Say in one line that somebody may not see this.

    :param request: the call.
    :param error: what Airflow's guard says.
    """
    del request
    words = {401: "You are not signed in to Airflow.", 403: "You may not see the data of this DAG."}
    return _page(_line(words.get(error.status_code, "There is nothing here.")), error.status_code)


def _line(words: str) -> str:
    return f"<p>{html.escape(words)}</p>"


def _page(body: str, status: int = 200) -> Response:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>Dataset</title><style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
    return HTMLResponse(page, status, headers={**_HEADERS, "Content-Security-Policy": _POLICY})
