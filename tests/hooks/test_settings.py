"""The section [fastlabel] of Airflow's configuration: read late, checked, and behind what a task or connection says."""

from __future__ import annotations

import pytest

from airflow_provider_fastlabel.hooks import settings
from airflow_provider_fastlabel.hooks.connection import InvalidConnectionError
from airflow_provider_fastlabel.hooks.fastlabel import FastLabelHook
from airflow_provider_fastlabel.provider_info import CONFIG
from airflow_provider_fastlabel.utils.errors import is_permanent


@pytest.fixture
def configure(monkeypatch):
    """Set options of the section, as the environment does."""

    def define(**options):
        for name, value in options.items():
            monkeypatch.setenv(f"AIRFLOW__FASTLABEL__{name.upper()}", value)

    return define


def test_the_section_described_to_airflow_is_the_one_that_is_read():
    assert list(CONFIG) == list(settings.OPTIONS)


def test_nothing_configured_leaves_the_defaults():
    assert settings.poll_interval(60) == 60
    assert settings.wait_quota_share() == 0.2
    assert settings.manifests_path() is None
    assert settings.calls_per_10_minutes() is None
    assert settings.app_url() is None


def test_what_is_configured_is_read(configure):
    configure(poll_interval=" 90 ", wait_quota_share="0.5", manifests_path="s3://a/b", calls_per_10_minutes="2500")
    configure(app_url="https://app.example.com/{project}")
    assert settings.poll_interval(60) == 90
    assert settings.wait_quota_share() == 0.5
    assert settings.manifests_path() == "s3://a/b"
    assert settings.calls_per_10_minutes() == 2500
    assert (settings.app_url() or {})["project"] == "https://app.example.com/{project}"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("poll_interval", "0"), ("poll_interval", "-5"), ("poll_interval", "soon"), ("poll_interval", "inf"),
        ("poll_interval", "nan"), ("wait_quota_share", "0"), ("wait_quota_share", "1.5"), ("wait_quota_share", "20%"),
        ("wait_quota_share", "nan"), ("calls_per_10_minutes", "0"), ("calls_per_10_minutes", "1e4"),
        ("app_url", "javascript:alert(1)"), ("app_url", "app.example.com"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named_with_its_section_and_is_permanent(configure, option, value):
    configure(**{option: value})
    with pytest.raises(settings.InvalidSettingError, match=rf"\[fastlabel\] {option}: ") as caught:
        settings._read(option)
    assert f"AIRFLOW__FASTLABEL__{option.upper()}" in str(caught.value)
    assert is_permanent(caught.value)


def test_the_connection_goes_before_the_configuration(configure, connect):
    configure(calls_per_10_minutes="500", app_url="https://configured.example/{project}")
    connect(password="one-token-of-its-own")
    assert FastLabelHook().get_conn().quota.limit == 500
    assert FastLabelHook().pages()["project"] == "https://configured.example/{project}"
    connect(password="one-token-of-its-own", calls_per_10_minutes=700, app_url="https://own.example/{project_id}")
    assert FastLabelHook().get_conn().quota.limit == 700
    assert FastLabelHook().pages()["project"] == "https://own.example/{project_id}"


def test_a_wrong_option_is_a_message_of_the_connection_test(configure, connect):
    configure(calls_per_10_minutes="many")
    connect()
    works, message = FastLabelHook().test_connection()
    assert not works
    assert "[fastlabel] calls_per_10_minutes" in message


def test_a_wrong_address_of_the_connection_is_refused_by_name(connect):
    connect(app_url="javascript:alert(1)")
    with pytest.raises(InvalidConnectionError, match="extra field 'app_url': must be an http"):
        FastLabelHook().pages()
