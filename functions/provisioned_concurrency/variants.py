"""What AWS says of a serverless endpoint's variant, and the calls that move its provisioned concurrency.

A serverless endpoint has one variant (SageMaker developer guide, "Deploy models with Amazon SageMaker
Serverless Inference", feature exclusions), and SageMaker changes an endpoint as a whole: the endpoint
is the target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from functions.core.decision import Dial, Refuse
from functions.core.endpoint_tags import endpoint_tags
from functions.core.mode import Mode, of_tag
from functions.core.remediation import Busy, Gone, Impossible
from functions.provisioned_concurrency import obstacles
from functions.provisioned_concurrency.aws import (
    FULL,
    Standing,
    Surroundings,
    code_of,
    dial,
    require_unmoved,
    text_of,
)
from functions.provisioned_concurrency.metrics import Meter
from functions.provisioned_concurrency.observation import Room, Seen, Service, Status
from functions.provisioned_concurrency.reading import ENDPOINT_ARN
from functions.provisioned_concurrency.wishes import LEVER, wish

Endpoint = Mapping[str, Any]
"""An answer of DescribeEndpoint."""


class Variants:
    """client: gives a boto3 client by name. Lives for one invocation."""

    def __init__(self, client: Callable[[str], Any], around: Surroundings) -> None:
        self._sagemaker = client("sagemaker")
        self._around = around
        self._tags: dict[str, Mapping[str, str]] = {}

    # where to look

    def standings(self, arn: str, tags: Mapping[str, str]) -> list[Standing]:
        """An opted-in endpoint, by one DescribeEndpoint. Raises Gone.

        arn: as SageMaker writes it, in lower case; the target's has the name in its own case, by
        which its metrics and its scalable target go.
        """
        path, lower = arn.rsplit("/", 1)
        endpoint = self._describe(lower)
        target = f"{path}/{endpoint['EndpointName']}"
        variant = _variant(endpoint)
        if variant is None:
            refusal = obstacles.of_endpoint(endpoint)
            if refusal is None or endpoint["EndpointStatus"] != "InService":
                return []
            return [Standing(target, "", Service.SAGEMAKER, refusal, 0, False, None)]
        resource = _resource(endpoint, variant)
        level = _provisioned(variant, "Desired")
        wanted = wish(tags, variant["VariantName"], resource, self._around.settings.plans)
        meter = _meter(endpoint, variant) if level else None
        return [Standing(target, resource, Service.SAGEMAKER, wanted, level, False, meter)]

    def opt_in(self, target: str) -> Mode | Refuse:
        """How far the endpoint's tag lets us go. Raises Gone.

        What is read serves the observation of the same look as well, once.
        """
        _name(target)
        self._tags[target] = endpoint_tags(self._sagemaker, target)
        return of_tag(self._tags[target], LEVER)

    # what there is

    def observe(self, target: str, causes: Mapping[str, Mapping[str, Any]], now: datetime) -> Seen:
        """The endpoint as AWS describes it. Raises Gone.

        Calls: ListTags unless `opt_in` just made it, DescribeEndpoint; and of one with a serverless
        variant DescribeScalableTargets and GetMetricData.
        """
        tags = self._tags.pop(target, None)
        if tags is None:
            tags = endpoint_tags(self._sagemaker, target)
        endpoint = self._describe(_name(target))
        variant = _variant(endpoint)
        settings = self._around.settings
        if variant is None:
            return Seen(
                target=target,
                name=endpoint["EndpointName"],
                service=Service.SAGEMAKER,
                now=now,
                wish=wish(tags, "", "", settings.plans),
                obstacle=obstacles.of_endpoint(endpoint),
                requested=0,
                available=0,
                status=Status.NONE,
                status_reason="",
                changed_at=None,
                owner=None,
                room=Room(),
                minutes=(),
                lead=None,
                memory_gb=0.0,
                prices=settings.prices.sagemaker,
            )
        resource = _resource(endpoint, variant)
        size = variant["CurrentServerlessConfig"]
        status = _status(endpoint, variant)
        requested = _provisioned(variant, "Desired")
        owner = self._around.owner(Service.SAGEMAKER, resource)
        return Seen(
            target=target,
            name=f"{endpoint['EndpointName']}/{variant['VariantName']}",
            service=Service.SAGEMAKER,
            now=now,
            wish=wish(tags, variant["VariantName"], resource, settings.plans),
            obstacle=obstacles.of_endpoint(endpoint),
            requested=requested,
            available=_provisioned(variant, "Current"),
            status=status,
            status_reason=endpoint.get("FailureReason", ""),
            changed_at=endpoint["LastModifiedTime"].astimezone(UTC),
            owner=owner,
            room=Room(max_concurrency=size["MaxConcurrency"]),
            minutes=self._around.minutes(_meter(endpoint, variant), now),
            lead=self._around.leads.of(target, status, requested, owner, now),
            memory_gb=size["MemorySizeInMB"] / 1024,
            prices=settings.prices.sagemaker,
        )

    def act(self, target: str, seen: Dial, write: Dial) -> None:
        """One call: the level itself, with MaxConcurrency as it is, or the floor of the scalable
        target that owns it. Raises Busy, Changed, Gone, Impossible and what the API raises."""
        endpoint = self._describe(_name(target))
        variant = _variant(endpoint)
        if variant is None:
            raise Busy(f"{endpoint['EndpointName']} has no serverless variant any more")
        resource = _resource(endpoint, variant)
        owner = self._around.owner(Service.SAGEMAKER, resource)
        stood = dial(_provisioned(variant, "Desired"), owner)
        require_unmoved(stood, seen, _status(endpoint, variant), endpoint["EndpointName"])
        if write["minimum"] is not None:
            self._around.owners.move(Service.SAGEMAKER, resource, write["minimum"])
            self._around.written(target, stood["provisioned"], write)
            return
        if not write["provisioned"]:
            raise Impossible(
                "at-least-one",
                "SageMaker takes no less than 1 where there is provisioned concurrency",
            )
        if endpoint["EndpointStatus"] != "InService":
            raise Busy(f"{endpoint['EndpointName']} is {endpoint['EndpointStatus']}")
        most = variant["CurrentServerlessConfig"]["MaxConcurrency"]
        size = {"MaxConcurrency": most, "ProvisionedConcurrency": write["provisioned"]}
        change = {"VariantName": variant["VariantName"], "ServerlessUpdateConfig": size}
        try:
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=endpoint["EndpointName"], DesiredWeightsAndCapacities=[change]
            )
        except ClientError as error:
            raise _refusal(error) from error
        self._around.written(target, stood["provisioned"], write)

    def _describe(self, name: str) -> Endpoint:
        """Raises Gone."""
        try:
            endpoint: Endpoint = self._sagemaker.describe_endpoint(EndpointName=name)
            return endpoint
        except ClientError as error:
            if "could not find" in text_of(error).lower():
                raise Gone(f"endpoint {name} does not exist any more") from error
            raise


def _name(target: str) -> str:
    """The endpoint's name. Raises Gone."""
    found = ENDPOINT_ARN.fullmatch(target)
    if found is None:
        raise Gone(f"{target!r:.160} is not the ARN of a SageMaker endpoint")
    return found["endpoint"]


