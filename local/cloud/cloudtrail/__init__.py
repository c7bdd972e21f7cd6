"""CloudTrail: Event history keeps API calls, and EventBridge is told of those that were refused.

The seam hands every answered call of a simulated service to `tell`; a service that calls another
on its own (an Auto Scaling group that launches instances) does so itself.
"""

from __future__ import annotations

from local.cloud.cloudtrail.event import SERVER_ERRORS, Call, tell

__all__ = ["SERVER_ERRORS", "Call", "tell"]
