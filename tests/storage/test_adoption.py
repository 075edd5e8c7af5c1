"""A database that the peer has filled is opened as it is, written to, and given back to the peer."""

from typing import Any

import pytest

from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, ProjectID, ProviderUUID, ResourceClass
from roost.storage.sql.store import SQLStore
from tests.databases import fresh_database
from tests.storage.conftest import now
from tests.storage.hand import DISK, VCPU, claim, release, uuids
from tests.storage.peer import Request, ask_peer

ROOT, CHILD, POOL, AGGREGATE = (ProviderUUID(uuid) for uuid, _ in zip(uuids(1), range(4), strict=False))
TYPED, PLAIN, NEW = (ConsumerUUID(uuid) for uuid, _ in zip(uuids(100), range(3), strict=False))
ORPHAN = ConsumerUUID(next(uuids(200)))
BIRD = ResourceClass("CUSTOM_BIRD")

RECORD = {"total": 8, "reserved": 1, "min_unit": 1, "max_unit": 8, "step_size": 1, "allocation_ratio": 2.0}


def _claim(allocations: dict[str, dict[str, int]], **rest: Any) -> dict[str, Any]:
    wanted = {uuid: {"resources": resources} for uuid, resources in allocations.items()}
    owner = {"project_id": "works", "user_id": "mallory", "consumer_generation": None, "consumer_type": "INSTANCE"}
    whole = {"allocations": wanted, **owner, **rest}
    return {name: value for name, value in whole.items() if name != "consumer_type" or value is not None}


FILLING: list[Request] = [
    ("POST", "/resource_providers", {"uuid": ROOT, "name": "root"}),
    ("POST", "/resource_providers", {"uuid": CHILD, "name": "child", "parent_provider_uuid": ROOT}),
    ("POST", "/resource_providers", {"uuid": POOL, "name": "pool"}),
    ("PUT", f"/resource_classes/{BIRD}", None),
    ("PUT", "/traits/CUSTOM_FEATHERED", None),
    (
        "PUT",
        f"/resource_providers/{ROOT}/inventories",
        {"resource_provider_generation": 0, "inventories": {"VCPU": RECORD, BIRD: {"total": 100}}},
    ),
    (
        "PUT",
        f"/resource_providers/{POOL}/inventories",
        {"resource_provider_generation": 0, "inventories": {"DISK_GB": {"total": 1000}}},
    ),
    (
        "PUT",
        f"/resource_providers/{CHILD}/traits",
        {"resource_provider_generation": 0, "traits": ["CUSTOM_FEATHERED", "HW_CPU_X86_AVX"]},
    ),
    (
        "PUT",
        f"/resource_providers/{POOL}/aggregates",
        {"resource_provider_generation": 1, "aggregates": [AGGREGATE]},
    ),
    ("PUT", f"/allocations/{TYPED}", _claim({ROOT: {"VCPU": 2, BIRD: 3}, POOL: {"DISK_GB": 10}})),
    ("PUT", f"/allocations/{PLAIN}", _claim({ROOT: {"VCPU": 1}}, consumer_type=None, user_id="trent"), "1.37"),
    # The peer leaves a record behind where a first claim is refused.
    ("PUT", f"/allocations/{ORPHAN}", _claim({POOL: {"VCPU": 1}})),
]


@pytest.mark.peer
def test_a_filled_database_is_adopted_written_to_and_given_back(database: str) -> None:
    """Everything the peer wrote is read; a claim of ours is shown by the peer; so are a resize and a release."""
    with fresh_database(database) as url:
        answers = ask_peer(url, FILLING)
        assert [status for status, _ in answers] == [200, 200, 200, 201, 201, 200, 200, 200, 200, 204, 204, 409]
        store = SQLStore(url, clock=now)
        store.upgrade()
        store.synchronise()
        _reads_all(store)
        claim(store, NEW, {ROOT: {VCPU: 4}, POOL: {DISK: 5}}, project="new", consumer_type="MIGRATION")
        claim(store, ORPHAN, {POOL: {DISK: 7}})
        claim(store, PLAIN, {ROOT: {VCPU: 3}}, user="trent", consumer_type=None)
        release(store, TYPED)
        store.close()
        _peer_shows(url)


