"""Amazon EC2 Auto Scaling: groups that keep their capacity, On-Demand and Spot.

`install_auto_scaling()` puts it in moto's place. Groups launch through the EC2 of the same account
and Region, so its quotas and its capacity are theirs.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend
from moto.ec2.models.instances import Instance

from local.cloud.ec2.happenings import Happening, listen
from local.cloud.seam import extend

__all__ = ["install_auto_scaling"]


def install_auto_scaling() -> None:
    """Put our Auto Scaling in moto's place. Run it before the first call of it."""
    from local.cloud.autoscaling.backend import AutoScaling

    extend("autoscaling", AutoScaling)
    listen(_heard)


def _heard(account_id: str, region: str, instance: Instance, happening: Happening) -> None:
    backend: Any = get_backend("autoscaling")[account_id][region]
    backend.heard(instance, happening)
