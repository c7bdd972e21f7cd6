"""From a call that a quota refuses to the request for more of it, through the deployed stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from botocore.exceptions import ClientError

from benchmarks.deployed import Deployed
from benchmarks.figures import Figure, Measurement
from benchmarks.scene import wait_for
from local.account import ACCOUNT_ID
from local.pocket import Account, Pocket

READS_GOAL, SECONDS_GOAL = 4, 2.0
REQUEST = "RequestServiceQuotaIncrease"
LEVERS = ("servicequotas", "monitoring", "ec2", "sagemaker")
"""Services whose calls are a look's own, by the name that calls are signed for."""
LIMITS = (
    "CloudTrail brings a call to EventBridge within minutes, the pocket account at once: the"
    " seconds begin with the refused call and have none of CloudTrail's in them.",
    "Calls cross a loopback, not a network: what carries over is their number.",
    "One refused call at a time, the heartbeat stopped: the looks that follow a request up are not"
    " in these figures; they read the history, once for all that is open.",
    "EC2's refusals do not say what is in use, and of a quota that was never used there is no metric:"
    " it counts as used up, and 64 + 192 vCPUs are requested where 192 would do.",
    "A quota whose code is not known offline costs a listing of its service's quotas, once a week.",
)


@dataclass(frozen=True)
class Refused:
    """A call that will be refused: of `service`, for `instance_type`. needed: the least value that
    lets it through."""

    service: str
    instance_type: str
    needed: float
    spot: bool = False

    @property
    def name(self) -> str:
        return f"{self.service} {self.instance_type}{' spot' if self.spot else ''}"


COLD = Refused("sagemaker", "ml.p4d.24xlarge", 1, spot=True)
SAGEMAKER = (
    Refused("sagemaker", "ml.p4d.24xlarge", 1),
    Refused("sagemaker", "ml.p5.48xlarge", 1),
    Refused("sagemaker", "ml.p5.4xlarge", 1),
    Refused("sagemaker", "ml.g6e.48xlarge", 1),
    Refused("sagemaker", "ml.g6.4xlarge", 1),
    Refused("sagemaker", "ml.p5.48xlarge", 1, spot=True),
)
# vCPUs of the type (EC2 user guide, "Amazon EC2 instance types"); nothing else runs.
EC2 = (
    Refused("ec2", "p4d.24xlarge", 96),
    Refused("ec2", "g5.48xlarge", 192),
    Refused("ec2", "p4d.24xlarge", 96, spot=True),
    Refused("ec2", "p5.48xlarge", 192, spot=True),
    Refused("ec2", "g5.48xlarge", 192, spot=True),
)
BY_NAME = (
    Refused("sagemaker", "ml.g5.12xlarge", 1),
    Refused("sagemaker", "ml.g5.24xlarge", 1),
)
"""Quotas whose codes are not known offline: of the first the list is read, of the second it is
remembered."""


@dataclass(frozen=True)
class Answer:
    """One refused call, answered. excess: the value requested, times the one needed. seconds: to the
    request. function: seconds in the function. operations: the calls of the look, by service and
    operation."""

    excess: float
    seconds: float
    function: float
    operations: Mapping[str, int]

    @property
    def reads(self) -> int:
        """Calls that read quotas, their use and instance types."""
        own = (n for name, n in self.operations.items() if name.startswith(LEVERS))
        return sum(own) - self.writes

    @property
    def writes(self) -> int:
        """Requests for more of the quota."""
        return self.operations.get(f"servicequotas {REQUEST}", 0)


