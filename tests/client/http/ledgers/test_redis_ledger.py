from __future__ import annotations

import logging
import sys
import threading

import pytest
from fakeredis import TcpFakeServer

from airflow_provider_fastlabel.client import FastLabelClient
from airflow_provider_fastlabel.client.http.quota import shared_quota
from airflow_provider_fastlabel.client.http.redis_address import redis_host
from tests.client.http.ledgers.spenders import made_by, spending

PASSWORD = "redis-password-5e1f"


@pytest.fixture
def redis():
    """Address of a Redis."""
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    server.shutdown()
    server.server_close()


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTLABEL_QUOTA_FOLDER", str(tmp_path / "quota"))


@pytest.mark.slow
def test_machines_that_name_one_redis_share_the_quota(fastlabel_emulator, redis, tmp_path):
    fastlabel_emulator.configure(quota=60, quota_seconds=5.0)
    answers = spending(
        fastlabel_emulator,
        2,
        seconds=14,
        apart=tmp_path,
        calls_per_10_minutes=60,
        quota_seconds=5,
        quota_redis=redis,
    )
    statuses = [call["status"] for call in fastlabel_emulator.requests()]
    assert set(statuses) == {200}
    assert 0.9 * 180 <= len(statuses) <= 180, "a place is free again after six seconds"
    assert min(made_by(answer) for answer in answers) > 0


def test_what_is_left_is_known_to_all(redis, own_folder):
    quota = shared_quota("http://fastlabel.test/v1/", "redis-a", 5, redis=redis)
    with quota.slot():
        pass
    assert quota.remaining() == 4
    assert shared_quota("http://fastlabel.test/v1/", "redis-b", 5, redis=redis).remaining() == 5


def test_neither_token_nor_address_is_in_redis(redis, own_folder):
    import redis as library

    with shared_quota("http://fastlabel.test/v1/", "redis-token", 5, redis=redis).slot():
        pass
    keys = list(library.Redis.from_url(redis).scan_iter("*"))
    assert len(keys) == 1
    assert keys[0].startswith(b"fastlabel-quota")
    assert b"redis-token" not in keys[0]
    assert b"fastlabel.test" not in keys[0]


def test_a_redis_that_is_away_is_said_once_without_its_password(own_folder, caplog):
    caplog.set_level(logging.DEBUG)
    address = f"redis://user:{PASSWORD}@127.0.0.1:1/0"
    quota = shared_quota("http://fastlabel.test/v1/", "redis-away", 5, redis=address)
    for _ in range(2):
        with quota.slot():
            pass
    assert quota.remaining() == 3
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "The Redis of quota_redis at 127.0.0.1:1 did not answer (ConnectionError)" in warnings[0]
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    "address",
    ["", "localhost", f"http://:{PASSWORD}@host/0", f"redis://:{PASSWORD}@host:x/0", f"redis://:{PASSWORD}@/0"],
)
def test_another_address_is_refused_without_being_shown(address):
    with pytest.raises(ValueError, match="quota_redis must be the address of a Redis") as refusal:
        FastLabelClient("redis-c", quota_redis=address)
    assert PASSWORD not in str(refusal.value)


def test_a_missing_package_is_named_before_any_call(monkeypatch):
    monkeypatch.setitem(sys.modules, "limits", None)
    with pytest.raises(ValueError, match=r"pip install 'airflow-provider-fastlabel\[redis\]'"):
        FastLabelClient("redis-d", quota_redis=f"redis://:{PASSWORD}@host/0")


def test_the_host_is_what_may_be_shown():
    assert redis_host(f" rediss://user:{PASSWORD}@example.com/0 ") == "example.com:6379"
