"""CloudWatch in moto's place: dashboards stay moto's, metrics and alarms are ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend
from moto.core.resource_tagging import TaggedResource

from local.cloud.seam import Refusal, operation

from .alarm_operations import PutAlarmOperations
from .alarm_queries import AlarmOperations
from .metric_operations import MetricOperations
from .mute_operations import MuteOperations
from .store import MetricStore
from .watch import Watch


class CloudWatch(  # type: ignore[misc]
    MetricOperations, PutAlarmOperations, AlarmOperations, MuteOperations, CloudWatchBackend
):
    """One account's CloudWatch in one Region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.store = MetricStore()
        self.watch = Watch(account_id, region_name, self.store)

    @operation
    def tag_resource(  # type: ignore[override]
        self, resource_arn: str, tags: Sequence[Mapping[str, str]]
    ) -> None:
        self._taggable(resource_arn)
        self.tagger.tag_resource(resource_arn, list(tags))

    @operation
    def untag_resource(self, resource_arn: str, tag_keys: Sequence[str]) -> None:
        self._taggable(resource_arn)
        self.tagger.untag_resource_using_names(resource_arn, list(tag_keys))

    @operation
    def list_tags_for_resource(self, resource_arn: str) -> dict[str, Any]:
        self._taggable(resource_arn)
        tags = self.tagger.get_tag_dict_for_resource(resource_arn)
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _taggable(self, arn: str) -> None:
        if arn not in {kept for kept, _ in self._taggables()}:
            raise Refusal("ResourceNotFoundException", f"The resource {arn} does not exist.")

    def _taggables(self) -> Iterator[tuple[str, str]]:
        for alarm in self.watch.alarms.values():
            yield alarm.arn, "cloudwatch:alarm"
        for mute in self.watch.mutes.values():
            yield mute.arn, "cloudwatch:alarm-mute-rule"

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """What the Resource Groups Tagging API finds here."""
        for arn, kind in self._taggables():
            tags = self.tagger.get_tag_dict_for_resource(arn)
            yield TaggedResource(arn=arn, tags=tags, resource_type=kind)
