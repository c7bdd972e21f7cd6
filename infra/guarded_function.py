"""One shape for every function: least privilege, and nothing that fails goes unheard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import Acknowledgment, Aws, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.foundation import Foundation, alarms_arn
from infra.heartbeat import Heartbeat

_TIMEOUT = Duration.seconds(60)

# Asynchronous invocations come from alarms, which speak once, and from the heartbeat. Two retries
# bridge a brief fault; what is older than the default sweep has been looked at again anyway.
_ASYNC_RETRIES = 2
_ASYNC_MAX_AGE = Duration.minutes(15)


class GuardedFunction(Construct):
    """A function with a role of its own, kept logs, and a watched dead-letter queue.

    Its role holds exactly what `allow` was told: CDK's broader default grants are turned off.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        foundation: Foundation,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        self._foundation = foundation
        self._settings = foundation.settings.infrastructure
        self._policy = iam.PolicyDocument()
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        Validations.of(self.dead_letters).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-SQS3",
                reason="It is the dead-letter queue: nothing reads it but a person.",
            )
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            code=foundation.code,
            handler=f"functions.{name}.handler.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=self._settings.memory_mb,
            timeout=_TIMEOUT,
            role=self._role(),
            log_group=self._log_group(),
            logging_format=lambda_.LoggingFormat.JSON,
            on_failure=destinations.SqsDestination(self.dead_letters),
            retry_attempts=_ASYNC_RETRIES,
            max_event_age=_ASYNC_MAX_AGE,
            environment={
                **foundation.environment,
                "POWERTOOLS_SERVICE_NAME": name,
                **environment,
            },
        )
        self.allow(["sqs:SendMessage"], [self.dead_letters.queue_arn])
        self._watch_dead_letters()

    def allow(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        conditions: Mapping[str, Any] | None = None,
    ) -> None:
        """Let the function call these AWS actions, on these resources only."""
        self._policy.add_statements(
            iam.PolicyStatement(
                actions=list(actions), resources=list(resources), conditions=conditions
            )
        )

    def allow_remediating(self) -> None:
        """Let the function do what every remediation does: read the kill switch, keep its record
        in the ledger, tell people and the default bus.

        Resource types: Service Authorization Reference, each service's page.
        """
        foundation, table = self._foundation, self._foundation.ledger.table_arn
        self.allow(
            [
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
            ],
            [table],
        )
        self.allow(["dynamodb:Query"], [f"{table}/index/due"])
        self.allow(["ssm:GetParameter"], [foundation.mode.parameter_arn])
        self.allow(["sns:Publish"], [foundation.topic.topic_arn])
        self.allow(
            ["events:PutEvents"],
            [
                Stack.of(self).format_arn(
                    service="events", resource="event-bus", resource_name="default"
                )
            ],
        )

    def receive_queue(
        self,
        *,
        batch_size: int | None = None,
        window_seconds: int | None = None,
        timeouts: int = 6,
    ) -> sqs.Queue:
        """Feed the function from a queue of its own; what fails three times is a dead letter.

        batch_size, window_seconds: messages of an invocation at most, and how long they may gather
        (more than 10 need at least 1 s); None is what the settings say.
        Visibility time-out: six function time-outs (Lambda developer guide, "Creating and
        configuring an Amazon SQS event source mapping"), and the batching window, which a
        received message waits out before its function starts. timeouts: another number than six,
        where what failed must come back sooner; one at least (same page).
        """
        size = self._settings.batch_size if batch_size is None else batch_size
        window = (
            self._settings.batching_window_seconds if window_seconds is None else window_seconds
        )
        queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(timeouts * int(_TIMEOUT.to_seconds()) + window),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=3),
        )
        self.function.add_event_source(
            event_sources.SqsEventSource(
                queue,
                batch_size=size,
                max_batching_window=Duration.seconds(window),
                max_concurrency=self._settings.maximum_concurrency,
                report_batch_item_failures=True,
            )
        )
        self.allow(
            ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            [queue.queue_arn],
        )
        return queue

    def echo_heartbeat(self, queue: sqs.Queue) -> None:
        """Let the function put each heartbeat on its own queue once more, to come half a minute later."""
        self.function.add_environment("ECHO_QUEUE_URL", queue.queue_url)
        self.allow(["sqs:SendMessage"], [queue.queue_arn])

    def route(
        self, id: str, queue: sqs.Queue, pattern: events.EventPattern, description: str
    ) -> None:
        """Put the default bus's events that match `pattern` on `queue`."""
        events.Rule(
            self,
            id,
            description=description,
            event_pattern=pattern,
            targets=[event_targets.SqsQueue(queue, dead_letter_queue=self.dead_letters)],
        )

    def receive_alarms(self) -> None:
        """Let any CloudWatch alarm of this account name the function as its action.

        Principal and conditions: CloudWatch user guide, "Invoke a Lambda function from an alarm".
        """
        self.function.add_permission(
            "Alarms",
            principal=iam.ServicePrincipal("lambda.alarms.cloudwatch.amazonaws.com"),
            source_account=Aws.ACCOUNT_ID,
            source_arn=alarms_arn(self),
        )

    def receive_heartbeat(self) -> None:
        """Invoke the function every minute, and tell people if that ends."""
        Heartbeat(
            self,
            "Heartbeat",
            function=self.function,
            dead_letters=self.dead_letters,
            topic=self._foundation.topic,
        )

    def _role(self) -> iam.IRole:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"LeastPrivilege": self._policy},
        )
        return role.without_policy_updates()

    def _log_group(self) -> logs.LogGroup:
        group = logs.LogGroup(self, "Logs", removal_policy=RemovalPolicy.DESTROY)
        cast(
            logs.CfnLogGroup, group.node.default_child
        ).retention_in_days = self._settings.log_retention_days
        self.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [group.log_group_arn])
        return group

    def _watch_dead_letters(self) -> None:
        alarm = self.dead_letters.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        ).create_alarm(
            self,
            "DeadLettersAlarm",
            alarm_description=(
                f"{self.node.id} could not handle something. Read the messages in its dead-letter"
                " queue and its log, mend the cause, then redrive or purge the queue."
            ),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._foundation.topic))
