"""The deployed stack as the command line finds it: by its name and its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

STACK = "MlCapacityRemediation"


def client(service: str) -> Any:
    """A boto3 client of the operator's own credentials and Region."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5)
    try:
        return boto3.client(service, config=config)  # type: ignore[call-overload]
    except BotoCoreError as error:
        fail(f"No AWS credentials or Region to use: {error} Set AWS_PROFILE or AWS_REGION.")


def fail(sentence: str) -> NoReturn:
    """End the command with a sentence for a person and exit code 1."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


@dataclass(frozen=True)
class Stack:
    """Names and ARNs of what the stack made."""

    ledger: str
    mode_parameter: str
    operator: str
    provisioned_concurrency: str
    traffic_shift: str

    @classmethod
    def find(cls, name: str = STACK) -> Stack:
        try:
            [found] = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except (ClientError, BotoCoreError) as error:
            fail(f"Stack {name} was not found with these credentials: {error} Deploy it first.")
        outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())}
        try:
            return cls(
                ledger=outputs["LedgerTableName"],
                mode_parameter=outputs["ModeParameterName"],
                operator=outputs["OperatorFunctionArn"],
                provisioned_concurrency=outputs["ProvisionedConcurrencyFunctionArn"],
                traffic_shift=outputs["TrafficShiftFunctionArn"],
            )
        except KeyError as missing:
            fail(f"Stack {name} has no output {missing}: deploy this version of it first.")
