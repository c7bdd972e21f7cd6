"""SageMaker endpoints: the rules of AWS that the remediation meets, each with its source."""

from __future__ import annotations

import pytest

from local.cloud import WORLD
from tests.cloud.conftest import Account
from tests.cloud.hosting import BLUE_GREEN, configure, refused, serving, stand_up, variant

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/shop"
IN_PROGRESS = ("ValidationException", f'Cannot update in-progress endpoint "{ARN}".')


def shift(**weights: float) -> dict[str, object]:
    """Arguments of UpdateEndpointWeightsAndCapacities for weights only."""
    wishes = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
    return {"EndpointName": "shop", "DesiredWeightsAndCapacities": wishes}


def scale(**counts: int) -> dict[str, object]:
    """Arguments of UpdateEndpointWeightsAndCapacities for instance counts only."""
    wishes = [
        {"VariantName": name, "DesiredInstanceCount": count} for name, count in counts.items()
    ]
    return {"EndpointName": "shop", "DesiredWeightsAndCapacities": wishes}


def test_a_new_endpoint_is_in_service_only_after_a_while(account: Account) -> None:
    """API reference, CreateEndpoint: the status is Creating, then InService."""
    sagemaker = account.client("sagemaker")
    configure(sagemaker, BLUE_GREEN)
    sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    created = sagemaker.describe_endpoint(EndpointName="shop")
    assert created["EndpointStatus"] == "Creating"
    assert "ProductionVariants" not in created
    account.wait(WORLD.durations.endpoint_create)
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "InService"
    assert serving(sagemaker) == {"blue": (0.9, 3), "green": (0.1, 1)}


def test_a_name_can_be_used_once_whatever_its_case(account: Account) -> None:
    """botocore model, CreateEndpoint: the name is case-insensitive there."""
    sagemaker = stand_up(account)
    assert refused(sagemaker.create_endpoint, EndpointName="Shop", EndpointConfigName="config") == (
        "ValidationException",
        f'Cannot create already existing endpoint "{ARN}".',
    )


def test_what_does_not_exist_is_not_found(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    for call, what, kind in (
        (sagemaker.describe_endpoint, {"EndpointName": "no"}, "endpoint/no"),
        (sagemaker.delete_endpoint, {"EndpointName": "no"}, "endpoint/no"),
        (sagemaker.describe_endpoint_config, {"EndpointConfigName": "no"}, "endpoint-config/no"),
        (sagemaker.delete_endpoint_config, {"EndpointConfigName": "no"}, "endpoint-config/no"),
        (sagemaker.describe_model, {"ModelName": "no"}, "model/no"),
        (sagemaker.delete_model, {"ModelName": "no"}, "model/no"),
    ):
        code, message = refused(call, **what)
        assert code == "ValidationException"
        assert message.startswith("Could not find ")
        assert message.endswith(f'{kind}".')


def test_a_weight_of_zero_is_kept_and_an_absent_one_is_one(account: Account) -> None:
    """botocore model, ProductionVariant.InitialVariantWeight: if unspecified, 1.0."""
    sagemaker = stand_up(account, [variant("blue", None), variant("green", 0)])
    assert serving(sagemaker) == {"blue": (1.0, 1), "green": (0.0, 1)}


def test_the_metrics_configuration_is_described_back(account: Account) -> None:
    """botocore model, DescribeEndpoint and DescribeEndpointConfig: MetricsConfig."""
    metrics = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10}
    sagemaker = stand_up(account, MetricsConfig=metrics)
    described = sagemaker.describe_endpoint_config(EndpointConfigName="config")
    assert described["MetricsConfig"] == metrics
    assert sagemaker.describe_endpoint(EndpointName="shop")["MetricsConfig"] == metrics


def test_metrics_cannot_be_published_at_any_frequency(account: Account) -> None:
    """API reference, MetricsConfig: 10, 30, 60, 120, 180, 240 or 300 seconds."""
    with pytest.raises(Exception, match="15 is not one of"):
        configure(
            account.client("sagemaker"),
            BLUE_GREEN,
            MetricsConfig={"MetricPublishFrequencyInSeconds": 15},
        )


