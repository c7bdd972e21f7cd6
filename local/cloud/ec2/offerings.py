"""DescribeInstanceTypes, as EC2 pages it and for the types of the Region alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.cloud.ec2.catalogue import described, region_types
from local.cloud.ec2.fleets import Fleets
from local.cloud.ec2.templates import page
from local.cloud.seam import Refusal, operation


class Offerings(Fleets):
    """What instance types a Region has. Where they are offered is moto's operation."""

    @operation
    def describe_instance_types(  # type: ignore[override]
        self,
        instance_types: Sequence[str] = (),
        filters: Sequence[Mapping[str, Any]] = (),
        max_results: int | None = None,
        next_token: str = "",
    ) -> dict[str, Any]:
        """Types by name or by filter, a hundred a page (EC2 API reference,
        `DescribeInstanceTypes`)."""
        if instance_types and max_results is not None:
            raise Refusal(
                "InvalidParameterCombination",
                "The parameter instanceTypes cannot be used with the parameter maxResults",
            )
        here = region_types(self.region_name)
        wanted = {each["Name"]: each["Values"] for each in filters}
        if strange := [each for each in instance_types if each not in here]:
            raise Refusal(
                "InvalidInstanceType",
                "The following supplied instance types do not exist: "
                f"[{', '.join(sorted(strange))}]",
            )
        found = [
            described(each.name)
            for each in super().describe_instance_types(list(instance_types), wanted)
            if each.name in here
        ]
        shown, token = page(found, max_results or 100, next_token)
        return {"InstanceTypes": shown, **token}
