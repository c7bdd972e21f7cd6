"""Endpoints: what changes their state, how long that takes, and what is refused meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from local.cloud.sagemaker.catalogue import Catalogue
from local.cloud.sagemaker.events import announce
from local.cloud.sagemaker.limits import admit, endpoint_claims, serverless_claims, size_of
from local.cloud.sagemaker.listing import in_order, page, within
from local.cloud.sagemaker.resources import Deployment, Endpoint, Variant, timestamp
from local.cloud.sagemaker.scalers import scalers
from local.cloud.sagemaker.serverless import Serverless
from local.cloud.sagemaker.store import Tags, as_map
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

IN_PROGRESS = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


class Endpoints(Catalogue):
    """The operations on endpoints, over those on what endpoints are made of.

    A change takes `WORLD.durations`; what serves changes only when it is over. While one is
    under way every other change, deletion included, is refused with "Cannot update in-progress
    endpoint" (observed by users: github.com/aws/amazon-sagemaker-operator-for-k8s treats that
    text as DeleteEndpoint's refusal; for weights it is the answer to a second call).
    An update can end in a mishap: `RollingBack` leads back to what served before, `Failed` to
    nothing but deletion (botocore service model, `EndpointStatus`).
    """

    @operation
    def create_endpoint(
        self, endpoint_name: str, endpoint_config_name: str, tags: Tags = ()
    ) -> dict[str, Any]:
        config = self.find_config(endpoint_config_name)
        arn = self.new_arn("endpoint", endpoint_name, self.endpoints, "endpoint")
        variants = [Variant.launched(spec) for spec in config.variants]
        self._admit([(each, size_of(each)) for each in variants])
        admit(self, serverless_claims(variants))
        endpoint = Endpoint(
            name=endpoint_name,
            arn=arn,
            tags=as_map(tags),
            config=config,
            variants=variants,
        )
        self.endpoints[endpoint_name.lower()] = endpoint
        return self._change(endpoint, "Creating", WORLD.durations.endpoint_create, lambda: None)

    @operation
    def describe_endpoint(self, endpoint_name: str) -> dict[str, Any]:
        return self.find_endpoint(endpoint_name).description()

    @operation
    def list_endpoints(
        self,
        sort_by: str = "CreationTime",
        sort_order: str = "Descending",
        next_token: str | None = None,
        max_results: int = 10,
        name_contains: str = "",
        creation_time_before: datetime | None = None,
        creation_time_after: datetime | None = None,
        status_equals: str | None = None,
    ) -> dict[str, Any]:
        """Ten a page unless told otherwise (botocore service model, `ListEndpoints`)."""
        found = within(
            self.endpoints.values(), name_contains, creation_time_before, creation_time_after
        )
        found = [each for each in found if status_equals in (None, each.status)]
        endpoints, token = page(in_order(found, sort_by, sort_order), next_token, max_results)
        summaries = [
            {
                "EndpointName": each.name,
                "EndpointArn": each.arn,
                "EndpointStatus": each.status,
                "CreationTime": timestamp(each.created),
                "LastModifiedTime": timestamp(each.modified),
            }
            for each in endpoints
        ]
        return {"Endpoints": summaries, **token}

    @operation
    def update_endpoint(
        self,
        endpoint_name: str,
        endpoint_config_name: str,
        retain_all_variant_properties: bool = False,
        exclude_retained_variant_properties: Sequence[Mapping[str, str]] = (),
    ) -> dict[str, Any]:
        """Deploys a configuration. Live weights and counts are replaced by the configuration's
        unless retained (botocore service model, `UpdateEndpoint`); the old variants serve until
        the new ones take over, so for a while both have their instances (developer guide,
        deployment-guardrails-blue-green), and quotas must allow that. Variants that are scaled
        automatically keep their instance type (developer guide, endpoint-scaling-update)."""
        endpoint = self._ready(endpoint_name)
        config = self.find_config(endpoint_config_name)
        excluded = {each["VariantPropertyType"] for each in exclude_retained_variant_properties}
        variants = [Variant.launched(spec) for spec in config.variants]
        live = {variant.name: variant for variant in endpoint.variants}
        for variant in variants:
            if retain_all_variant_properties and variant.name in live:
                if "DesiredWeight" not in excluded:
                    variant.desired_weight = live[variant.name].desired_weight
                if "DesiredInstanceCount" not in excluded:
                    self._retain_size(variant, live[variant.name])
        _check_conversion(endpoint.variants, variants)
        self._check_scaled(endpoint, variants)
        self._admit(
            [(each, size_of(each) - _shared(each, live.get(each.name))) for each in variants]
        )
        endpoint.deployment = Deployment(config, variants, WORLD.clock())

        def take_over() -> None:
            endpoint.config, endpoint.variants, endpoint.deployment = config, variants, None

        return self._change(endpoint, "Updating", WORLD.durations.endpoint_update, take_over)

    @operation
    def update_endpoint_weights_and_capacities(
        self,
        endpoint_name: str,
        desired_weights_and_capacities: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Changes only the values that are named. The texts for repeated and unknown variants
        are those of github.com/getmoto/moto/pull/5082."""
        endpoint = self._ready(endpoint_name)
        variants = {variant.name: variant for variant in endpoint.variants}
        named: set[str] = set()
        scaled: set[str] = set()
        growth: list[tuple[Variant, int]] = []
        for wish in desired_weights_and_capacities:
            name = wish["VariantName"]
            if name in named:
                raise Refusal(
                    "ValidationException",
                    f'The variant name "{name}" was non-unique within the request.',
                )
            if name not in variants:
                raise Refusal(
                    "ValidationException",
                    f'The variant name(s) "{name}" is/are not present within endpoint '
                    f'configuration "{endpoint.config.name}".',
                )
            named.add(name)
            if variants[name].desired_serverless or "ServerlessUpdateConfig" in wish:
                before, after = _resized(variants[name], wish)
                if after != before:
                    scaled.add(name)
                    growth.append((variants[name], max(0, after.most - before.most)))
                continue
            count = wish.get("DesiredInstanceCount", variants[name].desired_count)
            if count == 0:
                raise Refusal("ValidationException", _ZERO.format(name))
            if count != variants[name].desired_count:
                scaled.add(name)
                growth.append((variants[name], max(0, count - variants[name].desired_count)))
        if len(scaled) > 1 and WORLD.switches.one_capacity_per_call:
            raise Refusal("ValidationException", _ONE_CAPACITY.format(", ".join(sorted(scaled))))
        self._admit(growth)
        for wish in desired_weights_and_capacities:
            variant = variants[wish["VariantName"]]
            variant.desired_weight = wish.get("DesiredWeight", variant.desired_weight)
            if variant.desired_serverless:
                _, variant.desired_serverless = _resized(variant, wish)
            else:
                variant.desired_count = wish.get("DesiredInstanceCount", variant.desired_count)
        seconds = self._seconds_for(variants[name] for name in scaled)
        return self._change(endpoint, "Updating", seconds, lambda: None)

    @operation
    def delete_endpoint(self, endpoint_name: str) -> None:
        """Possible in every state that is at rest; for a failed endpoint it is the only operation
        (botocore service model, `EndpointStatus`). Who scales its variants is told (developer
        guide, endpoint-delete-with-scaling)."""
        endpoint = self.find_endpoint(endpoint_name)
        if endpoint.status in IN_PROGRESS:
            raise _in_progress(endpoint)
        for scaler in scalers:
            scaler.gone(self.account_id, self.region_name, endpoint.name)

        def vanish() -> None:
            del self.endpoints[endpoint_name.lower()]

        if endpoint.traffic:
            endpoint.traffic.settle()
            endpoint.traffic = None
        self._enter(endpoint, "Deleting")
        WORLD.later(WORLD.durations.endpoint_delete, vanish)

    def provision(self, endpoint_name: str, variant_name: str, concurrency: int) -> None:
        """What Application Auto Scaling does to a serverless variant. It may leave it without
        provisioned concurrency (its service model, `RegisterScalableTarget`: the least MinCapacity
        is 0), which no one else can without another endpoint configuration."""
        endpoint = self._ready(endpoint_name)
        [variant] = [each for each in endpoint.variants if each.name == variant_name]
        _, variant.desired_serverless = _resized(
            variant, {"ServerlessUpdateConfig": {"ProvisionedConcurrency": concurrency}}
        )
        self._change(endpoint, "Updating", self._seconds_for([variant]), lambda: None)

    def find_endpoint(self, name: str) -> Endpoint:
        """The endpoint of that name, or AWS's refusal."""
        return self.find("endpoint", name, self.endpoints, "endpoint")

    def _check_scaled(self, endpoint: Endpoint, variants: Sequence[Variant]) -> None:
        types = {each.name: each.spec.get("InstanceType") for each in variants}
        changed = {
            each.name
            for each in endpoint.variants
            if each.name not in types or types[each.name] != each.spec.get("InstanceType")
        }
        for scaler in scalers:
            scaled = scaler.scaled(self.account_id, self.region_name, endpoint.name)
            if held := sorted(changed & scaled):
                raise Refusal("ValidationException", _SCALED.format(", ".join(held)))

    def _seconds_for(self, scaled: Iterable[Variant]) -> float:
        durations = WORLD.durations
        return max(
            (
                durations.serverless_update
                if each.desired_serverless
                else durations.instance_launch
                for each in scaled
            ),
            default=durations.weights_update,
        )

    def _retain_size(self, variant: Variant, live: Variant) -> None:
        variant.desired_count = live.desired_count
        if not (variant.desired_serverless and live.desired_serverless):
            return
        if WORLD.switches.retain_keeps_provisioned_concurrency:
            kept = replace(live.desired_serverless, memory=variant.desired_serverless.memory)
            variant.desired_serverless = variant.current_serverless = kept

    def _admit(self, counts: Sequence[tuple[Variant, int]]) -> None:
        admit(self, endpoint_claims(counts))

    def _ready(self, name: str) -> Endpoint:
        endpoint = self.find_endpoint(name)
        if endpoint.status != "InService":
            raise _in_progress(endpoint)
        return endpoint

    def _change(
        self, endpoint: Endpoint, status: str, seconds: float, arrive: Callable[[], None]
    ) -> dict[str, Any]:
        mishap, endpoint.mishap = endpoint.mishap, None

        def finish() -> None:
            if endpoint.traffic:
                endpoint.traffic.settle()
            if mishap is None:
                endpoint.failure_reason = None
                arrive()
                for variant in endpoint.variants:
                    variant.arrive()
                self._enter(endpoint, "InService")
            elif mishap.rolls_back:
                self._enter(endpoint, "RollingBack")
                WORLD.later(seconds, roll_back)
            else:
                endpoint.deployment, endpoint.failure_reason = None, mishap.reason
                self._enter(endpoint, "Failed")

        def roll_back() -> None:
            endpoint.deployment = None
            if mishap is not None and WORLD.switches.rollback_tells_reason:
                endpoint.failure_reason = mishap.reason
            for variant in endpoint.variants:
                variant.give_up()
            self._enter(endpoint, "InService")

        self._enter(endpoint, status)
        WORLD.later(seconds, finish)
        return {"EndpointArn": endpoint.arn}

    def _enter(self, endpoint: Endpoint, status: str) -> None:
        endpoint.status, endpoint.modified = status, WORLD.clock()
        announce(endpoint)


