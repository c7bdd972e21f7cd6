"""Answers are written quickly, and as moto and xmltodict write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import xmltodict  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from moto.core import responses, serialize
from moto.core.utils import get_service_model

from local.cloud import answers
from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import SPOT
from tests.cloud.ec2.test_instances import Run, booted

NAMES = st.sampled_from(["item", "instanceId", "Tags", "key", "@xmlns"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(alphabet="a é<>&\"'\n")
CONTENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def as_written(content: Any) -> Any:
    """Only text is an attribute's value, and what is in a list is no list."""
    if isinstance(content, list):
        return [as_written(each) for each in content if not isinstance(each, list)]
    if isinstance(content, dict):
        return {
            name: str(value) if name.startswith("@") else as_written(value)
            for name, value in content.items()
        }
    return content


@given(CONTENTS.map(as_written).filter(lambda content: content != []))
def test_xml_is_what_xmltodict_makes_of_it(content: Any) -> None:
    body = {"DescribeInstancesResponse": content}
    theirs = xmltodict.unparse(body, full_document=False, short_empty_elements=True)
    assert answers.xml(body) == theirs


@pytest.fixture
def body_of(account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """The body of an answer, as it is written here or as moto writes it."""
    written: list[bytes] = []

    def ask(operation: str, *, by_moto: bool, **parameters: Any) -> bytes:
        ec2 = account.client("ec2")
        event = f"before-parse.ec2.{operation}"
        with monkeypatch.context() as patched:
            if by_moto:
                patched.setattr(responses, "XFormedAttributePicker", answers.Picker.__base__)
                patched.setattr(serialize.ResponseSerializer, "get_value", answers.by_moto)
            ec2.meta.events.register(event, take := keep)
            try:
                ec2._make_api_call(operation, parameters)
            finally:
                ec2.meta.events.unregister(event, take)
        return written.pop()

    def keep(response_dict: Any, **_: Any) -> None:
        written.append(response_dict["body"])

    return ask


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeImages",
        "DescribeInstances",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSpotInstanceRequests",
        "DescribeSubnets",
        "DescribeVolumes",
        "DescribeVpcs",
    ],
)
def test_moto_finds_the_same_in_its_objects(
    account: Account, run: Run, body_of: Callable[..., bytes], operation: str
) -> None:
    tags = [{"Key": "team", "Value": "a & b"}]
    booted(account, run, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    ended = booted(account, run, **SPOT)
    account.client("ec2").terminate_instances(InstanceIds=[ended])
    account.wait(60)
    first = body_of(operation, by_moto=False)
    assert first == body_of(operation, by_moto=True)
    assert first == body_of(operation, by_moto=False)  # with what is known by now
    assert len(first) > 500


def test_an_object_is_asked_by_the_name_of_its_own_class() -> None:
    """`CidrBlock` is the `block` of a Cidr, and of nothing else."""

    class Cidr:
        block = "10.1.0.0/16"

    class Other:
        block = "10.2.0.0/16"

    model = get_service_model("ec2").operation_model("DescribeSubnets")
    found = {"Subnets": [{"CidrBlock": "10.0.0.0/16"}, Other(), Cidr(), Other()]}
    quickly, slowly = (
        serialize.EC2Serializer(model, value_picker=picker()).serialize(found)["body"]
        for picker in (answers.Picker, serialize.XFormedAttributePicker)
    )
    assert quickly == slowly
    assert "10.1.0.0" in quickly
    assert "10.2.0.0" not in quickly
