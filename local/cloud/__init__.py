"""The simulated AWS services that a remediation must see behave, built on moto.

`install()` puts them in moto's place, for `mock_aws` tests in this process and for the server
(`local.cloud.server`) alike; `WORLD` is what drives and observes them.
"""

from __future__ import annotations

from local.cloud.applicationautoscaling import install_application_auto_scaling
from local.cloud.autoscaling import install_auto_scaling
from local.cloud.awslambda import install_lambda
from local.cloud.cloudtrail.lookups import install_cloudtrail
from local.cloud.cloudwatch import install_cloudwatch
from local.cloud.ec2 import install_ec2
from local.cloud.elbv2 import install_elbv2
from local.cloud.sagemaker import install_sagemaker
from local.cloud.seam import guard
from local.cloud.servicequotas import install_service_quotas
from local.cloud.tagging import install_tagging
from local.cloud.world import WORLD, Durations, LambdaAccount, Sink, Switches, World

__all__ = ["WORLD", "Durations", "LambdaAccount", "Sink", "Switches", "World", "install"]

_installed = False


def install() -> None:
    """Extend moto once per process; later calls do nothing.

    Call it before the first AWS call: moto's backends capture each other when they are made.
    Raises `SeamMissing` when moto is not the version this package is written for.
    """
    global _installed
    if _installed:
        return
    guard()
    install_cloudtrail()
    install_sagemaker()
    install_tagging()
    install_cloudwatch()
    install_service_quotas()
    install_ec2()
    install_auto_scaling()
    install_elbv2()
    install_application_auto_scaling()
    install_lambda()
    _installed = True
