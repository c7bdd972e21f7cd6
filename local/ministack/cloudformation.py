"""CloudWatch's CloudFormation types, created in the one CloudWatch instead of ministack's.

Each property of these types has the name and shape of a parameter of the API that CloudFormation
calls (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html), so a
resource is its API call, with values cast to the types of botocore's model.
"""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore import xform_name
from ministack.services.cloudformation import provisioners

NAME_LENGTH = 255


def install(endpoint_url: str, region: str) -> None:
    """Registers the types against a CloudWatch behind the account's endpoint."""
    client = botocore.session.Session().create_client(
        "cloudwatch",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id="CLOUDFORMATION",
        aws_secret_access_key="unused",
    )
    for kind, operation in (("Alarm", "PutMetricAlarm"), ("CompositeAlarm", "PutCompositeAlarm")):
        alarm = _Alarm(client, operation)
        provisioners._RESOURCE_HANDLERS[f"AWS::CloudWatch::{kind}"] = alarm.handlers()
    provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Dashboard"] = _Dashboard(client).handlers()


class _Named:
    """A resource whose name is its identity: a new name replaces it."""

    name_property: str

    def __init__(self, client: Any) -> None:
        self._client = client

    def handlers(self) -> dict[str, Any]:
        return {
            "create": self._create,
            "update": self._update,
            "update_with_logical_id": True,
            "delete": self._delete,
        }

    def _put(self, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def _delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        raise NotImplementedError

    def _create(
        self, logical_id: str, properties: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        name = properties.get(self.name_property) or provisioners._physical_name(
            stack_name, logical_id, max_len=NAME_LENGTH
        )
        return name, self._put(name, properties)

    def _update(
        self,
        physical_id: str,
        old_properties: dict[str, Any],
        new_properties: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
    ) -> tuple[str, dict[str, Any]]:
        name = new_properties.get(self.name_property) or physical_id
        attributes = self._put(name, new_properties)
        if name != physical_id:
            provisioners._delete_predecessor(self._delete, physical_id, old_properties)
        return name, attributes


class _Alarm(_Named):
    name_property = "AlarmName"

    def __init__(self, client: Any, operation: str) -> None:
        super().__init__(client)
        self._shape = client.meta.service_model.operation_model(operation).input_shape
        self._call = getattr(client, xform_name(operation))

    def _put(self, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        self._call(**cast(properties, self._shape) | {"AlarmName": name})
        found = self._client.describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        (alarm,) = found["MetricAlarms"] + found["CompositeAlarms"]
        # Tags given with a Put count only for a new alarm.
        tags = [{"Key": t["Key"], "Value": t["Value"]} for t in properties.get("Tags") or []]
        held = self._client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        gone = sorted({t["Key"] for t in held} - {t["Key"] for t in tags})
        if gone:
            self._client.untag_resource(ResourceARN=alarm["AlarmArn"], TagKeys=gone)
        if tags:
            self._client.tag_resource(ResourceARN=alarm["AlarmArn"], Tags=tags)
        return {"Arn": alarm["AlarmArn"]}

    def _delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        self._client.delete_alarms(AlarmNames=[physical_id])


class _Dashboard(_Named):
    name_property = "DashboardName"

    def _put(self, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        self._client.put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])
        return {}

    def _delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        self._client.delete_dashboards(DashboardNames=[physical_id])


def cast(value: Any, shape: Any) -> Any:
    """A template's value in the types of an API parameter: templates may quote numbers and booleans.

    Properties the API does not know are kept, so that botocore refuses them by name.
    """
    match shape.type_name:
        case "structure":
            return {
                key: cast(member, shape.members[key]) if key in shape.members else member
                for key, member in value.items()
            }
        case "list":
            return [cast(member, shape.member) for member in value]
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case _:
            return value
