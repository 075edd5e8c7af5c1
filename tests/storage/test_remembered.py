"""Which tree a provider is in is remembered between transactions, as a guess: a wrong one costs time, nothing else."""

from msgspec.structs import replace

from roost.ledger.world import Delta, Scope, World
from roost.model.names import ProviderUUID
from roost.storage.port import Transaction
from roost.storage.sql.store import SQLStore
from tests.storage.conftest import now
from tests.storage.hand import ORIGIN, claim, consumer_uuid, look, make, pair_in_different_stripes, stock, stripe, write
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
