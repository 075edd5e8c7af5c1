"""What is remembered between transactions: trees as a guess, for a wrong one costs time only; owners for a second."""

from functools import partial

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from roost.ledger.world import Delta, Scope, World
from roost.model.names import ConsumerUUID, ProviderUUID
from roost.storage.port import Transaction
from roost.storage.sql.remembered import Remembered
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import projects
from tests.storage.conftest import now
from tests.storage.hand import (
    ORIGIN,
    claim,
    consumer_uuid,
    look,
    make,
    pair_in_different_stripes,
    state,
    stock,
    stripe,
    write,
)
from tests.storage.test_costs import HOST, WANTED


def moved(sql: SQLStore, child: ProviderUUID, to: ProviderUUID) -> None:
    """Move a provider under another root."""

    def decide(world: World) -> Delta:
        return Delta(changed=(replace(world.providers[child], parent=to, root=to),))

    write(sql, Scope(trees=frozenset({child, to})), decide)


def test_a_tree_that_another_server_moved_is_found_again(sql: SQLStore) -> None:
    """The claim locks the wrong stripe, notices, begins again with the right one, and remembers that."""
    first, second = pair_in_different_stripes()
    child = make(sql, "00000000-0000-0000-0000-00000000c41d", parent=make(sql, first))
    make(sql, second)
    stock(sql, child, HOST)
    claim(sql, consumer_uuid(1), {child: WANTED})
    other = SQLStore(sql._engines.write.url.render_as_string(hide_password=False), clock=now)
    moved(other, child, second)
    other.close()
    before = dict(sql.read(lambda reader: reader.versions()))
    tries = 0

    def body(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        tx.write(tx.read(Scope(stocks=frozenset({child}))), Delta(advances={child: 1}))

    sql.transact(body, ORIGIN)
    sql.transact(body, ORIGIN)

    after = sql.read(lambda reader: reader.versions())
    assert tries == 3
    assert after[stripe(second)] == before[stripe(second)] + 2
    assert after[stripe(first)] == before[stripe(first)]


def test_a_provider_that_is_gone_is_gone(sql: SQLStore) -> None:
    """However well it is remembered."""
    host = make(sql, "00000000-0000-0000-0000-00000000905e")
    stock(sql, host, HOST)
    claim(sql, consumer_uuid(1), {host: WANTED})
    write(sql, Scope(consumers=frozenset({consumer_uuid(1)})), lambda _: Delta(consumers={consumer_uuid(1): None}))
    write(sql, Scope(trees=frozenset({host})), lambda _: Delta(removed=frozenset({host})))

    assert look(sql, Scope(stocks=frozenset({host}))) == World()


class Watch:
    """A clock that goes on when it is told."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.at


def _released(uuid: ConsumerUUID, _world: World) -> Delta:
    return Delta(consumers={uuid: None})


def owned(sql: SQLStore, host: ProviderUUID, number: int) -> str:
    """Claim for a consumer; the project that its record is found to be of."""
    claim(sql, consumer_uuid(number), {host: WANTED})
    return (
        look(sql, Scope(consumers=frozenset({consumer_uuid(number)}))).consumers[consumer_uuid(number)].consumer.project
    )


def test_an_owner_that_was_rolled_back_is_not_remembered(sql: SQLStore) -> None:
    """Its id may have been given to nobody, or be given to another."""
    host = make(sql, "00000000-0000-0000-0000-00000000905f")
    stock(sql, host, HOST)

    def body(tx: Transaction) -> None:
        uuid = consumer_uuid(1)
        scope = Scope(stocks=frozenset({host}), consumers=frozenset({uuid}), classes=frozenset(WANTED))
        tx.write(tx.read(scope), Delta(consumers={uuid: state(uuid, {host: WANTED})}))
        raise LookupError

    with pytest.raises(LookupError):
        sql.transact(body, ORIGIN)
    assert not sql._remembered.owners

    assert owned(sql, host, 2) == state(consumer_uuid(2), {}).consumer.project


def test_an_owner_is_remembered_for_a_second_and_not_longer(sql: SQLStore) -> None:
    """Who removes one by hand is noticed then, and it is made anew."""
    watch = Watch()
    sql._remembered = Remembered(watch)
    host = make(sql, "00000000-0000-0000-0000-000000009060")
    stock(sql, host, HOST)
    project = owned(sql, host, 1)
    owned(sql, host, 2)
    assert ("projects", project) in sql._remembered.owners

    for uuid in map(consumer_uuid, (1, 2)):
        write(sql, Scope(consumers=frozenset({uuid})), partial(_released, uuid))
    with sql._engines.write.begin() as connection:
        connection.execute(sa.delete(projects))
    watch.at = 1.1

    assert owned(sql, host, 3) == project
