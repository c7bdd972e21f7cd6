"""Service Quotas of one account and Region."""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend

from local.cloud.servicequotas.catalogue import Catalogue, built_in
from local.cloud.servicequotas.quotas import Quota

HOME = "us-east-1"
"""The Region of global quotas (Service Quotas User Guide, "Service Quotas endpoints and quotas")
and, here, the keeper of what is the whole account's."""


class ServiceQuotas(BaseBackend):
    """What Service Quotas knows of one account in one Region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.values: dict[tuple[str, str], float] = {}
        self.replaced: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The account's catalogue, the same in every Region."""
        return self.home.replaced or built_in()

    @property
    def home(self) -> ServiceQuotas:
        """The account's Service Quotas in the Region of global quotas."""
        return of(self.account_id, HOME)

    def value(self, service_code: str, quota: Quota) -> float:
        """The applied value of an account-level quota."""
        keeper = self.home if quota.is_global else self
        return keeper.values.get((service_code, quota.code), quota.default)


def of(account_id: str, region: str) -> ServiceQuotas:
    """Service Quotas of that account and Region."""
    store: Any = get_backend("service-quotas")
    backend: ServiceQuotas = store[account_id][region]
    return backend
