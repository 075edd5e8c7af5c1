"""What goes wrong below the store, and what of it anyone above gets to see."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from roost.ledger.world import Delta, Scope, World
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider
from roost.model.refusals import Unkeepable
from roost.storage.port import LostRace, Transaction, Unavailable
from roost.storage.sql.engines import open_engines
from roost.storage.sql.failures import Away, Clash
from roost.storage.sql.hosts import UnknownDatabase
from roost.storage.sql.patience import Patience
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import (
    allocations,
    consumers,
    inventories,
    projects,
    resource_provider_traits,
    resource_providers,
)
from tests.storage.hand import (
    ORIGIN,
    VCPU,
    claim,
    consumer_uuid,
    make,
    mark,
    stock,
    stripe,
    uuids,
    write,
)
from tests.storage.suite.test_races import Meeting, together

pytestmark = pytest.mark.cwe_703

SERVERS = [
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]
ONE = ProviderUUID(next(uuids()))


def making(runs: list[World], uuid: ProviderUUID = ONE) -> Callable[[Transaction], str]:
    """A body that makes a provider and notes each of its runs."""

    def body(tx: Transaction) -> str:
        world = tx.read(Scope(providers=frozenset({uuid})))
        runs.append(world)
        tx.write(world, Delta(made=(Provider(uuid=uuid, name=uuid, root=uuid),)))
        return "done"

    return body


@pytest.mark.parametrize("applied", [False, True], ids=["commit lost", "reply lost"])
def test_a_connection_lost_while_committing_leaves_no_doubt(
    sql: SQLStore, monkeypatch: pytest.MonkeyPatch, *, applied: bool
) -> None:
    """If it was committed, the body's result is given and nothing is done twice; if not, all of it is done again."""
    engine = sql._engines.write
    commit, lost = engine.dialect.do_commit, list[bool]()

    def failing(connection: Any) -> None:
        if lost:
            commit(connection)
            return
        lost.append(True)
        if applied:
            commit(connection)
        lose(sql, connection)

    runs: list[World] = []
    monkeypatch.setattr(engine.dialect, "do_commit", failing)
    assert sql.transact(making(runs), ORIGIN) == "done"
    assert lost
    assert [world.providers for world in runs] == [{}] * (1 if applied else 2)
    assert [each.uuid for each in sql.read(lambda reader: reader.providers())] == [ONE]
    changes = sql.read(lambda reader: reader.changes(dict.fromkeys(range(64), 0)))
    assert [each.version for each in changes] == [1]


def _io_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    return error


def _break(sql: SQLStore, connection: Any) -> None:
    """Make sure that whatever is sent on a connection next fails, and that the other end knows it first."""
    name = sql._engines.write.dialect.name
    if name == "sqlite":
        with suppress(sqlite3.Error):
            connection.rollback()
        raise _io_error()
    sever(connection, sql._engines.read)


def lose(sql: SQLStore, connection: Any) -> None:
    """Break a connection and learn of it; to commit once more would not tell, where nothing is open any more."""
    _break(sql, connection)
    connection.cursor().execute("SELECT 1")


def sever(connection: Any, other: sa.Engine) -> None:
    """Cut a connection to a server from its other end, as an administrator or a crash would."""
    driver = getattr(connection, "dbapi_connection", connection)
    statement = (
        f"SELECT pg_terminate_backend({driver.info.backend_pid}, 5000)"
        if other.dialect.name == "postgresql"
        else f"KILL {driver.thread_id()}"
    )
    with other.connect() as elsewhere:
        elsewhere.exec_driver_sql(statement)


@pytest.mark.parametrize("applied", [False, True], ids=["commit lost", "reply lost"])
def test_a_lost_commit_of_names_alone_leaves_no_doubt_either(
    sql: SQLStore, monkeypatch: pytest.MonkeyPatch, *, applied: bool
) -> None:
    """Names leave no mark in the feed; whether they are there answers the question."""
    engine = sql._engines.write
    commit, lost, runs = engine.dialect.do_commit, list[bool](), list[bool]()

    def failing(connection: Any) -> None:
        if lost:
            commit(connection)
            return
        lost.append(True)
        if applied:
            commit(connection)
        lose(sql, connection)

    def body(tx: Transaction) -> str:
        world = tx.read(Scope(classes=frozenset({ResourceClass("CUSTOM_A")}), traits=frozenset({Trait("CUSTOM_A")})))
        runs.append(bool(world.classes))
        tx.write(world, Delta(new_classes=(ResourceClass("CUSTOM_A"),), new_traits=(Trait("CUSTOM_A"),)))
        return "done"

    monkeypatch.setattr(engine.dialect, "do_commit", failing)
    assert sql.transact(body, ORIGIN) == "done"
    assert runs == [False] * (1 if applied else 2)
    assert len(sql.read(lambda reader: reader.resource_classes(["CUSTOM_A"]))) == 1


