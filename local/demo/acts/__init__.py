"""One act a remediation: what is done to the account, and what the remediation must make of it."""

from __future__ import annotations

from local.demo.acts.provisioned_concurrency import ProvisionedConcurrency
from local.demo.acts.quota_increase import QuotaIncrease
from local.demo.acts.spot_fallback import SpotFallback
from local.demo.acts.traffic_shift import TrafficShift

ACTS = (TrafficShift, QuotaIncrease, SpotFallback, ProvisionedConcurrency)