def test_new_weights_serve_only_when_the_update_is_over(account: Account) -> None:
    """botocore model, UpdateEndpointWeightsAndCapacities: Updating, then InService."""
    sagemaker = stand_up(account)
    sagemaker.update_endpoint_weights_and_capacities(**shift(blue=1, green=0))
    during = sagemaker.describe_endpoint(EndpointName="shop")
    assert during["EndpointStatus"] == "Updating"
    assert [each["DesiredWeight"] for each in during["ProductionVariants"]] == [1, 0]
    assert serving(sagemaker) == {"blue": (0.9, 3), "green": (0.1, 1)}
    account.wait(WORLD.durations.weights_update)
    after = sagemaker.describe_endpoint(EndpointName="shop")
    assert after["EndpointStatus"] == "InService"
    assert after["LastModifiedTime"] > during["LastModifiedTime"]
    assert serving(sagemaker) == {"blue": (1, 3), "green": (0, 1)}


def test_what_a_call_does_not_name_stays(account: Account) -> None:
    sagemaker = stand_up(account)
    sagemaker.update_endpoint_weights_and_capacities(**scale(green=4))
    account.wait(WORLD.durations.instance_launch)
    assert serving(sagemaker) == {"blue": (0.9, 3), "green": (0.1, 4)}
    sagemaker.update_endpoint_weights_and_capacities(**shift(green=0.5))
    account.wait(WORLD.durations.weights_update)
    assert serving(sagemaker) == {"blue": (0.9, 3), "green": (0.5, 4)}


def test_launching_instances_takes_its_own_time(account: Account) -> None:
    sagemaker = stand_up(account)
    WORLD.durations.instance_launch = WORLD.durations.weights_update + 60
    sagemaker.update_endpoint_weights_and_capacities(**scale(green=4))
    account.wait(WORLD.durations.weights_update)
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "Updating"
    account.wait(60)
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "InService"


@pytest.mark.parametrize("state", ["Creating", "Updating", "Deleting"])
def test_an_endpoint_in_progress_refuses_every_change(account: Account, state: str) -> None:
    """Observed answer: amazon-sagemaker-operator-for-k8s, DeleteEndpointInProgressMessagePrefix;
    a second weights call is answered the same."""
    sagemaker = account.client("sagemaker")
    if state == "Creating":
        configure(sagemaker, BLUE_GREEN)
        sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="config")
    else:
        stand_up(account)
    if state == "Updating":
        sagemaker.update_endpoint_weights_and_capacities(**shift(blue=1))
    if state == "Deleting":
        sagemaker.delete_endpoint(EndpointName="shop")
    assert sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == state
    weights = sagemaker.update_endpoint_weights_and_capacities
    assert refused(weights, **shift(blue=1)) == IN_PROGRESS
    assert (
        refused(sagemaker.update_endpoint, EndpointName="shop", EndpointConfigName="config")
        == IN_PROGRESS
    )
    assert refused(sagemaker.delete_endpoint, EndpointName="shop") == IN_PROGRESS


def test_a_refused_call_changes_nothing(account: Account) -> None:
    sagemaker = stand_up(account)
    weights = sagemaker.update_endpoint_weights_and_capacities
    assert refused(weights, **shift(blue=0.2, purple=0.8)) == (
        "ValidationException",
        'The variant name(s) "purple" is/are not present within endpoint configuration "config".',
    )
    twice = shift(blue=0.2)
    twice["DesiredWeightsAndCapacities"] = [
        {"VariantName": "blue", "DesiredWeight": 0.2},
        {"VariantName": "blue", "DesiredWeight": 0.3},
    ]
    assert refused(weights, **twice) == (
        "ValidationException",
        'The variant name "blue" was non-unique within the request.',
    )
    assert refused(weights, **{**shift(blue=1), "EndpointName": "no"}) == (
        "ValidationException",
        f'Could not find endpoint "{ARN.replace("shop", "no")}".',
    )
    described = sagemaker.describe_endpoint(EndpointName="shop")
    assert described["EndpointStatus"] == "InService"
    assert [each["DesiredWeight"] for each in described["ProductionVariants"]] == [0.9, 0.1]
    assert {each["detail-type"] for each in account.events} == {"AWS API Call via CloudTrail"}


