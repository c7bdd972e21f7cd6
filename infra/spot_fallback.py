"""Spot fallback: its signals, and what it may touch."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Aws, Validations
from constructs import Construct

from infra import spot_signals
from infra.foundation import Foundation
from infra.guarded_function import GuardedFunction
from infra.settings import as_variable

_TAG = "ml-remediation:spot-fallback"
_OPTED_IN = ["approve", "act"]

# A shortage takes a thousand instances within seconds, and each batch is few looks however many
# events it holds: all of a group's are one. A second of the two minutes that a notice leaves, the
# least for so large a batch: the next one comes a second later, and looks at the groups that this one
# has not come to yet. What failed comes back within them: after one time-out of the function, not
# after six.
_BATCH_SIZE = 1000
_WINDOW_SECONDS = 1

# What RunInstances launches, launches from or launches into (Service Authorization Reference,
# "Amazon EC2"): this account's, and anybody's, whose ARNs name no account.
_LAUNCHED = (
    ("ec2", "capacity-reservation/*"),
    ("ec2", "instance/*"),
    ("ec2", "key-pair/*"),
    ("ec2", "launch-template/*"),
    ("ec2", "network-interface/*"),
    ("ec2", "placement-group/*"),
    ("ec2", "security-group/*"),
    ("ec2", "subnet/*"),
    ("ec2", "volume/*"),
    ("license-manager", "license-configuration:*"),
    ("resource-groups", "group/*"),
)
_ANYBODYS = (("ec2", "image/*"), ("ec2", "snapshot/*"))
_TAGGED_ON_LAUNCH = ("instance/*", "network-interface/*", "volume/*")


class SpotFallback(Construct):
    """Has On-Demand stand in for what Spot takes away, until Spot is back."""

    def __init__(self, scope: Construct, id: str, foundation: Foundation) -> None:
        super().__init__(scope, id)
        self._own = foundation.settings.spot_fallback
        self.guarded = GuardedFunction(
            self,
            "SpotFallback",
            name="spot_fallback",
            description="Has On-Demand stand in for what Spot takes away, until Spot is back.",
            foundation=foundation,
            environment={"LEVER_SETTINGS": as_variable(self._own)},
        )
        self.queue = self.guarded.receive_queue(
            batch_size=_BATCH_SIZE, window_seconds=_WINDOW_SECONDS, timeouts=1
        )
        self._route()
        self.guarded.receive_heartbeat()
        self.guarded.allow_remediating()
        self._allow_reading()
        self._allow_groups()
        self._allow_launching()
        self._allow_registering()
        self._allow_stopping()
        if self._own.roles:
            self._allow_passing()
            self._allow_training()

    def _route(self) -> None:
        for id, pattern, description in (
            (
                "TakenInstances",
                spot_signals.taken_instances(),
                "Spot Instances that EC2 takes back, or may.",
            ),
            (
                "Launches",
                spot_signals.launches(),
                "Launches of Auto Scaling groups, and those that failed.",
            ),
            (
                "TrainingJobs",
                spot_signals.training_jobs(_TAG),
                "Training jobs with the tag of spot fallback that changed their state.",
            ),
        ):
            self.guarded.route(id, self.queue, pattern, description)

    def _allow_reading(self) -> None:
        """Source: Service Authorization Reference, each service's page."""
        self.guarded.allow(
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeInstanceRefreshes",
                "autoscaling:DescribeScalingActivities",
                "ec2:DescribeInstances",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:DescribeSpotInstanceRequests",
                "ec2:DescribeSpotPriceHistory",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
                "sagemaker:ListTrainingJobs",
                "tag:GetResources",
            ],
            ["*"],
        )
        self._acknowledge("*", "Reads for which AWS takes no resource.")
        profiles = self._every(
            "iam",
            "instance-profile/*",
            region="",
            reason="A profile tells which role an instance has, which settings must list.",
        )
        self.guarded.allow(["iam:GetInstanceProfile"], [profiles])
        self.guarded.allow(["sagemaker:DescribeTrainingJob", "sagemaker:ListTags"], [self._jobs])

    def _allow_groups(self) -> None:
        """Both actions take a group, and a condition on its tags (Service Authorization Reference,
        "Amazon EC2 Auto Scaling")."""
        groups = self._every(
            "autoscaling",
            "autoScalingGroup:*:autoScalingGroupName/*",
            reason="Groups opt in by tag: the writes need it.",
        )
        self.guarded.allow(
            ["autoscaling:DetachInstances", "autoscaling:UpdateAutoScalingGroup"],
            [groups],
            {"StringEquals": {f"aws:ResourceTag/{_TAG}": _OPTED_IN}},
        )

    def _allow_launching(self) -> None:
        """A twin in an instance's place, and what the template of an opted-in group launches.

        UpdateAutoScalingGroup of a group with a launch template is refused unless the caller might
        launch from it: RunInstances on all that the template names, CreateTags if it tags, and
        PassRole (EC2 Auto Scaling user guide, "Control Amazon EC2 launch template usage in Auto
        Scaling groups" and "Amazon EC2 Auto Scaling API permissions"). A twin could meet a
        condition on aws:RequestTag; that check knows no tags but the template's, so one would
        refuse the update of every group. A template that names its image by a parameter needs
        ssm:GetParameters as well, which is granted on AWS's own, public ones alone; volumes under a
        customer's own key need what the key's policy says, of which nothing is granted here.
        """
        launched = "What is launched, and from what, is the template's or the instance's own."
        self.guarded.allow(
            ["ec2:RunInstances"],
            [
                *(self._every(*each, reason=launched) for each in _LAUNCHED),
                *(self._every(*each, account="", reason=launched) for each in _ANYBODYS),
            ],
        )
        self.guarded.allow(
            ["ec2:CreateTags"],
            [self._every("ec2", each, reason=launched) for each in _TAGGED_ON_LAUNCH],
            {"StringEquals": {"ec2:CreateAction": "RunInstances"}},
        )
        images = self._every(
            "ssm", "parameter/aws/service/*", account="", reason="AWS's own, public parameters."
        )
        self.guarded.allow(["ssm:GetParameters"], [images])

    def _allow_registering(self) -> None:
        """A twin takes its place behind load balancers. Their target groups do not opt in: that a
        twin goes to those of its instance alone is the function's to see to."""
        targets = self._every(
            "elasticloadbalancing",
            "targetgroup/*",
            reason="A twin is registered where the instance that opted in is.",
        )
        self.guarded.allow(["elasticloadbalancing:RegisterTargets"], [targets])

    def _allow_stopping(self) -> None:
        self.guarded.allow(
            ["sagemaker:StopTrainingJob"],
            [self._jobs],
            {"StringEquals": {f"aws:ResourceTag/{_TAG}": _OPTED_IN}},
        )

    def _allow_passing(self) -> None:
        """The roles that settings list, to instances and training jobs alone. In China EC2's name
        has an ending of its own (EC2 Auto Scaling user guide, "Control Amazon EC2 launch template
        usage in Auto Scaling groups")."""
        services = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn", "sagemaker.amazonaws.com"]
        self.guarded.allow(
            ["iam:PassRole"],
            self._own.roles,
            {"StringEquals": {"iam:PassedToService": services}},
        )
        for role in self._own.roles:
            if "*" in role:
                self._acknowledge(role, "The settings list the roles that may be passed on.")

    def _allow_training(self) -> None:
        """The job that takes over, which carries the tags of the one before it.

        To create it with tags needs AddTags too, granted for that alone: who may tag any job could
        opt it in (Service Authorization Reference, "Amazon SageMaker", the keys of both actions).
        One field of the request is read from CloudTrail's record of the job before it, an action
        that takes no resource (same reference, "AWS CloudTrail").
        Network interfaces and data are its execution role's. So is kms:CreateGrant where its
        volumes have a key of their own: the caller needs it only if that role lacks it, and is not
        granted it (SageMaker developer guide, "Amazon SageMaker AI API Permissions").
        """
        self.guarded.allow(["cloudtrail:LookupEvents"], ["*"])
        tagged = {f"aws:RequestTag/{_TAG}": _OPTED_IN}
        self.guarded.allow(["sagemaker:CreateTrainingJob"], [self._jobs], {"StringEquals": tagged})
        self.guarded.allow(
            ["sagemaker:AddTags"],
            [self._jobs],
            {"StringEquals": {**tagged, "sagemaker:TaggingAction": "CreateTrainingJob"}},
        )

    @property
    def _jobs(self) -> str:
        return self._every(
            "sagemaker",
            "training-job/*",
            reason="Training jobs opt in by tag: reads are harmless, the writes need the tag.",
        )

    def _every(
        self,
        service: str,
        resource: str,
        *,
        reason: str,
        region: str = Aws.REGION,
        account: str = Aws.ACCOUNT_ID,
    ) -> str:
        """The ARN of every such resource, which cdk-nag is given the reason of."""
        shown = "".join(
            (
                "arn:<AWS::Partition>",
                f":{service}",
                ":<AWS::Region>" if region else ":",
                ":<AWS::AccountId>" if account else ":",
                f":{resource}",
            )
        )
        self._acknowledge(shown, reason)
        return f"arn:{Aws.PARTITION}:{service}:{region}:{account}:{resource}"

    def _acknowledge(self, resource: str, reason: str) -> None:
        Validations.of(self).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]", reason=reason
            )
        )
