"""All that differs between the databases, and nothing else: sessions, locks, upserts, error codes, precision.

Must not know what a provider or a consumer is.
"""

import re
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Engine, Insert, Select, Table, Update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from roost.storage.sql import cluster
from roost.storage.sql.failures import Trouble
from roost.storage.sql.lists import any_of, as_postgresql_reads, rows_in
from roost.storage.sql.tables import roost_stripes

LOCK_WAIT_SECONDS = 5
"""How long a statement waits for another transaction's lock. Longer waits count as a lost race, and are tried again."""

SILENCE_SECONDS = 8
"""After which a server counts as gone whose machine answers nothing. One that only takes long is not silent."""
PROBE_SECONDS = 4
"""Of them, after which its machine is asked, once a second."""

_NO_SUCH_HOST = rf"\[Errno (?:{socket.EAI_NONAME}|{socket.EAI_NODATA})\]"
"""How drivers show that a name has no address; one whose server doesn't answer may have."""

_THESE_STRIPES = any_of(roost_stripes.c.id)
_ADVANCE = sa.update(roost_stripes).values(version=roost_stripes.c.version + 1)


def _is_on(variables: Iterable[Sequence[Any]]) -> bool:
    """Whether a variable that was shown is on."""
    return any(str(value).upper() == "ON" for _, value in variables)


def _excluded(row: ReadOnlyColumnCollection[str, Any], values: Sequence[str]) -> dict[str, Any]:
    """What an insert would have put in."""
    return {name: row[name] for name in values}


def _returning(update: Update) -> Update:
    return update.returning(roost_stripes.c.id, roost_stripes.c.version)


def _watch(line: socket.socket) -> None:
    """Set what PostgreSQL's `vigilance` does, as far as this system has it. A socket of the same machine needs none."""
    options = {
        "TCP_KEEPIDLE": PROBE_SECONDS,
        "TCP_KEEPINTVL": 1,
        "TCP_KEEPCNT": SILENCE_SECONDS - PROBE_SECONDS,
        "TCP_USER_TIMEOUT": SILENCE_SECONDS * 1000,
    }
    if line.family in {socket.AF_INET, socket.AF_INET6}:
        for name in options.keys() & vars(socket).keys():
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), options[name])


