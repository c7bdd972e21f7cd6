"""The heir asks for what its original asked for, but for what is named here.

Requests are made at random from SageMaker's own service model, with each member that it has, so
that what a later model brings is noticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions.spot_fallback import clone as cloning
from functions.spot_fallback.clone import clone, heir_name, kept_tags, types_to_try, without_metrics
from functions.spot_fallback.creation import creation
from local.cloud.cloudtrail.parameters import request_parameters
from tests.unit.spot_jobs import NOON, TYPE, job, minutes

SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")
REQUEST: Any = SAGEMAKER.operation_model("CreateTrainingJob").input_shape
ANSWER: Any = SAGEMAKER.operation_model("DescribeTrainingJob").output_shape
NAME = re.compile(REQUEST.members["TrainingJobName"].metadata["pattern"])

CHANGED = {
    "TrainingJobName",
    "EnableManagedSpotTraining",
    "ResourceConfig",
    "StoppingCondition",
    "Tags",
}
"""What the heir does not simply repeat; each has a test of its own below."""
READ_ONLY = {"SelectedInstanceType", "SelectedInstanceCount"}
NOT_ON_SPOT = {"InstancePreferences", *READ_ONLY}
"""Of ResourceConfig: no Spot job is created with them (service model, `ResourceConfig`)."""


def values(shape: Any) -> st.SearchStrategy[Any]:
    """Anything that botocore takes for a shape; patterns and upper bounds are left to AWS."""
    least = int(shape.metadata.get("min", 0) or 0)
    match shape.type_name:
        case "structure":
            members = {name: values(member) for name, member in shape.members.items()}
            required = set(shape.required_members)
            return st.fixed_dictionaries(
                {name: each for name, each in members.items() if name in required},
                optional={name: each for name, each in members.items() if name not in required},
            )
        case "list":
            return st.lists(values(shape.member), min_size=least, max_size=least + 1)
        case "map":
            return st.dictionaries(
                values(shape.key), values(shape.value), min_size=least, max_size=least + 2
            )
        case "string" if shape.enum:
            return st.sampled_from(shape.enum)
        case "string":
            return st.text("abc019", min_size=least, max_size=least + 3)
        case "integer" | "long":
            return st.integers(least, least + 10_000)
        case "float" | "double":
            return st.floats(0, 1)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.datetimes(datetime(2020, 1, 1), timezones=st.just(UTC))
        case unknown:
            raise AssertionError(f"nobody said how to make a {unknown}")


def whole(shape: Any) -> Any:
    """A value of a shape with every member that the model has, at any depth."""
    match shape.type_name:
        case "structure":
            return {name: whole(member) for name, member in shape.members.items()}
        case "list":
            return [whole(shape.member)]
        case "map":
            return {whole(shape.key): whole(shape.value)}
        case "string":
            return shape.enum[0] if shape.enum else "a" * max(1, shape.metadata.get("min", 1))
        case "timestamp":
            return NOON
        case "boolean":
            return True
        case _:
            return max(1, shape.metadata.get("min", 1))


def valid_for_spot(request: dict[str, Any]) -> dict[str, Any]:
    """The request as one for managed spot training."""
    config = request.get("ResourceConfig", {})
    return {
        **request,
        "TrainingJobName": (re.sub(r"[^a-zA-Z0-9]", "", request["TrainingJobName"]) or "j")[:63],
        "EnableManagedSpotTraining": True,
        "ResourceConfig": {k: v for k, v in config.items() if k not in NOT_ON_SPOT},
        "StoppingCondition": {
            "MaxRuntimeInSeconds": 3600,
            **request.get("StoppingCondition", {}),
            "MaxWaitTimeInSeconds": 86_400,
        },
    }


def described(request: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    """What DescribeTrainingJob tells of a request: what the model lets it, and `rest` besides."""
    told = {name: value for name, value in request.items() if name in ANSWER.members}
    return {**{k: v for k, v in rest.items() if k not in REQUEST.members}, **told}


def recorded(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the record of a request's call in CloudTrail tells of it, as it is read."""
    written = request_parameters(SAGEMAKER.operation_model("CreateTrainingJob"), request)
    record = {"eventSource": "sagemaker.amazonaws.com", "requestParameters": written}
    found = creation({"EventTime": NOON, "CloudTrailEvent": json.dumps(record)})
    assert found is not None
    assert found.members is not None
    return found.members


