"""Service Quotas, put together of what it reads, requests and reports."""

from __future__ import annotations

from local.cloud.servicequotas.increases import Increases
from local.cloud.servicequotas.reads import Reads
from local.cloud.servicequotas.reports import Reports


class ServiceQuotas(Reads, Increases, Reports):
    """One account's Service Quotas in one Region."""
