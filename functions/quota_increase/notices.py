"""What AWS tells of its own accord: use near a quota, jobs and endpoints that failed; and what another
remediation could not do for want of a quota. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from functions.core.decision import Refuse
from functions.core.signals import BadSignal
from functions.quota_increase import texts
from functions.quota_increase.calls import of_sagemaker_text
from functions.quota_increase.quota_names import LAMBDA_CONCURRENCY, code_of
from functions.quota_increase.readings import CapacityShort, NearLimit, Reading, Refused
from functions.quota_increase.untrusted import NUMBER, count, mapping, number, text, within

SERVICE = re.compile(r"[a-z][a-z0-9-]{0,62}")
CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
"""Patterns within those of ServiceCode and QuotaCode (botocore model of Service Quotas)."""
BREACH = re.compile(
    r"Service: (?P<service>.{1,100}?) \| Quota Name: (?P<name>.{1,300}?) \| "
    rf"Utilization: (?P<percent>{NUMBER}) ?%",
    re.IGNORECASE,
)
ADVISOR_SERVICES: Mapping[str, str] = {
    "auto scaling": "autoscaling",
    "elb": "elasticloadbalancing",
    "route 53": "route53",
}
"""Service codes where Trusted Advisor's word for a service is not the code itself."""


def of_health(detail: Mapping[str, Any], resources: Sequence[str]) -> list[Reading]:
    """The quotas of a threshold breach; AWS Health names them in texts, without their codes.

    Source: Service Quotas user guide, "Service Quotas Automatic Management AWS CloudTrail logs".
    Raises BadSignal.
    """
    kind = text(detail.get("eventTypeCode"))
    if not kind.startswith("AWS_SERVICEQUOTAS_") or "THRESHOLD" not in kind:
        raise BadSignal("unknown-signal", f"{kind or 'this event'!r:.80} tells of no quota's use")
    entities = [text(each) for each in within(detail.get("affectedEntities"), "entityValue")]
    found: list[Reading] = []
    for said in map(text, resources or entities):
        breach = BREACH.search(said)
        service = breach["service"].lower() if breach else ""
        if breach and SERVICE.fullmatch(service):
            code = code_of(service, breach["name"])
            percent = number(breach["percent"])
            found.append(NearLimit(service, breach["name"], code, None, None, percent))
    if not found:
        raise BadSignal(
            "unparsable-text", "none of the event's resources names a quota and its use"
        )
    return found


def of_service_quotas(detail: Mapping[str, Any]) -> list[Reading]:
    """The quota of Automatic Management's own record in CloudTrail, which gives code and use.

    Source: as of `of_health`, "Non-critical". Raises BadSignal.
    """
    if text(detail.get("eventName")) != "ServiceQuotasUtilizationBreachingThreshold":
        name = text(detail.get("eventName")) or "this event"
        raise BadSignal("unknown-signal", f"{name!r:.80} tells of no quota's use")
    said = mapping(detail.get("serviceEventDetails"))
    service, code, name = (text(said.get(k)) for k in ("serviceCode", "quotaCode", "quotaName"))
    if not SERVICE.fullmatch(service) or not CODE.fullmatch(code):
        raise BadSignal("unparsable-text", f"{service!r:.80} with {code!r:.80} is no quota's code")
    return [NearLimit(service, name, code, None, number(said.get("utilizationValue")), None)]


