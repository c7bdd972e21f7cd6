"""What AWS's error texts say, found by their fixed words. Pure.

Each text comes as `untrusted.text` gives it: one line, single blanks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from functions.quota_increase.untrusted import NUMBER, number

EC2_TYPE = r"[a-z]{1,8}-?[0-9][a-z0-9-]{0,30}\.[a-z0-9-]{1,20}"
ML_TYPE = rf"ml\.{EC2_TYPE}"
ZONE = r"[a-z]{2}-[a-z0-9-]{0,40}[0-9][a-z]"
"""An Availability Zone or Local Zone by name: us-east-1d, us-gov-west-1b, us-west-2-lax-1a."""

LIMIT = re.compile(
    rf"service (?:limit|quota) (?:['\"] ?(?P<name>[^'\" ].{{0,250}}?) ?['\"]|for (?P<resource>[\w./-]+)) is\b"
    rf"(?: (?P<limit>{NUMBER})(?P<unit> [A-Za-z]+)?)?"
)
USE = re.compile(rf"current utilization of ({NUMBER})")
DELTA = re.compile(rf"request delta of ({NUMBER})")
RESERVED = re.compile(rf"reserved-capacity (?P<type>{ML_TYPE}) instance quota is not sufficient")
RESERVED_NAME = "Number of {} instances in reserved capacity across training plans per Region"
NOT_OFFERED = re.compile(r"requested resource \S+ is not available in this region", re.IGNORECASE)
VCPU_LIMIT = re.compile(rf"current vCPU limit of ({NUMBER})")
LAMBDA_POOL = "decreases account's UnreservedConcurrentExecution below its minimum"

USES: Mapping[str, str] = {
    "endpoint": "endpoint usage",
    "notebook-instance": "notebook instance usage",
    "processing-job": "processing job usage",
    "spot-training-job": "spot training job usage",
    "training-job": "training job usage",
    "training-warm-pool": "training warm pool usage",
    "transform-job": "transform job usage",
}
"""How SageMaker's quotas are named today, by the resource that its texts once named."""

SHORT = re.compile(rf"(?:sufficient|enough) (?P<type>{EC2_TYPE}) capacity")
SHORT_ZONE = re.compile(rf"Availability Zone you requested \((?P<zone>{ZONE})\)")
CHOOSING = re.compile(rf"choosing (?P<zones>{ZONE}(?:,? (?:and |or )?{ZONE})*)")
ML_CAPACITY = re.compile(
    r"^CapacityError\b|Unable to provision requested ML compute capacity"
    r"|\b(?:EC2)?Insufficient(?:Instance)?Capacity(?:Error)?\b|\binsufficient capacity\b",
    re.IGNORECASE,
)
OWN_FAULT = re.compile(r"^AlgorithmError\b")
"""The customer's own script failed: what follows are its words, not AWS's."""


@dataclass(frozen=True)
class Limit:
    """What SageMaker says when it refuses for a quota; None where it says nothing.

    instances: whether the numbers count instances.
    """

    name: str
    limit: float | None
    utilization: float | None
    delta: float | None
    instances: bool


def sagemaker_limit(text: str) -> Limit | None:
    """The quota in a text of ResourceLimitExceeded, by today's QuotaName; None without a name.

    "The account-level service limit 'ml.p4d.24xlarge for training job usage' is 0 Instances, with
    current utilization of 0 Instances and a request delta of 1 Instances. …" The quoted part is
    the QuotaName. Texts vary in unit, level and what follows; early ones name a resource instead:
    "service limit for training-job/ml.p2.xlarge is 0 Instances" (aws/sagemaker-python-sdk#35).
    Training plans: "reserved-capacity ml.p5.48xlarge instance quota is not sufficient"
    (aws-samples/sample-capacity-finder-for-ec2-capacity-block-and-sagemaker-training-plan); the
    quota's name is that of the developer guide, "View SageMaker training plans quotas".
    """
    if found := RESERVED.search(text):
        return Limit(RESERVED_NAME.format(found["type"]), None, None, None, True)
    found = LIMIT.search(text)
    if found is None:
        return None
    name = found["name"] or _named_today(found["resource"])
    if name is None:
        return None
    return Limit(
        name,
        number(found["limit"]) if found["limit"] else None,
        _first(USE, text),
        _first(DELTA, text),
        (found["unit"] or "").strip().lower() in ("instance", "instances"),
    )


def _named_today(resource: str) -> str | None:
    used_by, _, instance_type = resource.partition("/")
    if used_by not in USES or not re.fullmatch(ML_TYPE, instance_type):
        return None
    return f"{instance_type} for {USES[used_by]}"


def vcpu_limit(text: str) -> float | None:
    """N of "… your current vCPU limit of N allows for the instance bucket …".

    The older text of InstanceLimitExceeded counts instances, not the vCPUs that today's quotas
    count, so of that nothing is taken.
    """
    return _first(VCPU_LIMIT, text)


def _first(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    return number(found[1]) if found else None


def is_ec2_type(text: str) -> bool:
    """Whether it can be an EC2 instance type, of whatever family."""
    return re.fullmatch(EC2_TYPE, text) is not None


def is_zone(text: str) -> bool:
    """Whether it can be an Availability Zone's name."""
    return re.fullmatch(ZONE, text) is not None


def short_type(text: str) -> str:
    """The EC2 instance type of "do not have sufficient p4d.24xlarge capacity …", else ""."""
    found = SHORT.search(text)
    return found["type"] if found else ""


def short_zone(text: str) -> str:
    """The zone of "… in the Availability Zone you requested (us-east-1d)", else ""."""
    found = SHORT_ZONE.search(text)
    return found["zone"] if found else ""


def zone_hints(text: str) -> tuple[str, ...]:
    """The zones of "… or choosing us-east-1a, us-east-1b", in AWS's order, each once."""
    found = CHOOSING.search(text)
    return tuple(dict.fromkeys(re.findall(ZONE, found["zones"]))) if found else ()


def ml_types(text: str) -> list[str]:
    """The SageMaker instance types that a text names, each once."""
    return list(dict.fromkeys(re.findall(ML_TYPE, text)))


def is_ml_capacity(text: str) -> bool:
    """Whether a FailureReason of SageMaker says that AWS has no capacity.

    "CapacityError: Unable to provision requested ML compute capacity. …" of jobs
    (DIAGNijmegen/rse-grand-challenge#2631), "… due to InsufficientInstanceCapacity error. …" of
    endpoints, "EC2InsufficientCapacityError: …" of Studio (aws/amazon-sagemaker-feedback#99).
    """
    return ML_CAPACITY.search(text) is not None
