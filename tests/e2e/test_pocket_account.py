"""The pocket account behaves as an account: for clients and for functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.account import scrubbed
from local.pocket import ControlRefused, Pocket
from tests.e2e.probe import (
    ACCOUNT,
    Probe,
    a_queue,
    an_event,
    metric,
    received,
)

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


class TestClients:
    def test_the_aws_cli_works_unmodified(self, pocket: Pocket, tmp_path: Path) -> None:
        def aws(*line: str) -> Any:
            done = subprocess.run(
                [Path(sys.executable).with_name("aws"), "--output", "json", *line],
                env={**scrubbed(os.environ), **pocket.env},
                capture_output=True,
                text=True,
                check=True,
            )
            return json.loads(done.stdout or "null")

        nobody = f"e-{uuid4().hex}"
        assert aws("sagemaker", "list-endpoints", "--name-contains", nobody) == {"Endpoints": []}
        assert len(aws("lambda", "list-functions")["Functions"]) >= 2
        assert len(aws("cloudwatch", "describe-alarms")["MetricAlarms"]) >= 2
        (table,) = aws("dynamodb", "list-tables")["TableNames"]
        assert "Items" in aws("dynamodb", "scan", "--table-name", table)
        bucket = f"b-{uuid4().hex}"
        (tmp_path / "file").write_bytes(b"x" * 9_000_000)
        aws("s3api", "create-bucket", "--bucket", bucket)
        aws("s3", "cp", "--quiet", str(tmp_path / "file"), f"s3://{bucket}/a/file")
        aws("s3", "cp", "--quiet", f"s3://{bucket}/a/file", str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == b"x" * 9_000_000

    def test_tags_are_found_on_both_sides_of_the_account(
        self, pocket: Pocket, outputs: dict[str, str]
    ) -> None:
        found = pocket.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate()
        services = {
            mapping["ResourceARN"].split(":")[2]
            for page in found
            for mapping in page["ResourceTagMappingList"]
        }
        assert "lambda" in services

    def test_the_control_interface_refuses_what_it_does_not_know(self, pocket: Pocket) -> None:
        with pytest.raises(ControlRefused, match="GET / lists"):
            pocket.control("POST", "/nothing")
        with pytest.raises(ControlRefused, match="source"):
            pocket.put_event({k: v for k, v in an_event().items() if k != "source"})


class TestFunctions:
    def test_a_function_runs_under_its_own_role_and_its_calls_are_known(self, probe: Probe) -> None:
        role = f"{probe.name}-role"
        assert probe.invoke(do="identity") == (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{probe.name}"
        )
        (call,) = probe.pocket.calls(caller=probe.name, service="sts")
        assert (call["operation"], call["role"].rsplit("/", 1)[-1]) == ("GetCallerIdentity", role)

    def test_a_function_sees_what_lambda_sets_and_nothing_of_the_host(
        self, probe: Probe, pocket: Pocket
    ) -> None:
        environment = probe.invoke(do="environment")
        assert environment["AWS_LAMBDA_FUNCTION_NAME"] == probe.name
        assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.14"
        assert environment["AWS_ENDPOINT_URL"] == pocket.endpoint_url
        assert environment["SEEN"] == probe.seen
        strangers = {"GATEWAY_PORT", "POCKET_INTERNAL_URL", "AWS_PROFILE", "VIRTUAL_ENV"}
        assert not strangers & environment.keys()

    def test_invocations_and_errors_become_metrics(self, probe: Probe) -> None:
        probe.invoke(do="fail")
        assert metric(probe.pocket, "AWS/Lambda", "Errors", FunctionName=probe.name) == 1
        assert metric(probe.pocket, "AWS/Lambda", "Invocations", FunctionName=probe.name) == 1

    def test_metrics_in_the_log_reach_cloudwatch(self, probe: Probe) -> None:
        probe.invoke(do="measure")
        assert metric(probe.pocket, "Probe", "Seen", by="function") == 3

    def test_a_failed_asynchronous_invocation_ends_at_its_destination(
        self, probe: Probe, pocket: Pocket
    ) -> None:
        url, arn = a_queue(pocket)
        functions = pocket.client("lambda")
        functions.put_function_event_invoke_config(
            FunctionName=probe.name,
            MaximumRetryAttempts=1,
            DestinationConfig={"OnFailure": {"Destination": arn}},
        )
        payload = json.dumps({"do": "fail"})
        functions.invoke(FunctionName=probe.name, InvocationType="Event", Payload=payload)
        record = received(pocket, url)
        assert record["requestPayload"] == {"do": "fail"}
        assert record["requestContext"]["condition"] == "RetriesExhausted"
        assert record["requestContext"]["approximateInvokeCount"] == 2
        raised = record["responsePayload"]
        assert (raised["errorType"], raised["errorMessage"]) == ("ValueError", "as told")