def _variant(endpoint: Endpoint) -> Mapping[str, Any] | None:
    """The endpoint's one serverless variant; None where it has none, or more."""
    found = [
        each for each in endpoint.get("ProductionVariants", ()) if "CurrentServerlessConfig" in each
    ]
    return found[0] if len(found) == 1 else None


def _provisioned(variant: Mapping[str, Any], which: str) -> int:
    """Of the size that it has (Current) or is to have (Desired), which is told only where it was
    changed once; without provisioned concurrency none is told (service model)."""
    size = variant.get(f"{which}ServerlessConfig") or variant["CurrentServerlessConfig"]
    return int(size.get("ProvisionedConcurrency", 0))


def _status(endpoint: Endpoint, variant: Mapping[str, Any]) -> Status:
    """Of the size that was asked for last: an update of it shows in the endpoint's status alone."""
    if endpoint["EndpointStatus"] == "Updating":
        return Status.IN_PROGRESS
    return Status.READY if _provisioned(variant, "Desired") else Status.NONE


def _resource(endpoint: Endpoint, variant: Mapping[str, Any]) -> str:
    return f"endpoint/{endpoint['EndpointName']}/variant/{variant['VariantName']}"


def _meter(endpoint: Endpoint, variant: Mapping[str, Any]) -> Meter:
    dimensions = {
        "EndpointName": endpoint["EndpointName"],
        "VariantName": variant["VariantName"],
    }
    return Meter(
        Service.SAGEMAKER, dimensions, variant["CurrentServerlessConfig"]["MaxConcurrency"]
    )


def _refusal(error: ClientError) -> Exception:
    """What a refused write means; the error itself where it is none of these.

    Codes: UpdateEndpointWeightsAndCapacities names ResourceLimitExceeded alone (service model); an
    update in progress comes as a ValidationException ("Cannot update in-progress endpoint",
    github.com/aws/sagemaker-python-sdk/issues/1379).
    """
    code, text = code_of(error), text_of(error)
    if code == "ResourceLimitExceeded":
        return Busy(text, "regional-quota", FULL)
    if code != "ValidationException":
        return error
    if "in-progress" in text.lower() or "cannot update" in text.lower():
        return Busy(text)
    return Impossible("refused-by-aws", text)
