"""What about a target allows no change of its provisioned concurrency, the most lasting first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.core.decision import Refuse

LATEST = "$LATEST"
WEIGHTED = "weighted-alias"


def alias_gone(function: str, alias: str) -> Refuse:
    """An alias that a tag or a plan names, and that does not exist."""
    return Refuse(
        "alias-gone",
        f"function {function} has no alias {alias}, though its tags or a plan name it",
        page=True,
        next_steps=(f"Create the alias {alias}, or take its name out of the tags and plans",),
    )


def of_alias(
    function: str,
    alias: str,
    described: Mapping[str, Any] | None,
    version: Mapping[str, Any] | None,
) -> Refuse | None:
    """described: of GetAlias; None when there is no such alias. version: GetFunctionConfiguration of
    what it points to.

    Rules: Lambda developer guide, "Configuring provisioned concurrency for a function": versions and
    aliases only, never $LATEST, and no alias with weights (hashicorp/terraform/issues/24957; AWS
    itself puts weights on an alias while its version changes). Managed Instances have another dial,
    PutFunctionScalingConfig (service model). SnapStart does not go with it: Lambda developer guide,
    "Improving startup performance with Lambda SnapStart", supported features and limitations.
    """
    if alias == LATEST:
        return Refuse(
            "latest-version",
            f"{function}:{LATEST} takes no provisioned concurrency",
            next_steps=("Publish a version, and call the function by an alias of it",),
        )
    if described is None or version is None:
        return alias_gone(function, alias)
    if version.get("CapacityProviderConfig"):
        return Refuse(
            "managed-instances",
            f"{function} runs on Lambda Managed Instances, which have no provisioned concurrency",
        )
    if (version.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions":
        return Refuse(
            "snap-start",
            f"version {version.get('Version')} of {function} starts by SnapStart, which allows no"
            " provisioned concurrency",
            next_steps=(
                f"Turn SnapStart off, publish a version and point {alias} to it, or take the tag away"
                " and leave the starts to SnapStart",
            ),
        )
    if described.get("FunctionVersion") == LATEST:
        return Refuse(
            "latest-version",
            f"{function}:{alias} points to {LATEST}, which takes no provisioned concurrency",
            next_steps=(f"Publish a version, and point {alias} to it",),
        )
    weights = (described.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    if weights:
        also = ", ".join(f"version {name} ({share:.0%})" for name, share in weights.items())
        return Refuse(
            WEIGHTED,
            f"{function}:{alias} also sends traffic to {also}: an alias with weights takes no change of"
            " its provisioned concurrency",
            next_steps=("End the deployment; the level follows by itself then",),
        )
    state, update = version.get("State", "Active"), version.get("LastUpdateStatus", "Successful")
    if state == "Pending" or update == "InProgress":
        return Refuse(
            "deploying",
            f"version {version.get('Version')} of {function} is being deployed: its state is {state},"
            f" its last update {update}",
        )
    return None


def of_endpoint(endpoint: Mapping[str, Any]) -> Refuse | None:
    """endpoint: of DescribeEndpoint. One that is Updating without a deployment carries out an earlier
    change of its size, which is no obstacle but a wait (service model, `EndpointStatus`)."""
    name, status = endpoint["EndpointName"], endpoint["EndpointStatus"]
    variants = endpoint.get("ProductionVariants", ())
    serverless = [each["VariantName"] for each in variants if "CurrentServerlessConfig" in each]
    if len(serverless) > 1:
        return Refuse(
            "several-variants",
            f"{name} has the serverless variants {', '.join(serverless)}; of which is not said",
        )
    deploying = bool(endpoint.get("PendingDeploymentSummary"))
    if deploying or status in ("Creating", "SystemUpdating"):
        doing = "deploying another endpoint configuration" if deploying else status
        return Refuse("deploying", f"{name} is {doing}, which allows no change")
    if status not in ("InService", "Updating"):
        return Refuse("not-in-service", f"{name} is {status}, which allows no change", page=True)
    if variants and not serverless:
        return Refuse("not-serverless", f"{name} runs on instances, which are always warm")
    if not serverless and status == "InService":
        return Refuse("not-serverless", f"{name} has no serverless variant")
    return None