@pytest.mark.parametrize("database", SERVERS)
def test_a_connection_lost_before_the_commit_costs_a_run(sql: SQLStore) -> None:
    """The body runs again on another connection."""
    runs: list[World] = []

    # The first run breaks its connection before it reads, and so never notes itself.
    broken: list[bool] = []

    def first_broken(tx: Any) -> str:
        if not broken:
            broken.append(True)
            _break(sql, tx._unit.connection.connection.dbapi_connection)
        return making(runs)(tx)

    assert sql.transact(first_broken, ORIGIN) == "done"
    assert len(runs) == 1
    assert [each.uuid for each in sql.read(lambda reader: reader.providers())] == [ONE]


@pytest.mark.parametrize("database", SERVERS)
def test_a_refusal_on_a_lost_connection_is_a_refusal_or_runs_again(sql: SQLStore) -> None:
    """Rolling back needs no answer from the server."""

    def body(tx: Any) -> None:
        tx.read(Scope(providers=frozenset({ONE})))
        _break(sql, tx._unit.connection.connection.dbapi_connection)
        raise KeyError("refused")

    patience = Patience(bound=1.0)
    object.__setattr__(sql, "_patience", patience)
    with pytest.raises((KeyError, Unavailable)):
        sql.transact(body, ORIGIN)
    assert not sql.read(lambda reader: reader.providers())


@pytest.mark.parametrize("database", SERVERS)
def test_a_reader_whose_connection_is_lost_asks_again(sql: SQLStore) -> None:
    """All of its questions, from one newer moment."""
    make(sql, ONE)
    runs: list[int] = []

    def body(reader: Any) -> int:
        runs.append(len(reader.providers()))
        if len(runs) == 1:
            sever(reader._connection.connection, sql._engines.write)
        return len(reader.stocks(ONE)) + len(reader.providers())

    assert sql.read(body) == 1
    assert runs == [1, 1]


def test_a_database_that_comes_back_in_time_is_not_missed(sql: SQLStore) -> None:
    """Connecting is tried again, within the bound."""
    sql.close()
    failures: list[bool] = []

    def refuse(*_: Any) -> None:
        if len(failures) < 3:
            failures.append(True)
            raise refusal(sql._engines.write.dialect.name)

    for engine in (sql._engines.write, sql._engines.read):
        event.listen(engine, "do_connect", refuse)
    make(sql, ONE)
    assert len(failures) == 3
    failures.clear()
    sql.close()
    assert len(sql.read(lambda reader: reader.providers())) == 1
    assert len(failures) == 3
    for engine in (sql._engines.write, sql._engines.read):
        event.remove(engine, "do_connect", refuse)


def refusal(name: str) -> Exception:
    """What a driver says when there is nobody to connect to."""
    if name == "postgresql":
        import psycopg  # noqa: PLC0415 (each test needs one driver)

        return psycopg.OperationalError("connection refused")
    if name == "sqlite":
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorname = "SQLITE_CANTOPEN"
        return error
    import pymysql  # noqa: PLC0415 (each test needs one driver)

    return pymysql.OperationalError(2003, "Can't connect to MySQL server")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://roost:secret@127.0.0.1:1/roost",
        "mysql+pymysql://roost:secret@127.0.0.1:1/roost?charset=utf8",
        "sqlite:////nowhere/roost.db",
    ],
)
def test_a_database_that_stays_away_is_unavailable(url: str) -> None:
    """In the bounded time; the message names no password, path or statement."""
    store = SQLStore(url, clock=lambda: datetime.now(UTC), patience=Patience(bound=0.2))
    bodies: list[Callable[[], object]] = [
        lambda: store.transact(making([])),
        lambda: store.read(lambda reader: reader.cloud()),
        store.ping,
        store.synchronise,
        store.upgrade,
    ]
    for body in bodies:
        with pytest.raises(Unavailable, match="away") as raised:
            body()
        said = str(raised.value)
        assert not any(word in said for word in ("secret", "nowhere", "SELECT", "127.0.0.1"))
    store.close()


