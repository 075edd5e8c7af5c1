"""Books with real content, and every damage that can be done to them. Judges nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, ProviderUUID, ResourceClass
from roost.storage.sql.engines import driver_url
from roost.storage.sql.store import SQLStore
from tests.storage.hand import (
    DISK,
    MEMORY,
    VCPU,
    claim,
    consumer_uuid,
    group,
    make,
    mark,
    new_classes,
    new_traits,
    release,
    stock,
    stripe,
    uuids,
)

HOST, CHILD, GRANDCHILD, POOL, AGGREGATE = (ProviderUUID(uuid) for uuid, _ in zip(uuids(1), range(5), strict=False))
SERVER, OTHER, GONE = (consumer_uuid(number) for number in (1, 2, 3))
IDLE = ConsumerUUID(next(uuids(77)))
BIRD = ResourceClass("CUSTOM_BIRD")


@contextmanager
def unguarded(url: str) -> Iterator[sa.Connection]:
    """A connection on which the database lets every damage happen."""
    address, dialect = driver_url(url)
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        if dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        if dialect.name == "mysql":
            connection.exec_driver_sql("SET foreign_key_checks = 0")
        yield connection
    engine.dispose()


def fill(store: SQLStore) -> None:
    """Real content: two trees, names, claims made, resized and released."""
    new_traits(store, "CUSTOM_FEATHERED")
    new_classes(store, BIRD)
    make(store, HOST)
    make(store, CHILD, parent=HOST)
    make(store, GRANDCHILD, parent=CHILD)
    make(store, POOL)
    stock(store, HOST, {VCPU: Inventory(total=8, allocation_ratio=2.0), MEMORY: Inventory(total=4096, reserved=512)})
    stock(store, CHILD, {BIRD: Inventory(total=3)})
    stock(store, POOL, {DISK: Inventory(total=100)})
    mark(store, CHILD, "CUSTOM_FEATHERED", "HW_CPU_X86_AVX")
    group(store, HOST, AGGREGATE)
    group(store, POOL, AGGREGATE)
    claim(store, SERVER, {HOST: {VCPU: 2, MEMORY: 1024}, POOL: {DISK: 10}})
    claim(store, SERVER, {HOST: {VCPU: 4, MEMORY: 1024}, POOL: {DISK: 10}})
    claim(store, OTHER, {CHILD: {BIRD: 1}}, user="trent", consumer_type=None)
    claim(store, GONE, {HOST: {VCPU: 1}})
    release(store, GONE)


def id_of(uuid: str) -> str:
    """SQL for the id of a provider's row."""
    return f"(SELECT id FROM (SELECT * FROM resource_providers) AS p WHERE uuid = '{uuid}')"


@dataclass(frozen=True)
class Damage:
    """A statement that breaks something, and what is to be said of it."""

    check: str
    statement: str
    text: str
    changed: frozenset[str] | None = frozenset()
    """Tables that a repair leaves in another state than they were in before the damage; None: it can't be mended."""


def allocation(provider: str, resource_class: int, used: int, consumer: str = SERVER) -> str:
    """SQL that makes an allocation."""
    columns = "resource_provider_id, consumer_id, resource_class_id, used"
    return f"INSERT INTO allocations ({columns}) VALUES ({provider}, '{consumer}', {resource_class}, {used})"


def root(provider: str, to: str) -> str:
    """SQL that names another root."""
    return f"UPDATE resource_providers SET root_provider_id = {to} WHERE uuid = '{provider}'"


INVENTORY = "resource_provider_id, resource_class_id, total, reserved, min_unit, max_unit, step_size, allocation_ratio"