REQUESTS = values(REQUEST).map(valid_for_spot)
ANSWERS = values(ANSWER)
MODERATE = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


WHOLE = valid_for_spot(whole(REQUEST))


@MODERATE
@given(REQUESTS, ANSWERS)
@example(WHOLE, whole(ANSWER))
def test_the_heir_asks_for_all_that_its_original_asked_for(
    request: dict[str, Any], rest: dict[str, Any]
) -> None:
    made = clone(described(request, rest), {}, "heir", 1800, (), recorded(request))

    for name in REQUEST.members.keys() - CHANGED:
        assert made.get(name) == (
            None if request.get(name) in ([], {}, "") else request.get(name)
        ), name
    assert made.keys() <= request.keys() | {"Tags"}
    assert not ParamValidator().validate(made, REQUEST).has_errors()


@MODERATE
@given(REQUESTS, ANSWERS)
@example(WHOLE, whole(ANSWER))
def test_only_what_makes_it_a_spot_job_is_changed_in_parts(
    request: dict[str, Any], rest: dict[str, Any]
) -> None:
    made = clone(described(request, rest), {}, "heir", 1800)

    assert made["TrainingJobName"] == "heir"
    assert made["EnableManagedSpotTraining"] is False
    assert made["ResourceConfig"] == request["ResourceConfig"]
    stopping = dict(request["StoppingCondition"])
    del stopping["MaxWaitTimeInSeconds"]
    assert made["StoppingCondition"] == {**stopping, "MaxRuntimeInSeconds": 1800}


def test_every_member_of_the_model_is_accounted_for_once() -> None:
    created = [cloning.KEPT, cloning.CHANGED, cloning.ADDED, cloning.RECORDED]
    assert sorted(name for each in created for name in each) == sorted(REQUEST.members)

    answered = [cloning.KEPT, cloning.CHANGED, cloning.DESCRIBED_ONLY]
    assert sorted(name for each in answered for name in each) == sorted(ANSWER.members)


def test_what_is_read_of_a_record_are_structures_without_maps() -> None:
    """Else a key of the caller's own would be taken for a name."""

    def kinds(shape: Any) -> set[str]:
        within = getattr(shape, "members", {}).values()
        return {shape.type_name}.union(*map(kinds, within))

    for name in cloning.RECORDED:
        assert REQUEST.members[name].type_name == "structure"
        assert not kinds(REQUEST.members[name]) & {"map", "list"}


def test_without_a_record_the_heir_goes_without_what_only_that_tells() -> None:
    assert "SessionChainingConfig" not in clone(job(), {}, "heir", 60)


def test_nothing_else_is_taken_from_a_record() -> None:
    more = {"SessionChainingConfig": {"EnableSessionTagChaining": True}, "RoleArn": "another"}

    made = clone(job(), {}, "heir", 60, (), more)

    assert made["SessionChainingConfig"] == {"EnableSessionTagChaining": True}
    assert made["RoleArn"] == job()["RoleArn"]


def test_every_part_of_the_changed_members_is_known() -> None:
    """A part that a later model brings may be read-only, or go with Spot alone."""
    assert set(REQUEST.members["ResourceConfig"].members) == {
        "InstanceType",
        "InstanceCount",
        "VolumeSizeInGB",
        "VolumeKmsKeyId",
        "KeepAlivePeriodInSeconds",
        "InstanceGroups",
        "TrainingPlanArn",
        "InstancePlacementConfig",
        "InstancePreferences",
        *READ_ONLY,
    }
    assert set(REQUEST.members["StoppingCondition"].members) == {
        "MaxRuntimeInSeconds",
        "MaxWaitTimeInSeconds",
        "MaxPendingTimeInSeconds",
    }


def test_what_is_described_as_empty_is_not_asked_for() -> None:
    """A job without channels is described with none, and an empty list is not taken."""
    made = clone(
        job(InputDataConfig=[], VpcConfig={}, EnableNetworkIsolation=False), {}, "heir", 60
    )

    assert made.keys() & {"InputDataConfig", "VpcConfig"} == set()
    assert made["EnableNetworkIsolation"] is False
    assert not ParamValidator().validate(made, REQUEST).has_errors()


def test_what_sagemaker_selected_itself_is_not_asked_for() -> None:
    config = {"InstanceType": TYPE, "InstanceCount": 2}
    original = job(
        ResourceConfig={**config, "SelectedInstanceType": TYPE, "SelectedInstanceCount": 2}
    )

    assert clone(original, {}, "heir", 60)["ResourceConfig"] == config