def test_the_patience_is_bounded_by_time(sql: SQLStore) -> None:
    """Milliseconds at first, then longer, never longer than the longest; and the races are told."""
    clock, rests = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        rests.append(seconds)
        clock[0] += seconds

    patience = Patience(bound=1.0, sleep=sleep, ticks=lambda: clock[0], chance=lambda: 1.0)
    object.__setattr__(sql, "_patience", patience)

    def body(_: Transaction) -> None:
        raise LostRace("somebody was faster")

    with pytest.raises(Unavailable, match=r"lost \d+ times; the last time somebody was faster"):
        sql.transact(body, ORIGIN)
    assert rests[:7] == [0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.1]
    assert max(rests) == 0.1
    assert 0.9 < sum(rests) < 1.0


def test_a_clash_that_never_ends_is_no_race(sql: SQLStore) -> None:
    """A decision that forgets to look for a name that is taken is stopped early."""
    make(sql, ONE, "taken")
    runs: list[bool] = []

    def decide(_: World) -> Delta:
        runs.append(True)
        other = ProviderUUID(next(uuids(2)))
        return Delta(made=(Provider(uuid=other, name="taken", root=other),))

    with pytest.raises(Unavailable, match="lost 16 times"):
        write(sql, Scope(), decide)
    assert len(runs) == 16


@pytest.mark.parametrize("database", SERVERS)
def test_a_deadlock_is_a_lost_race(sql: SQLStore, database: str) -> None:
    """Two decisions that forgot to name what they write, in opposite orders: both are done in the end."""
    first = next(uuids())
    second = next(each for each in uuids(2) if stripe(each) != stripe(first))
    beside_first = next(each for each in uuids(1000) if stripe(each) == stripe(first))
    beside_second = next(each for each in uuids(1000) if stripe(each) == stripe(second))
    meeting = Meeting(database)

    def body(named: str, made: str) -> Callable[[], object]:
        new = ProviderUUID(made)

        def run(tx: Transaction) -> None:
            world = tx.read(Scope(providers=frozenset({ProviderUUID(named)})))
            meeting.here()
            tx.write(world, Delta(made=(Provider(uuid=new, name=new, root=new),)))

        return lambda: sql.transact(run, ORIGIN)

    assert together(body(first, beside_second), body(second, beside_first)) == [None, None]
    assert {each.uuid for each in sql.read(lambda reader: reader.providers())} == {beside_first, beside_second}


@pytest.mark.parametrize("database", SERVERS)
def test_a_writer_that_knows_no_stripes_is_noticed_by_the_generation(sql: SQLStore) -> None:
    """The peer on the same database, say: its change makes ours decide again."""
    make(sql, ONE)
    stock(sql, ONE, {VCPU: Inventory(total=4)})
    claim(sql, consumer_uuid(1), {ONE: {VCPU: 1}})
    seen: list[int] = []

    def decide(world: World) -> Delta:
        seen.append(world.providers[ONE].generation)
        if len(seen) == 1:
            with sql._engines.write.begin() as other:
                other.execute(sa.update(resource_providers).values(generation=41))
        return Delta(advances={ONE: 1})

    write(sql, Scope(stocks=frozenset({ONE})), decide)
    assert seen == [2, 41]
    provider = sql.read(lambda reader: reader.provider(ONE))
    assert provider is not None
    assert provider.generation == 42


@pytest.mark.parametrize("database", SERVERS)
def test_what_a_database_cant_hold_is_refused(sql: SQLStore) -> None:
    """It is the client's value, so it is no fault of ours; nor does it linger: the next change works."""
    with pytest.raises(Unkeepable) as raised:
        make(sql, ONE, "x" * 3000)
    assert "INSERT" not in str(raised.value)
    assert "xxx" not in str(raised.value)
    make(sql, ONE)


