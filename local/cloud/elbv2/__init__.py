"""Elastic Load Balancing, version 2: target groups, and what is registered in them.

`install_elbv2()` puts it in moto's place. Load balancers, listeners and the groups themselves are
moto's; classic load balancers are left alone.
"""

from __future__ import annotations

from moto.elb import urls
from moto.elbv2.responses import ELBV2Response

from local.cloud.seam import extend, require

__all__ = ["install_elbv2"]

KEPT = (
    "AddTags",
    "CreateListener",
    "CreateLoadBalancer",
    "CreateTargetGroup",
    "DeleteListener",
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "DescribeListeners",
    "DescribeLoadBalancerAttributes",
    "DescribeLoadBalancers",
    "DescribeTags",
    "DescribeTargetGroupAttributes",
    "DescribeTargetGroups",
    "ModifyTargetGroupAttributes",
    "RemoveTags",
)
"""moto's operations that set a scene or look at it."""


def install_elbv2() -> None:
    """Put our Elastic Load Balancing in moto's place. Run it before the first call of it."""
    from local.cloud.elbv2.targets import Targets

    # Both versions of the service have one URL; this name is what tells them apart.
    require(urls, "ELBV2Response", "api_version_elb_backend")
    served = extend("elbv2", Targets, keep=KEPT, base=ELBV2Response)
    urls.ELBV2Response = served  # type: ignore[attr-defined]
