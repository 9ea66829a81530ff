"""One cluster for all tests here: PostgreSQL, Redis, an S3-compatible store, an emulator, Airflow with two workers."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from airflow_provider_fastlabel.client import FastLabelClient
from demo.local_emulator import LocalEmulator
from tests_distributed.cluster import Cluster
from tests_distributed.servers import postgres, redis

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "distributed-test-token-81c4"
BUCKET = "fastlabel-distributed"


class Site(NamedTuple):
    """What a test works with."""

    airflow: Cluster
    emulator: LocalEmulator
    client: FastLabelClient
    s3: Any
    redis: str


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that every user may enter; kept, with all logs, when a test failed."""
    path = Path(tempfile.mkdtemp(prefix="fastlabel-distributed-"))
    path.chmod(0o755)
    yield path
    if not request.session.testsfailed:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """Address of an S3-compatible server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def site(folder: Path, store: str) -> Iterator[Site]:
    """The cluster, its connection pointing at the emulator, its accounts and files in the store."""
    dags = folder / "dags"
    shutil.copytree(ROOT / "dags_examples", dags)
    shutil.copyfile(ROOT / "tests" / "airflow_live" / "dags" / "chunked_import.py", dags / "chunked_import.py")
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    s3 = boto3.client(
        "s3",
        endpoint_url=store,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name=keys["AWS_DEFAULT_REGION"],
    )
    s3.create_bucket(Bucket=BUCKET)
    env = {**keys, "AWS_ENDPOINT_URL": store, "AIRFLOW__FASTLABEL__MANIFESTS_PATH": f"s3://{BUCKET}/accounts"}
    with (
        postgres(folder / "postgres") as database,
        redis(folder / "redis") as broker,
        LocalEmulator(folder, TOKEN) as emulator,
        Cluster(folder / "machines", dags, database, broker, env) as airflow,
        FastLabelClient(TOKEN, api_url=emulator.url) as client,
    ):
        airflow.add_connection(
            "fastlabel_default",
            conn_type="fastlabel",
            host=emulator.url,
            password=TOKEN,
            extra={"quota_redis": f"{broker}/1"},
        )
        yield Site(airflow, emulator, client, s3, broker)