def _resized(variant: Variant, wish: Mapping[str, Any]) -> tuple[Serverless, Serverless]:
    """A serverless variant's size before and after `wish` (botocore service model,
    `DesiredWeightAndCapacity`), or the refusal of a wish that is of the other kind."""
    before = variant.desired_serverless
    if before is None:
        raise Refusal("ValidationException", _NOT_SERVERLESS.format(variant.name))
    if "DesiredInstanceCount" in wish:
        raise Refusal("ValidationException", _NO_INSTANCES.format(variant.name))
    after = before.updated(wish.get("ServerlessUpdateConfig", {}))
    if problem := after.problem():
        raise Refusal("ValidationException", problem)
    return before, after


def _shared(variant: Variant, live: Variant | None) -> int:
    """How much of a deployed variant's claim its forerunner holds already. Instances of both run
    side by side; a serverless variant's concurrency is allocated to the endpoint once (the quota's
    own words, "allocated across all serverless endpoints")."""
    both_serverless = live and live.desired_serverless and variant.desired_serverless
    return size_of(live) if live and both_serverless else 0


def _check_conversion(before: Sequence[Variant], after: Sequence[Variant]) -> None:
    """Instances do not become serverless, the other way is possible (SageMaker developer guide,
    serverless-endpoints-update: an instance-based endpoint cannot be updated to a serverless one).
    The text is not known."""
    if any(each.desired_serverless for each in after) and not any(
        each.desired_serverless for each in before
    ):
        raise Refusal("ValidationException", _NO_CONVERSION)


def _in_progress(endpoint: Endpoint) -> Refusal:
    return Refusal("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')


# AWS's own wording of these is not known; the rules are documented.
_NOT_SERVERLESS = 'Variant "{}" is not serverless: ServerlessUpdateConfig is not supported.'
_NO_INSTANCES = 'Variant "{}" is serverless: DesiredInstanceCount is not supported.'
_SCALED = (
    'The variant(s) "[{}]" must be deregistered as a scalable target with AWS Auto Scaling before '
    "they can be removed or have their instance type updated."
)
_NO_CONVERSION = "An instance-based endpoint cannot be updated to a serverless endpoint."
_ZERO = (
    'Variant "{}" cannot be scaled to 0 instances: only asynchronous endpoints and inference '
    "components scale to zero."
)
_ONE_CAPACITY = (
    "UpdateEndpointWeightsAndCapacities changes the capacity of one variant a call, not of {}."
)
