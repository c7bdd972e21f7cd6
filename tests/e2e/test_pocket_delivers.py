"""Events and alarms of the pocket account reach whom AWS would let them reach."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.account import LOG
from local.pocket import Pocket
from tests.e2e.probe import (
    Probe,
    a_queue,
    a_rule,
    an_alarm,
    an_event,
    eventually,
    queue_policy,
    received,
    ring,
)

pytestmark = [pytest.mark.e2e, pytest.mark.allow_hosts(["127.0.0.1"])]


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