def test_several_turns_in_one_transaction_are_a_mistake(sql: SQLStore) -> None:
    """It reads once and writes once."""

    def read_twice(tx: Transaction) -> None:
        tx.read(Scope())
        tx.read(Scope())

    def write_twice(tx: Transaction) -> None:
        world = tx.read(Scope())
        tx.write(world, Delta(new_traits=(Trait("CUSTOM_A"),)))
        tx.write(world, Delta(new_traits=(Trait("CUSTOM_B"),)))

    for body in (read_twice, write_twice):
        with pytest.raises(RuntimeError, match="once"):
            sql.transact(body, ORIGIN)
    assert not sql.read(lambda reader: reader.traits(prefix="CUSTOM_"))


def test_a_forked_worker_leaves_its_parents_connections_alone(sql: SQLStore) -> None:
    """It opens its own."""
    make(sql, ONE)
    child = os.fork()
    if child == 0:
        status = 1
        with suppress(BaseException):
            status = 0 if len(sql.read(lambda reader: reader.providers())) == 1 else 2
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    make(sql, next(uuids(2)))
    assert len(sql.read(lambda reader: reader.providers())) == 2


def test_times_are_kept_as_the_peer_keeps_them(sql: SQLStore, database: str) -> None:
    """Made on insert, changed on update; naive UTC, and whole seconds, cut, on MySQL."""
    times = iter(datetime(2026, 1, day, 12, 0, 0, 600_000, tzinfo=UTC) for day in range(1, 20))
    object.__setattr__(sql, "_clock", lambda: next(times))
    part = 0 if database == "mariadb" else 600_000

    def day(number: int) -> datetime:
        return datetime(2026, 1, number, 12, 0, 0, part)  # noqa: DTZ001 (as stored)

    def kept(table: sa.Table) -> tuple[datetime, datetime | None]:
        with sql._engines.read.connect() as connection:
            row = connection.execute(sa.select(table.c.created_at, table.c.updated_at)).one()
        return row.created_at, row.updated_at

    make(sql, ONE)
    assert kept(resource_providers) == (day(1), day(1))
    stock(sql, ONE, {VCPU: Inventory(total=4)})
    assert kept(resource_providers) == (day(1), day(2))
    assert kept(inventories) == (day(2), None)
    stock(sql, ONE, {VCPU: Inventory(total=5)})
    assert kept(inventories) == (day(2), day(3))
    claim(sql, consumer_uuid(1), {ONE: {VCPU: 1}})
    assert (kept(consumers), kept(allocations)) == ((day(4), None), (day(4), None))
    assert kept(projects) == (day(4), None)
    claim(sql, consumer_uuid(1), {ONE: {VCPU: 2}})
    assert (kept(consumers), kept(allocations)) == ((day(4), day(5)), (day(5), None))
    mark(sql, ONE, "HW_CPU_X86_AVX")
    assert kept(resource_provider_traits) == (day(6), None)


def test_reads_may_go_elsewhere_but_not_to_another_kind(sql: SQLStore) -> None:
    """A replica is of the same kind."""
    engines = open_engines("mysql://h/d", read_url="mysql://replica/d")
    assert (engines.write.url.host, engines.read.url.host) == ("h", "replica")
    with pytest.raises(UnknownDatabase):
        open_engines("mysql://h/d", read_url="postgresql://h/d")
    engine = sql._engines.read
    with engine.begin() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.delete(resource_providers))


def test_a_clash_and_an_absence_are_lost_races_and_waits() -> None:
    """What `Patience` bears, and what it passes on."""
    outcomes: list[Exception] = [Away("away"), Clash("clash"), LostRace("race")]

    def attempt() -> str:
        if outcomes:
            raise outcomes.pop()
        return "done"

    assert Patience(sleep=lambda _: None).persist(attempt) == "done"
    nothing: dict[str, str] = {}
    with pytest.raises(KeyError):
        Patience(sleep=lambda _: None).persist(lambda: nothing["x"])


@pytest.mark.parametrize("database", ["sqlite"])
def test_writers_of_one_process_queue_on_sqlite(sql: SQLStore) -> None:
    """Eight at once lose no race at all."""
    runs: list[World] = []

    def several(first: int) -> None:
        for uuid, _ in zip(uuids(first), range(5), strict=False):
            sql.transact(making(runs, ProviderUUID(uuid)), ORIGIN)

    assert together(*(partial(several, first) for first in range(100, 900, 100))) == [None] * 8
    assert len(runs) == 40
