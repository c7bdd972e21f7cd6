"""Asynchronous invocation of functions by AWS services: permitted, retried, and told when it failed."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_account_id, set_request_account_id, set_request_region
from ministack.services import lambda_svc

from local.ministack import queues
from local.ministack.permission import NotDelivered, require_permission
from local.ministack.resource_policy import ServiceCall

ALARMS = "lambda.alarms.cloudwatch.amazonaws.com"

# ministack's own, which do the work once the settings are right.
_invoke_async = lambda_svc.invoke_async_with_retry
_route_failure = lambda_svc._route_async_failure
_execute = lambda_svc._execute_function_warm

RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")


def install() -> None:
    """Puts Lambda's asynchronous settings and its failure record in place."""
    lambda_svc.invoke_async_with_retry = _invoke_with_its_config
    lambda_svc._route_async_failure = _tell_failure
    lambda_svc._execute_function_warm = _execute_naming_errors


def invoke(arn: str, payload: Any, *, service: str | None, source_arn: str) -> None:
    """Invokes a function (version, alias) asynchronously for an AWS service.

    `service` None means a caller that acts with a role. Raises NotDelivered when the function does
    not exist or its policy does not let the service invoke it for `source_arn`.
    """
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        raise NotDelivered("NO_RESOURCE", f"there is no function {arn}")
    if service is not None:
        base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
        require_permission(
            base["policy"],
            ServiceCall(service, "lambda:InvokeFunction", arn, source_arn, get_account_id()),
        )
    record = lambda_svc._execution_record_for_config(function, dict(config, FunctionArn=arn))
    lambda_svc.invoke_async_with_retry(record, payload)


def invoke_for_alarm(alarm_arn: str, function_arn: str, payload: dict[str, Any]) -> None:
    """Invokes a function as the alarms service does; raises NotDelivered where AWS would not.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    _, _, _, region, account, *_ = alarm_arn.split(":")
    set_request_account_id(account)
    set_request_region(region)
    invoke(function_arn, payload, service=ALARMS, source_arn=alarm_arn)


def _execute_naming_errors(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Names an exception that a handler raised by its class, as the Python runtime does.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    result: dict[str, Any] = _execute(func, event, request_id)
    body = result.get("body")
    if result.get("error") and isinstance(body, dict):
        if body.get("errorType") == "Runtime.HandlerError":
            raised = [
                found[1] for line in result["log"].splitlines() if (found := RAISED.match(line))
            ]
            if raised:
                body["errorType"] = raised[-1].rsplit(".", 1)[-1]
        body["requestId"] = request_id
    return result


def _invoke_with_its_config(func: dict[str, Any], event: Any) -> None:
    """Asynchronous invocation under the configuration of the qualifier that was invoked.

    ministack looks only under `$LATEST`; an unqualified configuration is `$LATEST`'s too, and a
    version or alias has its own.
    """
    chosen = _event_invoke_config((func.get("config") or func)["FunctionArn"])
    _invoke_async(dict(func, event_invoke_config=chosen, event_invoke_configs={}), event)


def _event_invoke_config(function_arn: str) -> dict[str, Any] | None:
    base, _, _ = lambda_svc._get_base_func_record_for_ref(function_arn)
    _, qualifier = lambda_svc._lambda_function_name_and_qualifier_from_arn(function_arn)
    qualifiers = ("$LATEST", "") if qualifier in (None, "$LATEST") else (qualifier,)
    found = (lambda_svc._event_invoke_config(base or {}, name) for name in qualifiers)
    return next((settings for settings in found if settings is not None), None)


def _tell_failure(target_arn: str, func_name: str, event: Any, result: dict[str, Any]) -> None:
    """Sends an on-failure destination that is a queue the record AWS sends.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    queue = queues.find(target_arn) if ":sqs:" in target_arn else None
    if queue is None:
        _route_failure(target_arn, func_name, event, result)
        return
    base, _, _ = lambda_svc._get_base_func_record_for_ref(func_name)
    function_arn = base["config"]["FunctionArn"]
    retries = (_event_invoke_config(function_arn) or {}).get("MaximumRetryAttempts")
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {
        "version": "1.0",
        "timestamp": moment,
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"{function_arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1 + (2 if retries is None else int(retries)),
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": result.get("function_error") or "Unhandled",
        },
        "responsePayload": result.get("body"),
    }
    queues.send(queue, json.dumps(record), {}, "lambda.amazonaws.com")
