"""moto's Lambda with aliases and concurrency by AWS's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.models import LambdaAlias, LambdaBackend, LambdaFunction

from local import lambda_rules as rules
from local.cloud.awslambda.conditions import conditions
from local.cloud.cloudwatch import record
from local.cloud.seam import Refusal, operation
from local.cloud.world import WORLD

MINUTE = 60.0


@dataclass
class Kept:
    """What is kept of a function beside moto's own; `traffic` is by qualifier."""

    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    provisioned: dict[str, rules.Provisioned] = field(default_factory=dict)
    traffic: dict[str, rules.Traffic] = field(default_factory=dict)


class HostedFunction(LambdaFunction):
    """moto's, which keeps where it runs and how it starts as well."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str) -> None:
        super().__init__(account_id, spec, region, version)
        self.capacity_provider: Mapping[str, Any] | None = spec.get("CapacityProviderConfig")
        self.snap_started = spec.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions"

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        told = super().get_configuration(on_create)
        if self.capacity_provider:
            told["CapacityProviderConfig"] = self.capacity_provider
        if self.snap_started:
            told["SnapStart"] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
        return told


class Lambda(LambdaBackend):
    """Functions and versions are moto's; aliases, reserved and provisioned concurrency are ours."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._kept: dict[str, Kept] = {}
        self._measured = 0.0

    def delete_function(self, function_name: str, qualifier: str | None = None) -> None:
        super().delete_function(function_name, qualifier)
        self._kept = {name: kept for name, kept in self._kept.items() if self._exists(name)}

    @operation
    def create_alias(  # type: ignore[override]
        self,
        function_name: str,
        name: str,
        function_version: str,
        description: str = "",
        routing_config: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        asked = {
            "Name": name,
            "FunctionVersion": function_version,
            "Description": description,
            "RoutingConfig": routing_config,
        }
        function = self._function(function_name)
        with _refusing():
            alias = rules.create_alias(function, asked, WORLD.clock())
        self._mirror(function)
        return alias

    @operation
    def get_alias(self, function_name: str, name: str) -> dict[str, Any]:  # type: ignore[override]
        with _refusing():
            return rules.get_alias(self._function(function_name), name, WORLD.clock())

    @operation
    def list_aliases(  # type: ignore[override]
        self,
        function_name: str,
        function_version: str | None = None,
        marker: str = "",
        max_items: int | None = None,
    ) -> dict[str, Any]:
        with _refusing():
            function = self._function(function_name)
            return rules.list_aliases(function, WORLD.clock(), function_version, marker, max_items)

    @operation
    def update_alias(  # type: ignore[override]
        self,
        function_name: str,
        name: str,
        function_version: str | None = None,
        description: str | None = None,
        routing_config: Mapping[str, Any] | None = None,
        revision_id: str | None = None,
    ) -> dict[str, Any]:
        asked = {
            "FunctionVersion": function_version,
            "Description": description,
            "RoutingConfig": routing_config,
            "RevisionId": revision_id,
        }
        function = self._function(function_name)
        with _refusing():
            alias = rules.update_alias(function, name, asked, self._conditions())
        self._mirror(function)
        return alias

    @operation
    def delete_alias(self, function_name: str, name: str) -> None:  # type: ignore[override]
        function = self._function(function_name)
        rules.delete_alias(function, name, WORLD.clock())
        self._mirror(function)

    @operation
    def put_provisioned_concurrency_config(
        self, function_name: str, qualifier: str, provisioned_concurrent_executions: int
    ) -> dict[str, Any]:
        with _refusing():
            name, qualifier = _qualified(function_name, qualifier)
            return rules.put_provisioned(
                self._function(name),
                qualifier,
                provisioned_concurrent_executions,
                self._account(),
                self._conditions(),
            )

    @operation
    def get_provisioned_concurrency_config(
        self, function_name: str, qualifier: str
    ) -> dict[str, Any]:
        with _refusing():
            name, qualifier = _qualified(function_name, qualifier)
            return rules.get_provisioned(self._function(name), qualifier, WORLD.clock())

    @operation
    def list_provisioned_concurrency_configs(
        self, function_name: str, marker: str = "", max_items: int | None = None
    ) -> dict[str, Any]:
        with _refusing():
            function = self._function(function_name)
            return rules.list_provisioned(function, WORLD.clock(), marker, max_items)

    @operation
    def delete_provisioned_concurrency_config(self, function_name: str, qualifier: str) -> None:
        with _refusing():
            name, qualifier = _qualified(function_name, qualifier)
            rules.delete_provisioned(self._function(name), qualifier, WORLD.clock())

    @operation
    def put_function_concurrency(  # type: ignore[override]
        self, function_name: str, reserved_concurrent_executions: int
    ) -> dict[str, Any]:
        with _refusing():
            name, qualifier = rules.named(function_name)
            reserved = rules.put_reserved(
                self._function(name),
                qualifier,
                reserved_concurrent_executions,
                self._account(),
                self._conditions(),
            )
        self._lambdas._get_latest(name).reserved_concurrency = reserved
        return {"ReservedConcurrentExecutions": reserved}

    @operation
    def get_function_concurrency(self, function_name: str) -> dict[str, Any]:  # type: ignore[override]
        reserved = self._function(function_name).reserved
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    @operation
    def delete_function_concurrency(self, function_name: str) -> None:
        name = self._function(function_name).name
        self._lambdas._get_latest(name).reserved_concurrency = None

    @operation
    def get_account_settings(self) -> dict[str, Any]:
        return {
            "AccountLimit": {
                "TotalCodeSize": 80530636800,
                "CodeSizeUnzipped": 262144000,
                "CodeSizeZipped": 52428800,
            }
            | rules.account_limit(self._account(), self._conditions()),
            "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(self._lambdas._functions)},
        }

    def set_traffic(self, name: str, qualifier: str, demand: rules.Demand | None) -> None:
        """Let invocations reach an alias, a version or `$LATEST`, in the place of those until now;
        None ends them."""
        function = self._function(name)
        with _refusing():
            function.version_of(qualifier)
        traffic = self._kept[name].traffic
        traffic.pop(qualifier, None)
        if demand:
            traffic[qualifier] = rules.Traffic(qualifier, demand, WORLD.clock())
            self._record(traffic[qualifier].history(function))
            self._watch(name, traffic[qualifier])

    def _watch(self, name: str, traffic: rules.Traffic) -> None:
        """Publish each minute, as long as it is the function's traffic."""

        def publish() -> None:
            kept = self._kept.get(name)
            if kept and kept.traffic.get(traffic.qualifier) is traffic:
                self._function(name)
                self._measure_account()
                self._watch(name, traffic)

        WORLD.later(MINUTE - WORLD.clock() % MINUTE, publish)

    def _measure_account(self) -> None:
        """Once a minute, whichever function's traffic comes first."""
        minute = WORLD.clock() // MINUTE * MINUTE
        if minute != self._measured:
            self._measured = minute
            account = [(each, self._kept[each.name].traffic) for each in self._account()]
            self._record(rules.claimed(account, minute))

    def _record(self, data: list[rules.Datum]) -> None:
        for datum in data:
            record(
                self.account_id,
                self.region_name,
                "AWS/Lambda",
                datum.name,
                datum.dimensions,
                values=datum.values,
                counts=datum.counts,
                timestamp=datum.timestamp,
                unit=datum.unit,
            )

    def _function(self, reference: str) -> rules.Function:
        """A function as the rules see it. What happened to it until now is measured first: whoever
        asks may change it."""
        with _refusing():
            name, _ = rules.named(reference)
        if not self._exists(name):
            arn = (
                f"arn:{self.partition}:lambda:{self.region_name}:{self.account_id}:function:{name}"
            )
            raise Refusal("ResourceNotFoundException", f"Function not found: {arn}")
        latest = self._lambdas._get_latest(name)
        versions: list[HostedFunction] = self._lambdas._functions[name]["versions"]
        kept = self._kept.setdefault(name, Kept())
        function = rules.Function(
            latest.function_arn,
            {str(each.version) for each in versions},
            kept.aliases,
            kept.provisioned,
            latest.reserved_concurrency,
            managed={str(each.version) for each in versions if each.capacity_provider},
            snap_started={str(each.version) for each in versions if each.snap_started},
        )
        self._record(rules.measure(function, kept.traffic, WORLD.clock()))
        return function

    def _exists(self, name: str) -> bool:
        return bool(self._lambdas._functions.get(name, {}).get("latest"))

    def _account(self) -> list[rules.Function]:
        return [self._function(name) for name in self._lambdas._functions if self._exists(name)]

    def _conditions(self) -> rules.Conditions:
        told = conditions(self.account_id, self.region_name)
        return rules.Conditions.of(told, WORLD.clock())

    def _mirror(self, function: rules.Function) -> None:
        """moto looks a function up by its own record of aliases."""
        self._lambdas._aliases[function.arn] = {
            name: LambdaAlias(
                self.account_id,
                self.region_name,
                name,
                function.name,
                alias["FunctionVersion"],
                alias["Description"],
                "",
            )
            for name, alias in function.aliases.items()
        }


def _qualified(function_name: str, qualifier: str) -> tuple[str, str]:
    name, found = rules.qualified(function_name, qualifier)
    return name, found or qualifier


@contextmanager
def _refusing() -> Iterator[None]:
    """Gives a refusal of the rules the shape that moto answers with."""
    try:
        yield
    except rules.Refused as refused:
        raise Refusal(refused.code, refused.message) from None
