"""A function of the deployed stack, in mode act, seen from outside."""

from __future__ import annotations

import re

from local.deployment import STACK
from local.pocket import Account

REPORT = re.compile(r"^REPORT .*?\bDuration: ([\d.]+) ms")


class Deployed:
    """Deploys the stack; `output` is the name of the function's ARN among its outputs."""

    def __init__(self, account: Account, output: str) -> None:
        self.account = account
        account.bootstrap()
        account.deploy()
        self._logs = account.client("logs")
        [stack] = account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        self.function_arn = outputs[output]
        function = account.client("lambda").get_function_configuration(
            FunctionName=self.function_arn
        )
        self.function = function["FunctionName"]
        self._log_group = function["LoggingConfig"]["LogGroup"]
        account.client("ssm").put_parameter(
            Name=outputs["ModeParameterName"], Value="act", Type="String", Overwrite=True
        )

    def stop_heartbeat(self) -> None:
        """So that no look but the measured ones makes calls."""
        scheduler = self.account.client("scheduler")
        for each in scheduler.list_schedules()["Schedules"]:
            scheduler.delete_schedule(Name=each["Name"], GroupName=each["GroupName"])

    def reports(self) -> list[float]:
        """Seconds of each invocation so far, as Lambda's REPORT lines tell them."""
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=self._log_group)
        lines = (event["message"] for page in pages for event in page["events"])
        return [float(found[1]) / 1000 for line in lines if (found := REPORT.match(line))]