def measure(say: Callable[[str], None]) -> Measurement:
    """Refused calls one at a time, each for another quota: one cold, then warm."""
    with Pocket() as account:
        say("deploying the stack")
        stack = _Stack(account)
        stack.stop_heartbeat()
        cold = stack.answer(COLD, say)
        sagemaker = [stack.answer(each, say) for each in SAGEMAKER]
        ec2 = [stack.answer(each, say) for each in EC2]
        listing, remembered = (stack.answer(each, say) for each in BY_NAME)
    warm = [*sagemaker, *ec2]
    every = [cold, *warm, listing, remembered]
    return Measurement(
        figures=[
            Figure(
                "Reads of the look at a refused SageMaker call",
                max(each.reads for each in [cold, *sagemaker]),
                goal=READS_GOAL,
            ),
            Figure(
                "Reads of the look at a refused EC2 call",
                max(each.reads for each in ec2),
                goal=READS_GOAL,
            ),
            Figure("Quota requests for a refused call", max(e.writes for e in every), goal=1),
            Figure(
                "Refused call to quota request, slowest",
                max(each.seconds for each in warm),
                "s",
                SECONDS_GOAL,
            ),
        ],
        parts=[
            Figure("refused calls answered", len(every)),
            Figure("to the request, median", median(each.seconds for each in warm), "s"),
            Figure("to the request, cold", cold.seconds, "s"),
            Figure("warm function, median", median(each.function for each in warm), "s"),
            Figure("warm function, slowest", max(each.function for each in warm), "s"),
            Figure("SageMaker: value requested, times the needed one", _most(sagemaker)),
            Figure("EC2: value requested, times the needed one, at most", _most(ec2)),
            *_operations("SageMaker", sagemaker),
            *_operations("EC2", ec2),
            Figure("a code not known offline: reads, listing first", listing.reads),
            Figure("a code not known offline: reads, remembered", remembered.reads),
        ],
        settings={
            "refused": [each.name for each in (COLD, *SAGEMAKER, *EC2, *BY_NAME)],
            "rules": "those of cdk.json",
        },
        limits=LIMITS,
    )


def _most(answers: Sequence[Answer]) -> float:
    return max(each.excess for each in answers)


def _operations(service: str, answers: Sequence[Answer]) -> Iterator[Figure]:
    """The calls of the look that made most of them."""
    most = max(answers, key=lambda each: sum(each.operations.values()))
    for name, count in most.operations.items():
        yield Figure(f"{service}: {name}", count)


class _Stack(Deployed):
    """The deployed quota increase, and calls for it to answer."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, "QuotaIncreaseFunctionArn")
        ec2 = account.client("ec2")
        images = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])
        self._image = images["Images"][0]["ImageId"]

    def answer(self, refused: Refused, say: Callable[[str], None]) -> Answer:
        """Lets a call be refused, and waits until the function has answered."""
        say(f"refused: {refused.name}")
        reports, since = len(self.reports()), datetime.now(UTC)
        self._refuse(refused)
        request = wait_for(
            f"request after {refused.name}", lambda: self._request(since.isoformat())
        )
        [took] = wait_for("REPORT line", lambda: self.reports()[reports:] or None)
        calls = self.account.calls(caller=self.function, since=since.isoformat())
        look = [call for call in calls if call["trace"] == request["trace"]]
        return Answer(
            excess=self._requested(refused) / refused.needed,
            seconds=(datetime.fromisoformat(request["time"]) - since).total_seconds(),
            function=took,
            operations=Counter(f"{call['service']} {call['operation']}" for call in look),
        )

    def _refuse(self, refused: Refused) -> None:
        try:
            if refused.service == "ec2":
                market = {"InstanceMarketOptions": {"MarketType": "spot"}} if refused.spot else {}
                self.account.client("ec2").run_instances(
                    ImageId=self._image,
                    InstanceType=refused.instance_type,
                    MinCount=1,
                    MaxCount=1,
                    **market,
                )
            else:
                self.account.client("sagemaker").create_training_job(**_job(refused))
        except ClientError as error:
            if error.response["Error"]["Code"].endswith("Exceeded"):
                return
            raise
        raise AssertionError(f"{refused.name} was not refused")

    def _request(self, since: str) -> Mapping[str, Any] | None:
        calls = self.account.calls(caller=self.function, service="servicequotas", since=since)
        return next((call for call in calls if call["operation"] == REQUEST), None)

    def _requested(self, refused: Refused) -> float:
        """The value last requested; raises AssertionError if it does not let the call through."""
        client = self.account.client("service-quotas")
        history = client.list_requested_service_quota_change_history(MaxResults=100)
        newest = max(history["RequestedQuotas"], key=lambda each: each["Created"])
        desired: float = newest["DesiredValue"]
        if desired < refused.needed:
            raise AssertionError(f"{refused.name} needs {refused.needed}, requested: {newest}")
        return desired


def _job(refused: Refused) -> Mapping[str, Any]:
    waiting = {"MaxWaitTimeInSeconds": 3600} if refused.spot else {}
    return {
        "TrainingJobName": f"job-{datetime.now(UTC):%H%M%S%f}",
        "RoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/training",
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output/"},
        "ResourceConfig": {
            "InstanceType": refused.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": 50,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600, **waiting},
        "EnableManagedSpotTraining": refused.spot,
    }
