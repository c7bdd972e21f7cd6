"""Auto Scaling of one account and Region, all operations together."""

from __future__ import annotations

from local.cloud.autoscaling.refreshes import Refreshes


class AutoScaling(Refreshes):
    """What is served in moto's place."""
