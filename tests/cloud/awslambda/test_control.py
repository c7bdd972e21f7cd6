"""What a person or a test does to Lambda from outside AWS."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud.control import create_app
from tests.cloud.awslambda.conftest import Shop


@pytest.fixture
def control() -> Any:
    return create_app().test_client()


def test_functions_that_cannot_start_are_named(shop: Shop, control: Any) -> None:
    answer = control.put("/lambda/account", json={"failing": ["shop:1"]})
    assert answer.json == {"failing": ["shop:1"], "unreserved_minimum": None}
    assert control.get("/lambda/account").json == answer.json
    shop.provision("live", 5)
    shop.ready()
    assert shop.provisioned()[0] == "FAILED"
    control.put("/lambda/account", json={})
    shop.provision("live", 5)
    shop.ready()
    assert shop.provisioned()[0] == "READY"


def test_a_raised_quota_gives_room(shop: Shop, control: Any) -> None:
    assert shop.refused("live", 1000)
    control.put("/servicequotas/quotas/lambda/L-B99A9384/value", json={"value": 2000})
    shop.provision("live", 1000)


def test_what_it_does_not_know_is_refused(control: Any) -> None:
    assert control.put("/lambda/account", json={"unreserved": 5}).status_code == 400
    assert control.put("/lambda/account", json={"failing": [3]}).status_code == 400
