"""What to do about a single Spot Instance under its interruption warning: an On-Demand twin.

Pure: what is decided follows from the observation and the incident alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from functions.core.decision import Act, Decision, Dial, Fail, Move, Refuse, Settled, Wait
from functions.core.incident import Incident
from functions.spot_fallback.launch import has_place, likeness
from functions.spot_fallback.observation import InstanceSeen, Rates, Rules

NOTICE = timedelta(minutes=2)
"""From an interruption warning to the interruption, at most (EC2 user guide, "Spot Instance
interruption notices")."""
LATE = timedelta(minutes=10)
"""How long after its warning an instance is still replaced: what came later was done without it."""
LAUNCHED, BOOTING, WATCHING = 10, 20, 300
"""Seconds until a twin that was just launched, one that still boots, and a pair whose first is about
to go are looked at again. Booting takes longer than a look may hold up the signals behind it: the
second wait is the heartbeat's."""
TAKEN_BY_EC2 = "Server.Spot"
"""How the state reason of a Spot Instance begins that EC2 took (EC2 API reference, StateReason)."""
FLEETS = ("aws:ec2:fleet-id", "aws:ec2spot:fleet-request-id")
NODES = ("aws:eks:", "eks:", "karpenter.sh/", "kubernetes.io/cluster/")
"""How the keys of tags begin that Amazon EKS and Karpenter give their nodes."""


def decide(seen: InstanceSeen, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the instance now. incident: the open one, if any."""
    if seen.twin is not None:
        return _beside_twin(seen, seen.twin, incident)
    description = seen.description
    id, tags = description["InstanceId"], tags_of(description)
    if description.get("InstanceLifecycle") != "spot":
        return Settled(f"{id} is no Spot Instance")
    if group := tags.get("aws:autoscaling:groupName") or seen.group:
        # Also one that left it under its warning: the group has another in its place.
        return Settled(f"{id} is of the Auto Scaling group {group}, which is looked after whole")
    if _ended_otherwise(description):
        said = description["StateReason"].get("Message", description["StateReason"]["Code"])
        return Settled(f"{id} was not taken by EC2 but ended: {said}")
    if seen.warned is None:
        return Settled(f"{id} has no interruption warning")
    if seen.now - seen.warned > LATE:
        return _too_late(seen, seen.warned, incident)
    if refusal := _replaced_by_others(seen, tags):
        return refusal
    plan = _plan(seen, incident)
    if isinstance(plan, Refuse):
        return plan
    if refusal := _forbidden(seen, plan, rules):
        return refusal
    return Act(
        f"EC2 takes the Spot Instance {id} ({description['InstanceType']}, {_zone(description)}) "
        "back: an On-Demand Instance like it is launched in its place",
        write={**plan, "twin": True, "registered": []},
        goal={**plan, "twin": True, "registered": _due(seen, incident)},
        move=Move.SAFETY,
        evidence=_evidence(seen),
        again=LAUNCHED,
    )


def tally(seen: InstanceSeen, incident: Incident) -> Mapping[str, float]:
    """Hours of the twin since its launch, as long as the incident is open, and their dollars.

    fallbackDollars: what they cost more than they would have on Spot. Without a price: hours alone.
    """
    now = seen.now.timestamp()
    before = incident.tally
    twin = seen.twin
    if twin is None or _state(twin) not in ("pending", "running"):
        return {**before, "_at": now}
    launched: datetime = twin["LaunchTime"]
    since = max(launched.timestamp(), before.get("_at", 0.0))
    hours = max(0.0, now - since) / 3600
    rates = seen.rates.get(twin["InstanceType"], Rates())
    more = {"onDemandHours": hours}
    if rates.on_demand is not None:
        more["onDemandDollars"] = hours * rates.on_demand
        if rates.spot is not None:
            more["fallbackDollars"] = hours * max(0.0, rates.on_demand - rates.spot)
    return {**before, **{k: before.get(k, 0.0) + v for k, v in more.items()}, "_at": now}


def tags_of(description: Mapping[str, Any]) -> dict[str, str]:
    """Tags of an instance as DescribeInstances tells them."""
    return {each["Key"]: each["Value"] for each in description.get("Tags", ())}


# before there is a twin


def _ended_otherwise(description: Mapping[str, Any]) -> bool:
    """Whether a person, or the instance itself, ended it: then nobody misses it."""
    code = (description.get("StateReason") or {}).get("Code", "")
    ended = _state(description) not in ("pending", "running")
    return ended and bool(code) and not code.startswith(TAKEN_BY_EC2)


def _too_late(seen: InstanceSeen, warned: datetime, incident: Incident | None) -> Decision:
    id = seen.description["InstanceId"]
    ago = f"{_minutes(seen.now - warned)} min ago"
    if incident is None or incident.attempts == 0:
        return Settled(f"{id} was warned {ago}, which is too long to replace it now")
    return Fail(
        "not-replaced",
        f"{id} was warned {ago} and no On-Demand Instance could be launched in its place: "
        f"{incident.reason}",
        evidence=_evidence(seen),
        next_steps=("Launch it by hand, of another type or in another zone",),
    )


def _replaced_by_others(seen: InstanceSeen, tags: Mapping[str, str]) -> Refuse | None:
    """What would come back by itself would then be there twice."""
    id = seen.description["InstanceId"]
    if node := next((key for key in tags if key.startswith(NODES)), None):
        return Refuse(
            "managed-by-eks",
            f"{id} is a node of a cluster (tag {node}), whose own scaler replaces it",
        )
    if fleet := next((tags[key] for key in FLEETS if key in tags), None):
        return Refuse("fleet-managed", f"{id} is of the fleet {fleet}, which replaces it")
    if seen.persistent:
        return Refuse(
            "persistent-request",
            f"the Spot request of {id} is persistent: EC2 launches it again when it can",
        )
    return None


def _plan(seen: InstanceSeen, incident: Incident | None) -> Dial | Refuse:
    """What the twin is launched from. It is made once: EC2 forgets where an instance was when that
    is gone, and one client token takes no two requests."""
    goal = (incident.goal if incident else None) or {}
    if "like" in goal:
        return {name: goal[name] for name in ("version", "role", "like")}
    id = seen.description["InstanceId"]
    if not seen.template_version:
        return Refuse(
            "no-template",
            f"{id} was not launched from a launch template, so how to launch another is not known",
            page=True,
            next_steps=(
                "Launch it by hand",
                "Launch such instances from a launch template, or in an Auto Scaling group",
            ),
        )
    named = "{LaunchTemplateId} version {Version}".format(**seen.template_version)
    if seen.template is None:
        return Refuse(
            "template-gone",
            f"{id} was launched from {named}, which no longer exists",
            page=True,
            next_steps=("Launch it by hand",),
        )
    like = likeness(seen.description)
    if not has_place(seen.template, like):
        return Refuse(
            "place-unknown",
            f"{id} is gone, and neither EC2 nor {named} tells in which subnet it was",
            page=True,
            next_steps=("Launch it by hand",),
        )
    return {"version": dict(seen.template_version), "role": seen.role, "like": like}


def _forbidden(seen: InstanceSeen, plan: Dial, rules: Rules) -> Refuse | None:
    id, role = seen.description["InstanceId"], plan["role"]
    if role and (refusal := rules.forbid(role, id)):
        return refusal
    dollars = seen.rates.get(seen.description["InstanceType"], Rates()).on_demand
    if dollars is not None and dollars > rules.on_demand_dollars_per_hour:
        return Refuse(
            "above-cap",
            f"an On-Demand {seen.description['InstanceType']} costs {dollars:g} dollars an hour, "
            f"{rules.on_demand_dollars_per_hour:g} are allowed",
            page=True,
            evidence=_evidence(seen),
            next_steps=("Raise spot_fallback.on_demand_dollars_per_hour and deploy",),
        )
    return None


# with a twin


def _beside_twin(
    seen: InstanceSeen, twin: Mapping[str, Any], incident: Incident | None
) -> Decision:
    id, new = seen.description["InstanceId"], twin["InstanceId"]
    match _state(twin):
        case "pending":
            return Wait(f"{new}, which takes the place of {id}, is starting", again=BOOTING)
        case "running":
            return _take_over(seen, twin, incident)
        case state if incident is None:
            return Settled(f"{new} took the place of {id}, and is {state} by now")
        case state:
            said = (twin.get("StateReason") or {}).get("Message", "no reason given")
            return Fail(
                "twin-ended",
                f"{new}, which took the place of {id}, is {state}: {said}",
                evidence=_evidence(seen),
                next_steps=("Launch it by hand if it is still needed",),
            )


def _take_over(seen: InstanceSeen, twin: Mapping[str, Any], incident: Incident | None) -> Decision:
    """A target must be running when it is registered (ELB API reference, RegisterTargets)."""
    id, new = seen.description["InstanceId"], twin["InstanceId"]
    due: list[Mapping[str, Any]] = []
    for each in _due(seen, incident):
        if (own := _for_twin(each, twin)) not in due:
            due.append(own)
    # What was registered once and is no more, somebody took out.
    done = [
        *seen.dial["registered"],
        *((incident and incident.written) or {}).get("registered", ()),
    ]
    if missing := [each for each in due if each not in done]:
        write = {**seen.dial, "registered": _sorted([*seen.dial["registered"], *missing])}
        return Act(
            f"{new} runs and is registered where {id} is: {_groups(missing)}",
            write=write,
            goal=write,
            move=Move.SAFETY,
            evidence=_evidence(seen),
        )
    where = f" and serves {_groups(due)}" if due else ""
    if _state(seen.description) not in ("pending", "running"):
        return Settled(f"{new} runs On-Demand in the place of {id}, which is gone{where}")
    if seen.warned is None or seen.now - seen.warned <= LATE:
        return Wait(f"{new} runs{where}; {id} is about to be taken", again=_rest(seen))
    return Wait(
        f"{id} was warned {_minutes(seen.now - seen.warned)} min ago and still runs, beside {new}",
        code="both-run",
        evidence=_evidence(seen),
        next_steps=(f"Terminate the one that is not needed, {id} or {new}",),
        again=WATCHING,
    )


def _rest(seen: InstanceSeen) -> int:
    """Seconds until the warned instance must be gone."""
    left = (seen.warned + NOTICE - seen.now).total_seconds() if seen.warned else 0
    return min(WATCHING, max(60, round(left)))


def _due(seen: InstanceSeen, incident: Incident | None) -> list[Mapping[str, Any]]:
    """Where the instance serves, as seen now and as noted with the launch or while none was
    possible: a target group may forget it as soon as it is gone."""
    goal = (incident and incident.goal) or {}
    written = (incident and incident.written) or {}
    noted = [*goal.get("registered", ()), *written.get("serves", ())]
    return _sorted([*noted, *(each for each in seen.target_groups if each not in noted)])


def _for_twin(target: Mapping[str, Any], twin: Mapping[str, Any]) -> dict[str, Any]:
    """The same registration of the twin, by ID or by IP address as the target group has it."""
    by_id = target["Id"].startswith("i-")
    return {**target, "Id": twin["InstanceId"] if by_id else twin["PrivateIpAddress"]}


def _sorted(targets: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(targets, key=lambda each: (each["TargetGroupArn"], each["Port"], each["Id"]))


def _groups(targets: Sequence[Mapping[str, Any]]) -> str:
    names = sorted({each["TargetGroupArn"].split("/")[1] for each in targets})
    return f"target group{'s' if len(names) > 1 else ''} {', '.join(names)}"


# in words


def _state(description: Mapping[str, Any]) -> str:
    return str(description["State"]["Name"])


def _zone(description: Mapping[str, Any]) -> str:
    return str(description.get("Placement", {}).get("AvailabilityZone", "zone unknown"))


def _minutes(time: timedelta) -> int:
    return round(time.total_seconds() / 60)


def _evidence(seen: InstanceSeen) -> dict[str, Any]:
    description = seen.description
    rates = seen.rates.get(description["InstanceType"], Rates())
    return {
        "instance": description["InstanceId"],
        "instanceType": description["InstanceType"],
        "zone": _zone(description),
        "state": _state(description),
        "warnedAt": seen.warned.isoformat() if seen.warned else None,
        "template": dict(seen.template_version),
        "twin": seen.twin["InstanceId"] if seen.twin else None,
        "onDemandDollarsPerHour": rates.on_demand,
        "spotDollarsPerHour": rates.spot,
    }
