"""The pocket account behaves as an account: for the CLI, for functions, for events and alarms."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.account import LOG, scrubbed
from local.pocket import ControlRefused, Pocket
from tests.e2e.conftest import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]

ACCOUNT, REGION = "000000000000", "us-east-1"
CODE = """
import json, os, time, boto3

def handler(event, context):
    match event.get("do"):
        case "fail":
            raise ValueError("as told")
        case "environment":
            return dict(os.environ)
        case "identity":
            return boto3.client("sts").get_caller_identity()["Arn"]
        case "measure":
            directive = {"Namespace": "Probe", "Dimensions": [["by"]], "Metrics": [{"Name": "Seen"}]}
            emf = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
            print(json.dumps({"_aws": emf, "by": "function", "Seen": [1, 2]}))
        case _:
            body = json.dumps(event)
            boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=body)
"""


@dataclass(frozen=True)
class Probe:
    """A function that does what its event says, and reports every other event to a queue."""

    pocket: Pocket
    name: str
    arn: str
    seen: str

    def invoke(self, **event: Any) -> Any:
        answer = self.pocket.client("lambda").invoke(
            FunctionName=self.name, Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read())

    def next_event(self) -> dict[str, Any]:
        """The next event it was given."""
        return received(self.pocket, self.seen)

    def allow(self, service: str, source_arn: str) -> None:
        self.pocket.client("lambda").add_permission(
            FunctionName=self.name,
            StatementId=f"s{uuid4().hex}",
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source_arn,
            SourceAccount=ACCOUNT,
        )


def received(pocket: Pocket, queue_url: str) -> dict[str, Any]:
    sqs = pocket.client("sqs")
    (message,) = eventually(
        lambda: sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1).get("Messages")
    )
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    body: dict[str, Any] = json.loads(message["Body"])
    return body


def a_queue(pocket: Pocket, policy: dict[str, Any] | None = None) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    sqs = pocket.client("sqs")
    attributes = {"Policy": json.dumps(policy)} if policy else {}
    url = sqs.create_queue(QueueName=f"q-{uuid4().hex}", Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[-1]}"


@pytest.fixture
def probe(pocket: Pocket) -> Iterator[Probe]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("probe.py", CODE)
    name, (seen, _) = f"probe-{uuid4().hex[:8]}", a_queue(pocket)
    functions = pocket.client("lambda")
    arn = functions.create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{name}-role",
        Handler="probe.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=20,
        Environment={"Variables": {"SEEN": seen}},
    )["FunctionArn"]
    yield Probe(pocket, name, arn, seen)
    functions.delete_function(FunctionName=name)


def an_event(source: str = "aws.sagemaker", **detail: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Something Happened",
        "source": source,
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


def a_rule(pocket: Pocket, token: str, target: dict[str, Any]) -> tuple[str, str]:
    """Name and ARN of a rule for events of AWS services whose detail has the token."""
    name, events = f"rule-{token}", pocket.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail": {"token": [token]}}
    arn = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "1", **target}])
    return name, arn


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


class TestEvents:
    def test_an_event_reaches_a_function_that_lets_the_rule_invoke_it(
        self, probe: Probe, pocket: Pocket
    ) -> None:
        token = uuid4().hex
        name, rule = a_rule(pocket, token, {"Arn": probe.arn})
        probe.allow("events.amazonaws.com", rule)
        event = an_event(token=token)
        assert pocket.put_event(event) == [name]
        assert probe.next_event() == event

    def test_an_event_does_not_reach_a_function_that_lets_nobody_in(
        self, probe: Probe, pocket: Pocket
    ) -> None:
        url, dead_letters = a_queue(pocket, queue_policy("events.amazonaws.com"))
        token = uuid4().hex
        name, _ = a_rule(
            pocket, token, {"Arn": probe.arn, "DeadLetterConfig": {"Arn": dead_letters}}
        )
        event = an_event(token=token)
        assert pocket.put_event(event) == [name]
        assert received(pocket, url) == event
        assert pocket.calls(caller=probe.name) == []

    def test_a_queue_takes_events_only_with_a_policy(self, pocket: Pocket) -> None:
        token = uuid4().hex
        (closed_url, closed), (open_url, opened) = (
            a_queue(pocket),
            a_queue(pocket, queue_policy("events.amazonaws.com")),
        )
        name, _ = a_rule(pocket, token, {"Arn": closed})
        pocket.client("events").put_targets(Rule=name, Targets=[{"Id": "2", "Arn": opened}])
        event = an_event(token=token)
        pocket.put_event(event)
        assert received(pocket, open_url) == event
        sizes = pocket.client("sqs").get_queue_attributes(
            QueueUrl=closed_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert sizes["Attributes"]["ApproximateNumberOfMessages"] == "0"

    def test_a_topic_takes_events_only_with_a_policy(self, pocket: Pocket) -> None:
        url, queue = a_queue(pocket, queue_policy("sns.amazonaws.com"))
        topics = pocket.client("sns")
        token = uuid4().hex
        topic = topics.create_topic(Name=f"t-{token}")["TopicArn"]
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        a_rule(pocket, token, {"Arn": topic})
        pocket.put_event(an_event(token=token, number=1))
        policy = queue_policy("events.amazonaws.com", "sns:Publish")
        topics.set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy)
        )
        pocket.put_event(an_event(token=token, number=2))
        event = json.loads(received(pocket, url)["Message"])
        assert event["detail"]["number"] == 2

    def test_a_topic_reaches_a_queue_only_with_a_policy(self, pocket: Pocket) -> None:
        (_, closed), (url, opened) = (
            a_queue(pocket),
            a_queue(pocket, queue_policy("sns.amazonaws.com")),
        )
        topics = pocket.client("sns")
        topic = topics.create_topic(Name=f"t-{uuid4().hex}")["TopicArn"]
        for queue in (closed, opened):
            topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        topics.publish(TopicArn=topic, Message="hello")
        assert received(pocket, url)["Message"] == "hello"
        closed_url = url.rsplit("/", 1)[0] + "/" + closed.rsplit(":", 1)[-1]
        assert "Messages" not in pocket.client("sqs").receive_message(QueueUrl=closed_url)

    def test_a_topic_invokes_a_function_that_lets_it(self, probe: Probe, pocket: Pocket) -> None:
        topics = pocket.client("sns")
        topic = topics.create_topic(Name=f"t-{uuid4().hex}")["TopicArn"]
        topics.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=probe.arn)
        topics.publish(TopicArn=topic, Message="too early")
        probe.allow("sns.amazonaws.com", topic)
        topics.publish(TopicArn=topic, Message="now")
        (record,) = probe.next_event()["Records"]
        assert record["Sns"]["Message"] == "now"

    def test_what_sns_does_not_take_is_refused(self, pocket: Pocket) -> None:
        topics = pocket.client("sns")
        topic = topics.create_topic(Name=f"t-{uuid4().hex}")["TopicArn"]
        for wrong in (
            {"Subject": "two\nlines", "Message": "m"},
            {"Subject": "x" * 101, "Message": "m"},
            {"Message": "x" * (256 * 1024 + 1)},
        ):
            with pytest.raises(ClientError, match="InvalidParameter"):
                topics.publish(TopicArn=topic, **wrong)

    @pytest.mark.parametrize(
        ("state", "name", "matches"),
        [
            ("ENABLED", "RunInstances", True),
            ("ENABLED", "DescribeInstances", False),
            ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "DescribeInstances", True),
            ("DISABLED", "RunInstances", False),
        ],
    )
    def test_read_only_calls_reach_rules_that_ask_for_them(
        self, pocket: Pocket, state: str, name: str, matches: bool
    ) -> None:
        token = uuid4().hex
        pattern = json.dumps({"detail": {"token": [token]}})
        pocket.client("events").put_rule(Name=f"r-{token}", EventPattern=pattern, State=state)
        event = an_event("aws.ec2", token=token, eventName=name)
        event["detail-type"] = "AWS API Call via CloudTrail"
        assert pocket.put_event(event) == ([f"r-{token}"] if matches else [])

    def test_a_client_may_not_speak_for_aws_nor_put_what_is_no_event(self, pocket: Pocket) -> None:
        good = {"Source": "me", "DetailType": "Mine", "Detail": "{}"}
        answer = pocket.client("events").put_events(
            Entries=[good | {"Source": "aws.ec2"}, good, good | {"Detail": "["}, {"Source": "me"}]
        )
        assert answer["FailedEntryCount"] == 3
        assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
            "NotAuthorizedForSourceException",
            None,
            "MalformedDetail",
            "InvalidArgument",
        ]

    def test_batches_are_as_large_as_the_mapping_asks(self, probe: Probe, pocket: Pocket) -> None:
        url, arn = a_queue(pocket)
        sqs = pocket.client("sqs")
        for _ in range(3):
            sqs.send_message_batch(
                QueueUrl=url,
                Entries=[{"Id": str(number), "MessageBody": "{}"} for number in range(10)],
            )
        pocket.client("lambda").create_event_source_mapping(
            EventSourceArn=arn,
            FunctionName=probe.name,
            BatchSize=100,
            MaximumBatchingWindowInSeconds=1,
        )
        assert len(probe.next_event()["Records"]) == 30


class TestAlarms:
    def test_an_alarm_invokes_a_function_that_lets_it(self, probe: Probe, pocket: Pocket) -> None:
        arn = an_alarm(pocket, probe.arn)
        probe.allow("lambda.alarms.cloudwatch.amazonaws.com", arn)
        ring(pocket, arn)
        event = probe.next_event()
        assert (event["source"], event["alarmArn"]) == ("aws.cloudwatch", arn)
        assert event["alarmData"]["state"]["value"] == "ALARM"

    def test_an_alarm_does_not_reach_a_function_that_does_not(
        self, probe: Probe, pocket: Pocket
    ) -> None:
        arn = an_alarm(pocket, probe.arn)
        probe.allow("lambda.alarms.cloudwatch.amazonaws.com", f"{arn}-another")
        ring(pocket, arn)
        log = pocket.state / LOG
        refusal = eventually(
            lambda: [
                line for line in log.read_text().splitlines() if arn in line and "not let" in line
            ]
        )
        assert "lambda:InvokeFunction" in refusal[0]
        assert pocket.calls(caller=probe.name) == []

    def test_a_change_of_state_is_an_event_on_the_bus(self, pocket: Pocket) -> None:
        url, queue = a_queue(pocket, queue_policy("events.amazonaws.com"))
        arn = an_alarm(pocket)
        name, events = f"rule-{uuid4().hex}", pocket.client("events")
        pattern = {"source": ["aws.cloudwatch"], "resources": [arn]}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue}])
        ring(pocket, arn)
        event = received(pocket, url)
        assert event["detail-type"] == "CloudWatch Alarm State Change"
        assert event["detail"]["state"]["value"] == "ALARM"

    def test_an_alarm_tells_its_topic(self, pocket: Pocket) -> None:
        url, queue = a_queue(pocket, queue_policy("sns.amazonaws.com"))
        topics = pocket.client("sns")
        topic = topics.create_topic(Name=f"t-{uuid4().hex}")["TopicArn"]
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        arn = an_alarm(pocket, topic)
        ring(pocket, arn)
        message = json.loads(received(pocket, url)["Message"])
        assert (message["AlarmArn"], message["NewStateValue"]) == (arn, "ALARM")

    def test_the_stacks_alarms_are_in_the_one_cloudwatch(
        self, pocket: Pocket, outputs: dict[str, str]
    ) -> None:
        cloudwatch = pocket.client("cloudwatch")
        alarms = cloudwatch.describe_alarms()["MetricAlarms"]
        stacks = [a for a in alarms if a["AlarmName"].startswith("MlCapacityRemediation-")]
        assert len(stacks) >= 2
        assert cloudwatch.get_dashboard(DashboardName=outputs["DashboardName"])["DashboardBody"]


class TestEnding:
    def test_nothing_is_left_when_the_account_is_killed(self) -> None:
        with Pocket() as account:
            group = launcher_of(account.process.pid)
            assert alive(group)
            os.kill(account.process.pid, signal.SIGKILL)
            eventually(lambda: not alive(group))

    def test_nothing_is_left_when_whoever_started_it_is_killed(self) -> None:
        code = (
            "import sys\nfrom local.pocket import Pocket\n"
            "account = Pocket()\nprint(account.process.pid, flush=True)\nsys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as starter:
            assert starter.stdout is not None
            server = int(starter.stdout.readline())
            launcher = launcher_of(server)
            starter.kill()
            eventually(lambda: not alive(server) and not alive(launcher))


def launcher_of(server: int) -> int:
    """The process the account's process started: it leads the group of everything else."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    (launcher,) = (int(child) for child in children)
    return launcher


