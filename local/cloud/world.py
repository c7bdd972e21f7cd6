"""The world the simulated services share: one lock, one clock, what falls due, what leaves."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

Envelope = Mapping[str, Any]


class Sink(Protocol):
    """Receives what leaves the simulated services. It is called with the lock free, so it may
    call AWS APIs."""

    def event(self, envelope: Envelope) -> None:
        """A full EventBridge envelope, to be put on the default bus."""

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        """An asynchronous invocation of the function, version or alias `arn`."""

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        """A message for the SNS topic `topic_arn`."""


@dataclass
class Durations:
    """How long each change of state takes, in seconds.

    AWS publishes none of these; the defaults are short so that nobody waits. `quota_decision` is
    how long AWS ponders a quota increase, `quota_applied` until the new value holds after that,
    `quota_report_recent` how long a quota utilization report is used again for another start.
    `instance_boot` and `instance_stop` are EC2's, `spot_evaluation` how often it looks whether
    there is capacity for an open Spot request, `spot_notice` how long a Spot Instance runs after
    its interruption warning. An Auto Scaling group notices an ended instance after
    `asg_health_check`, tries a failed launch again after `asg_retry`, and waits `asg_step` before
    it replaces an instance, after a change of its division as after the one before.
    `serverless_update` is how long a serverless variant takes to another size; `scaling_reaction`
    how long Application Auto Scaling takes to act on what it is told, and between two looks
    whether what it did has come about.
    `lambda_provisioning` is how long Lambda allocates provisioned concurrency.
    `event_history` is how long it takes until CloudTrail's Event history has a call.
    """

    endpoint_create: float = 5.0
    endpoint_update: float = 5.0
    endpoint_delete: float = 1.0
    weights_update: float = 2.0
    instance_launch: float = 5.0
    serverless_update: float = 5.0
    scaling_reaction: float = 1.0
    instance_boot: float = 3.0
    instance_stop: float = 3.0
    spot_evaluation: float = 10.0
    spot_notice: float = 120.0
    asg_health_check: float = 2.0
    asg_retry: float = 10.0
    asg_step: float = 5.0
    training_start: float = 2.0
    training_download: float = 1.0
    training_upload: float = 1.0
    training_stop: float = 2.0
    training_interrupt: float = 1.0
    capacity_patience: float = 30.0
    lambda_provisioning: float = 3.0
    event_history: float = 2.0
    quota_decision: float = 3.0
    quota_applied: float = 2.0
    quota_report: float = 2.0
    quota_report_recent: float = 5.0


@dataclass
class Switches:
    """AWS behaviour nobody could verify: each reading can be chosen, code must hold under both.

    `one_capacity_per_call`: UpdateEndpointWeightsAndCapacities is documented to change "capacity
    of one variant" (botocore service model); True refuses a call that changes two.
    `duplicate_events`: SageMaker "may send multiple events for each state change" (SageMaker
    developer guide, automating-sagemaker-with-eventbridge); True sends each twice.
    `single_precision_weights`: a variant's weight is a 32-bit float (botocore service model,
    `VariantWeight`); True describes 0.1 as 0.10000000149011612, its value in single precision.
    `math_reads_missing_as_zero`: metric math reads the point that one of two series lacks as 0, as
    the CloudWatch User Guide, using-metric-math, says; False drops the point, as users report.
    `ec2_error_prefix`: EC2's error codes bear `Client.` or `Server.` in CloudTrail, as most users
    show them; False writes them as SDKs see them, which rules in the wild match as well.
    `quota_api_rates`: Service Quotas refuses calls beyond its documented rates; False serves all,
    for a clock that stands still.
    `event_lookup_rate`: the same for CloudTrail's LookupEvents.
    `two_quota_requests_in_every_region`: the Service Quotas User Guide (reference_limits) allows
    2 open requests "per opt-in Region", its older text 2 "per Region", which True enforces.
    `report_lists_unused_quotas`: whether a quota utilization report has rows of 0 % is not
    documented; True lists every quota with a usage metric.
    `sparse_sagemaker_usage`: usage metrics come every minute (CloudWatch User Guide,
    CloudWatch-Usage-Metrics); True lets SageMaker's come every 20 minutes, as users report.
    `jobs_wait_in_pending`: a training job that has no instances yet is Pending, as clients log
    since 2024; False keeps it Starting, as the SageMaker developer guide,
    model-managed-spot-training-status, has it.
    `job_times_told_early`: TrainingTimeInSeconds and BillableTimeInSeconds "only appear if the
    training job successfully starts" (botocore service model, `DescribeTrainingJob`); whether they
    do before it ends is not said. True tells them as they grow, False once the job is over.
    `training_event_times_as_text`: times in training jobs' events are numbers, as recorded ones
    are; True sends text, as the sample in automating-sagemaker-with-eventbridge shows.
    `distribution_updates_alone`: an update of an Auto Scaling group's policy need not bring a launch
    template (botocore service model, `MixedInstancesPolicy`'s LaunchTemplate in SDK references,
    "not required when updating"); False refuses one with an InstancesDistribution alone.
    `absent_distribution_fields_reset`: what such an update's InstancesDistribution does not say
    becomes its default, 100 % On-Demand included, but for SpotMaxPrice (EC2 Auto Scaling user
    guide, ec2-auto-scaling-mixed-instances-groups); False keeps it, as the group's own properties
    are kept (botocore service model, `UpdateAutoScalingGroup`).
    `retain_keeps_provisioned_concurrency`: RetainAllVariantProperties of UpdateEndpoint keeps
    "variant properties, such as the instance count or the variant weight" (botocore service model);
    whether a serverless variant's concurrency is one is not said. True keeps it, False deploys the
    configuration's.
    `rollback_tells_reason`: FailureReason is there "if the status is InService but update operation
    fails" (SageMaker API reference, EndpointMetadata); DescribeEndpoint's own text knows it of Failed
    endpoints only, as False has it.
    `interruption_arn_names_zone`: `resources` of a Spot interruption warning and a rebalance
    recommendation hold an ARN with Region and account (EC2 user guide, spot-instance-termination-
    notices); True writes one with the Availability Zone and no account, as the events recorded in
    github.com/aws/aws-node-termination-handler have it.
    `provisioning_refuses_changes`: PutProvisionedConcurrencyConfig may answer that "another operation
    is in progress" (botocore service model of Lambda, `ResourceConflictException`); True refuses a
    change while the last one is in progress, False lets it start anew.
    `alias_keeps_old_version`: an alias with provisioned concurrency that moves to another version
    bears a weight of 1 for the old one until the new one is provisioned, as
    github.com/hashicorp/terraform-provider-aws/pull/48116 found; False moves it at once, as the
    Lambda developer guide, provisioned-concurrency, does not speak of it.
    `account_settings_count_provisioned`: UnreservedConcurrentExecutions of GetAccountSettings is what
    functions may run "minus the capacity that's reserved for individual functions with
    PutFunctionConcurrency" (botocore service model of Lambda); provisioned concurrency takes from what
    others have too (Lambda developer guide, provisioned-concurrency), and True subtracts it as well.
    `scaling_validates_on_made_up_names`: RegisterScalableTarget tries out whether its caller may do
    what it will do later, for Aurora partly on names that do not exist (Application Auto Scaling user
    guide, security_iam_permission_validation); True does the writes of Lambda and SageMaker so, which
    a right that depends on a tag then does not allow.
    """

    one_capacity_per_call: bool = True
    duplicate_events: bool = False
    single_precision_weights: bool = False
    math_reads_missing_as_zero: bool = True
    ec2_error_prefix: bool = True
    jobs_wait_in_pending: bool = True
    job_times_told_early: bool = True
    training_event_times_as_text: bool = False
    quota_api_rates: bool = True
    event_lookup_rate: bool = True
    two_quota_requests_in_every_region: bool = False
    report_lists_unused_quotas: bool = False
    sparse_sagemaker_usage: bool = False
    distribution_updates_alone: bool = True
    absent_distribution_fields_reset: bool = True
    retain_keeps_provisioned_concurrency: bool = True
    rollback_tells_reason: bool = True
    interruption_arn_names_zone: bool = False
    provisioning_refuses_changes: bool = True
    alias_keeps_old_version: bool = True
    account_settings_count_provisioned: bool = True
    scaling_validates_on_made_up_names: bool = False


@dataclass
class LambdaAccount:
    """What is particular to this account's Lambda: the functions ("shop") and versions ("shop:3")
    whose initialisation fails when it is provisioned next, and how much concurrency must be left
    unreserved where it is not AWS's 100, or all of a lower limit."""

    failing: Sequence[str] = ()
    unreserved_minimum: int | None = None


