"""What things cost, in queries: counted, not timed."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from roost.ledger.world import Delta, Scope, World
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID
from roost.model.provider import Provider
from roost.storage.port import Reader
from roost.storage.sql import clouds
from roost.storage.sql.remembered import Remembered
from roost.storage.sql.store import SQLStore
from tests.storage.hand import (
    DISK,
    MEMORY,
    VCPU,
    claim,
    consumer_uuid,
    make,
    mark,
    release,
    state,
    stock,
    uuids,
    write,
)

pytestmark = pytest.mark.cwe_691

CLAIM = 9
RESIZE = 11
RELEASE = 8
"""Statements of one transaction, BEGIN and COMMIT apart, where all that the claim refers to is there already."""
WITHOUT_RETURNING = 1
"""MySQL can't give the new versions of the stripes with the update."""

HOST = {VCPU: Inventory(total=10_000), MEMORY: Inventory(total=10_000), DISK: Inventory(total=10_000)}
WANTED = {VCPU: 1, MEMORY: 1, DISK: 1}


@contextmanager
def counted(store: SQLStore) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    for engine in store._pools:
        event.listen(engine, "before_cursor_execute", note)
    yield sent
    for engine in store._pools:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def host(sql: SQLStore) -> ProviderUUID:
    """A provider with three classes, and owners that are known; no second passes in which they would be forgotten."""
    sql._remembered = Remembered(lambda: 0.0)
    provider = make(sql, next(uuids()))
    stock(sql, provider, HOST)
    claim(sql, consumer_uuid(1), {provider: WANTED})
    claim(sql, consumer_uuid(0), {provider: WANTED})
    return provider


def test_a_claim_takes_a_fixed_number_of_queries(sql: SQLStore, host: ProviderUUID, database: str) -> None:
    """First, changed and released; whatever the number of classes."""
    more = WITHOUT_RETURNING if database == "mariadb" else 0
    with counted(sql) as sent:
        claim(sql, consumer_uuid(2), {host: WANTED})
    assert len(sent) <= CLAIM + more, "\n\n".join(sent)
    with counted(sql) as sent:
        claim(sql, consumer_uuid(2), {host: {VCPU: 2, MEMORY: 2, DISK: 2}})
    assert len(sent) <= RESIZE + more, "\n\n".join(sent)
    with counted(sql) as sent:
        release(sql, consumer_uuid(2))
    assert len(sent) <= RELEASE + more, "\n\n".join(sent)


