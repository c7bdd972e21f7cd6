"""Spot takes back: a group and a job get On-Demand for what is missing, and only for as long."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from local.demo.account import Hands, Told, moment
from local.demo.acts.groups import MARKETS, Group
from local.demo.acts.jobs import Job
from local.demo.acts.quotas import SMALL_NODE, listing, ranked, sell
from local.demo.scene import DemoFailed, Listing, Scene, Script, attempt, until

STORM, DEADLINE, SHORT = "renderers", "speech-model", "reasoners"
STORIES = {
    STORM: "Spot takes half of it back: On-Demand for just that half, then step by step to Spot",
    DEADLINE: "loses Spot twice: comes back by itself, then On-Demand from its checkpoint, in time",
    SHORT: "On-Demand is out as well: told so, with ranked offers of its type",
}
TYPES = ("g5.xlarge", "g4dn.xlarge")
DESIRED, LOST = 8, 4
ML_TYPE = "ml.m5.24xlarge"
WORK, CHECKPOINT_EVERY = 70, 5
SPARE = 45
"""Seconds that the job may lose before it must go On-Demand: the first loss comes well before."""
LATER = 8
"""Seconds after that, it loses Spot again."""
SETUP = 5
"""Seconds on its instances that a job does not train."""
SETTINGS = Path(__file__).parents[1] / "settings.json"
"""Settings that the demo deploys with: shortened times, roles, prices."""
OWN = json.loads(SETTINGS.read_text())["spot_fallback"]
FREE = 60 * (2 * int(OWN["changeover_minutes"]) + 2)
"""Seconds that a job keeps free before its deadline: two changeovers, and until it is looked at."""
DURATIONS = {
    "spot_notice": 20,
    "asg_health_check": 1,
    "asg_retry": 10,
    "asg_step": 3,
    "instance_boot": 2,
    "training_start": 2,
    "training_download": 1,
    "training_interrupt": 1,
    "training_stop": 2,
    "training_upload": 1,
}
"""What takes AWS minutes, in seconds."""
LEVER_SERVICES = ("autoscaling", "ec2")
BASE = "OnDemandBaseCapacity"
LAUNCH_SECONDS, SHORT_SECONDS, BACK_SECONDS, TRAIN_SECONDS = 60, 40, 150, 150


@dataclass
class SpotFallback:
    """hands: on a deployed stack that is listened to. says: tells a sentence of the story."""

    hands: Hands
    says: Callable[[str], None]
    title: str = "Spot capacity is taken back"
    scenes: list[Scene] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._function = self.hands.function("SpotFallback")
        self._since = time.time()
        self._own: Mapping[str, Any] = {}
        self._healthy: frozenset[str] = frozenset()
        self._group = Group(self.hands, STORM, DESIRED, TYPES)
        self._small = Group(self.hands, SHORT, 2, [SMALL_NODE])
        self._job = Job(self.hands, DEADLINE, ML_TYPE, WORK, CHECKPOINT_EVERY)
        self._of = {title: Scene(title, story) for title, story in STORIES.items()}
        self.scenes = list(self._of.values())

    def scripts(self) -> list[Script]:
        self.hands.account.control("PUT", "/durations", DURATIONS)
        storm, job, short = self.scenes
        return [
            attempt(storm, self._storm(storm)),
            attempt(job, self._trained(job)),
            attempt(short, self._short(short)),
        ]

    def scripts_while_off(self) -> list[Script]:
        return []

    def finish(self, started: float) -> None:
        self._of[STORM].charts = [self._group.chart()]
        self._of[DEADLINE].charts = [self._job.chart()]
        if len(self._job.heirs) > 1:
            scene = self._of[DEADLINE]
            scene.passed, scene.why = False, f"{len(self._job.heirs)} jobs took over, not one"

    def table(self) -> Table:
        table = Table("on Spot", "how it stands", "last word", expand=True)
        for group in (self._group, self._small):
            missing = f", [red]{group.missing} missing[/red]" if group.missing else ""
            table.add_row(group.name, group.shown() + missing, self.hands.last_word(group.name))
        table.add_row(DEADLINE, self._job.shown(), self.hands.last_word(DEADLINE))
        return table

    def line(self) -> str:
        return (
            f"{STORM}: {self._group.shown()}, {self._group.missing} missing  "
            f"{DEADLINE}: {self._job.shown()}  {SHORT}: {self.hands.last_word(SHORT) or '-'}"
        )

    # groups

    def _storm(self, scene: Scene) -> Script:
        yield from self._covered(scene)
        yield from self._returned(scene)

    def _covered(self, scene: Scene) -> Script:
        """Lose some, until as many are there again."""
        group = self._group
        self.says(f"{STORM}: {DESIRED} Spot Instances of {len(TYPES)} types in two zones")
        group.create()
        yield from until("a group on Spot", lambda: group.is_whole, LAUNCH_SECONDS)
        scene.before, self._own = group.shown(), group.distribution
        self.says(f"EC2 takes {LOST} of {STORM} back, and has no other Spot of its types")
        group.limit(0, "spot")
        scene.moments["warned"] = time.time()
        lost = group.lose({"instance_type": TYPES[0]})
        if len(lost) != LOST:
            raise DemoFailed(f"{len(lost)} were taken back, not {LOST}")
        self._healthy = group.spot - lost
        yield from self.hands.hears(STORM, "acted")
        asked = self._updates()[0]
        yield from until(
            "capacity back", lambda: group.is_whole and not group.spot & lost, LAUNCH_SECONDS
        )
        scene.moments |= {"On-Demand asked": moment(asked), "capacity back": time.time()}
        look = self.hands.look_of(self._function, asked)
        scene.calls = sum(call["service"] in LEVER_SERVICES for call in look)

    def _returned(self, scene: Scene) -> Script:
        group = self._group
        self.says(f"{STORM} is whole again, and AWS has Spot again")
        group.limit(None, "spot")
        yield from until(
            "the way back to Spot",
            lambda: group.is_whole and len(group.spot) == DESIRED,
            BACK_SECONDS,
        )
        scene.moments["all on Spot"] = time.time()
        told = yield from self.hands.hears(STORM, "returned")
        scene.after, scene.listing = group.shown(), _tallied(told)
        acted = [each for each in self.hands.told if (each.target, each.code) == (STORM, "acted")]
        bases = [each.detail["after"]["distribution"][BASE] for each in acted]
        ended, updates = self._healthy - group.spot, len(self._updates())
        for wrong, why in (
            (group.distribution != self._own, f"its distribution is {group.distribution}"),
            (ended, f"healthy Spot Instances that were ended: {', '.join(sorted(ended))}"),
            (group.most_on_demand != LOST, f"{group.most_on_demand} were On-Demand, {LOST} lost"),
            (len(bases) != updates, f"{updates} updates, of which {len(bases)} were told"),
            (bases[:1] != [LOST] or bases[-1:] != [0], f"its base went {bases}"),
            (len(bases) < 3 or bases != sorted(set(bases), reverse=True), f"no steps: {bases}"),
        ):
            if wrong:
                raise DemoFailed(why)
        scene.passed = True
        scene.why = f"its On-Demand base: {', '.join(map(str, bases))}. {told.detail['reason']}"

    def _short(self, scene: Scene) -> Script:
        group = self._small
        sell(self.hands)
        group.create()
        yield from until("a small group on Spot", lambda: group.is_whole, LAUNCH_SECONDS)
        scene.before = group.shown()
        self.says(f"EC2 takes {SHORT} back, and has no {SMALL_NODE} at all")
        group.limit(0, *MARKETS)
        scene.moments["warned"] = time.time()
        group.lose({"group": SHORT})
        told = yield from self.hands.hears(SHORT, "on-demand-short", SHORT_SECONDS)
        scene.moments["told"] = told.at
        group.look()
        scene.after, scene.why = group.shown(), str(told.detail["reason"])
        offered = yield from self.hands.hears(SMALL_NODE, "capacity-short", SHORT_SECONDS)
        scene.moments["offers told"] = offered.at
        offers = offered.detail["evidence"]["offers"]
        scene.listing, scene.passed = listing(offers), ranked(offers, SMALL_NODE)
        if not scene.passed:
            scene.why = f"not the offers of {SMALL_NODE}, the cheapest hour first"
        group.limit(None, *MARKETS)

    # a training job

    def _trained(self, scene: Scene) -> Script:
        job = self._job
        deadline = float(math.ceil(time.time() + WORK + FREE + SPARE))
        self.says(
            f"{DEADLINE}: {WORK} s of work on Spot, to be ready in {deadline - time.time():.0f} s"
        )
        job.create(deadline)
        scene.before = "on Spot"
        yield from until("training", lambda: job.trains and job.kept, TRAIN_SECONDS)
        yield from self._left_alone(scene)
        turning = deadline - WORK - FREE
        yield from until(
            "a loss that costs too much time",
            lambda: job.trains and time.time() > turning + LATER,
            TRAIN_SECONDS,
        )
        self.says(f"{DEADLINE} loses Spot again, with no more time to wait for it")
        scene.moments["lost again"] = time.time()
        job.lose_spot()
        job.look()
        kept = job.kept
        yield from until("another job", lambda: job.taken_over, TRAIN_SECONDS)
        scene.moments["relaunched"] = moment(self._made("CreateTrainingJob")[0])
        told = yield from until(
            "its completion",
            lambda: self.hands.heard(DEADLINE, "verified") if job.taken_over else None,
            TRAIN_SECONDS,
        )
        heir = job.described(job.last)
        completed = heir["TrainingEndTime"].timestamp()
        scene.moments |= {"completed": completed, "deadline": deadline}
        scene.after, scene.listing = (
            f"{job.last} On-Demand, {heir['TrainingJobStatus']}",
            _tallied(told),
        )
        spent, same = heir["TrainingTimeInSeconds"], job.described()["CheckpointConfig"]
        for wrong, why in (
            (heir["TrainingJobStatus"] != "Completed", f"it is {heir['TrainingJobStatus']}"),
            (completed > deadline, f"it was ready {completed - deadline:.0f} s late"),
            (heir["EnableManagedSpotTraining"], "it is on Spot once more"),
            (heir.get("CheckpointConfig") != same, "it does not keep the same checkpoints"),
            (
                spent > WORK - kept + SETUP,
                f"it trained {spent} s, with {kept:.0f} s in checkpoints",
            ),
        ):
            if wrong:
                raise DemoFailed(why)
        scene.passed = True
        scene.why = f"{told.detail['reason']}: {spent} s of its {WORK} s, {kept:.0f} s were kept"

    def _left_alone(self, scene: Scene) -> Script:
        """Lose Spot, be looked at, and come back by itself."""
        job = self._job
        self.says(f"{DEADLINE} loses Spot for some seconds")
        scene.moments["lost"] = time.time()
        job.lose_spot()
        yield from until(
            "a look at it",
            lambda: self._made("DescribeTrainingJob", scene.moments["lost"]),
            LAUNCH_SECONDS,
        )
        job.spot(None)
        yield from until("training again", lambda: job.trains, TRAIN_SECONDS)
        scene.moments["back"] = time.time()
        if touched := self._made("StopTrainingJob"):
            raise DemoFailed(f"it was stopped {len(touched)} times while there was time for Spot")

    # what is seen

    def _updates(self) -> list[dict[str, Any]]:
        """The function's changes of the group that the storm takes from."""
        calls = self._made("UpdateAutoScalingGroup")
        return [call for call in calls if call["parameters"]["AutoScalingGroupName"] == STORM]

    def _made(self, operation: str, since: float = 0.0) -> list[dict[str, Any]]:
        """The function's calls of an operation since this began, or since then."""
        calls = self.hands.account.calls(caller=self._function, since=str(max(since, self._since)))
        return [call for call in calls if call["operation"] == operation]


def _tallied(told: Told) -> Listing:
    """Hours and dollars of an incident, as it told them last."""
    tally = told.detail["tally"]
    words = {name: re.sub(r"([A-Z])", r" \1", name).lower() for name in tally}
    return Listing(tuple(words.values()), [tuple(f"{tally[name]:.4f}" for name in words)])
