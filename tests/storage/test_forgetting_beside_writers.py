"""Old changes are removed while others write: neither waits for the other."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from roost.ledger.world import Delta, Scope
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID
from roost.storage.port import Transaction
from roost.storage.sql import forgetting
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import roost_changes
from tests.storage.conftest import now
from tests.storage.hand import ORIGIN, VCPU, claim, consumer_uuid, make, stock, uuids

pytestmark = pytest.mark.cwe_435

HOST = ProviderUUID(next(uuids(1)))
SECONDS = 30


@pytest.fixture
def busy(sql: SQLStore) -> SQLStore:
    """A store whose one tree has many changes, most of them a month old."""
    make(sql, HOST)
    for number in range(20):
        stock(sql, HOST, {VCPU: Inventory(total=100 + number)})
    with sql._engines.write.begin() as connection:
        old = sa.update(roost_changes).values(at=now().replace(tzinfo=None) - timedelta(days=30))
        connection.execute(old.where(roost_changes.c.version < 18))
    return sql


def forget(sql: SQLStore) -> int:
    """Remove what is older than a week, by three rows."""
    before = now().replace(tzinfo=None) - timedelta(days=7)
    return sum(each.rows for each in sql.forget_changes(before, 3))


def in_time(action: Any) -> Any:
    """What an action gives, beside us; fails if it hangs."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(action()), daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert len(results) == 1, "it waits for somebody"
    return results[0]


def test_a_removal_does_not_wait_for_a_writer(busy: SQLStore, database: str) -> None:
    """One that has locked the stripe, written its change there, and not committed."""
    if database == "sqlite":
        pytest.skip("one writer at a time is SQLite's way")
    removed: list[int] = []

    def body(tx: Transaction) -> None:
        world = tx.read(Scope(stocks=frozenset({HOST})))
        tx.write(world, Delta(inventories={HOST: {VCPU: Inventory(total=7)}}, advances={HOST: 1}))
        removed.append(in_time(lambda: forget(busy)))

    busy.transact(body, ORIGIN)
    assert removed == [17]


def test_a_writer_does_not_wait_for_a_removal(busy: SQLStore, database: str) -> None:
    """One that has removed rows of the same stripe, and not committed."""
    if database == "sqlite":
        pytest.skip("one writer at a time is SQLite's way")
    before = now().replace(tzinfo=None) - timedelta(days=7)
    (stripe,) = {each.stripe for each in busy.read(lambda reader: reader.changes(dict.fromkeys(range(64), 0)))}

    def body(unit: Any) -> None:
        assert forgetting.forget(unit, stripe, before, 100) == 17
        in_time(lambda: claim(busy, consumer_uuid(1), {HOST: {VCPU: 1}}))

    busy.mend(body)
    assert busy.read(lambda reader: reader.usage(HOST)) == {VCPU: 1}


def test_writers_go_on_beside_it_on_every_database(busy: SQLStore) -> None:
    """All their changes are told afterwards, and all the old ones are gone."""
    start = dict(busy.read(lambda reader: reader.versions()))
    writers = [
        threading.Thread(target=claim, args=(busy, consumer_uuid(number), {HOST: {VCPU: 1}})) for number in range(8)
    ]
    for thread in writers:
        thread.start()
    assert in_time(lambda: forget(busy)) == 17
    for thread in writers:
        thread.join(SECONDS)
    told = busy.read(lambda reader: reader.changes(start))
    assert {each.uuid for each in told if each.kind == "consumer"} == {consumer_uuid(number) for number in range(8)}


def test_an_earlier_time_behind_a_younger_change_stays(busy: SQLStore) -> None:
    """Servers' clocks differ. Versions go without leaving one out, or a reader in between would miss the gap."""
    with busy._engines.write.begin() as connection:
        young = sa.update(roost_changes).values(at=now().replace(tzinfo=None))
        connection.execute(young.where(roost_changes.c.version == 5))
    assert forget(busy) == 4


def test_two_that_remove_at_once_remove_each_row_once(busy: SQLStore) -> None:
    """A timer may start it twice."""
    removed: list[int] = []
    both = [threading.Thread(target=lambda: removed.append(forget(busy))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(SECONDS)
    forget(busy)
    with busy._engines.read.begin() as connection:
        left = connection.execute(sa.select(sa.func.count()).select_from(roost_changes)).scalar_one()
    assert (left, len(removed)) == (4, 2)
    assert sum(removed) <= 17
