"""Two backends' tags read as one account's, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from local import tag_search

CLOUD = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/"
OTHER = "arn:aws:sqs:us-east-1:000000000000:"


class Side:
    """A backend with a fixed list, in pages of two."""

    def __init__(self, members: list[Any], listed: str = "ResourceTagMappingList") -> None:
        self.members, self.listed, self.asked = members, listed, list[dict[str, Any]]()

    async def __call__(self, asked: Any) -> tuple[int, dict[str, Any]]:
        self.asked.append(dict(asked))
        start = int(asked.get("PaginationToken", 0))
        rest = start + 2 < len(self.members)
        return 200, {
            self.listed: self.members[start : start + 2],
            "PaginationToken": str(start + 2) if rest else "",
        }


def mappings(prefix: str, count: int) -> list[dict[str, Any]]:
    return [{"ResourceARN": f"{prefix}{number}", "Tags": []} for number in range(count)]


def merge(operation: str, asked: dict[str, Any], cloud: Any, ministack: Any) -> tuple[int, Any]:
    merging = tag_search.merge(
        operation, asked, cloud=cloud, ministack=ministack, in_cloud={"sagemaker"}.__contains__
    )
    # No side ever waits, so the answer is there at the first step.
    with pytest.raises(StopIteration) as finished:
        merging.send(None)
    answer: tuple[int, Any] = finished.value.value
    return answer


def test_every_page_of_both_sides_is_read() -> None:
    status, found = merge("GetResources", {}, Side(mappings(CLOUD, 5)), Side(mappings(OTHER, 3)))
    assert status == 200
    assert len(found["ResourceTagMappingList"]) == 8
    assert found["PaginationToken"] == ""


def test_pages_are_cut_anew_and_follow_each_other() -> None:
    cloud, ministack = Side(mappings(CLOUD, 3)), Side(mappings(OTHER, 2))
    seen, token, pages = [], "", 0
    while True:
        _, page = merge(
            "GetResources", {"ResourcesPerPage": 2, "PaginationToken": token}, cloud, ministack
        )
        seen += [mapping["ResourceARN"] for mapping in page["ResourceTagMappingList"]]
        token, pages = page["PaginationToken"], pages + 1
        if not token:
            break
    assert pages == 3
    assert seen == sorted(m["ResourceARN"] for m in (*cloud.members, *ministack.members))


def test_filters_reach_both_sides() -> None:
    filters = [{"Key": "ml-remediation:traffic-shift", "Values": ["act"]}]
    cloud, ministack = Side([]), Side([])
    merge("GetResources", {"TagFilters": filters}, cloud, ministack)
    assert [side.asked[0]["TagFilters"] for side in (cloud, ministack)] == [filters, filters]


def test_a_refusal_of_one_side_is_the_answer() -> None:
    async def refuse(_: Any) -> tuple[int, dict[str, Any]]:
        return 400, {"__type": "InvalidParameterException"}

    assert merge("GetResources", {}, refuse, Side([])) == (
        400,
        {"__type": "InvalidParameterException"},
    )


def test_a_strange_token_and_a_strange_page_are_refused() -> None:
    for asked, code in (
        ({"PaginationToken": "from nowhere"}, "PaginationTokenExpiredException"),
        ({"ResourcesPerPage": 101}, "InvalidParameterException"),
    ):
        status, told = merge("GetResources", asked, Side([]), Side([]))
        assert (status, told["__type"]) == (400, code)


def test_keys_known_to_both_sides_are_listed_once() -> None:
    _, found = merge("GetTagKeys", {}, Side(["b", "a"], "TagKeys"), Side(["a"], "TagKeys"))
    assert found["TagKeys"] == ["a", "b"]


def test_tags_are_written_on_the_side_that_has_the_resource() -> None:
    cloud, ministack = Side([], "none"), Side([], "none")
    merge("TagResources", {"ResourceARNList": [f"{CLOUD}e", f"{OTHER}q"]}, cloud, ministack)
    assert [side.asked[0]["ResourceARNList"] for side in (cloud, ministack)] == [
        [f"{CLOUD}e"],
        [f"{OTHER}q"],
    ]


def test_resources_that_are_named_are_answered_in_one_page() -> None:
    """GetResources.ResourceARNList: up to 100, never together with pagination."""
    cloud = Side(mappings(CLOUD, 100))
    arns = [each["ResourceARN"] for each in cloud.members]
    status, found = merge("GetResources", {"ResourceARNList": arns}, cloud, Side([]))
    assert status == 200
    assert len(found["ResourceTagMappingList"]) == 100
    assert found["PaginationToken"] == ""


def test_resources_that_are_named_are_not_paged() -> None:
    for paged in ({"ResourcesPerPage": 10}, {"PaginationToken": "x"}):
        asked = {"ResourceARNList": [f"{CLOUD}e"], **paged}
        status, told = merge("GetResources", asked, Side([]), Side([]))
        assert (status, told["__type"]) == (400, "InvalidParameterException")
