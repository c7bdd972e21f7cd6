"""Application Auto Scaling of one account and Region, all operations together."""

from __future__ import annotations

from local.cloud.applicationautoscaling.scheduled import Scheduled


class ApplicationAutoScaling(Scheduled):
    """What is served in moto's place."""
