"""What every function shares: ledger, topic, kill switch and the code asset."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.asset import build_code
from infra.settings import StackSettings, as_variable

METRICS_NAMESPACE = "MlCapacityRemediation"


class Foundation(Construct):
    """The ledger of incidents, the topic people listen to, the kill switch, and the code."""

    def __init__(self, scope: Construct, id: str, settings: StackSettings) -> None:
        super().__init__(scope, id)
        self.settings = settings
        self.code = build_code()
        self.ledger = _ledger(self)
        self.topic = _topic(self, settings.infrastructure.notify_emails)
        self.mode = _kill_switch(self)

    @property
    def environment(self) -> dict[str, str]:
        """What every function reads at start."""
        return {
            "LEDGER_TABLE": self.ledger.table_name,
            "TOPIC_ARN": self.topic.topic_arn,
            "MODE_PARAMETER": self.mode.parameter_name,
            "SETTINGS": as_variable(self.settings.core),
            "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
        }


def alarms_arn(scope: Construct) -> str:
    """ARN pattern of every CloudWatch alarm of this account and Region."""
    return Stack.of(scope).format_arn(
        service="cloudwatch",
        resource="alarm",
        resource_name="*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def _ledger(scope: Construct) -> dynamodb.TableV2:
    """The record of every incident. It outlives the stack, because it is also the audit trail."""
    text, number = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
    return dynamodb.TableV2(
        scope,
        "Ledger",
        partition_key=dynamodb.Attribute(name="pk", type=text),
        sort_key=dynamodb.Attribute(name="sk", type=text),
        billing=dynamodb.Billing.on_demand(),
        time_to_live_attribute="expires_at",
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
        global_secondary_indexes=[
            dynamodb.GlobalSecondaryIndexPropsV2(
                index_name="due",
                partition_key=dynamodb.Attribute(name="due_for", type=text),
                sort_key=dynamodb.Attribute(name="due_at", type=number),
            ),
            dynamodb.GlobalSecondaryIndexPropsV2(
                index_name="feed",
                partition_key=dynamodb.Attribute(name="remediation", type=text),
                sort_key=dynamodb.Attribute(name="opened_at", type=text),
            ),
        ],
    )


def _topic(scope: Construct, emails: tuple[str, ...]) -> sns.Topic:
    """Where people hear of incidents and dead letters.

    CloudWatch may publish only if the topic's policy names it: a policy of our own replaces the
    default one, which did. No KMS key: the policy of `alias/aws/sns` cannot be edited to let
    CloudWatch in, which would silence the alarms, a key of our own costs money for ever, and
    messages hold no secrets and lie on disks SNS encrypts anyway (SNS developer guide, "Amazon
    SNS data encryption" and "Enable compatibility between event sources and encrypted topics").
    """
    topic = sns.Topic(scope, "Topic", enforce_ssl=True)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AlarmsOfThisAccount",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": alarms_arn(scope)},
            },
        )
    )
    for email in emails:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic


def _kill_switch(scope: Construct) -> ssm.StringParameter:
    """The account's mode, which caps every resource's own mode.

    Nothing here may depend on a setting or ever be reworded: CloudFormation writes the template's
    value back whenever any property of the parameter changes, which would undo a live choice.
    """
    return ssm.StringParameter(
        scope,
        "Mode",
        parameter_name="/ml-capacity-remediation/mode",
        string_value="observe",
        allowed_pattern="^(off|observe|approve|act)$",
        description="Highest mode of any remediation: off, observe, approve or act",
    )
