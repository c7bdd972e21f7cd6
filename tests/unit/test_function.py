"""What a function is given: its environment, its time, its clients."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.core import clients
from functions.core.environment import Environment, EnvironmentMissing
from functions.core.mode import Mode, read_switch
from functions.core.settings import SettingsError
from tests.functional.world import Context

ENV = {
    "LEDGER_TABLE": "ledger",
    "TOPIC_ARN": "topic",
    "MODE_PARAMETER": "/mode",
    "SETTINGS": json.dumps({"cooldown_seconds": 7}),
    "LEVER_SETTINGS": json.dumps({"minimum_requests": 5}),
}


def test_the_environment_is_read_once() -> None:
    environment = Environment.from_env(ENV)

    assert environment.settings.cooldown_seconds == 7
    assert environment.lever == {"minimum_requests": 5}


@pytest.mark.parametrize("name", ENV)
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_name_is_said_by_name(name: str, empty: bool) -> None:
    env = ENV | {name: ""} if empty else {k: v for k, v in ENV.items() if k != name}

    with pytest.raises(EnvironmentMissing, match=f"{name} not set: deploy the stack again"):
        Environment.from_env(env)


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(EnvironmentMissing) as refused:
        Environment.from_env({})
    assert all(name in str(refused.value) for name in ENV)


@pytest.mark.parametrize("poison", ['{"limits": {"instances_added": "4"}}', "[]", "null", "5"])
def test_poisoned_settings_stop_the_function(poison: str) -> None:
    with pytest.raises(SettingsError):
        Environment.from_env(ENV | {"SETTINGS": poison})


def test_one_call_with_all_its_retries_fits_into_the_function() -> None:
    config: Any = clients.CONFIG
    attempts = config.retries["total_max_attempts"]
    longest = attempts * (config.connect_timeout + config.read_timeout)

    assert config.retries["mode"] == "standard"
    assert longest < Context().seconds - 5


@pytest.mark.parametrize("service", ["dynamodb", "sagemaker", "cloudwatch", "sns", "events"])
def test_every_client_has_the_time_outs(environment: pytest.MonkeyPatch, service: str) -> None:
    clients.client.cache_clear()
    try:
        made = clients.client(service)
        assert made is clients.client(service)
        assert (made.meta.config.connect_timeout, made.meta.config.read_timeout) == (1, 4)
        assert made.meta.config.retries["total_max_attempts"] == 3
    finally:
        clients.client.cache_clear()
        boto3.setup_default_session()


class Ssm:
    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer

    def get_parameter(self, Name: str) -> dict[str, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Parameter": {"Value": self.answer}}


@pytest.mark.parametrize("mode", Mode)
def test_the_switch_says_the_mode(mode: Mode) -> None:
    assert read_switch(Ssm(mode.word), "/mode") is mode


@pytest.mark.parametrize(
    "answer",
    ["", "ACT", "act ", "on", ClientError({"Error": {"Code": "AccessDenied"}}, "GetParameter")],
    ids=repr,
)
def test_a_switch_that_cannot_be_read_means_observe(answer: str | Exception) -> None:
    assert read_switch(Ssm(answer), "/mode") is Mode.OBSERVE
