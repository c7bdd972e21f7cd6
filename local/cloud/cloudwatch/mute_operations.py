"""The alarm mute rule operations (API_PutAlarmMuteRule and its siblings)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

from .metric_operations import epoch, moment
from .mutes import CronUnsupported, MuteRule, ScheduleError, window_of
from .pages import page
from .queries import invalid
from .watch import Watch


class MuteOperations:
    """Mute rules of `self.watch`."""

    watch: Watch
    tagger: Any

    @operation
    def put_alarm_mute_rule(
        self,
        name: str,
        rule: Mapping[str, Any],
        description: str | None = None,
        mute_targets: Mapping[str, Any] | None = None,
        tags: Sequence[Mapping[str, str]] = (),
        start_date: datetime | None = None,
        expire_date: datetime | None = None,
    ) -> None:
        """The targets "must match existing alarms" (API_MuteTargets)."""
        schedule = rule["Schedule"]
        try:
            window = window_of(
                schedule["Expression"], schedule["Duration"], schedule.get("Timezone")
            )
        except CronUnsupported as unsupported:
            raise Refusal("UnsupportedByPocketAccount", str(unsupported)) from None
        except ScheduleError as error:
            raise invalid(str(error)) from None
        targets = tuple((mute_targets or {}).get("AlarmNames", ()))
        if unknown := [target for target in targets if target not in self.watch.alarms]:
            raise invalid(f"The alarms {unknown} in MuteTargets do not exist.")
        region, account = self.watch.region, self.watch.account
        mute = MuteRule(
            name=name,
            arn=f"arn:aws:cloudwatch:{region}:{account}:alarm-mute-rule:{name}",
            expression=schedule["Expression"],
            duration=schedule["Duration"],
            timezone=schedule.get("Timezone"),
            window=window,
            alarm_names=targets,
            description=description,
            start_date=epoch(start_date) if start_date else None,
            expire_date=epoch(expire_date) if expire_date else None,
            updated=WORLD.clock(),
        )
        if name not in self.watch.mutes and tags:
            self.tagger.tag_resource(mute.arn, list(tags))
        self.watch.mutes[name] = mute
        self.watch.release()
        if mute.ends > WORLD.clock():
            WORLD.later(mute.ends - WORLD.clock(), self.watch.release)

    @operation
    def get_alarm_mute_rule(self, alarm_mute_rule_name: str) -> dict[str, Any]:
        if (mute := self.watch.mutes.get(alarm_mute_rule_name)) is None:
            raise Refusal(
                "ResourceNotFoundException",
                f"The alarm mute rule {alarm_mute_rule_name} does not exist.",
            )
        schedule = {"Expression": mute.expression, "Duration": mute.duration}
        if mute.timezone is not None:
            schedule["Timezone"] = mute.timezone
        shown: dict[str, Any] = {
            "Name": mute.name,
            "Rule": {"Schedule": schedule},
            "MuteTargets": {"AlarmNames": list(mute.alarm_names)},
            **_summary(mute),
        }
        if mute.description is not None:
            shown["Description"] = mute.description
        if mute.start_date is not None:
            shown["StartDate"] = moment(mute.start_date)
        return shown

    @operation
    def list_alarm_mute_rules(
        self,
        alarm_name: str | None = None,
        statuses: Sequence[str] = (),
        max_records: int = 50,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        now = WORLD.clock()
        found = [
            mute
            for _, mute in sorted(self.watch.mutes.items())
            if (alarm_name is None or alarm_name in mute.alarm_names)
            and (not statuses or mute.status(now) in statuses)
        ]
        shown, token = page(found, next_token, max_records, "InvalidNextToken")
        answer: dict[str, Any] = {"AlarmMuteRuleSummaries": [_summary(mute) for mute in shown]}
        return answer | ({"NextToken": token} if token else {})

    @operation
    def delete_alarm_mute_rule(self, alarm_mute_rule_name: str) -> None:
        """Idempotent. What the rule muted is unmuted at once, and its actions run."""
        if mute := self.watch.mutes.pop(alarm_mute_rule_name, None):
            self.tagger.delete_all_tags_for_resource(mute.arn)
            self.watch.release()


def _summary(mute: MuteRule) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "AlarmMuteRuleArn": mute.arn,
        "Status": mute.status(WORLD.clock()),
        "MuteType": "ONE_TIME",
        "LastUpdatedTimestamp": moment(mute.updated),
    }
    return shown | ({"ExpireDate": moment(mute.expire_date)} if mute.expire_date else {})
