"""Service Quotas: applied and default values, increase requests and how they end, utilization.

`install_service_quotas()` puts it in moto's place. A service that enforces a quota reads it with
`applied` and tells how much of it is in use through `meter`.
"""

from __future__ import annotations

from local.cloud.seam import extend
from local.cloud.servicequotas.backend import ServiceQuotas
from local.cloud.servicequotas.keeper import of
from local.cloud.servicequotas.usage import meter, watch

__all__ = ["applied", "install_service_quotas", "meter"]


def install_service_quotas() -> None:
    """Put our Service Quotas in moto's place, wholly. Run it before the first call of it."""
    extend("servicequotas", ServiceQuotas)


def applied(account_id: str, region: str, service_code: str, quota_name: str) -> float:
    """The value of a quota that holds now, to be asked inside a turn.

    Who asks is about to use it: the Region's usage metrics are published from now on. Raises
    KeyError for a service or a name that the catalogue lacks.
    """
    keeper = of(account_id, region)
    quota = keeper.catalogue.services[service_code].by_name[quota_name]
    watch(keeper)
    return keeper.value(service_code, quota)
