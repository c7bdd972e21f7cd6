"""SageMaker's instance quotas: how much of each is in use, and what goes beyond is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from local.cloud.sagemaker.jobs import TERMINAL, Fleet
from local.cloud.sagemaker.resources import Endpoint, Variant
from local.cloud.sagemaker.store import Store
from local.cloud.seam import Refusal
from local.cloud.servicequotas import applied

Claims = Mapping[str, int]
"""Instances by quota name."""

_ENDPOINT_TOTAL = "Number of instances across active endpoints"
_TRAINING_TOTAL = "Number of instances across all training jobs"
_SPOT_TOTAL = "Number of instances across all spot training jobs"
_CONCURRENCY_TOTAL = (
    "Maximum total concurrency that can be allocated across all serverless endpoints"
)
_ENDPOINTS_TOTAL = "Maximum number of serverless endpoints"
_UNITS = {_CONCURRENCY_TOTAL: "Units", _ENDPOINTS_TOTAL: "Endpoints"}
_RESERVED = "Number of {} instances in reserved capacity across training plans per Region"


def training_claims(fleets: Sequence[Fleet]) -> Claims:
    """What a job that may run on any of `fleets` needs of each quota.

    Every type of a list must be covered, chosen or not (SageMaker developer guide,
    train-instance-preferences); instances of a training plan count as well (developer guide, "View
    SageMaker training plans quotas"). Spot training has quotas of its own.
    """
    claims: dict[str, int] = {}
    for fleet in fleets:
        spot = fleet.market == "spot"
        needs = {_SPOT_TOTAL if spot else _TRAINING_TOTAL: sum(fleet.instances.values())}
        for instance_type, count in fleet.instances.items():
            needs[f"{instance_type} for {'spot ' if spot else ''}training job usage"] = count
        for name, count in needs.items():
            claims[name] = max(count, claims.get(name, 0))
    return claims


def endpoint_claims(counts: Iterable[tuple[Variant, int]]) -> Claims:
    """What so many instances of each variant need of each quota; of a serverless variant, so much
    concurrency."""
    claims: dict[str, int] = {}
    for variant, count in counts:
        if variant.desired_serverless:
            claims[_CONCURRENCY_TOTAL] = claims.get(_CONCURRENCY_TOTAL, 0) + count
            continue
        for name in (_ENDPOINT_TOTAL, f"{variant.spec['InstanceType']} for endpoint usage"):
            claims[name] = claims.get(name, 0) + count
    return claims


def serverless_claims(variants: Iterable[Variant]) -> Claims:
    """What an endpoint of these variants needs of the quota on serverless endpoints."""
    serverless = any(variant.desired_serverless for variant in variants)
    return {_ENDPOINTS_TOTAL: 1} if serverless else {}


def size_of(variant: Variant) -> int:
    """What a variant has or gets, in the unit that its quota counts: instances, or the most
    concurrent invocations."""
    if variant.desired_serverless and variant.current_serverless:
        return max(variant.desired_serverless.most, variant.current_serverless.most)
    return max(variant.current_count, variant.desired_count)


def in_use(store: Store) -> dict[str, int]:
    """How many instances count against each quota now: those of jobs until they end, whether or
    not they got capacity yet, and those that endpoints run or launch."""
    used: dict[str, int] = {}
    claims = [
        training_claims(job.fleets if job.fleet is None else [job.fleet])
        for job in store.jobs.values()
        if job.status not in TERMINAL
    ]
    claims += [endpoint_claims(_running(endpoint)) for endpoint in store.endpoints.values()]
    claims += [
        serverless_claims(endpoint.variants)
        for endpoint in store.endpoints.values()
        if endpoint.status != "Failed"
    ]
    for claim in claims:
        for name, count in claim.items():
            used[name] = used.get(name, 0) + count
    return used


def admit(store: Store, claims: Claims) -> None:
    """Refuse what the account's quotas do not allow beside what is in use.

    A quota that Service Quotas' catalogue lacks has no limit. The text is AWS's since 2023, e.g.
    repost.aws/knowledge-center/sagemaker-resource-limit-exceeded-error; its unit for serverless
    quotas is not known (for memory it is "MBs").
    """
    used = in_use(store)
    # The quota of the instance type comes before the total of all types.
    for name, delta in sorted(claims.items(), key=lambda claim: not claim[0].startswith("ml.")):
        limit = _limit(store, name)
        if delta > 0 and limit is not None and used.get(name, 0) + delta > limit:
            unit = _UNITS.get(name, "Instances")
            raise Refusal(
                "ResourceLimitExceeded",
                f"The account-level service limit '{name}' is {limit:.0f} {unit}, with current "
                f"utilization of {used.get(name, 0)} {unit} and a request delta of {delta} "
                f"{unit}. Please use AWS Service Quotas to request an increase for this quota. "
                "If AWS Service Quotas is not available, contact AWS support to request an "
                "increase for this quota.",
            )


def admit_reservation(store: Store, instance_type: str, count: int) -> None:
    """Refuse a search for more reserved instances than the account may have.

    The quota's name: SageMaker developer guide, "View SageMaker training plans quotas". Of AWS's
    text only the words around the type are known: github.com/aws-samples/
    sample-capacity-finder-for-ec2-capacity-block-and-sagemaker-training-plan looks for them.
    """
    limit = _limit(store, _RESERVED.format(instance_type))
    if limit is not None and count > limit:
        raise Refusal(
            "ResourceLimitExceeded",
            f"The reserved-capacity {instance_type} instance quota is not sufficient: it is "
            f"{limit:.0f}, and {count} are requested.",
        )


def _limit(store: Store, name: str) -> float | None:
    try:
        return applied(store.account_id, store.region_name, "sagemaker", name)
    except KeyError:
        return None


def _running(endpoint: Endpoint) -> list[tuple[Variant, int]]:
    if endpoint.status == "Failed":
        return []
    launching = endpoint.deployment.variants if endpoint.deployment else ()
    return [
        *((each, size_of(each)) for each in endpoint.variants),
        *((each, size_of(each)) for each in launching),
    ]
