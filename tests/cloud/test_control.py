"""The control interface: it lists what it does, does it, and refuses the rest with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from local.cloud import WORLD
from local.cloud.control import create_app
from local.cloud.fault import Fault, Rejected
from local.cloud.schema import problems
from tests.cloud.conftest import Account
from tests.cloud.hosting import BLUE_GREEN, refused, serving, stand_up
from tests.cloud.test_traffic import statistic

TRAFFIC = "/sagemaker/endpoints/shop/traffic"


@pytest.fixture
def control(account: Account) -> FlaskClient:
    return create_app().test_client()


def test_it_lists_every_fault_with_its_schema(control: FlaskClient) -> None:
    listed = control.get("/").get_json()["faults"]
    assert {(each["method"], each["path"]) for each in listed} == {
        ("PUT", "/sagemaker/endpoints/<name>/traffic"),
        ("GET", "/sagemaker/endpoints/<name>/traffic"),
        ("DELETE", "/sagemaker/endpoints/<name>/traffic"),
        ("PUT", "/sagemaker/endpoints/<name>/next-update"),
        ("PUT", "/sagemaker/training-jobs/<name>/work"),
        ("GET", "/sagemaker/training-jobs/<name>/work"),
        ("PUT", "/sagemaker/training-work"),
        ("POST", "/sagemaker/training-jobs/<name>/interrupt"),
        ("PUT", "/sagemaker/capacity"),
        ("GET", "/sagemaker/capacity"),
        ("PUT", "/sagemaker/training-plan-offerings"),
        ("DELETE", "/sagemaker/training-plan-offerings"),
        ("PUT", "/ec2/capacity"),
        ("GET", "/ec2/capacity"),
        ("DELETE", "/ec2/capacity"),
        ("PUT", "/ec2/capacity-block-offerings"),
        ("GET", "/ec2/capacity-block-offerings"),
        ("DELETE", "/ec2/capacity-block-offerings"),
        ("POST", "/ec2/spot/reclaim"),
        ("POST", "/ec2/spot/rebalance"),
        ("PUT", "/ec2/prices"),
        ("PUT", "/servicequotas/decision"),
        ("PUT", "/servicequotas/quotas/<service>/<quota>/next-decision"),
        ("POST", "/servicequotas/requests/<id>/decision"),
        ("POST", "/servicequotas/quotas/<service>/<quota>/requests"),
        ("PUT", "/servicequotas/quotas/<service>/<quota>/value"),
        ("PUT", "/servicequotas/quotas/<service>/<quota>/use"),
        ("DELETE", "/servicequotas/quotas/<service>/<quota>/use"),
        ("PUT", "/servicequotas/next-report"),
        ("PUT", "/servicequotas/catalogue"),
        ("DELETE", "/servicequotas/catalogue"),
        ("PUT", "/lambda/account"),
        ("GET", "/lambda/account"),
        ("PUT", "/durations"),
        ("GET", "/durations"),
        ("PUT", "/switches"),
        ("GET", "/switches"),
    }
    for each in listed:
        assert each["effect"]
        assert each["schema"]["type"] == "object"


def test_traffic_can_be_put_shown_and_stopped(account: Account, control: FlaskClient) -> None:
    stand_up(account)
    account.wait(55)
    body = {
        "requests_per_minute": 100,
        "variants": {"green": {"error_rate": 0.5, "latency_ms": 10}},
        "history_minutes": 1,
        "history_requests_per_minute": 20,
        "history_weights": {"blue": 1},
    }
    put = control.put(TRAFFIC, json=body)
    assert put.status_code == 200
    account.wait(60)
    assert statistic(account, "Invocations", "blue") == [20, 90]
    assert statistic(account, "Invocation5XXErrors", "green") == [5]
    shown = control.get(TRAFFIC).get_json()
    assert shown["requests_per_minute"] == 100
    assert shown["variants"]["green"]["error_rate"] == 0.5
    assert control.delete(TRAFFIC).get_json()["requests_per_minute"] == 0
    account.wait(120)
    assert statistic(account, "Invocations", "blue", since_minutes=2) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "needs the field 'requests_per_minute'"),
        ({"requests_per_minute": -1}, "at least 0"),
        ({"requests_per_minute": "many"}, "of type number"),
        ({"requests_per_minute": True}, "of type number"),
        ({"requests_per_minute": 1, "rate": 2}, "no field 'rate'"),
        ({"requests_per_minute": 1, "variants": {"green": {"error_rate": 2}}}, "at most 1"),
        ({"requests_per_minute": 1, "variants": {"red": {}}}, "no variant ['red']"),
        ({"requests_per_minute": 1, "history_weights": {"blue": 1}}, "needs history_minutes"),
        (
            {"requests_per_minute": 1, "history_minutes": 1, "history_weights": {"red": 1}},
            "no variant ['red']",
        ),
        ([], "of type object"),
    ],
)
def test_traffic_that_makes_no_sense_is_refused(
    account: Account, control: FlaskClient, body: Any, reason: str
) -> None:
    stand_up(account, BLUE_GREEN)
    answer = control.put(TRAFFIC, json=body)
    assert answer.status_code == 400
    assert reason in answer.get_json()["error"]
    assert control.get(TRAFFIC).get_json()["requests_per_minute"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/nothing", 404),
        ("DELETE", "/durations", 405),
        ("PUT", TRAFFIC, 404),
        ("GET", "/durations?unit=s", 400),
    ],
)
def test_what_does_not_exist_is_refused_with_a_reason(
    control: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = control.open(
        path, method=method, json={"requests_per_minute": 1} if "traffic" in path else {}
    )
    assert answer.status_code == status
    assert answer.get_json()["error"]


def test_a_body_that_is_no_json_is_refused(control: FlaskClient) -> None:
    answer = control.put("/durations", data="weights_update=2")
    assert (answer.status_code, answer.get_json()) == (400, {"error": "The body is not JSON."})


WISH = {
    "EndpointName": "shop",
    "DesiredWeightsAndCapacities": [{"VariantName": "green", "DesiredWeight": 0}],
}


def test_an_update_can_be_made_to_roll_back_once(account: Account, control: FlaskClient) -> None:
    """botocore model, EndpointStatus: RollingBack returns to the previous configuration."""
    sagemaker = stand_up(account)
    control.put("/sagemaker/endpoints/shop/next-update", json={"outcome": "roll-back"})
    sagemaker.update_endpoint_weights_and_capacities(**WISH)
    account.wait(WORLD.durations.weights_update)
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "RollingBack"
    account.wait(WORLD.durations.weights_update)
    green = sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"][1]
    assert (green["CurrentWeight"], green["DesiredWeight"]) == (0.1, 0.1)
    statuses = [event["detail"]["EndpointStatus"] for event in account.events]
    assert statuses == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]
    sagemaker.update_endpoint_weights_and_capacities(**WISH)
    account.wait(WORLD.durations.weights_update)
    assert serving(sagemaker)["green"] == (0, 1)


def test_an_update_can_be_made_to_fail(account: Account, control: FlaskClient) -> None:
    """botocore model, EndpointStatus: DeleteEndpoint is the only operation on a failed one."""
    sagemaker = stand_up(account)
    path = "/sagemaker/endpoints/shop/next-update"
    assert control.put(path, json={"outcome": "explode"}).status_code == 400
    control.put(path, json={"outcome": "fail", "reason": "no capacity"})
    sagemaker.update_endpoint_weights_and_capacities(**WISH)
    account.wait(WORLD.durations.weights_update)
    failed = sagemaker.describe_endpoint(EndpointName="shop")
    assert (failed["EndpointStatus"], failed["FailureReason"]) == ("Failed", "no capacity")
    refused(sagemaker.update_endpoint_weights_and_capacities, **WISH)
    control.put(TRAFFIC, json={"requests_per_minute": 60})
    account.wait(120)
    assert statistic(account, "Invocations", "blue") == []
    sagemaker.delete_endpoint(EndpointName="shop")


def test_durations_and_switches_can_be_set_one_by_one(control: FlaskClient) -> None:
    before = control.get("/durations").get_json()
    assert control.put("/durations", json={"weights_update": 7}).get_json() == before | {
        "weights_update": 7
    }
    assert WORLD.durations.weights_update == 7
    control.put("/switches", json={"duplicate_events": True})
    assert WORLD.switches.duplicate_events
    assert control.put("/durations", json={"weights": 1}).status_code == 400
    assert control.put("/durations", json={"weights_update": -1}).status_code == 400
    assert control.put("/switches", json={"duplicate_events": 1}).status_code == 400


def test_others_can_add_faults_that_are_listed_and_validated_alike() -> None:
    def act(place: Any, query: Any, body: Any) -> Any:
        if body["n"] == 13:
            raise Rejected(409, "not that one")
        return {"place": place, "query": query, "body": body}

    fault = Fault(
        "POST",
        "/things/<kind>",
        "Does a thing.",
        act,
        {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
        {"type": "object", "properties": {"q": {"type": "string"}}},
    )
    control = create_app([fault]).test_client()
    assert fault.listing() in control.get("/").get_json()["faults"]
    assert control.post("/things/a?q=1", json={"n": 1}).get_json() == {
        "place": {"kind": "a"},
        "query": {"q": "1"},
        "body": {"n": 1},
    }
    assert control.post("/things/a", json={}).status_code == 400
    assert control.post("/things/a", json={"n": 13}).status_code == 409


def test_the_items_of_a_list_are_validated() -> None:
    schema = {"type": "array", "items": {"type": "number", "minimum": 0}}
    assert list(problems(schema, [1, -1])) == ["body[1] must be at least 0, not -1"]


def test_a_schema_that_is_not_understood_is_its_authors_error() -> None:
    with pytest.raises(ValueError, match="pattern"):
        list(problems({"type": "string", "pattern": "a"}, "a"))
