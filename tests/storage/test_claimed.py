"""What claims changed, in one statement: what a reader would tell, or nothing."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from roost.ledger.world import Delta, Scope
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID
from roost.model.provider import ProviderState
from roost.storage.port import Claimed, Reader
from roost.storage.sql import claimed as claimed_module
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import inventories, roost_totals
from tests.storage.conftest import now
from tests.storage.hand import (
    DISK,
    VCPU,
    ask,
    claim,
    consumer_uuid,
    make,
    mark,
    pair_in_different_stripes,
    release,
    stock,
    uuids,
    write,
)
from tests.storage.test_costs import counted

pytestmark = pytest.mark.cwe_435

ONE, OTHER = pair_in_different_stripes()
BOTH = (ONE, OTHER)


@pytest.fixture
def since(sql: SQLStore) -> Mapping[int, int]:
    """Two hosts in different stripes, with something claimed on each, and the versions then."""
    for number, uuid in enumerate(BOTH):
        make(sql, uuid)
        stock(sql, uuid, {VCPU: Inventory(total=100), DISK: Inventory(total=100)})
        claim(sql, consumer_uuid(number), {uuid: {VCPU: 1}})
    return sql.versions()


def states(reader: Reader) -> dict[ProviderUUID, ProviderState]:
    """Both hosts, as a reader tells them."""
    return {state.uuid: state for state in reader.states(BOTH)}


def told(sql: SQLStore, since: Mapping[int, int]) -> Claimed | None:
    """What the store tells to who has just seen the versions."""
    return sql.claimed(since, sql.versions())


def test_it_is_what_a_reader_tells(sql: SQLStore, since: Mapping[int, int]) -> None:
    """After each of many claims, changes of claims and releases, on one host and on both."""
    dice = Random(8)
    known = ask(sql, states)
    for _ in range(40):
        consumer, size = consumer_uuid(dice.randrange(4)), dice.randrange(1, 5)
        if dice.random() < 0.2:
            release(sql, consumer)
        else:
            places = dice.choice(((ONE,), (OTHER,), BOTH))
            claim(sql, consumer, {uuid: {dice.choice((VCPU, DISK)): size} for uuid in places})
        if dice.random() < 0.5:
            continue
        news = told(sql, since)
        assert news is not None
        known |= {uuid: used.of(known[uuid]) for uuid, used in news.used.items()}
        since = news.versions
        assert (since, known) == (sql.versions(), ask(sql, states))


def test_it_is_one_statement(sql: SQLStore, since: Mapping[int, int]) -> None:
    """However many hosts were claimed on, and how often."""
    for number in range(6):
        claim(sql, consumer_uuid(number), {uuid: {VCPU: 1} for uuid in BOTH})
    seen = sql.versions()
    with counted(sql) as sent:
        news = sql.claimed(since, seen)
    assert news is not None
    assert (len(sent), set(news.used)) == (1, set(BOTH))


def test_what_moved_meanwhile_is_told_too(
    sql: SQLStore, since: Mapping[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit in stripes of which only one was seen to move is told whole, or not at all."""
    claim(sql, consumer_uuid(7), {ONE: {VCPU: 1}})
    seen = sql.versions()
    claim(sql, consumer_uuid(8), {uuid: {VCPU: 1} for uuid in BOTH})
    with counted(sql) as sent:
        news = sql.claimed(since, seen)
    assert news is not None
    assert (len(sent), set(news.used), news.versions) == (2, set(BOTH), sql.versions())
    monkeypatch.setattr(claimed_module, "ATTEMPTS", 1)
    assert sql.claimed(since, seen) is None


def _restock(sql: SQLStore) -> None:
    stock(sql, ONE, {VCPU: Inventory(total=50)})


def _make(sql: SQLStore) -> None:
    make(sql, next(uuids(2000)), parent=ONE)


def _remove(sql: SQLStore) -> None:
    release(sql, consumer_uuid(0))
    write(sql, Scope(trees=frozenset({ONE})), lambda _: Delta(removed=frozenset({ONE})))


def _forget(sql: SQLStore) -> None:
    claim(sql, consumer_uuid(7), {ONE: {VCPU: 1}})
    list(sql.forget_changes(now().replace(tzinfo=None) + timedelta(minutes=1)))


def _lose_totals(sql: SQLStore) -> None:
    with sql._engines.write.begin() as connection:
        connection.execute(sa.delete(roost_totals))


def _lose_stock(sql: SQLStore) -> None:
    with sql._engines.write.begin() as connection:
        connection.execute(sa.delete(inventories))


@pytest.mark.parametrize(
    "event",
    [_restock, lambda sql: mark(sql, ONE, "HW_CPU_X86_AVX"), _make, _remove, _forget, _lose_totals, _lose_stock],
)
def test_what_else_happened_is_left_to_a_reader(
    sql: SQLStore, since: Mapping[int, int], event: Callable[[SQLStore], None]
) -> None:
    """Also when a claim came with it; and damage that a claim alone would have hidden."""
    claim(sql, consumer_uuid(5), {ONE: {DISK: 1}})
    assert told(sql, since) is not None
    event(sql)
    assert told(sql, since) is None


def test_a_long_way_is_left_to_a_reader(
    sql: SQLStore, since: Mapping[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just below the bound, it isn't."""
    monkeypatch.setattr(claimed_module, "MOST_COMMITS", 3)
    for number in range(3):
        claim(sql, consumer_uuid(10 + number), {ONE: {VCPU: 2}})
    assert told(sql, since) is not None
    claim(sql, consumer_uuid(20), {ONE: {VCPU: 2}})
    assert told(sql, since) is None


def test_versions_that_went_back_are_left_to_a_reader(sql: SQLStore, since: Mapping[int, int]) -> None:
    """Or those of other stripes."""
    claim(sql, consumer_uuid(5), {ONE: {DISK: 1}})
    seen = sql.versions()
    assert sql.claimed(since, seen) is not None
    assert sql.claimed({stripe: version + 1 for stripe, version in since.items()}, seen) is None
    assert sql.claimed({**since, 64: 0}, seen) is None
