"""The heartbeat: a function looks at what is due every minute, and people hear when it stops."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_EVENT = {"source": "ml-capacity-remediation", "detail-type": "Heartbeat"}
_SILENT_MINUTES = 10


class Heartbeat(Construct):
    """Invokes the function every minute; a beat that is late is not made up for.

    Its schedule has a group of its own, so that its role trusts no other schedule (EventBridge
    Scheduler user guide, "Cross-service confused deputy prevention") and its beats can be told
    from those of the account's other schedules: the group is the only dimension of Scheduler's
    metrics (same guide, "Monitoring with CloudWatch").
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function: lambda_.IFunction,
        dead_letters: sqs.IQueue,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        group = scheduler.CfnScheduleGroup(self, "Group")
        beats = scheduler.ScheduleGroup.from_schedule_group_name(self, "Beats", group.ref)
        scheduler.Schedule(
            self,
            "Schedule",
            description="Lets the function look at what is due.",
            schedule_group=beats,
            schedule=scheduler.ScheduleExpression.rate(Duration.minutes(1)),
            target=targets.LambdaInvoke(
                function,
                role=self._role(group, function, dead_letters),
                input=scheduler.ScheduleTargetInput.from_object(_EVENT),
                retry_attempts=0,
                max_event_age=Duration.seconds(60),
                dead_letter_queue=dead_letters,
            ),
        )
        self._tell_of_silence(scope.node.id, beats, topic)

    def _role(
        self,
        group: scheduler.CfnScheduleGroup,
        function: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> iam.IRole:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": Aws.ACCOUNT_ID,
                        "aws:SourceArn": group.attr_arn,
                    }
                },
            ),
            inline_policies={
                "Heartbeat": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["lambda:InvokeFunction"], resources=[function.function_arn]
                        ),
                        iam.PolicyStatement(
                            actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]
                        ),
                    ]
                )
            },
        )
        return role.without_policy_updates()

    def _tell_of_silence(
        self, name: str, beats: scheduler.IScheduleGroup, topic: sns.ITopic
    ) -> None:
        """A beat that fails is a dead letter; a schedule that is off or gone fails nothing.

        Then the metric has no data, which as INSUFFICIENT_DATA is no false alarm on deploy: it is
        a new alarm's first state, and only coming to it from another one runs actions
        (CloudWatch's API reference, PutMetricAlarm, InsufficientDataActions). One lost datum is
        no silence: Scheduler's metrics are best effort.
        """
        alarm = beats.metric_attempts(period=Duration.minutes(1), statistic="Sum").create_alarm(
            self,
            "SilenceAlarm",
            alarm_description=(
                f"{name} has had no heartbeat for"
                f" {_SILENT_MINUTES} minutes: nothing takes the next step of what it began. See"
                " whether its EventBridge schedule is disabled or deleted, and deploy the stack"
                " again."
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=_SILENT_MINUTES,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
        )
        tell = actions.SnsAction(topic)
        alarm.add_alarm_action(tell)
        alarm.add_insufficient_data_action(tell)
