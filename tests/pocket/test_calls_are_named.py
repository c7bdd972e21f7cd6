"""What an HTTP request calls, and how it failed, in AWS's own names."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from local.operations import MOST, error_code, operation, parameters

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("service", "request_line", "headers", "body", "name"),
    [
        ("dynamodb", "POST /", {"X-Amz-Target": "DynamoDB_20120810.GetItem"}, b"", "GetItem"),
        ("sns", "POST /", FORM, b"TopicArn=t&Action=Publish", "Publish"),
        ("monitoring", "POST /service/Granite/operation/PutMetricData", {}, b"", "PutMetricData"),
        ("lambda", "POST /2015-03-31/functions/f/invocations", {}, b"", "Invoke"),
        ("lambda", "GET /2015-03-31/functions/", {}, b"", "ListFunctions"),
        ("lambda", "GET /2015-03-31/functions/f", {}, b"", "GetFunction"),
        ("scheduler", "POST /schedules/beat", {}, b"", "CreateSchedule"),
        ("s3", "GET /", {}, b"", "ListBuckets"),
        ("s3", "GET /bucket?list-type=2&prefix=a", {}, b"", "ListObjectsV2"),
        ("s3", "GET /bucket?location=", {}, b"", "GetBucketLocation"),
        ("s3", "PUT /bucket", {}, b"", "CreateBucket"),
        ("s3", "PUT /bucket/a/b", {}, b"", "PutObject"),
        ("s3", "PUT /bucket/a/b", {"x-amz-copy-source": "c"}, b"", "CopyObject"),
        ("s3", "PUT /bucket/a?partNumber=1&uploadId=u", {}, b"", "UploadPart"),
        ("s3", "HEAD /bucket/a/b", {}, b"", "HeadObject"),
        ("lambda", "GET /nothing/there", {}, b"", "GET /nothing/there"),
        ("no-such-service", "GET /x", {}, b"", "GET /x"),
    ],
)
def test_an_operation_has_its_name(
    service: str, request_line: str, headers: dict[str, str], body: bytes, name: str
) -> None:
    method, target = request_line.split(" ")
    path, _, query = target.partition("?")
    assert operation(service, method, path, query, CIMultiDict(headers), body) == name


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, b'{"__type": "com.amazon.coral#ResourceInUse", "message": "no"}', "ResourceInUse"),
        ({}, b"<ErrorResponse><Error><Code>NotFound</Code></Error></ErrorResponse>", "NotFound"),
        ({"x-amzn-errortype": "Busy:http://internal/"}, b"{}", "Busy"),
        ({"x-amzn-query-error": "QueueGone;Sender"}, b"{}", "QueueGone"),
        ({}, b"<html>no code</html>", None),
    ],
)
def test_an_error_has_its_code(headers: dict[str, str], body: bytes, code: str | None) -> None:
    assert error_code(CIMultiDict(headers), body) == code


def test_what_is_asked_in_the_query_protocol_is_told_flat() -> None:
    body = b"Action=DescribeAutoScalingInstances&Version=2011-01-01&InstanceIds.member.1=i-1&Empty="
    assert parameters(CIMultiDict(FORM), body) == {"InstanceIds.member.1": "i-1", "Empty": ""}
    assert parameters(CIMultiDict({"Content-Type": "application/x-amz-json-1.1"}), b"{}") == {}


def test_of_a_long_request_whole_parameters_are_told() -> None:
    body = b"&".join(b"Id.%d=%s" % (number, b"x" * 95) for number in range(MOST // 50))
    told = parameters(CIMultiDict(FORM), body)
    assert 150 < len(told) < MOST // 50
    assert set(told.values()) == {"x" * 95}
