"""What happens to instances, told to the services that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from moto.ec2.models.instances import Instance

Happening = Literal["ended", "at-risk"]
"""An instance began to shut down; or EC2 warned that it takes a Spot Instance back: by a rebalance
recommendation or by the notice itself."""

Listener = Callable[[str, str, Instance, Happening], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call `listener` with account, Region, instance and happening from now on."""
    _listeners.append(listener)


def tell(account_id: str, region: str, instance: Instance, happening: Happening) -> None:
    """Tell every listener."""
    for listener in _listeners:
        listener(account_id, region, instance, happening)