Delivery = Callable[[Sink], None]


class World:
    """Time, order and the way out for every simulated service of this process.

    Services act only inside a `turn`. What they emit waits in an outbox and leaves after the
    outermost turn has given the lock back: a receiver that calls AWS again finds it free.
    """

    def __init__(self) -> None:
        self.sinks: list[Sink] = []
        self.role_of: Callable[[str], tuple[str, str] | None] = lambda access_key: None
        """The ARN of the role that holds an access key, and its session's name."""
        self.access_key = ""
        """What signed the call that is being served."""
        self.durations = Durations()
        self.switches = Switches()
        self.lambdas = LambdaAccount()
        self.deliver: Callable[[Sequence[Delivery]], None] = self.deliver_now
        self.lock = threading.RLock()
        self._depth = 0
        self._moment: float | None = None
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._outbox: list[Delivery] = []

    def clock(self) -> float:
        """Epoch seconds. While something due runs, this is the moment it fell due, so that a
        jump of the clock plays every step at its own time."""
        return time.time() if self._moment is None else self._moment

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Run `act` in the first turn that begins `seconds` or more from now."""
        heapq.heappush(self._agenda, (self.clock() + seconds, next(self._order), act))

    def emit(self, envelope: Envelope) -> None:
        """Queue a full EventBridge envelope for the default bus."""
        self._outbox.append(lambda sink: sink.event(envelope))

    def invoke(self, arn: str, payload: Mapping[str, Any]) -> None:
        """Queue an asynchronous Lambda invocation."""
        self._outbox.append(lambda sink: sink.invoke(arn, payload))

    def notify(self, topic_arn: str, subject: str, message: str) -> None:
        """Queue an SNS message."""
        self._outbox.append(lambda sink: sink.notify(topic_arn, subject, message))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock: what is due runs first, then the body; what leaves, leaves afterwards.

        Turns nest. An act that raises fails the turn that ran it.
        """
        leaving: list[Delivery] = []
        try:
            with self.lock:
                self._depth += 1
                try:
                    if self._depth == 1:
                        self._run_due()
                    yield
                finally:
                    self._depth -= 1
                    if self._depth == 0:
                        leaving, self._outbox = self._outbox, []
        finally:
            if leaving:
                self.deliver(leaving)

    def deliver_now(self, leaving: Sequence[Delivery]) -> None:
        """Hand everything to every sink in this thread; a sink's failure is the caller's."""
        for delivery in leaving:
            for sink in list(self.sinks):
                delivery(sink)

    def reset(self) -> None:
        """Forget what is due and what waits to leave; durations, switches and what Lambda is like
        become the defaults. Sinks stay."""
        with self.lock:
            self._agenda.clear()
            self._outbox.clear()
            self.durations = Durations()
            self.switches = Switches()
            self.lambdas = LambdaAccount()

    def _run_due(self) -> None:
        try:
            while self._agenda and self._agenda[0][0] <= time.time():
                self._moment, _, act = heapq.heappop(self._agenda)
                act()
        finally:
            self._moment = None


WORLD = World()
