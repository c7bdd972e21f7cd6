"""Events and alarm actions delivered only where AWS would deliver them.

Replaces ministack's dispatch: rule states are honoured, a target's own policy is asked before
anything reaches it, a function is invoked through Lambda's asynchronous queue, and what cannot be
delivered goes to the target's dead-letter queue.
"""

from __future__ import annotations

import contextvars
import hashlib
import json
import logging
import time
import uuid
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id, set_request_account_id, set_request_region
from ministack.services import eventbridge, lambda_svc, sqs

from local.ministack.resource_policy import ServiceCall, UnknownCondition, allows

log = logging.getLogger("local.ministack")

EVENTS = "events.amazonaws.com"
ALARMS = "lambda.alarms.cloudwatch.amazonaws.com"
CLOUDTRAIL_CALL = "AWS API Call via CloudTrail"


class NotDelivered(Exception):
    """AWS would not deliver this; `code` is the reason EventBridge gives a dead-letter queue."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class _Delivery:
    """The rule (or schedule) whose target is being called."""

    source_arn: str

    @property
    def by_rule(self) -> bool:
        """Schedules call their target with a role's permissions, not the resource policy's."""
        return ":rule/" in self.source_arn


_delivery: contextvars.ContextVar[_Delivery] = contextvars.ContextVar("delivery")


def install() -> None:
    """Replaces ministack's dispatch of events and its asynchronous invocation."""
    global _invoke_async, _invoke_target, _send_to_queue
    _invoke_async = lambda_svc.invoke_async_with_retry
    _invoke_target = eventbridge._invoke_target
    _send_to_queue = eventbridge._dispatch_to_sqs
    lambda_svc.invoke_async_with_retry = _invoke_with_its_config
    eventbridge._dispatch_event = _dispatch_event
    eventbridge._invoke_target = _call_target
    eventbridge._dispatch_to_lambda = _dispatch_to_lambda
    eventbridge._dispatch_to_sqs = _dispatch_to_sqs


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


def invoke_for_alarm(alarm_arn: str, function_arn: str, payload: dict[str, Any]) -> None:
    """Invokes a function as the alarms service does; raises NotDelivered where AWS would not.

    The permission: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    _, _, _, region, account, *_ = alarm_arn.split(":")
    set_request_account_id(account)
    set_request_region(region)
    _invoke(function_arn, payload, ALARMS, alarm_arn)


def _dispatch_event(event: dict[str, Any], view: Any = None) -> list[str]:
    view = view or eventbridge._pattern_event_view(event)
    bus, path = event.get("EventBusName", "default"), set(event.get("_DispatchPath") or [])
    matched = []
    for key, rule in list(eventbridge._rules.items()):
        if (
            rule.get("EventBusName", "default") != bus
            or key in path
            or not rule.get("EventPattern")
        ):
            continue
        if not _enabled(rule, view):
            continue
        if eventbridge._matches_pattern_view(rule["EventPattern"], view, f"rule {key}"):
            matched.append(rule["Name"])
            for target in eventbridge._targets.get(key, []):
                eventbridge._invoke_target(target, event, rule, view)
    return matched


def _enabled(rule: dict[str, Any], view: Any) -> bool:
    """Read-only management calls reach only rules that ask for them in their state.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
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
    token = _delivery.set(_Delivery(rule.get("Arn", "")))
    undelivered: list[NotDelivered] = []
    refusals = _refusals.set(undelivered)
    try:
        _invoke_target(target, event, rule, view)
    finally:
        _delivery.reset(token)
        _refusals.reset(refusals)
    for refusal in undelivered:
        log.error("%s did not reach %s: %s", rule.get("Arn"), target.get("Arn"), refusal)
        queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        if queue_arn:
            view = view or eventbridge._pattern_event_view(event)
            _dead_letter(queue_arn, view.event_with_detail(), rule, target, refusal)


# ministack swallows whatever a target raises, so a refusal is handed past it.
_refusals: contextvars.ContextVar[list[NotDelivered]] = contextvars.ContextVar("refusals")


