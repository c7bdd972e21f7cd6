"""The ledger: every write is conditional, so nobody overwrites what he did not read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.incident import Incident, Intent, Stage, Standing
from functions.core.ledger import Ledger, LostRace
from functions.core.remediation import Sighting
from tests.faults.dimmer import LAMP, NOON, Hall

NOW = NOON.timestamp()
STANDING = Standing(LAMP, "dimmer")
SEEN = Sighting(LAMP, "alarm", {"seen_at": "2026-03-02T12:00:00+00:00"})


def due(ledger: Ledger, now: float = NOW) -> list[tuple[str, str]]:
    return [(each["pk"], each["sk"]) for each in ledger.due("dimmer", now)]


def claim(ledger: Ledger, owner: str = "me", now: float = NOW, *left: Sighting) -> Any:
    return ledger.claim(LAMP, "dimmer", left, owner, now, now + 60)


# claims


def test_a_target_is_claimed_by_one(hall: Hall) -> None:
    assert claim(hall.ledger)
    assert claim(hall.ledger, "other") is None


def test_a_released_target_is_claimed_again(hall: Hall) -> None:
    held = claim(hall.ledger)
    assert hall.ledger.release(held)
    assert claim(hall.ledger, "other")


def test_a_claim_lives_until_its_lease_is_over_and_is_then_due(hall: Hall) -> None:
    assert claim(hall.ledger)
    assert due(hall.ledger, NOW + 59.9) == []
    assert claim(hall.ledger, "other", NOW + 59.9) is None
    assert due(hall.ledger, NOW + 60) == [(LAMP, "claim")]
    assert claim(hall.ledger, "other", NOW + 60)


def test_who_lost_its_lease_cannot_release_what_another_holds(hall: Hall) -> None:
    late = claim(hall.ledger)
    assert claim(hall.ledger, "other", NOW + 60)

    assert not hall.ledger.release(late)
    assert hall.ledger.take_left(late, NOW + 60) is None
    assert claim(hall.ledger, "third", NOW + 61) is None


def test_what_comes_meanwhile_is_left_to_the_holder(hall: Hall) -> None:
    held = claim(hall.ledger)
    assert claim(hall.ledger, "other", NOW, SEEN) is None

    assert not hall.ledger.release(held)
    assert hall.ledger.take_left(held, NOW) == [SEEN]
    assert hall.ledger.release(held)


def test_what_was_left_to_one_who_died_is_taken_over(hall: Hall) -> None:
    claim(hall.ledger)
    assert claim(hall.ledger, "other", NOW, SEEN) is None

    assert claim(hall.ledger, "next", NOW + 60).left == (SEEN,)


# records


def incident() -> Incident:
    return Incident.opened("dimmer", LAMP, NOON)


def test_what_is_saved_is_loaded(hall: Hall) -> None:
    opened = replace(incident(), causes={"a": {"seen_at": "x"}}, untold=({"code": "acted"},))
    standing = replace(STANDING, incident=opened.id, actions=(NOW,), cooldown_until=NOW + 5)
    stored = hall.ledger.save(standing, opened, NOW)

    record = hall.ledger.load(LAMP, "dimmer")
    assert record.standing == stored == replace(standing, version=1)
    assert record.incident == opened
    assert record.intent is None


def test_an_unknown_target_is_a_blank_page(hall: Hall) -> None:
    record = hall.ledger.load(LAMP, "dimmer")

    assert (record.standing, record.incident, record.intent) == (STANDING, None, None)


def test_who_read_an_older_version_writes_nothing(hall: Hall) -> None:
    first = hall.ledger.save(STANDING, None, None)
    opened = incident()

    with pytest.raises(LostRace):
        hall.ledger.save(replace(STANDING, incident=opened.id), opened, NOW)

    assert hall.ledger.load(LAMP, "dimmer").standing == first
    assert hall.ledger.incident(opened.id) is None


def test_an_intent_leaves_with_its_answer_and_only_with_it(hall: Hall) -> None:
    opened = incident()
    stored = hall.ledger.save(replace(STANDING, incident=opened.id), opened, None)
    intent = Intent("i1", "revert", opened.id, "jane")
    assert hall.ledger.ask(opened, intent, NOW)
    assert not hall.ledger.ask(opened, replace(intent, id="i2"), NOW)
    assert hall.ledger.load(LAMP, "dimmer").intent == intent
    assert due(hall.ledger) == [(LAMP, "dimmer#intent")]

    with pytest.raises(LostRace):
        hall.ledger.save(stored, opened, None, replace(intent, id="another"))
    assert hall.ledger.load(LAMP, "dimmer").standing == stored

    hall.ledger.save(stored, opened, None, intent)
    assert hall.ledger.load(LAMP, "dimmer").intent is None
    assert due(hall.ledger) == []


def test_a_target_is_due_until_it_is_saved_as_not_due(hall: Hall) -> None:
    stored = hall.ledger.save(STANDING, None, NOW + 10)
    assert due(hall.ledger, NOW + 9) == []
    assert due(hall.ledger, NOW + 10) == [(LAMP, "dimmer")]

    hall.ledger.save(stored, None, None)
    assert due(hall.ledger, NOW + 10) == []


def test_the_oldest_is_due_first_over_all_pages(hall: Hall) -> None:
    big = "x" * 30_000
    for minute in range(50):  # more than the 1 MB of one page
        standing = Standing(f"{LAMP}-{minute}", "dimmer", hands_off_reason=big)
        hall.ledger.save(standing, None, NOW - minute)

    found = due(hall.ledger)

    assert len(found) == 50
    assert found[0][0] == f"{LAMP}-49"


def test_only_an_ended_incident_expires(hall: Hall) -> None:
    opened = incident()
    ended = replace(incident(), id="x").to(Stage.VERIFIED, NOON, "done")
    standing = hall.ledger.save(STANDING, opened, None)
    hall.ledger.save(standing, ended, None)

    items = {
        item["pk"]["S"]: item
        for item in hall.dynamodb.scan(TableName="ledger")["Items"]
        if item["sk"]["S"] == "incident"
    }
    assert "expires_at" not in items[f"incident#{opened.id}"]
    assert float(items["incident#x"]["expires_at"]["N"]) == NOW + 90 * 24 * 3600


# sweeps


def test_a_sweep_is_taken_by_one_and_due_again_later(hall: Hall) -> None:
    hall.ledger.start_sweeps("dimmer", NOW)
    hall.ledger.start_sweeps("dimmer", NOW + 5)
    assert due(hall.ledger) == [("sweep", "dimmer")]

    assert hall.ledger.take_sweep("dimmer", NOW, 900)
    assert not hall.ledger.take_sweep("dimmer", NOW, 900)
    assert not hall.ledger.take_sweep("dimmer", NOW + 899, 900)
    assert hall.ledger.take_sweep("dimmer", NOW + 900, 900)


# limits


def test_so_many_are_spent_in_an_hour(hall: Hall) -> None:
    assert [hall.ledger.spend("dimmer", "safety", 2, NOW) for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    assert hall.ledger.spend("dimmer", "forward", 2, NOW)
    assert hall.ledger.spend("shutter", "safety", 2, NOW)
    assert not hall.ledger.spend("dimmer", "safety", 2, NOW + 3599)
    assert hall.ledger.spend("dimmer", "safety", 2, NOW + 3600)


def test_a_limit_of_nothing_is_spent_at_once(hall: Hall) -> None:
    assert not hall.ledger.spend("dimmer", "safety", 0, NOW)


def race(threads: int, body: Callable[[int], None]) -> None:
    start = threading.Barrier(threads)

    def run(me: int) -> None:
        start.wait()
        body(me)

    runners = [threading.Thread(target=run, args=(me,)) for me in range(threads)]
    for each in runners:
        each.start()
    for each in runners:
        each.join()


def spend_at_once(ledger: Ledger, threads: int, limit: int, hour: float) -> int:
    granted: list[bool] = []
    race(threads, lambda me: granted.append(ledger.spend("dimmer", "safety", limit, hour)))
    assert len(granted) == threads
    return sum(granted)


def test_four_at_once_never_spend_more_than_the_limit(hall: Hall) -> None:
    for hour in range(5):
        assert 1 <= spend_at_once(hall.ledger, 4, 2, NOW + 3600 * hour) <= 2


@pytest.mark.stress
def test_sixteen_at_once_never_spend_more_than_the_limit(hall: Hall) -> None:
    for hour in range(200):
        assert 1 <= spend_at_once(hall.ledger, 16, 3, NOW + 3600 * hour) <= 3


def claim_at_once(ledger: Ledger, threads: int, now: float) -> int:
    won: list[bool] = []
    race(threads, lambda me: won.append(claim(ledger, f"{me}", now) is not None))
    assert len(won) == threads
    return sum(won)


def test_of_four_at_once_one_claims(hall: Hall) -> None:
    assert [claim_at_once(hall.ledger, 4, NOW + 60 * n) for n in range(5)] == [1] * 5


@pytest.mark.stress
def test_of_sixteen_at_once_one_claims(hall: Hall) -> None:
    assert [claim_at_once(hall.ledger, 16, NOW + 60 * n) for n in range(200)] == [1] * 200


# refused signals


def test_a_bad_signal_is_kept_once_and_counted(hall: Hall) -> None:
    for _ in range(3):
        hall.ledger.keep_refused("dimmer", "body", "not-json", "why", NOON)
    hall.ledger.keep_refused("dimmer", "another", "not-json", "why", NOON)

    kept = hall.dynamodb.scan(TableName="ledger")["Items"]
    assert sorted(float(item["times_seen"]["N"]) for item in kept) == [1, 3]


def test_a_huge_bad_signal_is_kept_in_part(hall: Hall) -> None:
    hall.ledger.keep_refused("dimmer", "é" * 1_000_000, "not-json", "why", NOON)

    [kept] = hall.dynamodb.scan(TableName="ledger")["Items"]
    assert len(kept["body"]["S"].encode()) < 400_000  # DynamoDB's limit of an item


# DynamoDB down


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "InternalServerError", "ThrottlingException"]
)
def test_a_failing_table_is_an_error_and_never_a_lost_race(code: str) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            def down(**call: Any) -> Any:
                raise ClientError({"Error": {"Code": code, "Message": "down"}}, name)

            return down

    ledger = Ledger(Down(), "ledger")
    calls: list[Callable[[], object]] = [
        lambda: claim(ledger),
        lambda: ledger.load(LAMP, "dimmer"),
        lambda: ledger.save(STANDING, None, None),
        lambda: ledger.spend("dimmer", "safety", 5, NOW),
        lambda: ledger.take_sweep("dimmer", NOW, 900),
        lambda: ledger.start_sweeps("dimmer", NOW),
        lambda: ledger.ask(incident(), Intent("i", "revert", "x", "j"), NOW),
    ]
    for call in calls:
        with pytest.raises(ClientError):
            call()
