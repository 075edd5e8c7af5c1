"""Mirrors of several stores on one database, as several servers have them, on every kind of store."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import takewhile

import pytest
import sqlalchemy as sa

from roost.ledger.world import Delta, Scope
from roost.mirror.mirror import Mirror
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID
from roost.model.provider import Provider
from roost.search.candidates import candidates
from roost.search.providers import providers
from roost.search.query import Group, ProviderQuery, Query
from roost.search.snapshot import Snapshot
from roost.storage.port import Store
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import roost_stripes
from tests.mirror.seeing import fresh, seen
from tests.storage.conftest import now
from tests.storage.hand import (
    VCPU,
    claim,
    consumer_uuid,
    group,
    make,
    mark,
    pair_in_different_stripes,
    stock,
    uuids,
    write,
)
from tests.storage.test_costs import counted

pytestmark = pytest.mark.cwe_435

ONE, OTHER = pair_in_different_stripes()
NEEDS_ONE = Query(groups={"": Group(resources={VCPU: 1})})
AT_MOST = 12
"""Statements of a refresh: what claims changed; versions; the record's reach, the record; providers, inventories, sums,
traits, aggregates, and the names of classes, traits and aggregates that these have."""


def hosts(store: Store, total: int = 1) -> None:
    """Two trees in different stripes."""
    for uuid in (ONE, OTHER):
        make(store, uuid)
        stock(store, uuid, {VCPU: Inventory(total=total)})


def roots(snapshot: Snapshot) -> list[str]:
    """Where one VCPU would fit."""
    return [next(iter(candidate.claim)) for candidate in candidates(snapshot, NEEDS_ONE).candidates]


def remove(store: Store, uuid: ProviderUUID) -> None:
    """Remove a provider."""
    write(store, Scope(trees=frozenset({uuid})), lambda _: Delta(removed=frozenset({uuid})))


def move(store: Store, uuid: ProviderUUID, parent: ProviderUUID | None) -> None:
    """Put a provider under another, or make it a root."""
    moved = Provider(uuid=uuid, name=uuid, parent=parent, root=parent or uuid)
    trees = frozenset({uuid} if parent is None else {uuid, parent})
    write(store, Scope(trees=trees), lambda _: Delta(changed=(moved,)))


@pytest.fixture
def mirrors(store: Store, another: Callable[[], Store]) -> tuple[Mirror, Mirror]:
    """One of the store that is written to, and one of another on the same books, both loaded over two hosts."""
    hosts(store)
    pair = Mirror(store), Mirror(another())
    for mirror in pair:
        mirror.load()
    return pair


def test_what_was_acknowledged_here_is_seen_there(
    store: Store, another: Callable[[], Store], mirrors: tuple[Mirror, Mirror]
) -> None:
    """Each search through any mirror that begins after the reply to a write sees its effect, while others write."""
    _, far = mirrors
    noise, stopped = another(), threading.Event()
    bystander = make(store, next(uuids(500)))

    def make_noise() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            stock(noise, bystander, {VCPU: Inventory(total=1, reserved=1, max_unit=number)})
            time.sleep(0.005)  # SQLite's writers in several processes poll, and a busy one starves the others

    crowd = [threading.Thread(target=make_noise)]
    crowd += [threading.Thread(target=lambda: [far.snapshot() for _ in range(30)]) for _ in range(2)]
    for thread in crowd:
        thread.start()
    try:
        for turn in range(25):
            full, free = (ONE, OTHER) if turn % 2 else (OTHER, ONE)
            claim(store, consumer_uuid(1), {full: {VCPU: 1}})
            assert roots(far.snapshot()) == [free]
    finally:
        stopped.set()
        for thread in crowd:
            thread.join(timeout=60)
    assert seen(far.snapshot()) == seen(store.read(fresh))


def test_no_snapshot_is_of_two_moments(store: Store, mirrors: tuple[Mirror, Mirror]) -> None:
    """One claim goes to and fro between two trees: no search finds it in both, or in neither."""
    claim(store, consumer_uuid(1), {ONE: {VCPU: 1}})
    stopped, found = threading.Event(), list[list[str]]()

    def search(mirror: Mirror) -> None:
        while not stopped.is_set():
            found.append(roots(mirror.snapshot()))

    searchers = [threading.Thread(target=search, args=(mirror,)) for mirror in mirrors]
    for thread in searchers:
        thread.start()
    try:
        for turn in takewhile(lambda turn: turn < 30 or len(found) <= 2, range(10_000)):
            claim(store, consumer_uuid(1), {OTHER if turn % 2 else ONE: {VCPU: 1}})
    finally:
        stopped.set()
        for thread in searchers:
            thread.join(timeout=60)
    assert len(found) > 2
    assert {len(free) for free in found} == {1}


def test_a_tree_that_moves_is_in_one_place(store: Store, mirrors: tuple[Mirror, Mirror]) -> None:
    """To another stripe and back, though it is told in both."""
    for parent in (OTHER, None, OTHER):
        move(store, ONE, parent)
        for mirror in mirrors:
            snapshot = mirror.snapshot()
            assert [each.root for each in providers(snapshot, ProviderQuery())] == [parent or ONE, OTHER]
            assert seen(snapshot) == seen(store.read(fresh))


@pytest.mark.parametrize("looks_between", [True, False])
def test_a_provider_that_was_made_again_has_nothing_of_the_old(
    store: Store,
    mirrors: tuple[Mirror, Mirror],
    looks_between: bool,  # noqa: FBT001 - a row of a table
) -> None:
    """Under the same uuid, with or without a search between; and it comes after those that were made before it."""
    near, far = mirrors
    mark(store, ONE, "HW_CPU_X86_AVX")
    group(store, ONE, OTHER)
    far.snapshot()
    remove(store, ONE)
    if looks_between:
        assert [each.uuid for each in providers(far.snapshot(), ProviderQuery())] == [OTHER]
    make(store, ONE, "another name")
    for mirror in (near, far):
        snapshot = mirror.snapshot()
        assert [each.uuid for each in providers(snapshot, ProviderQuery())] == [OTHER, ONE]
        assert roots(snapshot) == [OTHER]
        assert seen(snapshot) == seen(store.read(fresh))


def test_a_provider_that_came_and_went_leaves_nothing(store: Store, mirrors: tuple[Mirror, Mirror]) -> None:
    """Made and removed between two searches."""
    passing = make(store, next(uuids(700)))
    remove(store, passing)
    assert len(providers(mirrors[1].snapshot(), ProviderQuery())) == 2


def test_a_purge_makes_who_is_behind_begin_anew(store: Store, mirrors: tuple[Mirror, Mirror]) -> None:
    """And nobody else."""
    near, far = mirrors
    for total in (2, 3, 4):
        stock(store, ONE, {VCPU: Inventory(total=total)})
    near.snapshot()
    list(store.forget_changes(now().replace(tzinfo=None) + timedelta(minutes=1)))
    for mirror in mirrors:
        assert seen(mirror.snapshot()) == seen(store.read(fresh))
    assert (near.figures.rebuilds, far.figures.rebuilds) == (1, 2)


# ------------------------------------------------------------------------------------------------ databases only


def test_versions_that_go_back_make_it_begin_anew(sql: SQLStore) -> None:
    """As after a backup; so do stripes that come or go."""
    hosts(sql)
    mirror = Mirror(sql)
    mirror.load()
    for rebuilds, statement in (
        (2, sa.update(roost_stripes).values(version=0)),
        (3, sa.delete(roost_stripes).where(roost_stripes.c.id == 63)),
        (4, sa.insert(roost_stripes).values(id=63, version=7)),
    ):
        with sql._engines.write.begin() as connection:
            connection.execute(statement)
        assert seen(mirror.snapshot()) == seen(sql.read(fresh))
        assert mirror.figures.rebuilds == rebuilds


@pytest.mark.parametrize("others", [0, 300])
def test_one_change_takes_a_handful_of_statements(sql: SQLStore, others: int) -> None:
    """However many other providers, traits and aggregates there are; and where nothing moved, none but the glance."""
    hosts(sql)
    crowd = [ProviderUUID(uuid) for uuid, _ in zip(uuids(2000), range(others), strict=False)]
    named = frozenset(crowd)
    write(
        sql,
        Scope(providers=named, provider_names=named),
        lambda _: Delta(made=tuple(Provider(uuid=uuid, name=uuid, root=uuid) for uuid in crowd)),
    )
    mirror = Mirror(sql)
    mirror.load()
    mark(sql, ONE, "HW_CPU_X86_AVX")
    group(sql, ONE, OTHER)
    claim(sql, consumer_uuid(1), {ONE: {VCPU: 1}})
    with counted(sql) as sent:
        mirror.snapshot()
    assert 0 < len(sent) <= AT_MOST, "\n\n".join(sent)
    with counted(sql) as sent:
        mirror.snapshot()
    assert not sent
    claim(sql, consumer_uuid(1), {ONE: {VCPU: 2}})
    with counted(sql) as sent:
        mirror.snapshot()
    assert len(sent) == 1, "\n\n".join(sent)


def test_one_change_reads_no_row_of_another_provider(sql: SQLStore) -> None:
    """Nor a trait or an aggregate that it hasn't: the rows fetched are as few in a large cloud as in a small one.

    After a claim, in one statement; and where a reader is needed.
    """
    hosts(sql)
    mirror = Mirror(sql)
    mirror.load()

    def fetched(action: Callable[[], object]) -> int:
        rows = 0

        def note(_connection: object, cursor: sa.engine.interfaces.DBAPICursor, *_: object) -> None:
            nonlocal rows
            rows += max(0, cursor.rowcount) if cursor.description else 0

        for engine in sql._pools:
            sa.event.listen(engine, "after_cursor_execute", note)
        action()
        for engine in sql._pools:
            sa.event.remove(engine, "after_cursor_execute", note)
        return rows

    mark(sql, ONE, "HW_CPU_X86_AVX")
    group(sql, ONE, OTHER)
    mirror.snapshot()

    def changes() -> Iterator[None]:
        claim(sql, consumer_uuid(1), {ONE: {VCPU: 1}})
        yield
        stock(sql, ONE, {VCPU: Inventory(total=2)})
        yield

    few = [fetched(mirror.snapshot) for _ in changes()]
    for uuid, _ in zip(uuids(2000), range(20), strict=False):
        group(sql, make(sql, uuid), *(each for each, _ in zip(uuids(9000), range(20), strict=False)))
    mirror.snapshot()
    assert [fetched(mirror.snapshot) for _ in changes()] == few
