"""`remediation`: what an operator types."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli import status as ledger
from cli.alarms import of_alias, of_endpoint
from cli.explain import explain as explain_file
from cli.stack import STACK, Stack, client, fail
from functions.core.mode import Mode

app = typer.Typer(
    help="Watch and steer ML capacity remediation in the account of your AWS credentials.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Name = Annotated[str, typer.Option("--stack", help="Name of the deployed stack.")]
By = Annotated[str, typer.Option("--by", help="Your name, recorded as claimed.")]
Id = Annotated[str, typer.Argument(help="An incident's id, as `remediation status` shows it.")]


@app.command()
def status(as_json: Json = False, stack: Name = STACK, most: int = 20) -> None:
    """Show the account's mode, incidents and refused signals."""
    deployed = Stack.find(stack)
    mode = _mode(deployed)
    found = ledger.read(client("dynamodb"), deployed.ledger, most)
    if as_json:
        _print({"mode": mode, **found})
    else:
        ledger.show(Console(), mode, found)


@app.command()
def mode(
    mode: Annotated[
        str | None, typer.Argument(help="off, observe, approve or act; none shows it.")
    ] = None,
    as_json: Json = False,
    stack: Name = STACK,
) -> None:
    """Show or set the account's mode, the kill switch: the lower of it and a tag's counts."""
    deployed = Stack.find(stack)
    if mode is not None:
        if Mode.of(mode) is None:
            known = ", ".join(each.word for each in Mode)
            fail(f"Mode {mode!r} is unknown; it must be one of {known}.")
        client("ssm").put_parameter(
            Name=deployed.mode_parameter, Value=mode, Type="String", Overwrite=True
        )
    now = _mode(deployed)
    if as_json:
        _print({"mode": now})
    else:
        typer.echo(now)


@app.command()
def explain(
    events: Annotated[list[Path], typer.Argument(help="Files, each with one event as JSON.")],
    as_json: Json = False,
) -> None:
    """Say offline what events mean: target, remediation, what would be done and when."""
    found = [explain_file(path) for path in events]
    if as_json:
        _print(found)
        return
    for path, each in zip(events, found, strict=True):
        typer.echo(f"{path}")
        for key, value in each.items():
            if key == "conditions":
                for line in value:
                    typer.echo(f"  if {line}")
            elif value is not None:
                typer.echo(f"  {key}: {value if isinstance(value, str) else json.dumps(value)}")


@app.command()
def alarms(
    target: Annotated[
        str,
        typer.Argument(help="An endpoint's name or ARN, or a Lambda alias as NAME:ALIAS or ARN."),
    ],
    create: Annotated[bool, typer.Option("--create", help="Create them too.")] = False,
    latency_ms: Annotated[
        float | None,
        typer.Option(
            help="Add alarms on the p90 of the model's latency, for variants with instances."
        ),
    ] = None,
    as_json: Json = False,
    stack: Name = STACK,
) -> None:
    """Print the alarms worth having on an endpoint or alias, with a function as their action."""
    deployed = Stack.find(stack)
    here = deployed.traffic_shift.split(":")[3:5]
    if target.startswith("arn:") and target.split(":")[3:5] != here:
        fail(f"{target} is not in the stack's account and Region: use the stack there.")
    try:
        wanted = _alarms(target, deployed, latency_ms)
        if create:
            for each in wanted:
                client("cloudwatch").put_metric_alarm(**each)
    except (ClientError, BotoCoreError) as error:
        fail(f"{target}: {error}")
    if as_json:
        _print(wanted)
        return
    for each in wanted:
        typer.echo(f"aws cloudwatch put-metric-alarm --cli-input-json '{json.dumps(each)}'")
    typer.echo(f"{len(wanted)} created." if create else "Add --create to create them.", err=True)


def _alarms(target: str, deployed: Stack, latency_ms: float | None) -> list[dict[str, Any]]:
    """What is worth having on a target that exists."""
    _, _, of_lambda = target.partition(":function:")
    kind, _, name = target.rpartition("/")
    if not of_lambda and (kind or ":" not in target):
        endpoint = client("sagemaker").describe_endpoint(EndpointName=name)
        return of_endpoint(
            endpoint, deployed.traffic_shift, deployed.provisioned_concurrency, latency_ms
        )
    function, _, alias = (of_lambda or target).partition(":")
    if not alias or alias.isdigit() or alias == "$LATEST":
        fail(
            f"{target} names no alias: provisioned concurrency is kept for aliases, as NAME:ALIAS."
        )
    if latency_ms is not None:
        fail("--latency-ms is for endpoints: nothing here shifts the traffic of an alias.")
    client("lambda").get_alias(FunctionName=function, Name=alias)
    return of_alias(function, alias, deployed.provisioned_concurrency)


@app.command()
def approve(id: Id, by: By = "", as_json: Json = False, stack: Name = STACK) -> None:
    """Have done what an incident asks for in mode approve."""
    _ask("approve", id, by, as_json, stack)


@app.command()
def reject(id: Id, by: By = "", as_json: Json = False, stack: Name = STACK) -> None:
    """Leave undone what an incident asks for; hands off its target for an hour."""
    _ask("reject", id, by, as_json, stack)


@app.command()
def revert(id: Id, by: By = "", as_json: Json = False, stack: Name = STACK) -> None:
    """Put back what an incident changed, while the target still stands where it was left."""
    _ask("revert", id, by, as_json, stack)


def _ask(command: str, id: str, by: str, as_json: bool, stack: str) -> None:
    deployed = Stack.find(stack)
    asked = {"command": command, "incident": id, "by": by or getpass.getuser()}
    try:
        answer = client("lambda").invoke(
            FunctionName=deployed.operator, Payload=json.dumps(asked).encode()
        )
        result = json.loads(answer["Payload"].read())
    except (ClientError, BotoCoreError) as error:
        fail(f"The operator function could not be asked: {error}")
    if "FunctionError" in answer:
        fail(f"The operator function failed: {result}. Its log says more.")
    if as_json:
        _print(result)
    elif result["accepted"]:
        typer.echo(f"{command} of {id} left for the remediation; `remediation status` shows it.")
    if not result["accepted"]:
        if not as_json:
            typer.echo(f"{command} of {id} was refused: {result['reason']}.", err=True)
        raise typer.Exit(1)


def _mode(deployed: Stack) -> str:
    try:
        found = client("ssm").get_parameter(Name=deployed.mode_parameter)
    except (ClientError, BotoCoreError) as error:
        fail(f"The mode in {deployed.mode_parameter} could not be read: {error}")
    return str(found["Parameter"]["Value"])


def _print(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2))