def of_trusted_advisor(detail: Mapping[str, Any], region: str) -> list[Reading] | Refuse:
    """The limit of a refreshed check item; items of every Region arrive in one.

    Shape: "check-item-detail" with "Service", "Limit Name", "Limit Amount", "Current Usage" and
    "Region" ("-" for global services), as aws-solutions/quota-monitor-for-aws matches it.
    Raises BadSignal.
    """
    item = mapping(detail.get("check-item-detail"))
    service, name, place = (text(item.get(k)) for k in ("Service", "Limit Name", "Region"))
    if not service or not name:
        raise BadSignal("unknown-signal", "this check of Trusted Advisor is of no service limit")
    if place not in ("", "-", region):
        raise BadSignal(
            "other-region",
            f"the check is of Region {place!r:.40}; this stack repairs {region} only",
        )
    if text(detail.get("status")).upper() not in ("WARN", "ERROR"):
        return Refuse("not-a-shortage", f"{service:.80} {name:.200} is well within its limit")
    code = ADVISOR_SERVICES.get(service.lower(), service.lower())
    if not SERVICE.fullmatch(code):
        raise BadSignal("unparsable-text", f"{service!r:.80} is no service's code")
    limit, use = number(item.get("Limit Amount")), number(item.get("Current Usage"))
    return [NearLimit(code, name, code_of(code, name), limit, use, None)]


def of_sagemaker(detail: Mapping[str, Any]) -> list[Reading] | Refuse:
    """Why a job or an endpoint of SageMaker failed, by its FailureReason. Raises BadSignal.

    Shape: SageMaker developer guide, "Automating Amazon SageMaker AI with Amazon EventBridge".
    Status messages of what has not failed are passed over, as AWS asks.
    """
    reason = text(detail.get("FailureReason"))
    if not reason or texts.OWN_FAULT.search(reason):
        return Refuse("not-a-shortage", "SageMaker tells of no want of a quota or of capacity")
    if texts.sagemaker_limit(reason) or "ResourceLimitExceeded" in reason:
        return of_sagemaker_text(reason)
    if not texts.is_ml_capacity(reason):
        return Refuse("not-a-shortage", f"it failed of something else: {reason:.160}")
    types = texts.ml_types(reason) or _asked(detail)
    if len(types) != 1:
        named = ", ".join(types) or "none"
        raise BadSignal(
            "no-instance-type", f"of which instance type there is no capacity is not said: {named}"
        )
    counts = list(within(detail, "InstanceCount"))
    return [CapacityShort("sagemaker", types[0], "", (), count(counts[0] if counts else None))]


def of_remediation(detail: Mapping[str, Any]) -> list[Reading] | Refuse:
    """The quota that kept another remediation from what it would have done. Raises BadSignal.

    `account-headroom`: what is missing is missing on top of the limit, for concurrency that is reserved
    or provisioned is taken whether it is in use or not (Lambda developer guide, "Configuring reserved
    concurrency for a function"). Where Lambda itself refused the call, only the whole rise is known, not
    how much of it was too much. `regional-quota`: SageMaker's own words.
    """
    code, name = text(detail.get("code")), text(detail.get("remediation")) or "a remediation"
    if code not in ("account-headroom", "regional-quota"):
        raise BadSignal("unknown-signal", f"{name:.80} tells of {code!r:.80}, which is no quota's")
    if text(detail.get("mode")) not in ("approve", "act"):
        return Refuse("only-observed", f"{name:.80} only observes what the quota is too small for")
    if code == "regional-quota":
        return of_sagemaker_text(text(detail.get("reason")))
    said = mapping(detail.get("evidence"))
    limit, delta = number(said.get("limit")), number(said.get("delta"))
    if "quota_code" not in said:
        rise = (number(said.get("to")) or 0.0) - (number(said.get("from")) or 0.0)
        quota = code_of("lambda", LAMBDA_CONCURRENCY)
        return [
            Refused("lambda", LAMBDA_CONCURRENCY, quota, None, None, rise if rise > 0 else None)
        ]
    service, quota, called = (
        text(said.get(key)) for key in ("service_code", "quota_code", "quota_name")
    )
    if not SERVICE.fullmatch(service) or not CODE.fullmatch(quota):
        raise BadSignal("unparsable-text", f"{service!r:.80} with {quota!r:.80} is no quota's code")
    return [Refused(service, called, quota, limit, limit, delta or None)]


def _asked(detail: Mapping[str, Any]) -> list[str]:
    said = [text(each) for each in within(detail, "InstanceType")]
    return list(dict.fromkeys(each for each in said if texts.ml_types(each) == [each]))
