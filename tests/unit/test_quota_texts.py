"""What the words of AWS's refusals say."""

from __future__ import annotations

import pytest

from functions.quota_increase import texts
from functions.quota_increase.texts import Limit
from functions.quota_increase.untrusted import text

TRAINING = "ml.p4d.24xlarge for training job usage"


def said(words: str) -> Limit:
    found = texts.sagemaker_limit(text(words))
    assert found is not None
    return found


def test_a_refusal_names_quota_limit_use_and_what_was_asked() -> None:
    words = (
        f"The account-level service limit '{TRAINING}' is 4 Instances, with current utilization "
        "of 3 Instances and a request delta of 2 Instances. Please contact AWS support."
    )
    assert said(words) == Limit(TRAINING, 4, 3, 2, instances=True)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("is 1,024 Instances, with current utilization of 1,000 Instances and a request delta of 64 Instances.", (1024, 1000, 64)),
        ("is 2.5 TiB, with current utilization of 2.25 TiB and a request delta of 0.5 TiB.", (2.5, 2.25, 0.5)),
        ("is 2 Instances, with current utilization of 3 Instances and a request delta of 1 Instances.", (2, 3, 1)),
        ("is 1 None, with current utilization of 0 None and a request delta of 2 None.", (1, 0, 2)),
        ("is 7, with current utilization of 6 and a request delta of 2.", (7, 6, 2)),
        ("is 0 Instances", (0, None, None)),
        ("is", (None, None, None)),
        ("is 123456789012345678901234567890 Instances", (None, None, None)),
    ],
)  # fmt: skip
def test_numbers_are_read_as_aws_writes_them(
    words: str, numbers: tuple[float | None, float | None, float | None]
) -> None:
    found = said(f"The account-level service limit 'Some quota' {words}")

    assert found.name == "Some quota"
    assert (found.limit, found.utilization, found.delta) == numbers


@pytest.mark.parametrize(
    "words",
    [
        f"The resource-level service limit '{TRAINING}' is 0 Instances.",
        f"The account-level service quota '{TRAINING}' is 0 Instances.",
        f'The account-level service limit "{TRAINING}" is 0 Instances.',
        f"An error occurred (ResourceLimitExceeded): service limit '{TRAINING}' is 0 Instances.",
        f"The account-level\nservice limit\t'{TRAINING}'\r\nis 0 Instances.",
    ],
)
def test_the_words_around_the_name_may_differ(words: str) -> None:
    assert said(words).name == TRAINING


def test_a_name_with_an_apostrophe_is_whole() -> None:
    words = "service limit 'Spaces in a user's domain' is 5 Spaces"
    assert said(words).name == "Spaces in a user's domain"


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("training-job/ml.p2.xlarge", "ml.p2.xlarge for training job usage"),
        ("endpoint/ml.c4.8xlarge", "ml.c4.8xlarge for endpoint usage"),
        ("notebook-instance/ml.t2.medium", "ml.t2.medium for notebook instance usage"),
    ],
)
def test_the_first_years_text_is_given_todays_name(resource: str, name: str) -> None:
    """aws/sagemaker-python-sdk#35."""
    assert said(f"The account-level service limit for {resource} is 0 Instances").name == name


def test_training_plans_have_a_quota_of_their_own() -> None:
    """SageMaker developer guide, "View SageMaker training plans quotas"."""
    found = said("The reserved-capacity ml.p5.48xlarge instance quota is not sufficient.")

    assert found.name == (
        "Number of ml.p5.48xlarge instances in reserved capacity across training plans per Region"
    )
    assert (found.limit, found.utilization, found.delta) == (None, None, None)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "The account-level service limit is 0 Apps, with current utilization of 0 Apps.",
        "The account-level service limit for hologram-job/ml.p2.xlarge is 0 Instances",
        "The account-level service limit for training-job/p2.xlarge is 0 Instances",
        "The account-level service limit '' is 0 Instances",
        "You have exceeded an SageMaker resource limit.",
    ],
)
def test_a_text_without_a_quotas_name_says_nothing(words: str) -> None:
    assert texts.sagemaker_limit(words) is None


def test_the_vcpu_limit_is_a_number_of_vcpus() -> None:
    assert (
        texts.vcpu_limit("more vCPU capacity than your current vCPU limit of 1,920 allows") == 1920
    )
    assert texts.vcpu_limit("more instances (1) than your current instance limit of 5") is None


SHORT = (
    "We currently do not have sufficient p4d.24xlarge capacity in the Availability Zone you "
    "requested (us-east-1d). Our system will be working on provisioning additional capacity."
)


def test_a_shortage_names_type_zone_and_zones_that_have_some() -> None:
    words = (
        f"{SHORT} You can currently get p4d.24xlarge capacity by not specifying an Availability "
    )
    words += "Zone in your request or choosing us-east-1b, us-east-1a."

    assert texts.short_type(words) == "p4d.24xlarge"
    assert texts.short_zone(words) == "us-east-1d"
    assert texts.zone_hints(words) == ("us-east-1b", "us-east-1a")


@pytest.mark.parametrize(
    ("listed", "zones"),
    [
        ("us-east-1a", ("us-east-1a",)),
        ("us-east-1a, us-east-1b, us-east-1a", ("us-east-1a", "us-east-1b")),
        ("us-east-1a and us-east-1b", ("us-east-1a", "us-east-1b")),
        ("us-gov-west-1a, us-west-2-lax-1b", ("us-gov-west-1a", "us-west-2-lax-1b")),
        ("another Region such as us-west-2", ()),
    ],
)
def test_hints_are_zones_in_awss_order_each_once(listed: str, zones: tuple[str, ...]) -> None:
    assert texts.zone_hints(f"in your request or choosing {listed}.") == zones


def test_no_hint_where_the_text_has_none() -> None:
    assert texts.zone_hints(SHORT) == ()
    assert texts.short_zone("Insufficient capacity.") == ""


@pytest.mark.parametrize(
    "reason",
    [
        "CapacityError",
        "CapacityError: Unable to provision requested ML compute capacity.",
        "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity",
        "EC2InsufficientCapacityError: Instance type 'ml.g5.48xlarge' is temporarily unavailable",
        "Insufficient capacity.",
    ],
)
def test_a_failure_for_want_of_capacity_is_known(reason: str) -> None:
    assert texts.is_ml_capacity(reason)


@pytest.mark.parametrize("reason", ["InternalServerError", "OutOfMemory: capacity of the buffer"])
def test_another_failure_is_none(reason: str) -> None:
    assert not texts.is_ml_capacity(reason)
