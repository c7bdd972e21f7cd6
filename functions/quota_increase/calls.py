"""Calls that EC2, SageMaker or Lambda refused, as CloudTrail tells of them. Pure.

Shape: CloudTrail user guide, "CloudTrail record contents". EC2's error codes carry a `Client.` or
`Server.` prefix there, the SDK's do not. What they mean: EC2 API reference, "Error codes".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions.core.decision import Refuse
from functions.core.signals import BadSignal
from functions.quota_increase import texts
from functions.quota_increase.quota_names import LAMBDA_CONCURRENCY, code_of, vcpu_quota
from functions.quota_increase.readings import CapacityShort, Reading, Refused
from functions.quota_increase.untrusted import (
    MOST_INSTANCES,
    count,
    items,
    mapping,
    number,
    text,
    within,
)

ON_DEMAND_CODES = frozenset({"VcpuLimitExceeded", "InstanceLimitExceeded"})
SPOT_CODES = frozenset({"MaxSpotInstanceCountExceeded"})
CAPACITY_CODES = frozenset(
    {"InsufficientInstanceCapacity", "InsufficientHostCapacity", "UnfulfillableCapacity"}
)
SPOT_CALLS = frozenset({"RequestSpotInstances", "RequestSpotFleet"})
FAMILY_UNKNOWN = "which quota counts {} is not known; nothing was guessed"


def of_call(detail: Mapping[str, Any]) -> list[Reading] | Refuse:
    """What a CloudTrail record of an API call says. Raises BadSignal."""
    code, said = text(detail.get("errorCode")), text(detail.get("errorMessage"))
    match text(detail.get("eventSource")):
        case "ec2.amazonaws.com":
            return _ec2(detail, code.removeprefix("Client.").removeprefix("Server."), said)
        case "sagemaker.amazonaws.com":
            if code in ("ResourceLimitExceeded", "ResourceLimitExceededException"):
                return of_sagemaker_text(said)
        case "lambda.amazonaws.com":
            if texts.LAMBDA_POOL in said:
                name = LAMBDA_CONCURRENCY
                return [Refused("lambda", name, code_of("lambda", name), None, None, None)]
        case strange:
            raise BadSignal(
                "unknown-signal", f"calls of {strange!r:.80} are nothing this stack asked for"
            )
    return _no_shortage(detail, code)


def of_sagemaker_text(said: str) -> list[Reading] | Refuse:
    """The quota that SageMaker refuses for. Raises BadSignal."""
    if texts.NOT_OFFERED.search(said):
        return Refuse("not-a-shortage", f"no quota makes it offered here: {said:.160}")
    limit = texts.sagemaker_limit(said)
    if limit is None:
        raise BadSignal(
            "unparsable-text", f"which quota SageMaker means is not said: {said!r:.200}"
        )
    types = texts.ml_types(limit.name)
    return [
        Refused(
            "sagemaker",
            limit.name,
            code_of("sagemaker", limit.name),
            limit.limit,
            limit.utilization,
            limit.delta,
            types[0] if len(types) == 1 else "",
            count(limit.delta) if types or limit.instances else 1,
        )
    ]


def _no_shortage(detail: Mapping[str, Any], code: str) -> Refuse:
    call = text(detail.get("eventName")) or "the call"
    how = f"failed with {code}" if code else "succeeded"
    return Refuse("not-a-shortage", f"{call:.80} {how:.80}, which no quota or capacity mends")


def _ec2(detail: Mapping[str, Any], code: str, said: str) -> list[Reading] | Refuse:
    asked = mapping(detail.get("requestParameters"))
    if not code:
        found = _of_fleet(asked, mapping(detail.get("responseElements")))
        return found or _no_shortage(detail, code)
    types = _types(within(asked, "instanceType"))
    instances = _wanted(asked)
    if code in CAPACITY_CODES:
        return [_short(said, types, within(asked, "availabilityZone"), instances)]
    if code not in ON_DEMAND_CODES | SPOT_CODES:
        return _no_shortage(detail, code)
    market = _market(asked)
    if market == "capacity-block":
        raise BadSignal("unknown-family", FAMILY_UNKNOWN.format("instances of a Capacity Block"))
    spot = code in SPOT_CODES or market == "spot" or text(detail.get("eventName")) in SPOT_CALLS
    return [_refused(code, said, types, spot, instances)]


def _refused(code: str, said: str, types: Sequence[str], spot: bool, instances: int) -> Refused:
    """The vCPU quota of the types; they must share one."""
    if not types:
        raise BadSignal(
            "no-instance-type",
            f"the call that failed with {code} names no instance type, and its text tells no quota",
        )
    names = {each: vcpu_quota(each, spot) for each in types}
    for each, name in names.items():
        if name is None:
            what = f"{each} bought as {'Spot' if spot else 'On-Demand'}"
            raise BadSignal("unknown-family", FAMILY_UNKNOWN.format(what))
    found = dict.fromkeys(names.values())
    if len(found) > 1:
        raise BadSignal(
            "no-instance-type",
            f"the call names {', '.join(types):.200}, counted by different quotas: which of them "
            "was refused is not said",
        )
    name = str(next(iter(found)))
    limit = texts.vcpu_limit(said)
    only = types[0] if len(types) == 1 else ""
    return Refused("ec2", name, code_of("ec2", name), limit, None, None, only, instances)


def _of_fleet(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> list[Reading]:
    """The errors inside a success: CreateFleet answers with one for each pool that failed.

    Where other pools gave all that was wanted, nothing is short (aws/karpenter-provider-aws#303).
    Raises BadSignal when none of those that matter can be read.
    """
    answer = mapping(answered.get("CreateFleetResponse", answered))
    request = mapping(asked.get("CreateFleetRequest", asked))
    found: list[Reading] = []
    unread: list[BadSignal] = []
    for each in map(mapping, items(answer.get("errorSet"))):
        code = text(each.get("errorCode")).removeprefix("Client.").removeprefix("Server.")
        said = text(each.get("errorMessage"))
        chosen = mapping(mapping(each.get("launchTemplateAndOverrides")).get("overrides"))
        types = _types([chosen.get("instanceType")])
        spot = text(each.get("lifecycle")) == "spot" or code in SPOT_CODES
        missing = _missing(request, answer, "spot" if spot else "on-demand")
        if not missing:
            continue
        try:
            if code in CAPACITY_CODES:
                found.append(_short(said, types, [chosen.get("availabilityZone")], missing))
            elif code in ON_DEMAND_CODES | SPOT_CODES:
                found.append(_refused(code, said, types, spot, missing))
        except BadSignal as bad:
            unread.append(bad)
    if unread and not found:
        raise unread[0]
    return found


def _types(values: Iterable[object]) -> list[str]:
    """Instance types, each once."""
    return list(dict.fromkeys(each for each in map(text, values) if texts.is_ec2_type(each)))


def _short(said: str, types: Sequence[str], zones: Iterable[object], instances: int) -> Reading:
    """No capacity of the type that the text names, else of the only one that was asked for."""
    named = texts.short_type(said)
    if not named and len(types) != 1:
        asked = ", ".join(types) or "no instance type"
        raise BadSignal(
            "no-instance-type", f"what is short is not said; the call names {asked:.200}"
        )
    wanted = {each for each in map(text, zones) if texts.is_zone(each)}
    zone = texts.short_zone(said) or (wanted.pop() if len(wanted) == 1 else "")
    return CapacityShort("ec2", named or types[0], zone, texts.zone_hints(said), instances)


def _market(asked: Mapping[str, Any]) -> str:
    """On whose market RunInstances buys (EC2 API reference, InstanceMarketOptionsRequest)."""
    options = mapping(asked.get("instanceMarketOptions"))
    return text(options.get("marketType")) or ("spot" if "spotOptions" in options else "")


def _wanted(asked: Mapping[str, Any]) -> int:
    """How many instances a call asked for, in the words of each call."""
    launched = [each for each in map(mapping, items(asked.get("instancesSet"))) if each]
    if any("maxCount" in each for each in launched):
        return sum(count(each.get("maxCount")) for each in launched)
    for name in ("instanceCount", "quantity"):
        for value in within(asked, name):
            return count(value)
    if "CreateFleetRequest" in asked:
        return count(_missing(mapping(asked["CreateFleetRequest"]), {}, ""))
    for value in within(asked, "targetCapacity"):
        return 1 if _weighted(asked) else count(value)
    return 1


def _missing(request: Mapping[str, Any], answer: Mapping[str, Any], lifecycle: str) -> int:
    """How many instances a fleet wanted of a market and did not get.

    Where pools are weighted, the target counts their units instead: then 1.
    """
    if _weighted(request):
        return 1
    target = mapping(request.get("TargetCapacitySpecification"))
    key = {"spot": "SpotTargetCapacity", "on-demand": "OnDemandTargetCapacity"}.get(lifecycle, "")
    wanted = number(target.get(key)) or number(target.get("TotalTargetCapacity")) or 1
    got = sum(
        len(items(each.get("instanceIds"))) or 1
        for each in map(mapping, items(answer.get("fleetInstanceSet")))
        if text(each.get("lifecycle")) in ("", lifecycle)
    )
    return min(max(math.floor(wanted) - got, 0), MOST_INSTANCES)


def _weighted(request: Mapping[str, Any]) -> bool:
    return next(within(request, "weightedCapacity"), None) is not None
