"""A function of the deployed stack, in mode act, seen from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from local.deployment import STACK
from local.pocket import Account

REPORT = re.compile(r"^REPORT .*?\bDuration: ([\d.]+) ms")


class Deployed:
    """Deploys the stack; `output` is the name of the function's ARN among its outputs, `settings`
    stand over those of cdk.json."""

    def __init__(
        self, account: Account, output: str, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.account = account
        own = account.state / "settings.json"
        own.write_text(json.dumps(settings or {}))
        account.bootstrap()
        account.deploy(context={"settings": str(own)})
        self._logs = account.client("logs")
        [stack] = account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        self.function_arn = self.outputs[output]
        function = account.client("lambda").get_function_configuration(
            FunctionName=self.function_arn
        )
        self.function = function["FunctionName"]
        self._log_group = function["LoggingConfig"]["LogGroup"]
        account.client("ssm").put_parameter(
            Name=self.outputs["ModeParameterName"], Value="act", Type="String", Overwrite=True
        )

    def stop_heartbeat(self) -> None:
        """So that no look but the measured ones makes calls."""
        scheduler = self.account.client("scheduler")
        for each in scheduler.list_schedules()["Schedules"]:
            scheduler.delete_schedule(Name=each["Name"], GroupName=each["GroupName"])

    def reports(self) -> list[float]:
        """Seconds of each invocation so far, as Lambda's REPORT lines tell them."""
        return [float(found[1]) / 1000 for line in self._lines() if (found := REPORT.match(line))]

    def logged(self, text: str) -> int:
        """How many lines of the function's log hold the text."""
        return sum(text in line for line in self._lines())

    def _lines(self) -> list[str]:
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=self._log_group)
        return [event["message"] for page in pages for event in page["events"]]
