"""Who may act on an alias: the modes, an operator's word, and people who do it by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.operator.handler import handler as operator
from tests.functional.concurrency import Warm, warm, wish
from tests.functional.world import REGION, Context, Stage

WINDOW = "mon@12:15-13:00=20"


@pytest.fixture
def scene(stage: Stage, environment: pytest.MonkeyPatch) -> Iterator[Warm]:
    queue = stage.client("sqs").create_queue(QueueName="provisioned-concurrency")["QueueUrl"]
    environment.setenv("QUEUE_URLS", json.dumps({"provisioned_concurrency": queue}))
    environment.setenv("AWS_REGION", REGION)
    with warm(stage) as scene:
        yield scene


def ask(stage: Stage, command: str) -> None:
    """Ask something of the only incident as an operator; the next heartbeat finds it."""
    asked = {"command": command, "incident": stage.incident()["id"], "by": "kim"}
    assert operator(asked, Context())["accepted"] is True


def test_in_observe_mode_it_is_told_and_not_done(scene: Warm) -> None:
    scene.function(tags=wish(mode="observe", schedule=WINDOW))
    scene.beat(20)

    assert scene.writes() == []
    assert scene.told("observe") == 1
    assert scene.stages() == ["observed"]


def test_the_account_s_mode_counts_where_it_is_lower(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.stage.mode("observe")
    scene.beat(20)

    assert scene.writes() == []


def test_with_the_account_off_nothing_is_looked_at(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.stage.mode("off")
    scene.beat(20)

    assert scene.writes() == []
    assert scene.stage.incidents() == []


def test_in_approve_mode_a_person_is_asked_once(scene: Warm) -> None:
    scene.function(tags=wish(mode="approve", schedule=WINDOW))
    scene.beat(15)
    assert scene.writes() == []
    assert scene.told("needs-approval") == 1

    ask(scene.stage, "approve")
    scene.beat()
    assert scene.writes() == [20]


def test_what_was_raised_is_put_back_on_request(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.provision(3)
    scene.until(lambda: scene.level() == 20)
    scene.beat(4)

    ask(scene.stage, "revert")
    scene.until(lambda: scene.stages() == ["reverted"], minutes=10)

    assert scene.level() == 3
    scene.beat(10)
    assert scene.level() == 3  # hands off


def test_what_stood_at_nothing_is_put_back_to_nothing(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.until(lambda: scene.level() == 20)
    scene.beat(4)
    ask(scene.stage, "revert")
    scene.until(lambda: scene.stages() == ["reverted"], minutes=10)

    assert scene.level() == 0


def test_a_person_who_changes_the_level_wins(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.until(lambda: scene.level() == 20)
    scene.beat(4)
    scene.provision(12)
    scene.beat(30)

    assert scene.level() == 12
    assert scene.told("superseded") == 1
    assert scene.stages() == ["superseded"]


def test_a_person_between_the_look_and_the_write_wins(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.provision(3)
    scene.stage.wait(180)

    def fault(moment: str, call: Any) -> None:
        if (moment, call.operation) == ("before", "GetProvisionedConcurrencyConfig"):
            scene.stage.fault = lambda moment, call: None
            scene.stage.outside(lambda: scene.provision(4))

    scene.stage.fault = fault
    scene.beat(20)

    assert scene.writes() == []
    assert scene.level() == 4
    assert scene.told("superseded") == 1


def test_without_the_tag_what_was_changed_is_told_and_left(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.until(lambda: scene.level() == 20)
    scene.beat(4)
    scene.retag({"ml-remediation:provisioned-concurrency": None})
    scene.until(lambda: scene.stages() == ["recovered"], minutes=20)

    assert scene.level() == 20
    assert scene.told("not-opted-in") == 1


def test_a_function_that_is_deleted_ends_its_incident(scene: Warm) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.until(lambda: scene.level() == 20)
    scene.api.delete_function(FunctionName="shop")
    scene.until(lambda: scene.stages() == ["recovered"], minutes=20)

    assert scene.beat(5) == []


def test_hours_and_dollars_are_counted_while_it_stands(
    scene: Warm, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.function(tags=wish(schedule=WINDOW))
    scene.until(lambda: scene.level() == 20)
    scene.until(lambda: scene.stages() == ["verified"], minutes=120)

    lines = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    hours = sum(sum(json.loads(line).get("ProvisionedHours", ())) for line in lines)
    assert 20 * 45 / 60 <= hours <= 20 * 60 / 60  # 20 environments from 12:10 to 13:00
