"""What AWS refuses of a request to increase a quota, before anybody looks at it."""

from __future__ import annotations

from local.cloud.seam import Refusal
from local.cloud.servicequotas.keeper import Keeper
from local.cloud.servicequotas.quotas import Quota, Service
from local.cloud.world import WORLD

OPEN_IN_ACCOUNT = 20
OPEN_IN_REGION = 2
"""Active requests an account may have, and in an opt-in Region (Service Quotas User Guide,
reference_limits)."""

ALWAYS_ON = frozenset(
    {
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-north-1",
        "sa-east-1",
    }
)
"""The Regions every account has; each other is opt-in (AWS Regions guide, Available Regions)."""


def check(
    keeper: Keeper, service: Service, quota: Quota, desired: float, resource: str | None
) -> None:
    """Refuse a request that AWS does not even take. The order of the checks is not documented.

    Texts: "not adjustable" and "greater than the default" as real accounts got them, the former
    for Bedrock's on-demand quotas, the latter where the applied value is below AWS's default
    (Lambda's 10 of 1000 in a new account); "greater than the current":
    github.com/cloud-custodian/cloud-custodian/pull/8939.
    """
    if not quota.adjustable:
        raise _illegal("The request failed because the specified quota is not adjustable.")
    if resource is not None and quota.resource_type is None:
        raise _illegal(
            "The request failed because the specified quota is not a resource-level quota."
        )
    current = keeper.value(service.code, quota, resource)
    if current < quota.default and desired <= quota.default:
        raise _illegal(
            "You must provide a quota value greater than the default quota value of "
            f"{float(quota.default)}"
        )
    if desired <= current:
        raise _illegal("You must provide a quota value greater than the current quota value")
    _check_open(keeper, service, quota, resource)


def is_resource(keeper: Keeper, arn: str) -> bool:
    """Whether an ARN can be that of a resource of this account and Region."""
    match arn.split(":", 5):
        case ["arn", partition, service, region, account, resource]:
            return (
                partition == keeper.partition
                and bool(service and resource)
                and region in {"", keeper.region_name}
                and account in {"", keeper.account_id}
            )
    return False


def _check_open(keeper: Keeper, service: Service, quota: Quota, resource: str | None) -> None:
    """One open request a quota (its text: terraform-provider-aws/issues/19657), one a resource,
    and a number of them in all, for which AWS's text is not known (Service Quotas User Guide,
    reference_limits). Two resources may each have one of the same quota (the same guide,
    request-quota-increase)."""
    here = [change for change in keeper.changes.values() if change.is_open]
    for change in here:
        same = (change.service.code, change.quota.code) == (service.code, quota.code)
        if same and change.resource == resource:
            raise Refusal(
                "ResourceAlreadyExistsException",
                "Only one open service quota increase request is allowed per quota.",
            )
        if resource is not None and change.resource == resource:
            raise Refusal(
                "ResourceAlreadyExistsException",
                "Only one open service quota increase request is allowed per resource.",
            )
    in_account = sum(
        change.is_open for each in keeper.everywhere() for change in each.changes.values()
    )
    opt_in = keeper.region_name not in ALWAYS_ON
    few = opt_in or WORLD.switches.two_quota_requests_in_every_region
    if in_account >= OPEN_IN_ACCOUNT or (few and len(here) >= OPEN_IN_REGION):
        raise Refusal(
            "QuotaExceededException",
            "You have exceeded your service quota for active quota increase requests.",
        )


def _illegal(message: str) -> Refusal:
    return Refusal("IllegalArgumentException", message)
