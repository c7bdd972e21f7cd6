"""A quota that refuses a job is raised; what is out of capacity, capped or without a rule is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from local.demo.account import Hands, moment
from local.demo.acts.quotas import (
    NODE,
    NODES,
    ON_SALE,
    SECONDS_BETWEEN_READINGS,
    Quota,
    launch,
    listing,
    ranked,
    refused,
    sell,
    train,
)
from local.demo.scene import Scene, Script, attempt, until

P4D, P5 = "ml.p4d.24xlarge", "ml.p5.48xlarge"
SHORT_ZONE = "us-east-1d"
FLEET = 400
REPETITIONS = 20
RAISED, REPEATED, SHORT, CAPPED, UNRULED = (
    P4D,
    f"{P4D} again",
    f"{NODE} in {SHORT_ZONE}",
    f"{FLEET} x {P5}",
    "trn1.32xlarge",
)
STORIES = {
    RAISED: "refused at a quota of 0: raised by what is needed, and the job runs",
    REPEATED: f"refused {REPETITIONS} times more: still one request",
    SHORT: "the quota is fine, AWS has none: zones and ranked offers, nothing is bought",
    CAPPED: "more than its quota's rule allows: not requested",
    UNRULED: "no rule for its quota: not requested",
}
QUOTAS: Mapping[str, tuple[str, str, str]] = {
    RAISED: ("sagemaker", "L-09B4A649", f"{P4D} for training job usage"),
    CAPPED: ("sagemaker", "L-82E1C851", f"{P5} for training job usage"),
    UNRULED: ("ec2", "L-2C3B7624", "Running On-Demand Trn instances"),
}
"""Service, code and name of the quota of a scene."""
DURATIONS = {"quota_decision": 20, "quota_applied": 2}
"""What takes AWS minutes to days, in seconds."""
LEVER_SERVICES = ("servicequotas", "monitoring", "ec2", "sagemaker")
AWS_SECONDS, VERIFY_SECONDS, START_SECONDS = 60, 150, 60


@dataclass
class QuotaIncrease:
    """hands: on a deployed stack that is listened to. says: tells a sentence of the story."""

    hands: Hands
    says: Callable[[str], None]
    title: str = "Quotas refuse, and capacity runs out"
    scenes: list[Scene] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._function = self.hands.function("QuotaIncrease")
        self._since = str(time.time())
        self._looked = 0.0
        self._quotas = {title: Quota(self.hands, *which) for title, which in QUOTAS.items()}
        self._of = {title: Scene(title, story) for title, story in STORIES.items()}
        self.scenes = list(self._of.values())

    def scripts(self) -> list[Script]:
        self.hands.account.control("PUT", "/durations", DURATIONS)
        return [
            attempt(self._of[RAISED], self._raised(self._of[RAISED])),
            attempt(self._of[SHORT], self._short(self._of[SHORT])),
            attempt(self._of[CAPPED], self._capped()),
            attempt(self._of[UNRULED], self._unruled()),
        ]

    def scripts_while_off(self) -> list[Script]:
        return []

    def finish(self, started: float) -> None:
        for title, quota in self._quotas.items():
            scene = self._of[title]
            quota.look(quota.in_use)
            scene.after = f"{quota.value:g}"
            asked, requests = self._asked(quota.code), len(quota.requests())
            if len(asked) != (title == RAISED) or requests != len(self._acted(quota.code)):
                scene.passed, scene.why = False, f"requests of it: {requests}"
        asked, made = self._asked(), len(self._made("RequestServiceQuotaIncrease"))
        repeated = self._of[REPEATED]
        repeated.after = f"{len(asked)} request{'s' * (len(asked) != 1)}"
        if len(asked) != 1 or made != len(self._acted()):
            repeated.passed, repeated.why = False, f"the function made {made} requests in this run"
        self._of[RAISED].charts = [self._quotas[RAISED].chart()]
        bought = [c["operation"] for c in self.hands.account.calls(since=self._since) if _buys(c)]
        if bought:
            self._of[SHORT].passed, self._of[SHORT].why = False, f"bought: {', '.join(bought)}"

    def table(self) -> Table:
        self._look()
        table = Table("quota", "value", "in use", "request, status", "last word", expand=True)
        for quota in self._quotas.values():
            value = "-" if quota.value is None else f"{quota.value:g}"
            word = self.hands.last_word(quota.code)
            table.add_row(quota.name, value, str(quota.in_use), quota.requested, word)
        table.add_row(SHORT, "", "", "", self.hands.last_word(NODE))
        return table

    def line(self) -> str:
        self._look()
        quota = self._quotas[RAISED]
        value = "-" if quota.value is None else f"{quota.value:g}"
        return (
            f"{quota.name}: {value}, {quota.in_use} in use, requested: {quota.requested}"
            f"  {NODE}: {self.hands.last_word(NODE) or '-'}"
        )

    # what happens

    def _raised(self, scene: Scene) -> Script:
        quota = self._quotas[RAISED]
        self.says(f"a training job asks for {P4D}, whose quota is 0")
        quota.look()
        scene.before = f"{quota.value:g}"
        scene.moments["refused"] = refused(
            lambda: train(self.hands, "train", P4D), "ResourceLimitExceeded"
        )
        yield from self.hands.hears(quota.code, "acted")
        asked = self._made("RequestServiceQuotaIncrease")[0]
        scene.moments["requested"] = moment(asked)
        look = self.hands.look_of(self._function, asked)
        scene.calls = sum(c["service"] in LEVER_SERVICES for c in look)
        desired = quota.requests()[0]["DesiredValue"]
        yield from attempt(self._of[REPEATED], self._repeated(self._of[REPEATED]))
        scene.moments["approved"] = yield from until(
            "an approval", lambda: self._approved_at(quota), AWS_SECONDS
        )
        told = yield from self.hands.hears(quota.code, "verified", VERIFY_SECONDS)
        scene.moments["verified"] = told.at
        self.says("the quota is raised and verified: the same training job asks again")
        train(self.hands, "train", P4D)
        yield from until("the job's start", self._trains, START_SECONDS)
        scene.moments["training"] = time.time()
        scene.passed = desired == 1.0
        scene.why = (
            str(told.detail["reason"])
            if scene.passed
            else f"{desired:g} was requested where 1 was needed"
        )

    def _repeated(self, scene: Scene) -> Script:
        self.says(f"the same call is refused {REPETITIONS} times more")
        scene.before = "1 request"
        for _ in range(REPETITIONS):
            refused(lambda: train(self.hands, "train", P4D), "ResourceLimitExceeded")
        scene.why = "one open request is awaited, whatever else is refused for it"
        scene.passed = True
        yield

    def _short(self, scene: Scene) -> Script:
        self._make_short()
        self.says(f"{NODES} instances of {NODE} are asked for in {SHORT_ZONE}, which has none")
        scene.before = f"{SHORT_ZONE} has none"
        scene.moments["refused"] = refused(
            lambda: launch(self.hands, NODE, NODES, SHORT_ZONE), "InsufficientInstanceCapacity"
        )
        told = yield from self.hands.hears(NODE, "capacity-short")
        scene.moments["told"] = told.at
        evidence, zones = told.detail["evidence"], list(ON_SALE[NODE])
        scene.listing = listing(evidence["offers"])
        scene.why = str(told.detail["reason"])
        scene.after = f"AWS has some in {', '.join(evidence['azHints'])}"
        scene.passed = evidence["azHints"] == zones and ranked(evidence["offers"], NODE)
        if not scene.passed:
            scene.why = f"not {zones}, the cheapest hour first: {scene.why}"

    def _make_short(self) -> None:
        """A quota that allows the instances, one zone without any, and offers elsewhere."""
        sell(self.hands)
        short = {"instance_type": NODE, "availability_zone": SHORT_ZONE, "remaining": 0}
        self.hands.account.control("PUT", "/ec2/capacity", short)

    def _capped(self) -> Script:
        self.says(f"a training job asks for {FLEET} {P5} at once")
        yield from self._left_alone(
            CAPPED,
            lambda: train(self.hands, "large", P5, FLEET),
            "ResourceLimitExceeded",
            "above-cap",
        )

    def _unruled(self) -> Script:
        self.says(f"somebody asks for a {UNRULED}, whose quota no rule names")
        yield from self._left_alone(
            UNRULED,
            lambda: launch(self.hands, UNRULED, 1),
            "VcpuLimitExceeded",
            "not-opted-in",
        )

    def _left_alone(self, title: str, ask: Callable[[], None], error: str, code: str) -> Script:
        """The function heard of the refused call and said why it requests nothing."""
        scene, quota = self._of[title], self._quotas[title]
        quota.look()
        scene.before = f"{quota.value:g}"
        scene.moments["refused"] = refused(ask, error)
        told = yield from self.hands.hears(quota.code, code)
        scene.moments["told"] = told.at
        scene.why = f"{quota.name}: {told.detail['reason']}"
        scene.passed = True

    # what is seen

    def _look(self) -> None:
        """See how the quota that is raised stands, not more often than others leave room for."""
        if time.time() - self._looked < SECONDS_BETWEEN_READINGS:
            return
        self._looked = time.time()
        jobs = self.hands.client("sagemaker").list_training_jobs(
            StatusEquals="InProgress", NameContains="train"
        )
        self._quotas[RAISED].look(len(jobs["TrainingJobSummaries"]))

    def _acted(self, code: str = "") -> list[Mapping[str, Any]]:
        """The evidence of each action that was told, of one quota or of all."""
        told = [each.detail for each in self.hands.told if each.detail["code"] == "acted"]
        evidence = [d["evidence"] for d in told if d["remediation"] == "quota_increase"]
        return [each for each in evidence if code in ("", each["code"])]

    def _asked(self, code: str = "") -> list[Mapping[str, Any]]:
        """Those that answer a refused call. Once the job trains the quota is used up, for which more of it
        is requested too, minutes later."""
        return [each for each in self._acted(code) if each["refusedCalls"]]

    def _made(self, operation: str) -> list[dict[str, Any]]:
        """The function's calls of an operation since this began."""
        calls = self.hands.account.calls(caller=self._function, since=self._since)
        return [c for c in calls if c["operation"] == operation]

    def _approved_at(self, quota: Quota) -> float | None:
        """When AWS approved the newest request, if it did."""
        self._look()
        approved = quota.request.get("Status") == "APPROVED"
        return float(quota.request["LastUpdated"].timestamp()) if approved else None

    def _trains(self) -> bool:
        job = self.hands.client("sagemaker").describe_training_job(TrainingJobName="train")
        return (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("InProgress", "Training")


def _buys(call: Mapping[str, Any]) -> bool:
    return "Purchase" in call["operation"] or call["operation"] == "CreateTrainingPlan"