DAMAGES = [
    Damage(
        "capacity",
        f"UPDATE inventories SET total = 1 WHERE resource_class_id = 1 AND resource_provider_id = {id_of(HOST)}",
        f"provider {HOST}: 1024 MiB of MEMORY_MB are used, of at most -511 MiB (total 1, reserved 512, ",
        None,
    ),
    Damage(
        "allocations' providers", allocation("999", 0, 5), "5 of VCPU on a provider that does not exist (row 999)", None
    ),
    Damage(
        "allocations' classes",
        allocation(id_of(HOST), 888, 5),
        f"consumer {SERVER} holds 5 of a class that does not exist (row 888) on provider {HOST}",
        None,
    ),
    Damage(
        "allocations' inventories",
        f"DELETE FROM inventories WHERE resource_class_id = 1 AND resource_provider_id = {id_of(HOST)}",
        f"provider {HOST}: 1 allocation holds 1024 MiB of MEMORY_MB, of which it has no inventory",
        None,
    ),
    Damage(
        "double allocations",
        allocation(id_of(HOST), 0, 3),
        f"consumer {SERVER}: 4 and 3 of VCPU on provider {HOST} (allocations ",
        None,
    ),
    Damage(
        "amounts", allocation(id_of(HOST), 0, -1, OTHER), f"consumer {OTHER} holds -1 of VCPU on provider {HOST}", None
    ),
    Damage(
        "consumers' records",
        f"DELETE FROM consumers WHERE uuid = '{SERVER}'",
        f"consumer {SERVER}: it holds 3 allocations, and has no record",
        frozenset({"consumers", "projects", "users"}),
    ),
    Damage(
        "consumers' owners",
        f"UPDATE consumers SET project_id = 777, user_id = 778 WHERE uuid = '{SERVER}'",
        f"consumer {SERVER}: its project (row 777) and its user (row 778) do not exist",
        frozenset({"consumers", "projects", "users"}),
    ),
    Damage(
        "consumers' types",
        f"UPDATE consumers SET consumer_type_id = 779 WHERE uuid = '{SERVER}'",
        f"consumer {SERVER}: its type (row 779) does not exist",
        None,
    ),
    Damage(
        "idle consumers",
        f"INSERT INTO consumers (uuid, project_id, user_id, generation) SELECT '{IDLE}', project_id, user_id, 0 "
        f"FROM (SELECT * FROM consumers) AS c WHERE uuid = '{SERVER}'",
        f"consumer {IDLE}: it holds nothing (generation 0)",
    ),
    Damage(
        "parents",
        f"UPDATE resource_providers SET parent_provider_id = 999 WHERE uuid = '{CHILD}'",
        f"provider {CHILD}: its parent (row 999) does not exist",
        None,
    ),
    Damage(
        "circles",
        f"UPDATE resource_providers SET parent_provider_id = {id_of(CHILD)} WHERE uuid = '{HOST}'",
        f"provider {HOST} below {CHILD} below {HOST}: it stands below itself",
        None,
    ),
    Damage("roots", root(CHILD, "NULL"), f"provider {CHILD}: it names no root; by its parents it is {HOST}"),
    Damage(
        "roots", root(GRANDCHILD, id_of(POOL)), f"provider {GRANDCHILD}: it names as its root {POOL}; by its parents it"
    ),
    Damage(
        "roots", root(CHILD, id_of(CHILD)), f"provider {CHILD}: it names itself as its root, and has a parent; by its"
    ),
    Damage("roots", root(HOST, "NULL"), f"provider {HOST}: it names no root; it has no parent, so that it is its own"),
    Damage(
        "roots", root(CHILD, "999"), "names as its root a provider that does not exist (row 999); by its parents it is"
    ),
    Damage(
        "inventories' providers",
        f"INSERT INTO inventories ({INVENTORY}) VALUES (999, 1, 7, 0, 1, 7, 1, 1.0)",
        "provider row 999, which does not exist: inventory of MEMORY_MB, total 7 MiB",
    ),
    Damage(
        "inventories' resource classes",
        f"INSERT INTO inventories ({INVENTORY}) VALUES ({id_of(HOST)}, 888, 7, 0, 1, 7, 1, 1.0)",
        f"provider {HOST}: inventory of resource class row 888, which does not exist, total 7",
        None,
    ),
    Damage(
        "traits' providers",
        "INSERT INTO resource_provider_traits (trait_id, resource_provider_id) "
        "SELECT id, 999 FROM traits WHERE name = 'CUSTOM_FEATHERED'",
        "provider row 999, which does not exist: trait CUSTOM_FEATHERED",
    ),
    Damage(
        "traits' traits",
        f"INSERT INTO resource_provider_traits (trait_id, resource_provider_id) VALUES (888888, {id_of(HOST)})",
        f"provider {HOST}: trait trait row 888888, which does not exist",
        None,
    ),
    Damage(
        "memberships' providers",
        "INSERT INTO resource_provider_aggregates (resource_provider_id, aggregate_id) "
        "SELECT 999, id FROM placement_aggregates",
        f"provider row 999, which does not exist: membership in {AGGREGATE}",
    ),
    Damage(
        "memberships' aggregates",
        f"INSERT INTO resource_provider_aggregates (resource_provider_id, aggregate_id) VALUES ({id_of(HOST)}, 888888)",
        f"provider {HOST}: membership in aggregate row 888888, which does not exist",
        None,
    ),
    Damage(
        "running totals",
        f"UPDATE roost_totals SET used = '{{}}' WHERE provider_id = {id_of(HOST)}",
        f"provider {HOST}: 0 of VCPU in total, where ",
    ),
    Damage("stripes", "DELETE FROM roost_stripes WHERE id = 63", "stripe 63: its row is missing"),
    Damage("number of stripes", "INSERT INTO roost_stripes VALUES (64, 0)", "there are 65 stripes, not 64; the", None),
    Damage(
        "versions",
        f"UPDATE roost_stripes SET version = 1 WHERE id = {stripe(HOST)}",
        f"stripe {stripe(HOST)}: its version is 1, and a change is recorded as of ",
    ),
]
