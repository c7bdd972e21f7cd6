"""Launch templates: moto keeps them, the operations are held to EC2's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.utils import convert_tag_spec

from local.cloud.ec2.interruptions import Interruptions
from local.cloud.ec2.orders import find_version
from local.cloud.seam import Refusal, operation

Filters = Sequence[Mapping[str, Any]]


class Templates(Interruptions):
    """The launch templates of one account and Region."""

    @operation
    def create_launch_template(  # type: ignore[override]
        self,
        launch_template_name: str,
        launch_template_data: Mapping[str, Any],
        version_description: str = "",
        tag_specifications: Sequence[Mapping[str, Any]] = (),
        client_token: str = "",
    ) -> dict[str, Any]:
        """A new template with its first version. Its own tags are not its instances'."""
        template = super().create_launch_template(
            launch_template_name,
            version_description,
            dict(launch_template_data),
            convert_tag_spec([dict(each) for each in tag_specifications]),
        )
        return {"LaunchTemplate": self._template(template)}

    @operation
    def create_launch_template_version(
        self,
        launch_template_data: Mapping[str, Any],
        launch_template_id: str | None = None,
        launch_template_name: str | None = None,
        source_version: str | None = None,
        version_description: str = "",
        client_token: str = "",
    ) -> dict[str, Any]:
        """A new version; what it does not say it takes from `SourceVersion`, if one is given
        (botocore service model, `CreateLaunchTemplateVersion`)."""
        named = _named(launch_template_id, launch_template_name)
        source = find_version(self, named, source_version or "$Latest")
        data = {**(source.data if source_version else {}), **launch_template_data}
        version = source.template.create_version(data, version_description)
        return {"LaunchTemplateVersion": self._version(version)}

    @operation
    def modify_launch_template(  # type: ignore[override]
        self,
        launch_template_id: str | None = None,
        launch_template_name: str | None = None,
        default_version: str | None = None,
        client_token: str = "",
    ) -> dict[str, Any]:
        """Choose the default version."""
        named = _named(launch_template_id, launch_template_name)
        version = find_version(self, named, default_version or "$Default")
        version.template.default_version_number = version.number
        return {"LaunchTemplate": self._template(version.template)}

    @operation
    def delete_launch_template(  # type: ignore[override]
        self, launch_template_id: str | None = None, launch_template_name: str | None = None
    ) -> dict[str, Any]:
        """Delete a template with all its versions."""
        named = _named(launch_template_id, launch_template_name)
        template = find_version(self, named, "$Default").template
        super().delete_launch_template(template.name, None)
        return {"LaunchTemplate": self._template(template)}

    @operation
    def describe_launch_templates(  # type: ignore[override]
        self,
        launch_template_ids: Sequence[str] = (),
        launch_template_names: Sequence[str] = (),
        filters: Filters = (),
        max_results: int = 200,
        next_token: str = "",
    ) -> dict[str, Any]:
        """Templates by ID, name or filter; an unknown ID or name is refused."""
        found = [
            *(self.get_launch_template(each) for each in launch_template_ids),
            *(self.get_launch_template_by_name(each) for each in launch_template_names),
        ]
        wanted = {each["Name"]: each["Values"] for each in filters}
        if not launch_template_ids and not launch_template_names:
            found = super().describe_launch_templates(filters=wanted)
        shown, token = page(found, max_results, next_token)
        answer: dict[str, Any] = {"LaunchTemplates": [self._template(each) for each in shown]}
        return answer | token

    @operation
    def describe_launch_template_versions(  # type: ignore[override]
        self,
        launch_template_id: str | None = None,
        launch_template_name: str | None = None,
        versions: Sequence[str] = (),
        min_version: str | None = None,
        max_version: str | None = None,
        max_results: int = 200,
        next_token: str = "",
    ) -> dict[str, Any]:
        """A template's versions; without a template the `$Latest` or `$Default` ones of all."""
        if launch_template_id is None and launch_template_name is None:
            if not versions or set(versions) - {"$Latest", "$Default"}:
                raise Refusal(
                    "MissingParameter",
                    "The request must contain the parameter LaunchTemplateId or "
                    "LaunchTemplateName, or Versions with $Latest, $Default or both.",
                )
            found = [
                find_version(self, {"LaunchTemplateId": each}, version)
                for each in self.launch_templates
                for version in versions
            ]
        else:
            named = _named(launch_template_id, launch_template_name)
            if versions:
                found = [find_version(self, named, each) for each in versions]
            else:
                low, high = int(min_version or 1), int(max_version or 2**31)
                every = find_version(self, named, "$Latest").template.versions
                found = [each for each in every if low <= each.number <= high]
        shown, token = page(found, max_results, next_token)
        answer: dict[str, Any] = {"LaunchTemplateVersions": [self._version(each) for each in shown]}
        return answer | token

    def _template(self, template: LaunchTemplate) -> dict[str, Any]:
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "CreateTime": template.create_time,
            "CreatedBy": self._creator,
            "DefaultVersionNumber": template.default_version_number,
            "LatestVersionNumber": template.latest_version_number,
            "Tags": [{"Key": each["key"], "Value": each["value"]} for each in template.get_tags()],
        }

    def _version(self, version: LaunchTemplateVersion) -> dict[str, Any]:
        template = version.template
        described = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": version.number,
            "CreateTime": version.create_time,
            "CreatedBy": self._creator,
            "DefaultVersion": template.is_default(version),
            "LaunchTemplateData": version.data,
        }
        if version.description:
            described["VersionDescription"] = version.description
        return described

    @property
    def _creator(self) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:user/pocket"


def page(items: Sequence[Any], size: int, token: str) -> tuple[Sequence[Any], dict[str, str]]:
    """A page of a list and, as a part of the answer, the token of the next."""
    if token and not token.isdigit():
        raise Refusal("InvalidParameterValue", f"Invalid value '{token}' for nextToken.")
    start = int(token or 0)
    end = start + size
    return items[start:end], {"NextToken": str(end)} if end < len(items) else {}


def _named(template_id: str | None, name: str | None) -> dict[str, str]:
    given = {"LaunchTemplateId": template_id, "LaunchTemplateName": name}
    return {key: value for key, value in given.items() if value is not None}
