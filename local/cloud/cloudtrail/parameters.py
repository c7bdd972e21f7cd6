"""What CloudTrail writes of a call's request and answer.

Every service but EC2: the parameters, their names beginning with a small letter, lists as lists.

EC2 writes two dialects of its wire format, by how old the operation is:

- The first operations (RunInstances, TerminateInstances ..): small letters, lists as
  `<name>Set: {items: [..]}`; RunInstances keeps image, key and counts in `instancesSet` and the
  placement beside it. Samples: the CloudTrail tests of github.com/panther-labs/panther-analysis
  (aws_ec2_vulnerable_xz_image_launched), CloudTrail user guide, "CloudTrail log file examples".
- The later ones (CreateFleet, CreateLaunchTemplate ..): the query names below `<Operation>Request`;
  a list of one is its element, every element bears its number as `tag`, a plain one is the
  `content`; texts that look like numbers are numbers. The answer likewise, below
  `<Operation>Response`, lists as `{item: ..}`. Samples:
  github.com/aws/karpenter-provider-aws/issues/5850 (errorSet, Overrides),
  github.com/aws-samples/siem-on-amazon-opensearch-service/issues/98 (a numeric tag value),
  github.com/cattle-ops/terraform-aws-gitlab-runner/issues/1097 ("0.50" stays a text).

How `InstanceMarketOptions` of RunInstances looks no published sample shows; it is written as the
other structures are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.model import OperationModel

REMOVED = "<sensitiveDataRemoved>"
LATER = frozenset(
    {
        "CreateFleet",
        "DeleteFleets",
        "CreateLaunchTemplate",
        "CreateLaunchTemplateVersion",
        "ModifyLaunchTemplate",
        "DeleteLaunchTemplate",
        "DeleteLaunchTemplateVersions",
    }
)
"""Of the EC2 operations the pocket account serves, those written in the later dialect."""

SETS = {
    "BlockDeviceMappings": "blockDeviceMapping",
    "Groups": "groupSet",
    "NetworkInterfaces": "networkInterfaceSet",
    "TagSpecifications": "tagSpecificationSet",
}
ELEMENTS = {
    "InstanceIds": ("instancesSet", "instanceId"),
    "SecurityGroupIds": ("groupSet", "groupId"),
    "SecurityGroups": ("groupSet", "groupName"),
    "Groups": ("groupSet", "groupId"),
    "SpotInstanceRequestIds": ("spotInstanceRequestIdSet", "spotInstanceRequestId"),
}
"""Lists of names: the set they are in and what each is called there."""


def request_parameters(
    operation: OperationModel, parameters: Mapping[str, Any]
) -> dict[str, Any] | None:
    """`requestParameters`; null for a call without any."""
    if not parameters:
        return None
    if operation.service_model.signing_name != "ec2":
        written: dict[str, Any] = _small(operation.input_shape, parameters)
        return written
    if operation.name in LATER:
        return {f"{operation.name}Request": _query(operation.input_shape, parameters)}
    if operation.name == "RunInstances":
        return _run_instances(parameters)
    return _sets(parameters)


def response_elements(
    operation: OperationModel, answer: Mapping[str, Any], request_id: str
) -> dict[str, Any] | None:
    """`responseElements`; null for an empty answer, and for EC2's first operations, whose answers
    are not written here. Other services' look as their parameters do (SageMaker developer guide,
    "Understand SageMaker AI log file entries")."""
    if operation.service_model.signing_name != "ec2":
        written: dict[str, Any] = _small(operation.output_shape, answer) if answer else {}
        return written or None
    if operation.name not in LATER:
        return None
    version = operation.service_model.api_version
    return {
        f"{operation.name}Response": {
            "xmlns": f"http://ec2.amazonaws.com/doc/{version}/",
            "requestId": request_id,
            **_items(operation.output_shape, answer),
        }
    }


def _small(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {
                name[:1].lower() + name[1:]: _small(shape.members[name], item)
                for name, item in value.items()
            }
        case "list":
            return [_small(shape.member, item) for item in value]
        case "map":
            return {key: _small(shape.value, item) for key, item in value.items()}
        case _:
            return _plain(value)


def _run_instances(parameters: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"ImageId", "KeyName", "MinCount", "MaxCount", "Placement"}
    placement = parameters.get("Placement", {})
    written = {
        "instancesSet": {
            "items": [
                {
                    name[:1].lower() + name[1:]: parameters[name]
                    for name in ("ImageId", "KeyName", "MinCount", "MaxCount")
                    if name in parameters
                }
            ]
        },
        "blockDeviceMapping": {},
        **{name[:1].lower() + name[1:]: item for name, item in placement.items()},
        "monitoring": {"enabled": False},
        "disableApiTermination": False,
        "disableApiStop": False,
        **_sets({name: item for name, item in parameters.items() if name not in kept}),
    }
    if "UserData" in parameters:
        written["userData"] = REMOVED
    return written


def _sets(parameters: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in parameters.items():
        small = name[:1].lower() + name[1:]
        match value:
            case Mapping():
                written[small] = _sets(value)
            case str() | datetime() | bool() | int() | float():
                written[small] = _plain(value)
            case _ if name in ELEMENTS:
                where, key = ELEMENTS[name]
                items = written.setdefault(where, {"items": []})["items"]
                items.extend({key: each} for each in value)
            case _ if name == "Tags":
                written["tags"] = [_sets(each) for each in value]
            case _:
                where = SETS.get(name, small if small.endswith("Set") else f"{small}Set")
                written[where] = {
                    "items": [_sets(e) if isinstance(e, Mapping) else _plain(e) for e in value]
                }
    return written


def _query(shape: Any, value: Any) -> Any:
    if shape.type_name != "structure":
        return _typed(value)
    written: dict[str, Any] = {}
    for name, item in value.items():
        member = shape.members[name]
        key = _query_name(name, member)
        if name == "UserData":
            written[key] = REMOVED
        elif member.type_name == "list":
            written[key] = _one_or_many(
                [_numbered(member.member, each, n) for n, each in enumerate(item, 1)]
            )
        else:
            written[key] = _query(member, item)
    return written


def _numbered(shape: Any, value: Any, number: int) -> dict[str, Any]:
    if shape.type_name == "structure":
        return {**_query(shape, value), "tag": number}
    return {"tag": number, "content": _typed(value)}


def _query_name(name: str, member: Any) -> str:
    """The name in EC2's query protocol: queryName, or the location name with a capital."""
    serialization = member.serialization
    if "queryName" in serialization:
        return str(serialization["queryName"])
    location = str(serialization.get("name", name))
    return location[:1].upper() + location[1:]


def _items(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {
                shape.members[name].serialization.get("name", name): _items(
                    shape.members[name], item
                )
                for name, item in value.items()
            }
        case "list":
            if not value:
                return ""
            return {"item": _one_or_many([_items(shape.member, each) for each in value])}
        case _:
            return _typed(value)


def _one_or_many(items: Sequence[Any]) -> Any:
    return items[0] if len(items) == 1 else list(items)


def _typed(value: Any) -> Any:
    """As a converter from XML reads a text: a number or truth value if it is written as one."""
    if not isinstance(value, str):
        return _plain(value)
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if str(number) == value:
            return number
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        # As in the samples of several services' "Logging .. API calls with CloudTrail" pages.
        return value.strftime("%b %-d, %Y %-I:%M:%S %p")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
