"""A function with three published versions, and an alias `live` of the first."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.cloud.conftest import Account
from tests.cloud.hosting import refused

TRUST = '{"Version": "2012-10-17", "Statement": []}'


@dataclass
class Shop:
    """Calls on the function `shop` (or another), and the time that passes."""

    account: Account
    api: Any
    arn: str = "arn:aws:lambda:us-east-1:123456789012:function:shop"

    def create(self, name: str = "shop", versions: int = 3, **more: Any) -> None:
        """A function with that many versions."""
        self.api.create_function(
            FunctionName=name,
            Role="arn:aws:iam::123456789012:role/shop",
            Handler="shop.handler",
            Runtime="python3.14",
            Code={"ZipFile": _archive()},
            **more,
        )
        for number in range(1, versions + 1):
            self.api.update_function_configuration(FunctionName=name, MemorySize=128 * number)
            assert self.api.publish_version(FunctionName=name)["Version"] == str(number)

    def alias(self, name: str = "live", version: str = "1", **more: Any) -> Any:
        return self.api.create_alias(
            FunctionName="shop", Name=name, FunctionVersion=version, **more
        )

    def update(self, name: str = "live", **more: Any) -> Any:
        return self.api.update_alias(FunctionName="shop", Name=name, **more)

    def update_refused(self, name: str = "live", **more: Any) -> tuple[str, str]:
        return refused(self.api.update_alias, FunctionName="shop", Name=name, **more)

    def shares(self, name: str = "live") -> Mapping[str, float]:
        """The versions that an alias sends traffic to beside its own."""
        alias = self.api.get_alias(FunctionName="shop", Name=name)
        found: Mapping[str, float] = alias.get("RoutingConfig", {}).get(
            "AdditionalVersionWeights", {}
        )
        return found

    def provision(self, qualifier: str, amount: int, function: str = "shop") -> Any:
        return self.api.put_provisioned_concurrency_config(
            FunctionName=function, Qualifier=qualifier, ProvisionedConcurrentExecutions=amount
        )

    def refused(self, qualifier: str, amount: int, function: str = "shop") -> tuple[str, str]:
        """The code and text that provisioning is refused with."""
        return refused(
            self.api.put_provisioned_concurrency_config,
            FunctionName=function,
            Qualifier=qualifier,
            ProvisionedConcurrentExecutions=amount,
        )

    def provisioned(self, qualifier: str = "live") -> tuple[str, int, int]:
        """Its status, what was requested and what is available."""
        found = self.api.get_provisioned_concurrency_config(
            FunctionName="shop", Qualifier=qualifier
        )
        available = found["AvailableProvisionedConcurrentExecutions"]
        assert found["AllocatedProvisionedConcurrentExecutions"] == available
        return found["Status"], found["RequestedProvisionedConcurrentExecutions"], available

    def reserve(self, amount: int, function: str = "shop") -> Any:
        return self.api.put_function_concurrency(
            FunctionName=function, ReservedConcurrentExecutions=amount
        )

    @property
    def unreserved(self) -> int:
        found: int = self.api.get_account_settings()["AccountLimit"][
            "UnreservedConcurrentExecutions"
        ]
        return found

    def ready(self) -> None:
        """Let what is being allocated be ready."""
        self.account.wait(3)


@cache
def _client() -> Any:
    """A client that sends what breaks the model, as clients of other makes do."""
    session: Any = boto3.Session(
        region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    return session.client("lambda", config=Config(parameter_validation=False))


def _archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("shop.py", "def handler(event, context): ...")
    return written.getvalue()


@pytest.fixture
def shop(account: Account) -> Shop:
    account.client("iam").create_role(RoleName="shop", AssumeRolePolicyDocument=TRUST)
    found = Shop(account, _client())
    found.create()
    found.alias()
    return found
