"""CloudTrail's Event history: what it keeps, and how it is looked up.

Sources: CloudTrail API reference, LookupEvents; CloudTrail user guide, "Working with CloudTrail
Event history"; the service model of CloudTrail.
"""

from __future__ import annotations

import json
import math
from datetime import timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.core.base_backend import BackendDict

from local.cloud import WORLD
from local.cloud.cloudtrail import history
from tests.cloud.conftest import NOON, Account
from tests.cloud.hosting import refused

DAY = 24 * 60 * 60
SECOND = timedelta(seconds=1)
JOB = {
    "RoleArn": "arn:aws:iam::123456789012:role/training",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


@cache
def impatient(region: str = "us-east-1") -> Any:
    """A client that does not try again; one for all tests, as making one takes longer than most."""
    session: Any = boto3.Session("testing", "testing", region_name=region)
    return session.client("cloudtrail", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def trail(account: Account) -> Any:
    """A client of an account where looking up is not limited."""
    WORLD.switches.event_lookup_rate = False
    return impatient()


def create(account: Account, name: str = "bert", **more: Any) -> None:
    account.client("sagemaker").create_training_job(TrainingJobName=name, **JOB, **more)


def found(trail: Any, **asked: Any) -> list[str]:
    """The names of the jobs whose creation an answer tells, in its order."""
    records = [
        json.loads(each["CloudTrailEvent"]) for each in trail.lookup_events(**asked)["Events"]
    ]
    return [each["requestParameters"]["trainingJobName"] for each in records]


def by(key: str, value: str) -> list[dict[str, str]]:
    return [{"AttributeKey": key, "AttributeValue": value}]


# what is kept


def test_a_call_that_changed_something_is_kept_with_what_was_asked_and_answered(
    account: Account, trail: Any
) -> None:
    """Shape of the record: one of CreateTrainingJob as recorded in
    github.com/fotso94/medzen-platform, tests/fixtures/aws."""
    create(account, SessionChainingConfig={"EnableSessionTagChaining": True})
    account.wait(2)

    [event] = trail.lookup_events()["Events"]
    record = json.loads(event.pop("CloudTrailEvent"))
    assert event == {
        "EventId": record["eventID"],
        "EventName": "CreateTrainingJob",
        "ReadOnly": "false",
        "AccessKeyId": record["userIdentity"]["accessKeyId"],
        "EventTime": NOON,
        "EventSource": "sagemaker.amazonaws.com",
        "Username": "pocket",
        "Resources": [],
    }
    assert record["requestParameters"]["trainingJobName"] == "bert"
    assert record["requestParameters"]["sessionChainingConfig"] == {
        "enableSessionTagChaining": True
    }
    assert record["responseElements"] == {
        "trainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/bert"
    }
    assert "errorCode" not in record


def test_a_refused_call_is_kept_with_its_error(account: Account, trail: Any) -> None:
    code, message = refused(account.client("sagemaker").delete_endpoint, EndpointName="shop")
    account.wait(2)

    [event] = trail.lookup_events()["Events"]
    record = json.loads(event["CloudTrailEvent"])
    assert (record["errorCode"], record["errorMessage"]) == (code, message)
    assert record["responseElements"] is None


def test_reads_and_data_events_are_not_kept(account: Account, trail: Any) -> None:
    account.client("sagemaker").list_endpoints()
    account.client("cloudwatch").put_metric_data(
        Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}]
    )
    trail.lookup_events()
    account.wait(2)

    assert trail.lookup_events()["Events"] == []


def test_what_only_the_pocket_account_refuses_is_not_kept(account: Account, trail: Any) -> None:
    model = "arn:aws:sagemaker:us-east-1:aws:hub-content/h/Model/m/1.0.0"
    serverless = {"BaseModelArn": model, "JobType": "FineTuning"}
    code, _ = refused(lambda: create(account, ServerlessJobConfig=serverless))
    account.wait(2)

    assert code == "UnsupportedByPocketAccount"
    assert trail.lookup_events()["Events"] == []


def test_a_region_has_its_own_history(account: Account, trail: Any) -> None:
    create(account)
    account.wait(2)

    assert impatient("eu-west-1").lookup_events()["Events"] == []