def _dispatch_to_lambda(arn: str, payload: str) -> None:
    delivery = _delivery.get()
    try:
        _invoke(arn, json.loads(payload), EVENTS if delivery.by_rule else None, delivery.source_arn)
    except NotDelivered as refusal:
        _refusals.get().append(refusal)


def _dispatch_to_sqs(spec: Any, payload: str, sqs_parameters: Any = None) -> None:
    delivery = _delivery.get()
    queue = sqs._queue_by_arn(str(spec))
    if queue is None:
        _refusals.get().append(NotDelivered("NO_RESOURCE", f"there is no queue {spec}"))
        return
    if delivery.by_rule:
        policy = json.loads(queue["attributes"].get("Policy") or "{}")
        call = ServiceCall(
            EVENTS, "sqs:SendMessage", str(spec), delivery.source_arn, get_account_id()
        )
        if not _permitted(policy, call):
            _refusals.get().append(_no_permission(call))
            return
    _send_to_queue(spec, payload, sqs_parameters)


def _invoke(arn: str, payload: Any, service: str | None, source_arn: str) -> None:
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        raise NotDelivered("NO_RESOURCE", f"there is no function {arn}")
    if service is not None:
        base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
        call = ServiceCall(service, "lambda:InvokeFunction", arn, source_arn, get_account_id())
        if not _permitted(base["policy"], call):
            raise _no_permission(call)
    record = lambda_svc._execution_record_for_config(function, dict(config, FunctionArn=arn))
    lambda_svc.invoke_async_with_retry(record, payload)


def _invoke_with_its_config(func: dict[str, Any], event: Any) -> None:
    """Asynchronous invocation under the configuration of the qualifier that was invoked.

    ministack looks only under `$LATEST`; an unqualified configuration is `$LATEST`'s too, and a
    version or alias has its own.
    """
    config = func.get("config") or func
    arn = config["FunctionArn"]
    base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
    _, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(arn)
    qualifiers = ("$LATEST", "") if qualifier in (None, "$LATEST") else (qualifier,)
    found = (lambda_svc._event_invoke_config(base or func, name) for name in qualifiers)
    chosen = next((settings for settings in found if settings is not None), None)
    _invoke_async(dict(func, event_invoke_config=chosen, event_invoke_configs={}), event)


def _permitted(policy: dict[str, Any], call: ServiceCall) -> bool:
    try:
        return allows(policy, call)
    except UnknownCondition as error:
        log.error("%s is treated as refused: %s", call, error)
        return False


def _no_permission(call: ServiceCall) -> NotDelivered:
    return NotDelivered(
        "NO_PERMISSIONS",
        f"the policy of {call.resource} does not let {call.service} call {call.action}"
        f" for {call.source_arn}",
    )


def _dead_letter(
    queue_arn: str,
    event: dict[str, Any],
    rule: dict[str, Any],
    target: dict[str, Any],
    refusal: NotDelivered,
) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"""
    queue = sqs._queue_by_arn(queue_arn)
    call = ServiceCall(EVENTS, "sqs:SendMessage", queue_arn, rule.get("Arn", ""), get_account_id())
    if queue is None or not _permitted(json.loads(queue["attributes"].get("Policy") or "{}"), call):
        log.error("the event is lost: dead-letter queue %s cannot be written", queue_arn)
        return
    body = json.dumps(event)
    now = time.time()
    attributes = {
        "RULE_ARN": rule.get("Arn", ""),
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": refusal.code,
        "ERROR_MESSAGE": str(refusal),
    }
    message = {
        "id": str(uuid.uuid4()),
        "body": body,
        "md5_body": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "receipt_handle": None,
        "sent_at": now,
        "visible_at": now,
        "receive_count": 0,
        "attributes": {},
        "message_attributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
        "sys": {"SenderId": EVENTS, "SentTimestamp": str(int(now * 1000))},
    }
    with sqs._queues_lock:
        queue["messages"].append(message)