def test_a_call_changes_the_capacity_of_one_variant(account: Account) -> None:
    """botocore model, UpdateEndpointWeightsAndCapacities: "capacity of one variant". Nobody saw
    the refusal, so it is a switch."""
    sagemaker = stand_up(account)
    weights = sagemaker.update_endpoint_weights_and_capacities
    code, message = refused(weights, **scale(blue=4, green=4))
    assert code == "ValidationException"
    assert "blue, green" in message
    weights(**scale(blue=3, green=4))
    account.wait(WORLD.durations.instance_launch)
    WORLD.switches.one_capacity_per_call = False
    weights(**scale(blue=5, green=5))
    account.wait(WORLD.durations.instance_launch)
    assert serving(sagemaker) == {"blue": (0.9, 5), "green": (0.1, 5)}


def test_a_plain_variant_does_not_scale_to_zero(account: Account) -> None:
    """SageMaker developer guide, endpoint-auto-scaling-zero-instances: inference components."""
    sagemaker = stand_up(account)
    code, _ = refused(sagemaker.update_endpoint_weights_and_capacities, **scale(green=0))
    assert code == "ValidationException"


def test_weights_can_be_described_in_single_precision(account: Account) -> None:
    """botocore model, VariantWeight: float. A client must not compare weights exactly."""
    sagemaker = stand_up(account)
    assert serving(sagemaker)["green"][0] == 0.1
    WORLD.switches.single_precision_weights = True
    assert serving(sagemaker)["green"][0] == 0.10000000149011612


def test_an_update_replaces_what_was_tuned_live(account: Account) -> None:
    """botocore model, UpdateEndpoint.RetainAllVariantProperties: default false."""
    sagemaker = stand_up(account)
    sagemaker.update_endpoint_weights_and_capacities(**shift(blue=0.5, green=0.5))
    account.wait(WORLD.durations.weights_update)
    configure(sagemaker, [variant("blue", 1, 2), variant("red", 0, 1)], name="next")
    sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="next")
    during = sagemaker.describe_endpoint(EndpointName="shop")
    assert during["EndpointConfigName"] == "config"
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == "next"
    assert serving(sagemaker) == {"blue": (0.5, 3), "green": (0.5, 1)}
    account.wait(WORLD.durations.endpoint_update)
    after = sagemaker.describe_endpoint(EndpointName="shop")
    assert after["EndpointConfigName"] == "next"
    assert "PendingDeploymentSummary" not in after
    assert serving(sagemaker) == {"blue": (1, 2), "red": (0, 1)}


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        ([], (0.5, 3)),
        (["DesiredWeight"], (1, 3)),
        (["DesiredInstanceCount"], (0.5, 2)),
    ],
)
def test_an_update_can_retain_what_was_tuned_live(
    account: Account, excluded: list[str], expected: tuple[float, int]
) -> None:
    """botocore model, UpdateEndpoint.ExcludeRetainedVariantProperties."""
    sagemaker = stand_up(account)
    sagemaker.update_endpoint_weights_and_capacities(**shift(blue=0.5))
    account.wait(WORLD.durations.weights_update)
    configure(sagemaker, [variant("blue", 1, 2)], name="next")
    sagemaker.update_endpoint(
        EndpointName="shop",
        EndpointConfigName="next",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": each} for each in excluded],
    )
    account.wait(WORLD.durations.endpoint_update)
    assert serving(sagemaker) == {"blue": expected}


