"""Tags on endpoints, and finding endpoints by them."""

from __future__ import annotations

from tests.cloud.awslambda.conftest import Shop, shop  # noqa: F401
from tests.cloud.conftest import Account
from tests.cloud.hosting import configure, refused, stand_up, variant

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/shop"
MODE = "ml-remediation:traffic-shift"


def tag(key: str, value: str = "") -> dict[str, str]:
    return {"Key": key, "Value": value}


def test_adding_a_tag_again_overwrites_it(account: Account) -> None:
    """botocore model, AddTags: adds or overwrites."""
    sagemaker = stand_up(account)
    sagemaker.add_tags(ResourceArn=ARN, Tags=[tag(MODE, "observe"), tag("other", "x")])
    sagemaker.add_tags(ResourceArn=ARN, Tags=[tag(MODE, "act")])
    assert sagemaker.list_tags(ResourceArn=ARN)["Tags"] == [tag(MODE, "act"), tag("other", "x")]
    sagemaker.delete_tags(ResourceArn=ARN, TagKeys=["other", "never there"])
    assert sagemaker.list_tags(ResourceArn=ARN)["Tags"] == [tag(MODE, "act")]


def test_a_tag_value_has_no_comma(account: Account) -> None:
    """botocore model, TagValue: letters, digits, spaces and _.:/=+-@"""
    sagemaker = stand_up(account)
    code, message = refused(sagemaker.add_tags, ResourceArn=ARN, Tags=[tag(MODE, "a,b")])
    assert code == "ValidationException"
    assert "'tags.1.member.value'" in message


def test_a_resource_has_at_most_fifty_tags(account: Account) -> None:
    """botocore model, TagList: max 50."""
    sagemaker = stand_up(account)
    sagemaker.add_tags(ResourceArn=ARN, Tags=[tag(f"k{number}") for number in range(50)])
    assert refused(sagemaker.add_tags, ResourceArn=ARN, Tags=[tag("one more")])[0] == (
        "ValidationException"
    )
    assert len(sagemaker.list_tags(ResourceArn=ARN)["Tags"]) == 50


def test_tags_of_what_does_not_exist_are_refused(account: Account) -> None:
    sagemaker = stand_up(account)
    elsewhere = ARN.replace("us-east-1", "eu-west-1")
    for arn in (ARN + "x", elsewhere):
        assert refused(sagemaker.list_tags, ResourceArn=arn) == (
            "ValidationException",
            f'Could not find endpoint "{arn}".',
        )


def test_endpoints_are_found_by_tag_and_type(account: Account) -> None:
    """API reference of the Resource Groups Tagging API, GetResources: a filter without values
    matches any value, all filters must match."""
    sagemaker = stand_up(account)
    sagemaker.add_tags(ResourceArn=ARN, Tags=[tag(MODE, "act"), tag("team", "a")])
    config_arn = ARN.replace("endpoint/shop", "endpoint-config/config")
    sagemaker.add_tags(ResourceArn=config_arn, Tags=[tag(MODE, "act")])
    find = account.client("resourcegroupstaggingapi").get_resources

    def found(**arguments: object) -> list[str]:
        return [each["ResourceARN"] for each in find(**arguments)["ResourceTagMappingList"]]

    by_mode = [{"Key": MODE}]
    assert found(TagFilters=by_mode) == [config_arn, ARN]
    assert found(TagFilters=by_mode, ResourceTypeFilters=["sagemaker:endpoint"]) == [ARN]
    assert found(TagFilters=by_mode, ResourceTypeFilters=["lambda:function"]) == []
    assert found(TagFilters=[{"Key": MODE, "Values": ["off"]}]) == []
    assert found(TagFilters=[*by_mode, {"Key": "team", "Values": ["a", "b"]}]) == [ARN]
    assert found(ResourceARNList=[ARN]) == [ARN]
    assert refused(find, ResourceARNList=[ARN], TagFilters=by_mode)[0] == (
        "InvalidParameterException"
    )


def test_functions_are_found_by_tag_and_type(shop: Shop) -> None:  # noqa: F811
    """Once, whatever versions there are: only functions carry tags (Lambda developer guide,
    configuration-tags)."""
    shop.api.tag_resource(Resource=shop.arn, Tags={"lever": "act", "lever:live:max": "5"})
    find = shop.account.client("resourcegroupstaggingapi").get_resources
    by_lever = [{"Key": "lever"}]
    (found,) = find(TagFilters=by_lever, ResourceTypeFilters=["lambda:function"])[
        "ResourceTagMappingList"
    ]
    assert (found["ResourceARN"], len(found["Tags"])) == (shop.arn, 2)
    other = find(TagFilters=by_lever, ResourceTypeFilters=["sagemaker:endpoint"])
    assert other["ResourceTagMappingList"] == []


def test_a_resource_that_lost_its_tags_is_still_found_without_filters(account: Account) -> None:
    """GetResources: "currently tagged or ever had a tag"."""
    sagemaker = stand_up(account)
    find = account.client("resourcegroupstaggingapi").get_resources
    assert find()["ResourceTagMappingList"] == []
    sagemaker.add_tags(ResourceArn=ARN, Tags=[tag(MODE, "act")])
    sagemaker.delete_tags(ResourceArn=ARN, TagKeys=[MODE])
    assert find()["ResourceTagMappingList"] == [{"ResourceARN": ARN, "Tags": []}]
    assert find(TagFilters=[{"Key": MODE}])["ResourceTagMappingList"] == []


def test_a_page_has_at_most_a_hundred_resources(account: Account) -> None:
    """GetResources.ResourcesPerPage: 1 to 100; an empty token ends the list."""
    sagemaker = account.client("sagemaker")
    configure(sagemaker, [variant("blue")])
    for number in range(101):
        sagemaker.create_endpoint(
            EndpointName=f"e{number}", EndpointConfigName="config", Tags=[tag(MODE, "act")]
        )
    find = account.client("resourcegroupstaggingapi")
    first = find.get_resources()
    assert len(first["ResourceTagMappingList"]) == 100
    second = find.get_resources(PaginationToken=first["PaginationToken"])
    assert len(second["ResourceTagMappingList"]) == 1
    assert second["PaginationToken"] == ""
    pages = find.get_paginator("get_resources").paginate(TagFilters=[{"Key": MODE}])
    arns = [each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]]
    assert len(set(arns)) == 101
    assert refused(find.get_resources, ResourcesPerPage=101)[0] == "InvalidParameterException"
    assert refused(find.get_resources, PaginationToken="x")[0] == (
        "PaginationTokenExpiredException"
    )