def test_a_session_of_a_role_is_looked_up_by_its_name(
    account: Account, trail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "arn:aws:iam::123456789012:role/trainer"
    monkeypatch.setattr(WORLD, "role_of", lambda access_key: (role, "shift"))
    create(account)
    account.wait(2)

    assert found(trail, LookupAttributes=by("Username", "shift")) == ["bert"]


# when


def test_a_call_is_found_once_its_delivery_took_its_time(account: Account, trail: Any) -> None:
    WORLD.durations.event_history = 300
    create(account)
    account.wait(299)
    assert found(trail) == []
    account.wait(1)
    assert found(trail) == ["bert"]


def test_a_call_is_kept_for_ninety_days(account: Account, trail: Any) -> None:
    refused(account.client("sagemaker").delete_endpoint, EndpointName="shop")
    account.wait(90 * DAY)
    assert len(trail.lookup_events()["Events"]) == 1
    account.wait(1)
    assert trail.lookup_events()["Events"] == []


def test_the_latest_call_is_told_first(account: Account, trail: Any) -> None:
    for name in ("a", "b", "c"):
        create(account, name)
    account.wait(2)

    assert found(trail) == ["c", "b", "a"]


def test_of_too_many_calls_the_oldest_are_forgotten(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST", 2)
    kept = history.EventHistory("us-east-1", "123456789012")
    for name in ("a", "b", "c"):
        kept.keep({"eventName": name})
    account.clock.shift(2)

    events, more = kept.found(-math.inf, math.inf, {}, None, 50)
    assert ([each.record["eventName"] for each in events], more) == (["c", "b"], False)


def test_a_moto_reset_forgets_all(account: Account, trail: Any) -> None:
    create(account)
    account.wait(2)
    BackendDict.reset()
    WORLD.switches.event_lookup_rate = False
    assert found(trail) == []


# looking up


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("EventName", "CreateTrainingJob", ["bert"]),
        ("EventName", "createtrainingjob", []),
        ("EventName", "CreateTraining", []),
        ("EventSource", "sagemaker.amazonaws.com", ["bert"]),
        ("Username", "pocket", ["bert"]),
        ("AccessKeyId", "AKIAEXAMPLE", ["bert"]),
        ("ReadOnly", "false", ["bert"]),
        ("ReadOnly", "true", []),
    ],
)
def test_an_attribute_is_matched_as_a_whole(
    account: Account, trail: Any, key: str, value: str, expected: list[str]
) -> None:
    create(account)
    account.wait(2)

    assert found(trail, LookupAttributes=by(key, value)) == expected


def test_one_attribute_is_allowed_and_no_more(account: Account, trail: Any) -> None:
    """API reference: "Currently the list can contain only one item." """
    both = [*by("EventName", "CreateTrainingJob"), *by("ReadOnly", "false")]
    code, _ = refused(trail.lookup_events, LookupAttributes=both)
    assert code == "InvalidLookupAttributesException"


def test_attributes_that_are_not_simulated_are_refused_as_such(
    account: Account, trail: Any
) -> None:
    code, _ = refused(trail.lookup_events, LookupAttributes=by("ResourceName", "bert"))
    assert code == "UnsupportedByPocketAccount"


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(0, 0, ["bert"]), (-1, -1, []), (1, 1, []), (-1, 1, ["bert"])]
)
def test_the_bounds_of_the_time_range_are_within_it(
    account: Account, trail: Any, start: int, end: int, expected: list[str]
) -> None:
    """API reference: "after or at", "before or at"."""
    create(account)
    account.wait(2)

    asked = {"StartTime": NOON + start * SECOND, "EndTime": NOON + end * SECOND}
    assert found(trail, **asked) == expected


def test_a_start_after_the_end_is_refused(account: Account, trail: Any) -> None:
    code, _ = refused(trail.lookup_events, StartTime=NOON, EndTime=NOON - SECOND)
    assert code == "InvalidTimeRangeException"


def test_more_than_fifty_events_come_in_pages_that_nothing_new_moves(
    account: Account, trail: Any
) -> None:
    names = [f"job-{number:02}" for number in range(60)]
    for name in names:
        create(account, name)
    account.wait(2)
    first = trail.lookup_events(LookupAttributes=by("EventName", "CreateTrainingJob"))
    assert len(first["Events"]) == 50
    create(account, "late")
    account.wait(2)

    asked = {"LookupAttributes": by("EventName", "CreateTrainingJob")}
    assert found(trail, **asked, NextToken=first["NextToken"]) == names[9::-1]
    second = trail.lookup_events(**asked, NextToken=first["NextToken"])
    assert "NextToken" not in second


def test_a_token_is_for_the_same_parameters_alone(account: Account, trail: Any) -> None:
    for name in ("a", "b"):
        create(account, name)
    account.wait(2)
    token = trail.lookup_events(MaxResults=1)["NextToken"]

    assert found(trail, MaxResults=1, NextToken=token) == ["a"]
    for asked in ({"MaxResults": 2, "NextToken": token}, {"NextToken": "made-up"}):
        assert refused(trail.lookup_events, **asked)[0] == "InvalidNextTokenException"


def test_more_than_two_lookups_a_second_are_refused(account: Account) -> None:
    """API reference: two a second, of an account in a Region."""
    trail = impatient()
    trail.lookup_events()
    account.clock.shift(0.9)
    trail.lookup_events()

    assert refused(trail.lookup_events) == ("ThrottlingException", "Rate exceeded")
    impatient("eu-west-1").lookup_events()
    account.clock.shift(0.1)
    trail.lookup_events()
    assert refused(trail.lookup_events) == ("ThrottlingException", "Rate exceeded")


def test_trails_are_not_simulated(account: Account, trail: Any) -> None:
    assert refused(trail.list_trails)[0] == "UnknownOperationException"