def test_tags_are_given_again_but_for_aws_own_and_the_original_is_named() -> None:
    tags = {"team": "nlp", "aws:cloudformation:stack-name": "x", "AWS:other": "y"}

    made = clone(job(), tags, "heir", 60)

    assert made["Tags"] == [
        {"Key": "team", "Value": "nlp"},
        {"Key": "ml-remediation:spot-fallback:original", "Value": "bert"},
    ]


def test_further_types_are_asked_for_in_one_list_with_its_own_first() -> None:
    types = types_to_try(job(), ["ml.p5.48xlarge", TYPE, "ml.g5.48xlarge"])

    made = clone(job(), {}, "heir", 60, types)

    assert made["ResourceConfig"] == {
        "InstancePreferences": [
            {"InstanceType": TYPE},
            {"InstanceType": "ml.p5.48xlarge"},
            {"InstanceType": "ml.g5.48xlarge"},
        ],
        "InstanceCount": 2,
        "VolumeSizeInGB": 50,
    }
    assert not ParamValidator().validate(made, REQUEST).has_errors()


def test_no_more_types_are_listed_than_sagemaker_takes() -> None:
    more = [f"ml.g5.{size}xlarge" for size in (2, 4, 8, 12, 16, 24)]

    assert types_to_try(job(), more) == (TYPE, *more[:4])
    assert REQUEST.members["ResourceConfig"].members["InstancePreferences"].metadata["max"] == 5


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("InstanceGroups", [{"InstanceType": TYPE, "InstanceCount": 1, "InstanceGroupName": "a"}]),
        ("InstancePlacementConfig", {"EnableMultipleJobs": True}),
        ("TrainingPlanArn", "arn:aws:sagemaker:us-east-1:123456789012:training-plan/p"),
    ],
)
def test_what_a_list_of_types_cannot_stand_beside_keeps_its_own_type(part: str, value: Any) -> None:
    config = {"InstanceType": TYPE, "InstanceCount": 2, part: value}

    assert types_to_try(job(ResourceConfig=config), ["ml.p5.48xlarge"]) == ()


def test_without_further_types_there_is_no_list() -> None:
    assert types_to_try(job(), []) == types_to_try(job(), [TYPE]) == ()
    assert types_to_try(job(ResourceConfig={"InstanceGroups": []}), ["ml.p5.48xlarge"]) == ()


def test_metric_definitions_alone_are_left_out_where_they_are_refused() -> None:
    algorithm = {"TrainingImage": "kmeans", "TrainingInputMode": "File"}
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}]
    request = clone(
        job(AlgorithmSpecification=algorithm | {"MetricDefinitions": metrics}), {}, "h", 9
    )

    assert request["AlgorithmSpecification"]["MetricDefinitions"] == metrics
    assert without_metrics(request) == {**request, "AlgorithmSpecification": algorithm}


@given(
    st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True).filter(lambda n: len(n) < 64)
)
@example("a" * 43 + "-" * 19 + "b")
def test_the_heir_has_a_name_that_sagemaker_takes(name: str) -> None:
    heir = heir_name(job(TrainingJobName=name))

    assert NAME.fullmatch(heir)
    assert len(heir) <= REQUEST.members["TrainingJobName"].metadata["max"]
    assert heir.startswith(f"{name[:44]}-od-")


def test_the_heir_has_one_name_whatever_becomes_of_the_job() -> None:
    began = job()
    over = job([("Starting", 0), ("Stopped", 30)], "Stopped")

    assert heir_name(began) == heir_name(over)


def test_a_job_made_anew_by_the_same_name_has_another_heir() -> None:
    assert heir_name(job()) != heir_name(job(CreationTime=NOON + minutes(60)))


def test_jobs_with_a_long_beginning_in_common_have_heirs_of_their_own() -> None:
    one, other = ("a" * 50 + end for end in "12")
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/"

    assert heir_name(job(TrainingJobName=one, TrainingJobArn=arn + one)) != heir_name(
        job(TrainingJobName=other, TrainingJobArn=arn + other)
    )


def test_aws_own_tags_do_not_count() -> None:
    assert kept_tags({"aws:x": "1", "awsome": "2"}) == {"awsome": "2"}
