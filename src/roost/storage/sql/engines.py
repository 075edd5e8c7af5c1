"""From an operator's URL to three pools of connections: to write, for consistent reads, for single statements.

How a transaction isolates is settled once for each connection, so that no transaction pays a round trip for it.
"""

from enum import Enum, auto
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from roost.storage.sql import hosts
from roost.storage.sql.dialects import DIALECTS, Dialect, remember
from roost.storage.sql.hosts import UnknownDatabase

CONNECT_SECONDS = 5


class PoolOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How many connections each of the three pools may hold, and for how long."""

    size: int = 10
    overflow: int = 50
    recycle: int = 3600
    """Seconds after which a connection is replaced; proxies and servers drop idle ones."""
    timeout: float = 10.0
    """Seconds to wait for a connection to become free."""


class Engines(msgspec.Struct, frozen=True, kw_only=True):
    """The three pools and what is special about their database."""

    write: Engine
    read: Engine
    glance: Engine
    """Each statement that reads is a transaction of its own here, where a consistent read takes round trips."""
    dialect: Dialect


class _Purpose(Enum):
    """What a pool is for."""

    WRITE = auto()
    READ = auto()
    GLANCE = auto()


def open_engines(url: str, *, read_url: str | None = None, pool: PoolOptions | None = None) -> Engines:
    """Make all pools. Nothing is connected yet.

    Raises:
        UnknownDatabase: the URL is malformed, names another kind of database, or an SQLite in memory.

    """
    address, dialect = driver_url(url)
    reading, other = driver_url(read_url) if read_url else (address, dialect)
    if type(other) is not type(dialect):
        message = "the database to read from must be of the same kind as the one to write to"
        raise UnknownDatabase(message)
    pool = pool or PoolOptions()
    return Engines(
        write=_engine(address, dialect, pool, _Purpose.WRITE),
        read=_engine(reading, dialect, pool, _Purpose.READ),
        glance=_engine(reading, dialect, pool, _Purpose.GLANCE),
        dialect=dialect,
    )


def driver_url(text: str) -> tuple[URL, Dialect]:
    """An operator's URL with our driver in it, and the dialect. Whichever driver it named, we use our own."""
    url = hosts.parsed(text)
    kind = url.drivername.partition("+")[0]
    if kind not in DIALECTS:
        message = f"{kind!r} is no database that can be served; one of {', '.join(sorted(DIALECTS))} is"
        raise UnknownDatabase(message)
    dialect = DIALECTS[kind]()
    url = url.set(drivername=dialect.driver)
    if dialect.name == "sqlite" and url.database in {None, "", ":memory:"}:
        message = "an SQLite in memory can't be shared by several connections: name a file"
        raise UnknownDatabase(message)
    if dialect.name == "postgresql":
        return hosts.of_the_primary(url), dialect
    if hosts.count(url) > 1:
        message = "only postgresql takes several hosts: name one address here, a proxy's or one that moves"
        raise UnknownDatabase(message)
    if dialect.name == "mysql":
        # "utf8" is MySQL's name for three bytes at most; on such a connection some names can't even be asked for.
        url = url.update_query_dict({"charset": "utf8mb4"})
    return url, dialect


def _engine(url: URL, dialect: Dialect, pool: PoolOptions, purpose: _Purpose) -> Engine:
    options: dict[str, Any] = {
        "pool_size": pool.size,
        "max_overflow": pool.overflow,
        "pool_recycle": pool.recycle,
        "pool_timeout": pool.timeout,
        "pool_use_lifo": True,
        # A transaction that isn't committed is rolled back where it ends; to do it again would be one round trip more.
        "pool_reset_on_return": None,
        "hide_parameters": True,
    }
    if dialect.name == "sqlite":
        # We say BEGIN ourselves; the driver would say it late, and never IMMEDIATE.
        options["connect_args"] = {"isolation_level": None, "check_same_thread": False}
        options["poolclass"] = sa.QueuePool
    else:
        wanted = {"connect_timeout": CONNECT_SECONDS, **dialect.vigilance}
        options["connect_args"] = {name: value for name, value in wanted.items() if name not in url.query}
        if purpose is _Purpose.WRITE:
            options["isolation_level"] = dialect.isolation
        if purpose is _Purpose.GLANCE:
            options["isolation_level"] = "AUTOCOMMIT"
    if dialect.name == "mysql":
        # The driver takes both; `prepared` gives parameters by name.
        options["paramstyle"] = "pyformat"
    try:
        engine = sa.create_engine(url, **options)
    except (ArgumentError, ValueError) as error:
        message = f"a parameter of the database's URL ({', '.join(url.query)}) can't be used: {error}"
        raise UnknownDatabase(message) from None
    _prepare(engine, dialect, purpose)
    return remember(engine, dialect)


def _prepare(engine: Engine, dialect: Dialect, purpose: _Purpose) -> None:
    openings = {
        _Purpose.WRITE: dialect.open_writer,
        _Purpose.READ: dialect.open_reader,
        _Purpose.GLANCE: dialect.open_glancer,
    }
    beginnings = {_Purpose.WRITE: dialect.begin_writing(), _Purpose.READ: dialect.begin_reading()}

    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        openings[purpose](cursor)
        cursor.close()
        if dialect.name != "sqlite":
            connection.commit()

    event.listen(engine, "connect", prepare)
    statement = beginnings.get(purpose)
    if statement is not None:

        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(statement)

        event.listen(engine, "begin", begin)