def alive(group: int) -> bool:
    """Whether any process of a group lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def queue_policy(service: str, action: str = "sqs:SendMessage") -> dict[str, Any]:
    return {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": action,
                "Resource": "*",
            }
        ]
    }


def metric(pocket: Pocket, namespace: str, name: str, **dimensions: str) -> float:
    """The sum of a metric over the last minutes, once there is one."""
    now = datetime.now(UTC)
    query = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "StartTime": now - timedelta(minutes=5),
        "EndTime": now + timedelta(minutes=5),
        "Period": 60,
        "Statistics": ["Sum"],
    }
    cloudwatch = pocket.client("cloudwatch")
    found = eventually(lambda: cloudwatch.get_metric_statistics(**query)["Datapoints"])
    total: float = sum(point["Sum"] for point in found)
    return total


def an_alarm(pocket: Pocket, *actions: str) -> str:
    name, cloudwatch = f"alarm-{uuid4().hex}", pocket.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Probe",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=list(actions),
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    arn: str = alarm["AlarmArn"]
    return arn


def ring(pocket: Pocket, alarm_arn: str) -> None:
    """Puts an alarm into ALARM, as a breach would at its next evaluation."""
    pocket.client("cloudwatch").set_alarm_state(
        AlarmName=alarm_arn.rsplit(":", 1)[-1], StateValue="ALARM", StateReason="told so"
    )
