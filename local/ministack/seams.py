"""The private names of ministack this launcher builds on: checked before anything is patched.

ministack offers no plug-in interface, so its functions are replaced where they stand. A release that
renames one, or changes what it is called with, must stop the launcher and say which: a patch that
silently patches nothing would leave the account looser than AWS.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seam:
    """A name in a module and, for a function, the parameters it is called with."""

    module: str
    name: str
    parameters: tuple[str, ...] | None = None

    def __str__(self) -> str:
        call = "" if self.parameters is None else f"({', '.join(self.parameters)})"
        return f"{self.module}.{self.name}{call}"


class SeamGone(Exception):
    """A name this launcher replaces or calls is no longer what it was."""


EVENTBRIDGE = "ministack.services.eventbridge"
LAMBDA = "ministack.services.lambda_svc"
RUNTIME = "ministack.core.lambda_runtime"
SNS = "ministack.services.sns"
SQS = "ministack.services.sqs"
PROVISIONERS = "ministack.services.cloudformation.provisioners"

SEAMS = (
    Seam("ministack.app", "app", ("scope", "receive", "send")),
    Seam("ministack.core.responses", "set_request_account_id", ("access_key_id",)),
    Seam("ministack.core.responses", "set_request_region", ("region",)),
    Seam(
        "ministack.core.responses",
        "error_response_json",
        ("code", "message", "status", "extra", "message_key", "content_type"),
    ),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam(EVENTBRIDGE, "_rules"),
    Seam(EVENTBRIDGE, "_targets"),
    Seam(EVENTBRIDGE, "_dispatch_event", ("event", "view")),
    Seam(EVENTBRIDGE, "_archive_event", ("event", "view")),
    Seam(EVENTBRIDGE, "_pattern_event_view", ("event",)),
    Seam(EVENTBRIDGE, "_matches_pattern_view", ("pattern_str", "view", "owner")),
    Seam(EVENTBRIDGE, "_invoke_target", ("target", "event", "rule", "view")),
    Seam(EVENTBRIDGE, "_dispatch_to_lambda", ("arn", "payload")),
    Seam(EVENTBRIDGE, "_dispatch_to_sqs", ("spec", "payload", "sqs_parameters")),
    Seam(EVENTBRIDGE, "_put_events", ("data", "allow_aws_source")),
    Seam(EVENTBRIDGE, "_dispatch_to_sns", ("arn", "payload")),
    Seam(SNS, "_publish", ("params",)),
    Seam(SNS, "_topic_by_arn_any_scope", ("topic_arn",)),
    Seam(
        SNS,
        "_deliver_to_lambda",
        (
            *("endpoint", "envelope", "topic_arn", "sub_arn"),
            *("msg_id", "raw_message", "message_attributes"),
        ),
    ),
    Seam(SNS, "_p", ("params", "key", "default")),
    Seam(SNS, "_error", ("code", "message", "status")),
    Seam(LAMBDA, "_get_func_record_for_ref", ("function_ref",)),
    Seam(LAMBDA, "_get_base_func_record_for_ref", ("function_ref",)),
    Seam(LAMBDA, "_event_invoke_config", ("func", "qualifier")),
    Seam(LAMBDA, "_execution_record_for_config", ("func", "config")),
    Seam(LAMBDA, "_lambda_function_name_and_qualifier_from_arn", ("value",)),
    Seam(LAMBDA, "invoke_async_with_retry", ("func", "event")),
    Seam(LAMBDA, "_route_async_failure", ("target_arn", "func_name", "event", "result")),
    Seam(LAMBDA, "_emit_lambda_metrics", ("function_name", "duration_ms", "error", "throttle")),
    Seam(LAMBDA, "_execute_function", ("func", "event")),
    Seam(LAMBDA, "_execute_function_warm", ("func", "event", "request_id")),
    Seam(LAMBDA, "_function_config_scope_mismatch", ("config",)),
    Seam(LAMBDA, "_xray_trace_id_for_invocation", ("config", "inbound_trace_header")),
    Seam(LAMBDA, "_iter_all_esms", ()),
    Seam(LAMBDA, "_create_esm", ("data",)),
    Seam(LAMBDA, "_update_esm", ("esm_id", "data")),
    Seam(LAMBDA, "handle_request", ("method", "path", "headers", "body", "query_params")),
    Seam(LAMBDA, "_functions"),
    Seam(LAMBDA, "_func_arn", ("name",)),
    Seam(LAMBDA, "_invoke", ("name", "event", "headers", "path_qualifier", "query_params")),
    Seam(LAMBDA, "_resolve_name_and_qualifier", ("name_or_arn",)),
    Seam(LAMBDA, "_qp_first", ("query_params", "key", "default")),
    Seam(LAMBDA, "_publish_version", ("name", "data")),
    Seam(LAMBDA, "_update_code", ("name", "data")),
    Seam(LAMBDA, "_update_config", ("name", "data")),
    Seam(LAMBDA, "_create_alias", ("func_name", "data")),
    Seam(LAMBDA, "_get_alias", ("func_name", "alias_name")),
    Seam(LAMBDA, "_update_alias", ("func_name", "alias_name", "data")),
    Seam(LAMBDA, "_delete_alias", ("func_name", "alias_name")),
    Seam(LAMBDA, "_list_aliases", ("func_name", "query_params")),
    Seam(LAMBDA, "_put_provisioned_concurrency", ("func_name", "qualifier", "data")),
    Seam(LAMBDA, "_get_provisioned_concurrency", ("func_name", "qualifier")),
    Seam(LAMBDA, "_delete_provisioned_concurrency", ("func_name", "qualifier")),
    Seam(LAMBDA, "_put_function_concurrency", ("func_name", "data")),
    Seam(LAMBDA, "_delete_function_concurrency", ("func_name",)),
    Seam(LAMBDA, "_get_account_settings", ()),
    Seam(LAMBDA, "_esms"),
    Seam(LAMBDA, "_esm_wake"),
    Seam(RUNTIME, "execution_credentials", ("config",)),
    Seam(RUNTIME, "subprocess"),
    Seam(RUNTIME, "Worker"),
    Seam(RUNTIME, "_account_region_from_function_config", ("config",)),
    Seam("ministack.services.iam", "_roles"),
    Seam(
        "ministack.core.iam_evaluator",
        "_resolve_managed_policy_document",
        ("policy_arn", "account_id"),
    ),
    Seam("ministack.services.sts", "register_session", ("access_key", "session")),
    Seam(SQS, "_queues"),
    Seam(SQS, "_queues_lock"),
    Seam(SQS, "_queue_by_arn", ("arn",)),
    Seam(SQS, "_get_q", ("url", "action")),
    Seam(SQS, "_expire_retained", ("q",)),
    Seam(SQS, "_dlq_sweep", ("q",)),
    Seam(SQS, "_collect_msgs", ("q", "max_n", "vis_timeout")),
    Seam(SQS, "queue_policy_allows", ("queue_arn", "service", "source_arn", "source_account")),
    Seam(SQS, "_receive_messages_for_esm", ("queue_url", "max_number")),
    Seam(
        "ministack.services.cloudwatch",
        "record_metric",
        ("namespace", "metric_name", "value", "unit", "dimensions"),
    ),
    Seam(PROVISIONERS, "_RESOURCE_HANDLERS"),
    Seam(PROVISIONERS, "_physical_name"),
    Seam(PROVISIONERS, "_delete_predecessor"),
)


def verify(seams: Iterable[Seam] = SEAMS) -> None:
    """Raises SeamGone naming every seam that is missing or is called differently now."""
    gone = [reason for seam in seams if (reason := _fault(seam))]
    if gone:
        raise SeamGone(
            "this ministack is not the one the launcher was written for: "
            + "; ".join(gone)
            + ". Install the pinned version (local/ministack/requirements.txt), or adapt the launcher."
        )


def _fault(seam: Seam) -> str | None:
    try:
        module: Any = importlib.import_module(seam.module)
    except ImportError as error:
        return f"{seam.module} cannot be imported ({error})"
    if not hasattr(module, seam.name):
        return f"{seam} is gone"
    if seam.parameters is None:
        return None
    found = tuple(inspect.signature(getattr(module, seam.name)).parameters)
    return None if found == seam.parameters else f"{seam} takes ({', '.join(found)}) now"