def test_a_deleted_endpoint_is_gone_after_a_while(account: Account) -> None:
    sagemaker = stand_up(account)
    sagemaker.delete_endpoint(EndpointName="shop")
    account.wait(WORLD.durations.endpoint_delete)
    assert refused(sagemaker.describe_endpoint, EndpointName="shop")[1] == (
        f'Could not find endpoint "{ARN}".'
    )
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_an_endpoint_outlives_its_configuration(account: Account) -> None:
    """botocore model, DeleteEndpointConfig: it does not delete endpoints made with it."""
    sagemaker = stand_up(account)
    sagemaker.delete_endpoint_config(EndpointConfigName="config")
    sagemaker.delete_model(ModelName="model")
    assert serving(sagemaker) == {"blue": (0.9, 3), "green": (0.1, 1)}


def test_a_variant_needs_a_model_that_exists_and_a_name_of_its_own(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    call = sagemaker.create_endpoint_config
    code, message = refused(call, EndpointConfigName="c", ProductionVariants=[variant("blue")])
    assert (code, message) == (
        "ValidationException",
        f'Could not find model "{ARN.replace("endpoint/shop", "model/model")}".',
    )
    configure(sagemaker, BLUE_GREEN)
    code, message = refused(
        call, EndpointConfigName="c", ProductionVariants=[variant("blue"), variant("blue")]
    )
    assert code == "ValidationException"
    assert "unique" in message
    code, message = refused(call, EndpointConfigName="config", ProductionVariants=[variant("blue")])
    assert message.startswith("Cannot create already existing endpoint configuration ")


@pytest.mark.parametrize("absent", ["InstanceType", "InitialInstanceCount"])
def test_a_variant_on_instances_needs_to_say_which_and_how_many(
    account: Account, absent: str
) -> None:
    spec = variant("blue")
    del spec[absent]
    configure(account.client("sagemaker"), BLUE_GREEN)
    code, message = refused(
        account.client("sagemaker").create_endpoint_config,
        EndpointConfigName="c",
        ProductionVariants=[spec],
    )
    assert (code, message) == ("ValidationException", f"Variant blue needs {absent}.")


def test_a_kind_of_variant_nobody_simulates_is_refused(account: Account) -> None:
    spec = {
        "VariantName": "blue",
        "ModelName": "model",
        "CoreDumpConfig": {"DestinationS3Uri": "s3://bucket/dumps"},
    }
    code, message = refused(
        account.client("sagemaker").create_endpoint_config,
        EndpointConfigName="c",
        ProductionVariants=[spec],
    )
    assert code == "UnsupportedByPocketAccount"
    assert "CoreDumpConfig" in message


def test_endpoints_are_listed_newest_first_ten_a_page(account: Account) -> None:
    """botocore model, ListEndpoints: CreationTime, Descending, MaxResults defaults to 10."""
    sagemaker = stand_up(account)
    for number in range(12):
        account.wait(1)
        sagemaker.create_endpoint(EndpointName=f"e{number}", EndpointConfigName="config")
    first = sagemaker.list_endpoints()
    second = sagemaker.list_endpoints(NextToken=first["NextToken"])
    names = [each["EndpointName"] for each in first["Endpoints"] + second["Endpoints"]]
    assert names == [*(f"e{number}" for number in reversed(range(12))), "shop"]
    assert len(first["Endpoints"]) == 10
    assert "NextToken" not in second
    [named] = sagemaker.list_endpoints(NameContains="ho")["Endpoints"]
    assert named["EndpointName"] == "shop"
    creating = sagemaker.list_endpoints(StatusEquals="Creating", MaxResults=100)["Endpoints"]
    assert [each["EndpointName"] for each in creating] == [f"e{n}" for n in (11, 10, 9, 8, 7)]
    assert refused(sagemaker.list_endpoints, NextToken="!")[0] == "ValidationException"


def test_regions_do_not_see_each_other(account: Account) -> None:
    stand_up(account)
    assert account.client("sagemaker", "eu-west-1").list_endpoints()["Endpoints"] == []
