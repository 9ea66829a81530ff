"""Model monitoring and endpoints, training, evaluation and auto-annotation jobs."""

from __future__ import annotations

from fastapi import APIRouter, Response

from airflow_provider_fastlabel.emulator import schemas
from airflow_provider_fastlabel.emulator.errors import not_found
from airflow_provider_fastlabel.emulator.state import Emu, OrjsonRoute, answer

router = APIRouter(route_class=OrjsonRoute, tags=["models"])


@router.post("/model-monitorings/create")
async def create_model_monitoring_request_results(emu: Emu, body: schemas.MonitoringCreate) -> Response:
    """Keep results of model calls and answer the id of the monitoring setting."""
    names = emu.settings.monitoring_names
    if names is not None and body.name not in names:
        raise not_found("model monitoring", body.name)
    setting = emu.store.by_name("monitoring", body.name) or emu.store.insert("monitoring", {}, name=body.name)
    with emu.store.transaction():
        for result in body.results:
            emu.store.insert("monitoring_result", result.model_dump(by_alias=True), scope=setting.id)
    return answer(setting.id)
