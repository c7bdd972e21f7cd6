"""EventBridge rules that deliver only what AWS would deliver.

Replaces ministack's dispatch: a rule's state is honoured, a target's own policy is asked before
anything reaches it, a function is invoked through Lambda's asynchronous queue, and what cannot be
delivered goes to the target's dead-letter queue.
"""

from __future__ import annotations

import contextvars
import json
import logging
from typing import Any

from ministack.core.responses import get_account_id, set_request_account_id, set_request_region
from ministack.services import eventbridge

from local.ministack import invocation, queues, topics
from local.ministack.permission import NotDelivered, require_permission
from local.ministack.resource_policy import ServiceCall

log = logging.getLogger("local.ministack")

EVENTS = "events.amazonaws.com"
CLOUDTRAIL_CALL = "AWS API Call via CloudTrail"

# ministack's own, which do the delivering once it is allowed.
_invoke_target = eventbridge._invoke_target
_send_to_queue = eventbridge._dispatch_to_sqs
_send_to_topic = eventbridge._dispatch_to_sns

# The ARN of the rule or schedule whose target is called, and what its target refused: ministack
# swallows whatever a target raises, so a refusal is handed past it.
_source_arn: contextvars.ContextVar[str] = contextvars.ContextVar("source_arn")
_refusals: contextvars.ContextVar[list[NotDelivered]] = contextvars.ContextVar("refusals")


def install() -> None:
    """Replaces ministack's dispatch of events."""
    eventbridge._dispatch_event = _dispatch_event
    eventbridge._invoke_target = _call_target
    eventbridge._dispatch_to_lambda = _dispatch_to_lambda
    eventbridge._dispatch_to_sqs = _dispatch_to_sqs
    eventbridge._dispatch_to_sns = _dispatch_to_sns


def put_event(envelope: dict[str, Any], account: str, region: str) -> list[str]:
    """Puts a whole EventBridge event on the account's default bus and names the rules it matched.

    Any source is accepted, `aws.*` included: this is the entry of the AWS services.
    """
    set_request_account_id(account)
    set_request_region(region)
    event = {
        "EventId": envelope["id"],
        "Version": envelope["version"],
        "Source": envelope["source"],
        "DetailType": envelope["detail-type"],
        "Account": envelope["account"],
        "Time": envelope["time"],
        "Region": envelope["region"],
        "Resources": envelope["resources"],
        "Detail": json.dumps(envelope["detail"]),
        "EventBusName": "default",
    }
    matched = _dispatch_event(event)
    eventbridge._archive_event(event)
    return matched


def _dispatch_event(event: dict[str, Any], view: Any = None) -> list[str]:
    view = view or eventbridge._pattern_event_view(event)
    bus, path = event.get("EventBusName", "default"), set(event.get("_DispatchPath") or [])
    matched = []
    for key, rule in list(eventbridge._rules.items()):
        pattern = rule.get("EventPattern")
        if rule.get("EventBusName", "default") != bus or key in path or not pattern:
            continue
        if not _enabled(rule, view):
            continue
        if eventbridge._matches_pattern_view(pattern, view, f"rule {key}"):
            matched.append(rule["Name"])
            for target in eventbridge._targets.get(key, []):
                _call_target(target, event, rule, view)
    return matched


def _enabled(rule: dict[str, Any], view: Any) -> bool:
    """Read-only management calls reach only rules that ask for them in their state.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
    """
    if rule.get("State") == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS":
        return True
    if rule.get("State") != "ENABLED":
        return False
    if view.envelope()["detail-type"] != CLOUDTRAIL_CALL:
        return True
    detail = view.event_with_detail()["detail"]
    name = detail.get("eventName", "") if isinstance(detail, dict) else ""
    return not name.startswith(("Describe", "Get", "List"))


def _call_target(
    target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
) -> None:
    view = view or eventbridge._pattern_event_view(event)
    undelivered: list[NotDelivered] = []
    source, refusals = _source_arn.set(rule.get("Arn", "")), _refusals.set(undelivered)
    try:
        _invoke_target(target, event, rule, view)
    finally:
        _source_arn.reset(source)
        _refusals.reset(refusals)
    for refusal in undelivered:
        log.error("%s did not reach %s: %s", rule.get("Arn"), target.get("Arn"), refusal)
        queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        if queue_arn:
            _dead_letter(queue_arn, view.event_with_detail(), rule["Arn"], target["Arn"], refusal)


def _by_rule() -> bool:
    """Schedules call their target with a role's permissions, not the resource policy's."""
    return ":rule/" in _source_arn.get()


def _dispatch_to_lambda(arn: str, payload: str) -> None:
    service = EVENTS if _by_rule() else None
    try:
        invocation.invoke(arn, json.loads(payload), service=service, source_arn=_source_arn.get())
    except NotDelivered as refusal:
        _refusals.get().append(refusal)


def _dispatch_to_sqs(spec: Any, payload: str, sqs_parameters: Any = None) -> None:
    try:
        queue = queues.find(str(spec))
        if queue is None:
            raise NotDelivered("NO_RESOURCE", f"there is no queue {spec}")
        if _by_rule():
            require_permission(queues.policy(queue), _sending(str(spec), _source_arn.get()))
    except NotDelivered as refusal:
        _refusals.get().append(refusal)
    else:
        _send_to_queue(spec, payload, sqs_parameters)


def _dispatch_to_sns(arn: str, payload: str) -> None:
    source_arn = _source_arn.get()
    try:
        policy = topics.policy(arn)
        if _by_rule():
            require_permission(
                policy, ServiceCall(EVENTS, "sns:Publish", arn, source_arn, get_account_id())
            )
    except NotDelivered as refusal:
        _refusals.get().append(refusal)
    else:
        _send_to_topic(arn, payload)


def _sending(queue_arn: str, source_arn: str) -> ServiceCall:
    return ServiceCall(EVENTS, "sqs:SendMessage", queue_arn, source_arn, get_account_id())


def _dead_letter(
    queue_arn: str, event: dict[str, Any], rule_arn: str, target_arn: str, refusal: NotDelivered
) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"""
    try:
        queue = queues.find(queue_arn)
        if queue is None:
            raise NotDelivered("NO_RESOURCE", f"there is no queue {queue_arn}")
        require_permission(queues.policy(queue), _sending(queue_arn, rule_arn))
    except NotDelivered as lost:
        log.error("the event is lost: %s", lost)
        return
    attributes = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target_arn,
        "ERROR_CODE": refusal.code,
        "ERROR_MESSAGE": str(refusal),
    }
    queues.send(queue, json.dumps(event), attributes, EVENTS)
