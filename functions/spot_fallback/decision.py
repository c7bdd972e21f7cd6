"""What to do about capacity that Spot takes away, decided for each kind of target in its own room.

Pure: what is decided follows from the observation and the incident alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from functions.core.decision import Decision, Dial
from functions.core.incident import Incident
from functions.spot_fallback import groups, instances, jobs
from functions.spot_fallback.observation import GroupSeen, InstanceSeen, JobSeen, Rules, Seen

PACE = int(groups.PACE.total_seconds())


def decide(seen: Seen, incident: Incident | None, rules: Rules) -> Decision:
    """What to do about the target now. incident: the open one, if any."""
    match seen:
        case GroupSeen():
            return groups.decide(seen, incident, rules)
        case JobSeen():
            return jobs.decide(seen, incident, rules)
        case InstanceSeen():
            return instances.decide(seen, incident, rules)


def stands(dial: Dial, written: Dial) -> bool:
    """Whether a dial still stands where it was written.

    Only what others could move back counts: a stopped job stays stopped, and a target group that a
    twin is taken out of is nobody's mistake.
    """
    return all(dial.get(part) == written.get(part) for part in ("distribution", "heir", "twin"))


def tally(seen: Seen, incident: Incident) -> Mapping[str, float]:
    """Hours and dollars of the incident until now; `incident.tally` is what it was before."""
    match seen:
        case GroupSeen():
            return groups.tally(seen, incident)
        case JobSeen():
            return jobs.tally(seen, incident)
        case InstanceSeen():
            return instances.tally(seen, incident)
