"""Prepared statements find what any statement finds, fail as any statement fails, and are heard as any is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from roost.ledger.world import Scope
from roost.storage.port import Transaction
from roost.storage.sql.dialects import PostgreSQL
from roost.storage.sql.lists import any_of
from roost.storage.sql.patience import Patience
from roost.storage.sql.prepared import Prepared
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import projects
from roost.storage.sql.unit import Unit
from tests.storage.conftest import now
from tests.storage.hand import ORIGIN, make, uuids

SERVERS = [
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]
AWKWARD = [
    "plain",
    "",
    'a"b',
    "a'b",
    "back\\slash",
    "\\",
    "{a,b}",
    "a,b",
    "NULL",
    "%s %(values)s",
    "å∂",
    "😀",
    "a\tb\n",
]
_BY_NAME = Prepared(
    lambda _: sa.select(projects.c.external_id, projects.c.id).where(any_of(projects.c.external_id)).order_by("id")
)
_COLUMNS = ("external_id", "created_at")
_INSERT = Prepared(lambda dialect: dialect.insert(projects, _COLUMNS), _COLUMNS)
_MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None)


def put(unit: Unit, *names: str) -> int:
    """Make projects."""
    return unit.execute(_INSERT, [{"external_id": name, "created_at": _MOMENT} for name in names])


def test_a_list_finds_exactly_its_values_however_they_are_written(sql: SQLStore) -> None:
    """Nothing in a value ends it, cuts it or makes it NULL."""

    def body(unit: Unit) -> None:
        put(unit, *AWKWARD)
        for name in AWKWARD:
            assert [row.external_id for row in unit.rows_of(_BY_NAME, [name])] == [name]
        assert [row.external_id for row in unit.rows_of(_BY_NAME, AWKWARD)] == AWKWARD
        assert not list(unit.rows_of(_BY_NAME, ["b", "slash", "absent"]))
        assert not unit.rows(_BY_NAME, {"values": []})

    sql.mend(body)


def test_a_value_is_compared_whole(sql: SQLStore) -> None:
    """A column's length cuts nothing that is asked for."""

    def body(unit: Unit) -> None:
        put(unit, "x" * 255)
        assert not list(unit.rows_of(_BY_NAME, ["x" * 256]))

    sql.mend(body)


def test_rows_keep_their_values(sql: SQLStore) -> None:
    """One row or many, times included."""

    def body(unit: Unit) -> None:
        assert put(unit, "one") == 1
        put(unit, "two", "three")
        found = unit.connection.execute(sa.select(projects.c.external_id, projects.c.created_at)).all()
        assert {tuple(row) for row in found} == {(name, _MOMENT) for name in ("one", "two", "three")}

    sql.mend(body)


def test_a_broken_constraint_is_told_as_ever(sql: SQLStore) -> None:
    """By SQLAlchemy's error, so that the store knows what it means."""

    def body(unit: Unit) -> None:
        with pytest.raises(sa.exc.IntegrityError):
            put(unit, "twice", "twice")
        unit.wrote = False

    sql.mend(body)


@pytest.mark.parametrize("database", SERVERS)
def test_a_lost_connection_is_told_as_ever(sql: SQLStore) -> None:
    """And is not given to the next who asks."""
    unit_seen: list[Unit] = []

    def body(unit: Unit) -> list[str]:
        unit_seen.append(unit)
        if len(unit_seen) == 1:
            lose(unit)
        return [row.external_id for row in unit.rows_of(_BY_NAME, ["x"])]

    assert sql.mend(body) == []
    assert len(unit_seen) == 2
    assert unit_seen[0].connection.invalidated or unit_seen[0].connection.closed


def lose(unit: Unit) -> None:
    """End a connection from the server's side."""
    ending, own = "KILL {}", "SELECT connection_id()"
    if isinstance(unit.dialect, PostgreSQL):
        ending, own = "SELECT pg_terminate_backend({})", "SELECT pg_backend_pid()"
    number = unit.connection.exec_driver_sql(own).scalar_one()
    with unit.connection.engine.connect() as other:
        other.exec_driver_sql(ending.format(number))


def test_listeners_hear_prepared_statements(sql: SQLStore) -> None:
    """Before and after, as they hear the others."""
    heard: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        heard.append(text)

    for when in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(sql._engines.write, when, note)
    sql.mend(lambda unit: list(unit.rows_of(_BY_NAME, ["x"])))
    for when in ("before_cursor_execute", "after_cursor_execute"):
        event.remove(sql._engines.write, when, note)
    assert len([text for text in heard if "FROM projects" in text]) == 2


def test_a_refused_attempt_leaves_no_lock_behind(sql: SQLStore, opened: Callable[[], SQLStore]) -> None:
    """Its connection goes back with its transaction ended: who comes next doesn't wait."""
    root = make(sql, next(uuids()))

    def refuse(tx: Transaction) -> None:
        tx.read(Scope(stocks=frozenset({root})))
        raise LookupError

    with pytest.raises(LookupError):
        sql.transact(refuse, ORIGIN)
    assert opened().transact(lambda tx: tx.read(Scope(stocks=frozenset({root}))).providers.keys(), ORIGIN) == {root}


@pytest.fixture
def opened(sql: SQLStore) -> Iterator[Callable[[], SQLStore]]:
    """Opens another store on the same database, which waits for nobody."""
    others: list[SQLStore] = []

    def another() -> SQLStore:
        url = sql._engines.write.url.render_as_string(hide_password=False)
        others.append(SQLStore(url, clock=now, patience=Patience(bound=0.0)))
        return others[-1]

    yield another
    for other in others:
        other.close()
