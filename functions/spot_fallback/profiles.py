"""What launch templates launch, and the roles that they give to what they launch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Template:
    """A launch template's version. instance_type: empty where it names none. roles: the ARNs of
    those in its instance profile; of a profile that is not there, the profile itself, which is no
    role that anybody may pass."""

    instance_type: str
    roles: tuple[str, ...]


class Templates:
    """ec2, iam: boto3 clients. What was read is kept."""

    def __init__(self, ec2: Any, iam: Any) -> None:
        self._ec2 = ec2
        self._iam = iam
        self._known: dict[tuple[str, str], Template] = {}
        self._profiles: dict[str, tuple[str, ...]] = {}

    def of(self, specifications: Sequence[Mapping[str, str]]) -> list[Template]:
        """Of each LaunchTemplateSpecification, once each; a version not said is the default one."""
        wanted = dict.fromkeys(
            (_name(each), each.get("Version", "$Default")) for each in specifications
        )
        for name, version in wanted:
            if (name, version) not in self._known:
                self._known[name, version] = self._read(name, version)
        return [self._known[each] for each in wanted]

    def _read(self, name: str, version: str) -> Template:
        """A template that is not there launches nothing, with no role; the group itself says so."""
        by = "LaunchTemplateId" if name.startswith("lt-") else "LaunchTemplateName"
        try:
            found = self._ec2.describe_launch_template_versions(**{by: name, "Versions": [version]})
        except ClientError as error:
            if error.response["Error"]["Code"].startswith("InvalidLaunchTemplate"):
                return Template("", ())
            raise
        data: Mapping[str, Any] = next(
            (each["LaunchTemplateData"] for each in found["LaunchTemplateVersions"]), {}
        )
        profile = data.get("IamInstanceProfile", {})
        named = profile.get("Name") or profile.get("Arn", "").rsplit("/", 1)[-1]
        return Template(data.get("InstanceType", ""), self._roles(named) if named else ())

    def _roles(self, profile: str) -> tuple[str, ...]:
        if profile not in self._profiles:
            self._profiles[profile] = roles_of(self._iam, profile)
        return self._profiles[profile]


def roles_of(iam: Any, profile: str) -> tuple[str, ...]:
    """ARNs of the roles in an instance profile; where it is not there, what it may hold soon is not
    known, so the profile itself, which is no role that anybody may pass."""
    try:
        found = iam.get_instance_profile(InstanceProfileName=profile)
    except iam.exceptions.NoSuchEntityException:
        return (f"instance-profile/{profile}",)
    return tuple(role["Arn"] for role in found["InstanceProfile"]["Roles"])


def _name(specification: Mapping[str, str]) -> str:
    return specification.get("LaunchTemplateId") or specification["LaunchTemplateName"]


def specifications(template: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The launch templates of a policy, those in its overrides included."""
    holders = [template, *template.get("Overrides", ())]
    return [
        each["LaunchTemplateSpecification"]
        for each in holders
        if "LaunchTemplateSpecification" in each
    ]