class Dialect:
    """One kind of database. This class holds what is true of most."""

    name: ClassVar[str]
    driver: ClassVar[str]
    isolation: ClassVar[str | None] = "READ COMMITTED"
    """Of the connections that write. None: the transaction's beginning says it."""
    locks_rows: ClassVar[bool] = True
    """Whether SELECT can lock rows. Where it can't, a writer holds the whole database."""
    prepares: ClassVar[bool] = True
    """Whether `prepared` asks the driver itself. Without a round trip there is less to win."""
    takes_batches: ClassVar[bool] = False
    """Whether the rows of an insert are one parameter."""
    vigilance: ClassVar[Mapping[str, int]] = {}
    """What tells the driver to notice in seconds that a server has vanished without a word; TCP takes minutes."""
    returns_versions: ClassVar[bool] = True
    """Whether `advance_stripes` gives the stripes' ids and new versions."""

    def open_writer(self, cursor: DBAPICursor) -> None:
        """Prepare a new connection for writing."""

    def open_reader(self, cursor: DBAPICursor) -> None:
        """Prepare a new connection for consistent reads."""

    def open_glancer(self, cursor: DBAPICursor) -> None:
        """Prepare a new connection for single statements that read."""
        self.open_reader(cursor)

    def joined(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """The texts of all rows in one, separated by commas, in any order."""
        return sa.func.group_concat(text)

    def begin_writing(self) -> str | None:
        """The statement that begins a write where the driver doesn't."""
        return None

    def begin_reading(self) -> str | None:
        """The statement that begins a read where the driver doesn't."""
        return None

    def turn(self) -> AbstractContextManager[object]:
        """A turn at writing, where the writers of a process had better queue than compete."""
        return nullcontext()

    def moment(self, now: datetime) -> datetime:
        """A time as its columns keep it."""
        return now

    def lock(self, query: Select[Any], *, shared: bool = False) -> Select[Any]:
        """Lock the rows that a query finds until the transaction ends."""
        return query.with_for_update(read=shared)

    def packed(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """A prepared statement's parameters as the driver takes them."""
        return parameters

    def insert(self, table: Table, columns: Sequence[str]) -> Insert:
        """An insert of rows that have these columns, for `prepared`."""
        del columns
        return sa.insert(table)

    def insert_missing(self, table: Table) -> Insert:
        """An insert that passes over rows whose unique name is there already."""
        raise NotImplementedError

    def insert_or_replace(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> Insert:
        """Like `insert`, but where the row is there already, replace these values of it."""
        raise NotImplementedError

    def advance_stripes(self) -> Update:
        """Lock the stripes with these "values" in the order of their ids, by advancing them."""
        raise NotImplementedError

    def lock_for_upgrade(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A connection with which this process alone changes the schema; committed at the end."""
        raise NotImplementedError

    def judge(self, error: DBAPIError) -> Trouble:
        """Say what a driver's error means."""
        raise NotImplementedError


class SQLite(Dialect):
    """The embedded default: one writer at a time, readers beside it (WAL)."""

    name = "sqlite"
    driver = "sqlite+pysqlite"
    isolation = None
    locks_rows = False
    prepares = False

    def __init__(self) -> None:
        """Prepare the queue of this process's writers: SQLite itself would let them compete by polling."""
        self._queue = threading.Lock()

    def open_writer(self, cursor: DBAPICursor) -> None:
        """Be durable and strict."""
        cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")

    def open_reader(self, cursor: DBAPICursor) -> None:
        """Refuse to write."""
        self.open_writer(cursor)
        cursor.execute("PRAGMA query_only = ON")

    def begin_writing(self) -> str | None:
        """Take the write lock at once: a lock taken later fails where another has written since."""
        return "BEGIN IMMEDIATE"

    def begin_reading(self) -> str | None:
        """Begin at the first read."""
        return "BEGIN"

    def turn(self) -> AbstractContextManager[object]:
        """Wait for the other writers of this process."""
        return self._queue

    def lock(self, query: Select[Any], *, shared: bool = False) -> Select[Any]:
        """Do nothing: the database is ours."""
        del shared
        return query

    def insert_missing(self, table: Table) -> Insert:
        """Insert or ignore."""
        return sqlite.insert(table).on_conflict_do_nothing()

    def insert_or_replace(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> Insert:
        """Of a row with the same primary key."""
        del columns
        insert = sqlite.insert(table)
        return insert.on_conflict_do_update(index_elements=table.primary_key, set_=_excluded(insert.excluded, values))

    def advance_stripes(self) -> Update:
        """In any order; nobody else writes."""
        return _returning(_ADVANCE.where(_THESE_STRIPES))

    @contextmanager
    def lock_for_upgrade(self, engine: Engine) -> Iterator[Connection]:
        """The write lock suffices; DDL is transactional."""
        with self.turn(), engine.begin() as connection:
            yield connection

    def judge(self, error: DBAPIError) -> Trouble:
        """By the extended result code's name."""
        code = getattr(error.orig, "sqlite_errorname", None) or ""
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return Trouble.RACE
        if code in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_FOREIGNKEY"}:
            return Trouble.CLASH
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
            return Trouble.BARRED
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_PROTOCOL")):
            return Trouble.AWAY
        if isinstance(error, OperationalError) and "no such table" in str(error.orig):
            return Trouble.UNMADE
        return Trouble.FAULT


class PostgreSQL(Dialect):
    """PostgreSQL 15 or later, by psycopg 3."""

    name = "postgresql"
    driver = "postgresql+psycopg"
    takes_batches = True
    vigilance: ClassVar[Mapping[str, int]] = {
        "keepalives_idle": PROBE_SECONDS,
        "keepalives_interval": 1,
        "keepalives_count": SILENCE_SECONDS - PROBE_SECONDS,
        "tcp_user_timeout": SILENCE_SECONDS * 1000,
    }

    STATES: ClassVar[Mapping[str | None, Trouble]] = {
        # Serialization failure, deadlock, lock not available.
        **dict.fromkeys(("40001", "40P01", "55P03"), Trouble.RACE),
        **dict.fromkeys(("23505", "23503"), Trouble.CLASH),
        # Text too long, number out of range, character not in the repertoire, character that can't be translated.
        **dict.fromkeys(("22001", "22003", "22021", "22P05"), Trouble.UNKEEPABLE),
        "42P01": Trouble.UNMADE,
        # Read-only: it is a standby now.
        "25006": Trouble.AWAY,
    }
    BARRED: ClassVar[re.Pattern[str]] = re.compile(
        rf"FATAL: .*(?:authentication failed|does not exist|no pg_hba\.conf entry|not permitted)|{_NO_SUCH_HOST}"
    )
    """Who isn't let in is told no SQLSTATE; in another language than this it is taken for away."""
    UPGRADE_LOCK: ClassVar[int] = 0x526F6F7374
    """Any number that no other program is likely to lock."""

    def open_writer(self, cursor: DBAPICursor) -> None:
        """Don't wait for ever."""
        cursor.execute(f"SET lock_timeout = {LOCK_WAIT_SECONDS * 1000}")

    def open_reader(self, cursor: DBAPICursor) -> None:
        """One snapshot for each transaction."""
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def joined(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """Under another name."""
        return sa.func.string_agg(text, ",")

    def packed(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lists as text."""
        return {name: as_postgresql_reads(value) for name, value in parameters.items()}

    def lock(self, query: Select[Any], *, shared: bool = False) -> Select[Any]:
        """Lock against changes of the row but, unless it may be deleted, not against references to it."""
        return query.with_for_update(read=shared)

    def insert(self, table: Table, columns: Sequence[str]) -> Insert:
        """All rows as one parameter."""
        return sa.insert(table).from_select(list(columns), rows_in(table, columns))

    def insert_missing(self, table: Table) -> Insert:
        """Wait for whoever is inserting the same, then pass over it."""
        return postgresql.insert(table).on_conflict_do_nothing()

    def insert_or_replace(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> Insert:
        """Of a row with the same primary key."""
        insert = postgresql.insert(table).from_select(list(columns), rows_in(table, columns))
        return insert.on_conflict_do_update(index_elements=table.primary_key, set_=_excluded(insert.excluded, values))

    def advance_stripes(self) -> Update:
        """One statement whose inner query locks in order; an UPDATE alone locks in whatever order it scans."""
        wanted = sa.select(roost_stripes.c.id).where(_THESE_STRIPES).order_by(roost_stripes.c.id)
        locked = wanted.with_for_update().cte("locked")
        return _returning(_ADVANCE.where(roost_stripes.c.id == locked.c.id))

    @contextmanager
    def lock_for_upgrade(self, engine: Engine) -> Iterator[Connection]:
        """An advisory lock that ends with the transaction; DDL is transactional."""
        with engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(self.UPGRADE_LOCK)))
            yield connection

    def judge(self, error: DBAPIError) -> Trouble:
        """By SQLSTATE."""
        state = getattr(error.orig, "sqlstate", None)
        if state in self.STATES:
            return self.STATES[state]
        if state is None and self.BARRED.search(str(error.orig)):
            return Trouble.BARRED
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return Trouble.AWAY
        return Trouble.FAULT


class MySQL(Dialect):
    """MariaDB 10.11 or MySQL 8 or later, alone or as Galera, by PyMySQL."""

    name = "mysql"
    driver = "mysql+pymysql"
    returns_versions = False

    CODES: ClassVar[Mapping[int | None, Trouble]] = {
        # Deadlock (and Galera's refusal at commit), lock wait timeout, row or table has changed, rollback by the group.
        **dict.fromkeys((1213, 1205, 1020, 1412, 3101), Trouble.RACE),
        # Number out of range; character sets that don't mix; a character or a length that a column can't hold.
        **dict.fromkeys((1264, 1267, 1270, 1271, 1366, 1406, 3854, 3988), Trouble.UNKEEPABLE),
        **dict.fromkeys((1062, 1451, 1452, 1586), Trouble.CLASH),
        # No such table.
        1146: Trouble.UNMADE,
        # Full, too many connections, blocked, node not ready, shutting down, lost.
        **dict.fromkeys((1021, 1114, 1040, 1041, 1047, 1053, 1129, 1158, 1159, 1160, 1161), Trouble.AWAY),
        # Cut off while it commits, too many or too much of this user's, read-only, killed; and the client's own.
        **dict.fromkeys((1180, 1203, 1226, 1290, 1836, 1927, 4031, 2002, 2006, 2013, 2055), Trouble.AWAY),
        # A statement ended by somebody or for its length (MariaDB, MySQL); offline; without a majority of its group.
        **dict.fromkeys((1317, 1969, 3024, 3032, 3100), Trouble.AWAY),
        # Access denied to the database or at all, no such database, not from this host; and the client's own.
        **dict.fromkeys((1044, 1045, 1049, 1130, 1698, 2005), Trouble.BARRED),
        # An account that is locked (MySQL, MariaDB), or whose word has expired, or that comes in by what isn't there.
        **dict.fromkeys((3118, 4151, 1820, 1862, 1251, 1524, 3159, 2059, 2061), Trouble.BARRED),
    }
    UNREACHED: ClassVar[int] = 2003
    """The client's own: for a name without an address, too."""
    UPGRADE_LOCK: ClassVar[str] = "roost-upgrade"
    LOCK_NAME_CHARACTERS: ClassVar[int] = 64
    """Of a named lock on MySQL at most; a database's name may have as many."""
    UPGRADE_SECONDS: ClassVar[int] = 600
    SHOW_CLUSTER: ClassVar[str] = "SHOW VARIABLES LIKE 'wsrep_on'"
    """Whether the server is a node of a Galera cluster."""

    def open_writer(self, cursor: DBAPICursor) -> None:
        """Be strict, keep id 0, see on Galera what any node has committed, and notice if the server vanishes."""
        # PyMySQL has no option for it: it lets the system ask whether the server lives, but after two hours.
        _watch(cursor.connection._sock)  # noqa: SLF001 - its socket has no other name
        cursor.execute("SET SESSION sql_mode = 'TRADITIONAL,NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}")
        cursor.execute(self.SHOW_CLUSTER)
        if _is_on(cursor.fetchall()):
            # Whichever statement comes first, it waits for what the other nodes have acknowledged.
            cursor.execute("SET SESSION wsrep_sync_wait = 7")

    def open_reader(self, cursor: DBAPICursor) -> None:
        """One snapshot for each transaction, made by its first read: as good as asking for it, and one trip less."""
        self.open_writer(cursor)
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def open_glancer(self, cursor: DBAPICursor) -> None:
        """A joined text longer than this is cut without an error; MySQL's own bound is 1024 bytes."""
        self.open_reader(cursor)
        cursor.execute("SET SESSION group_concat_max_len = 1048576")

    def packed(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lists as the driver writes them out; it would write nothing for an empty one, and NULL equals nothing."""
        return {name: [None] if value == [] else value for name, value in parameters.items()}

    def moment(self, now: datetime) -> datetime:
        """Whole seconds, cut: DATETIME would round half of them up into the future."""
        return now.replace(microsecond=0)

    def insert_missing(self, table: Table) -> Insert:
        """INSERT IGNORE would hide other errors too, so let the clash change nothing."""
        insert = mysql.insert(table)
        return insert.on_duplicate_key_update(id=table.c.id)

    def insert_or_replace(self, table: Table, columns: Sequence[str], values: Sequence[str]) -> Insert:
        """Of a row with any key the same: for tables that have no other than the primary."""
        del columns
        insert = mysql.insert(table)
        return insert.on_duplicate_key_update(_excluded(insert.inserted, values))

    def advance_stripes(self) -> Update:
        """InnoDB goes through so few rows by primary key, a range or all, and so locks in order."""
        return _ADVANCE.where(_THESE_STRIPES)

    @contextmanager
    def lock_for_upgrade(self, engine: Engine) -> Iterator[Connection]:
        """A named lock of the session, because each DDL statement commits; in a cluster the others' nodes, too."""
        with engine.connect() as connection:
            left = self.LOCK_NAME_CHARACTERS - len(f" {self.UPGRADE_LOCK}")
            # Databases that differ in the rest wait for one another, which does no harm.
            name = sa.func.concat(sa.func.left(sa.func.database(), left), f" {self.UPGRADE_LOCK}")
            got = connection.execute(sa.select(sa.func.get_lock(name, self.UPGRADE_SECONDS))).scalar()
            if got != 1:
                message = "another process has been upgrading the database for too long"
                raise TimeoutError(message)
            connection.commit()
            of_cluster = _is_on(connection.exec_driver_sql(self.SHOW_CLUSTER).all())
            leased = cluster.lease(connection, self.UPGRADE_SECONDS) if of_cluster else nullcontext()
            try:
                with leased:
                    yield connection
                    connection.commit()
            finally:
                connection.execute(sa.select(sa.func.release_lock(name)))

    def judge(self, error: DBAPIError) -> Trouble:
        """By error number."""
        arguments = getattr(error.orig, "args", ())
        code = arguments[0] if arguments else None
        if code in self.CODES:
            return self.CODES[code]
        if code == self.UNREACHED and re.search(_NO_SUCH_HOST, str(error.orig)):
            return Trouble.BARRED
        if error.connection_invalidated or code == self.UNREACHED or isinstance(error, InterfaceError):
            return Trouble.AWAY
        return Trouble.FAULT


DIALECTS: dict[str, type[Dialect]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "postgres": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
}
"""By the first word of a URL."""

_KEY = "roost_dialect"


def remember(engine: Engine, dialect: Dialect) -> Engine:
    """An engine that knows its dialect."""
    return engine.execution_options(**{_KEY: dialect})


def dialect_of(engine: Engine) -> Dialect:
    """The dialect of an engine: the one remembered, or a new one of its kind."""
    remembered = engine.get_execution_options().get(_KEY)
    return remembered if isinstance(remembered, Dialect) else DIALECTS[engine.dialect.name]()