def test_what_was_committed_is_not_rolled_back_as_well(
    sql: SQLStore, host: ProviderUUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That would be a round trip for nothing. What was given up is, once."""
    rolled_back: list[object] = []
    really = sql._engines.write.dialect.do_rollback

    def note(connection: Any) -> None:
        rolled_back.append(connection)
        really(connection)

    def give_up(_: object) -> None:
        raise LookupError

    monkeypatch.setattr(sql._engines.write.dialect, "do_rollback", note)
    claim(sql, consumer_uuid(2), {host: WANTED})
    assert not rolled_back
    with pytest.raises(LookupError):
        sql.transact(give_up)
    assert len(rolled_back) == 1


def test_a_claim_over_many_providers_takes_no_more_queries(sql: SQLStore, host: ProviderUUID, database: str) -> None:
    """A tree of 20, all of it claimed from at once."""
    children = [make(sql, uuid, parent=host) for uuid, _ in zip(uuids(100), range(20), strict=False)]
    for child in children:
        stock(sql, child, HOST)
    with counted(sql) as sent:
        claim(sql, consumer_uuid(2), dict.fromkeys(children, WANTED))
    assert len(sent) <= CLAIM + (WITHOUT_RETURNING if database == "mariadb" else 0), "\n\n".join(sent)


def test_a_claim_reads_no_row_of_other_claims(sql: SQLStore, host: ProviderUUID) -> None:
    """With 500 others on the provider, no more rows come back than with one: sums come, not their parts."""

    def rows_of_a_claim(number: int) -> int:
        fetched = 0

        def note(_connection: Any, cursor: Any, *_: Any) -> None:
            nonlocal fetched
            fetched += max(0, cursor.rowcount) if cursor.description else 0

        event.listen(sql._engines.write, "after_cursor_execute", note)
        claim(sql, consumer_uuid(number), {host: WANTED})
        event.remove(sql._engines.write, "after_cursor_execute", note)
        return fetched

    before = rows_of_a_claim(2)
    crowd = [consumer_uuid(number) for number in range(10, 510)]
    scope = Scope(stocks=frozenset({host}), consumers=frozenset(crowd))
    write(sql, scope, lambda _: Delta(consumers={uuid: state(uuid, {host: WANTED}) for uuid in crowd}))
    assert rows_of_a_claim(3) == before


def test_a_reshape_of_many_consumers_takes_no_query_for_each(sql: SQLStore, host: ProviderUUID) -> None:
    """500 consumers move to a child; statements go by hundreds."""
    child = make(sql, next(uuids(100)), parent=host)
    crowd = [consumer_uuid(number) for number in range(10, 510)]
    scope = Scope(stocks=frozenset({host, child}), consumers=frozenset(crowd))
    write(sql, scope, lambda _: Delta(consumers={uuid: state(uuid, {host: WANTED}) for uuid in crowd}))

    def reshape(_: World) -> Delta:
        moved = {uuid: state(uuid, {child: WANTED}, 2) for uuid in crowd}
        return Delta(consumers=moved, inventories={child: HOST}, advances={host: 1, child: 1})

    with counted(sql) as sent:
        write(sql, scope, reshape)
    assert len(sent) <= 20, "\n\n".join(sent)


QUESTIONS: list[Callable[[Reader], object]] = [
    lambda reader: reader.provider(next(uuids())),
    lambda reader: reader.providers(name="x", in_tree=next(uuids())),
    lambda reader: reader.stocks(ProviderUUID(next(uuids()))),
    lambda reader: reader.usage(ProviderUUID(next(uuids()))),
    lambda reader: reader.aggregates(ProviderUUID(next(uuids()))),
    lambda reader: reader.provider_traits(ProviderUUID(next(uuids()))),
    lambda reader: reader.provider_allocations(ProviderUUID(next(uuids()))),
    lambda reader: reader.consumer_allocations(consumer_uuid(1)),
    lambda reader: reader.traits(prefix="HW", associated=True),
    lambda reader: reader.versions(),
    lambda reader: reader.changes(dict.fromkeys(range(64), 0)),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_takes_one_or_two_queries(
    sql: SQLStore, host: ProviderUUID, question: Callable[[Reader], object]
) -> None:
    """However much there is to answer."""
    del host
    with counted(sql) as sent:
        sql.read(question)
    assert 1 <= len(sent) <= 2, "\n\n".join(sent)


def test_the_cloud_takes_eight_queries_however_large(sql: SQLStore) -> None:
    """Five for the rows, three for the names that they refer to by number."""
    made = [ProviderUUID(uuid) for uuid, _ in zip(uuids(5000), range(300), strict=False)]
    scope = Scope(providers=frozenset(made))
    inventories = dict.fromkeys(made, HOST)
    new = tuple(Provider(uuid=each, name=each, root=each) for each in made)
    write(sql, scope, lambda _: Delta(made=new, inventories=inventories))
    mark(sql, made[0], "HW_CPU_X86_AVX")
    with counted(sql) as sent:
        assert len(sql.read(lambda reader: reader.cloud())) == 300
    assert len(sent) == 8


def test_what_hosts_have_in_common_is_kept_once(sql: SQLStore) -> None:
    """A cloud of ten thousand like hosts has one inventory, one set of traits, and of each host's uuid one text."""
    for uuid, _ in zip(uuids(5000), range(2), strict=False):
        stock(sql, made := make(sql, uuid), HOST)
        mark(sql, made, "HW_CPU_X86_AVX", "HW_CPU_X86_AVX2")
    one, other = sql.read(lambda reader: reader.cloud())
    assert one.inventories is other.inventories
    assert one.traits is other.traits
    assert one.provider.uuid is one.provider.root


def test_traits_take_little_memory_while_they_are_read() -> None:
    """What is held for a moment only stays with the process too: a set of twenty, for each host, took 2,000 bytes."""
    worn = ((host, host % 991 + trait * 2) for host in range(1000) for trait in range(20))
    tracemalloc.start()
    clouds._gathered(worn)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1000 * 700


def test_every_list_of_values_may_be_longer_than_a_database_takes(sql: SQLStore) -> None:
    """40,000 unknown names are more than SQLite takes parameters in one statement, and no reason to fail."""
    many = frozenset(uuid for uuid, _ in zip(uuids(10_000), range(40_000), strict=False))
    scope = Scope(providers=many, provider_names=many, classes=many, traits=many, consumers=many)  # type: ignore[arg-type]
    world = sql.transact(lambda tx: tx.read(scope))
    assert world == World()
    assert not sql.read(lambda reader: [*reader.traits(names=many), *reader.states(many)])


@pytest.mark.parametrize("database", ["sqlite"])
def test_usage_is_summed_from_an_index_alone(sql: SQLStore) -> None:
    """SQLite tells what it would do whatever the number of rows: it reads no row of an allocation."""
    with sql._engines.read.connect() as connection:
        plan = connection.execute(
            sa.text(
                "EXPLAIN QUERY PLAN SELECT resource_class_id, SUM(used) FROM allocations "
                "WHERE resource_provider_id IN (1) GROUP BY resource_provider_id, resource_class_id"
            )
        ).all()
    assert any("COVERING INDEX allocations_resource_provider_class_used_idx" in row.detail for row in plan)


@pytest.mark.parametrize("database", [pytest.param("mariadb", marks=pytest.mark.mariadb)])
def test_a_claim_goes_through_no_other_providers_allocations(sql: SQLStore, host: ProviderUUID) -> None:
    """MariaDB counts the rows it goes through: with 2,000 claims of the same classes elsewhere, it is still a few."""
    other = make(sql, next(uuids(200)))
    stock(sql, other, HOST)
    crowd = [consumer_uuid(number) for number in range(10, 2010)]
    scope = Scope(stocks=frozenset({other}), consumers=frozenset(crowd))
    write(sql, scope, lambda _: Delta(consumers={uuid: state(uuid, {other: WANTED}) for uuid in crowd}))
    with sql._engines.write.connect() as connection:
        connection.exec_driver_sql("ANALYZE TABLE allocations").all()

    def body(tx: Any) -> tuple[int, int]:
        def gone_through() -> int:
            found = tx._unit.connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'").all()
            return sum(int(value) for _, value in found)

        before = gone_through()
        tx.read(Scope(stocks=frozenset({host}), consumers=frozenset({consumer_uuid(1)}), classes=frozenset(WANTED)))
        return before, gone_through()

    before, after = sql.transact(body)
    assert after - before < 200
