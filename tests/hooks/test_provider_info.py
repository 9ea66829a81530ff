"""What Airflow reads about the provider: valid by Airflow's own schemas, true, and light to import."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.providers.common.compat.sdk import BaseOperatorLink, conf
from airflow.providers_manager import ProvidersManager

from airflow_provider_fastlabel import __version__
from airflow_provider_fastlabel.hooks import settings
from airflow_provider_fastlabel.hooks.connection import EXTRA_FIELDS
from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.provider_info import get_provider_info

INFO = get_provider_info()
AIRFLOW = Path(airflow.__file__).parent


def test_valid_by_the_schema_airflow_checks_at_start():
    # A violation takes down every `airflow` command.
    jsonschema.validate(INFO, json.loads((AIRFLOW / "provider_info.schema.json").read_text()))


def test_connection_type_valid_by_the_development_schema():
    # Only that one describes conn-fields; what it demands besides is for Airflow's own providers.
    schema = json.loads((AIRFLOW / "provider.yaml.schema.json").read_text())
    part = {"properties": {name: schema["properties"][name] for name in INFO if name in schema["properties"]}}
    jsonschema.validate(INFO, {**part, "definitions": schema.get("definitions", {}), "type": "object"})


def test_package_name_and_version_are_those_of_the_distribution():
    assert INFO["package-name"] == importlib.metadata.metadata("airflow-provider-fastlabel")["Name"]
    assert INFO["versions"] == [__version__]


def test_the_entry_point_leads_here():
    (entry,) = (e for e in importlib.metadata.entry_points(group="apache_airflow_provider") if "fastlabel" in e.value)
    assert entry.load() is get_provider_info


@pytest.mark.parametrize("room", ["hooks", "operators", "sensors", "triggers"])
def test_every_named_module_exists(room):
    for part in INFO[room]:
        for module in part["python-modules"]:
            importlib.import_module(module)


def test_every_named_class_and_decorator_exists():
    for path in [*INFO["notifications"], *(entry["class-name"] for entry in INFO["task-decorators"])]:
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name).__module__ == module


def test_what_serves_asset_uris_exists():
    (uris,) = INFO["asset-uris"]
    assert uris["schemes"] == ["fastlabel"]
    for part in ("handler", "factory", "to_openlineage_converter"):
        module, _, name = uris[part].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))


def test_the_connection_type_matches_the_hook():
    (kind,) = INFO["connection-types"]
    module, _, name = kind["hook-class-name"].rpartition(".")
    assert getattr(importlib.import_module(module), name) is FastLabelHook
    assert (kind["connection-type"], kind["hook-name"]) == (FastLabelHook.conn_type, FastLabelHook.hook_name)
    assert set(kind["conn-fields"]) == set(EXTRA_FIELDS)


def test_the_form_of_the_user_interface():
    # What the API server hands to the browser, made from the installed providers.
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    (form,) = (hook for hook in HookMetaService.hook_meta_data() if hook.connection_type == "fastlabel")
    assert form.hook_name == "FastLabel"
    shown = form.model_dump()
    assert list(shown["extra_fields"]) == list(EXTRA_FIELDS)
    standard = shown["standard_fields"]
    assert (standard["password"]["title"], standard["host"]["title"]) == ("Access token", "API base URL")
    assert standard["login"]["hidden"]
    assert standard["port"]["hidden"]
    assert standard["url_schema"]["hidden"]


def test_every_link_and_every_guide_that_is_named_exists():
    for path in INFO["extra-links"]:
        module, _, name = path.rpartition(".")
        assert issubclass(getattr(importlib.import_module(module), name), BaseOperatorLink)
    (integration,) = INFO["integrations"]
    root = Path(__file__).parents[2]
    for guide in integration["how-to-guide"]:
        assert (root / guide.lstrip("/")).is_file(), guide
    assert integration["external-doc-url"].endswith("/docs/index.md")


def test_the_options_are_in_airflow_s_configuration():
    ProvidersManager().initialize_providers_configuration()  # before 3.2 nothing else does
    (section,) = INFO["config"]
    assert section == settings.SECTION
    for name, option in INFO["config"][section]["options"].items():
        assert conf.get(section, name, fallback="unknown") == ""
        assert settings.OPTIONS[name](option["example"])


def test_importing_it_is_light():
    code = (
        "import sys; before = set(sys.modules); import airflow_provider_fastlabel.provider_info;"
        "print(len({m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
