"""What is found by its ID alone is what moto finds by looking through everything."""

from __future__ import annotations

from typing import Any

import pytest
from moto.backends import get_backend
from moto.ec2.exceptions import InvalidInstanceIdError, InvalidVolumeIdError
from moto.ec2.models import EC2Backend
from moto.ec2.utils import generic_filter

from local.cloud.ec2.lookups import matching
from tests.cloud.conftest import Account
from tests.cloud.ec2.conftest import SPOT
from tests.cloud.ec2.test_instances import Run, booted


@pytest.fixture
def backend(account: Account, run: Run) -> Any:
    tags = [{"Key": "team", "Value": "nlp"}, {"Key": "empty", "Value": ""}]
    tagged = {"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]}
    booted(account, run, **tagged)
    booted(account, run, **tagged, **SPOT)
    booted(account, run)
    [found] = [each for _, _, each in get_backend("ec2").iter_backends() if each.reservations]
    return found


def test_tags_are_those_of_the_resource(backend: Any) -> None:
    ids = [*backend.tags, *(each.id for each in backend.instances()), "i-0", "vol-unknown"]
    for id in ids:
        for asked in (id, f"{id[:6]}*", f"{id[:-1]}?"):
            filters = {"resource-id": [asked]}
            found = backend.describe_tags(filters)
            assert found == EC2Backend.describe_tags(backend, filters), asked
    assert any(len(backend.describe_tags({"resource-id": [id]})) > 1 for id in ids)
    assert "i-0" not in backend.tags  # asking leaves no trace


def test_images_are_those_of_the_id(backend: Any) -> None:
    for asked in (*list(backend.amis)[:20], "ami-*", "ami-unknown", list(backend.amis)[:2]):
        filters = {"image-id": asked}
        found = backend.describe_images(filters=filters)
        assert found == EC2Backend.describe_images(backend, filters=filters), asked


def test_instances_are_those_of_the_id(backend: Any) -> None:
    for each in backend.instances():
        assert backend.get_instance(each.id) is each
    with pytest.raises(InvalidInstanceIdError):
        backend.get_instance("i-0")


def test_volumes_are_those_of_the_ids(backend: Any) -> None:
    volumes = list(backend.volumes)
    for asked in (volumes[:1], volumes, None):
        found = backend.describe_volumes(asked)
        assert found == EC2Backend.describe_volumes(backend, asked), asked
    with pytest.raises(InvalidVolumeIdError):
        backend.describe_volumes([*volumes, "vol-unknown"])


@pytest.mark.parametrize(
    "filters",
    [
        None,
        {"status-code": ["fulfilled"]},
        {"status-code": ["fulfilled", "marked-for-termination"], "state": ["active"]},
        {"status-code": ["ful*", "marked-for-termination"]},
        {"status-code": ["marked-for-termination"]},
        {"instance-id": "i-*"},
        {"state": "active"},
        {"tag:team": ["nlp"]},
        {"tag-key": ["team"]},
        {"status-code": []},
    ],
)
def test_what_a_filter_lets_through_is_what_moto_lets_through(
    account: Account, run: Run, backend: Any, filters: dict[str, Any] | None
) -> None:
    booted(account, run, **SPOT)
    requests = list(backend.spot_instance_requests.values())
    for number, each in enumerate(requests):
        each.add_tags({"team": ("nlp", "vision")[number % 2]})
    assert len(requests) == 2
    assert matching(filters, requests) == generic_filter(filters or {}, requests)
