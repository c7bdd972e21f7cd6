"""Resource Groups Tagging API: GetResources over every service of the pocket account.

moto's own reads lazily (a change between two pages breaks it) and counts a page's tags although
the caller did not ask for that; nothing else of the service is served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.resource_tagging import (
    iter_taggable_backends,
    make_tag_matcher,
    match_resource_type,
)

from local.cloud.seam import Refusal, extend, operation


class Tagging(BaseBackend):
    """GetResources, with the rules of its API reference (botocore service model, `GetResources`):
    1 to 100 resources a page, ARNs instead of filters or pages, never both."""

    @operation
    def get_resources(
        self,
        pagination_token: str = "",
        tag_filters: Sequence[Mapping[str, Any]] = (),
        resources_per_page: int | None = None,
        resource_type_filters: Sequence[str] = (),
        resource_arn_list: Sequence[str] = (),
    ) -> dict[str, Any]:
        if resource_arn_list and (
            tag_filters or resource_type_filters or resources_per_page or pagination_token
        ):
            raise Refusal(
                "InvalidParameterException",
                "ResourceARNList cannot be given together with filters or pagination parameters.",
            )
        size = 100 if resources_per_page is None else resources_per_page
        if not 1 <= size <= 100:
            raise Refusal(
                "InvalidParameterException", "ResourcesPerPage must be between 1 and 100."
            )
        if pagination_token and not pagination_token.startswith("after:"):
            raise Refusal("PaginationTokenExpiredException", "The PaginationToken is not valid.")
        matches = make_tag_matcher([dict(each) for each in tag_filters])
        found = sorted(
            (resource.arn, resource.tags)
            for backend in iter_taggable_backends(self.account_id, self.region_name)
            for resource in backend.iter_tagged_resources()
            if resource.arn > pagination_token.removeprefix("after:")
            and match_resource_type(resource.resource_type, list(resource_type_filters))
            and matches(resource.tags)
            and (not resource_arn_list or resource.arn in resource_arn_list)
        )
        shown = found[:size]
        return {
            "PaginationToken": f"after:{shown[-1][0]}" if len(found) > size else "",
            "ResourceTagMappingList": [
                {
                    "ResourceARN": arn,
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                }
                for arn, tags in shown
            ],
        }


def install_tagging() -> None:
    """Serve GetResources from this module."""
    extend("resourcegroupstaggingapi", Tagging)