def _reads_all(store: SQLStore) -> None:
    root, child, pool = store.read(lambda reader: reader.cloud())
    assert [(each.provider.name, each.provider.parent, each.provider.root) for each in (root, child, pool)] == [
        ("root", None, ROOT),
        ("child", ROOT, ROOT),
        ("pool", None, POOL),
    ]
    assert [each.provider.generation for each in (root, child, pool)] == [3, 1, 3]
    assert root.inventories == {
        VCPU: Inventory(total=8, reserved=1, max_unit=8, allocation_ratio=2.0),
        BIRD: Inventory(total=100),
    }
    assert (root.usage, child.usage, pool.usage) == ({VCPU: 3, BIRD: 3}, {}, {DISK: 10})
    assert child.traits == ("HW_CPU_X86_AVX", "CUSTOM_FEATHERED")
    assert list(map(str, pool.aggregates)) == [AGGREGATE]
    assert all(each.provider.modified is not None for each in (root, child, pool))

    def held(uuid: str) -> set[tuple[str, str, int]]:
        found = store.read(lambda reader: reader.consumer_allocations(uuid))
        return {(each.provider.uuid, each.resource_class, each.used) for each in found}

    assert held(TYPED) == {(ROOT, VCPU, 2), (ROOT, BIRD, 3), (POOL, DISK, 10)}
    assert held(PLAIN) == {(ROOT, VCPU, 1)}
    assert held(ORPHAN) == set()
    (plain,) = store.read(lambda reader: reader.consumer_allocations(PLAIN))
    assert (plain.consumer.generation, plain.consumer.project, plain.consumer.user) == (1, "works", "trent")
    usages = store.read(lambda reader: reader.project_usages(ProjectID("works")))
    assert {(each.type, each.consumers) for each in usages} == {("INSTANCE", 1), (plain.consumer.type, 1)}
    assert [each.name for each in store.read(lambda reader: reader.resource_classes([BIRD]))] == [BIRD]
    assert [each.name for each in store.read(lambda reader: reader.traits(prefix="CUSTOM_"))] == ["CUSTOM_FEATHERED"]


def _peer_shows(url: str) -> None:
    new, orphan, plain, typed, of_root, usages, again = ask_peer(
        url,
        [
            ("GET", f"/allocations/{NEW}", None),
            ("GET", f"/allocations/{ORPHAN}", None),
            ("GET", f"/allocations/{PLAIN}", None),
            ("GET", f"/allocations/{TYPED}", None),
            ("GET", f"/resource_providers/{ROOT}/usages", None),
            # By type it fails on PostgreSQL.
            ("GET", "/usages?project_id=new&consumer_type=all", None),
            ("PUT", f"/allocations/{NEW}", _claim({ROOT: {"VCPU": 5}}, consumer_generation=1)),
        ],
    )
    status, body = new
    assert status == 200
    assert {uuid: each["resources"] for uuid, each in body["allocations"].items()} == {
        ROOT: {"VCPU": 4},
        POOL: {"DISK_GB": 5},
    }
    assert (body["project_id"], body["consumer_generation"], body["consumer_type"]) == ("new", 1, "MIGRATION")
    assert orphan[1]["allocations"][POOL]["resources"] == {"DISK_GB": 7}
    assert plain[1]["allocations"][ROOT]["resources"] == {"VCPU": 3}
    assert plain[1]["consumer_generation"] == 2
    assert typed == (200, {"allocations": {}})
    assert of_root[1]["usages"] == {"VCPU": 7, BIRD: 0}
    assert usages[1]["usages"]["all"] == {"consumer_count": 1, "VCPU": 4, "DISK_GB": 5}
    assert again[0] == 204
