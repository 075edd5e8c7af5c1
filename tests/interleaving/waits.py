"""Who waits for whom, asked of the database. Knows nothing of what they do."""

import re
from typing import Any, Protocol

import sqlalchemy as sa

from roost.storage.sql.engines import driver_url
from tests.interleaving.statements import BEGIN

_TRANSACTION = re.compile(r"^---TRANSACTION ", re.MULTILINE)
_THREAD = re.compile(r"^(?:MariaDB|MySQL) thread id (\d+),", re.MULTILINE)


class Whereabouts(Protocol):
    """Where a transaction is."""

    session: int
    """The database's number of its connection."""
    doing: str
    """What it was let go on with last."""
    at: str | None
    """Before which statement it has stopped, if it has."""


class Waits(Protocol):
    """Knows the sessions of one kind of database."""

    def session(self, connection: Any) -> int:
        """The database's number of a driver's connection."""

    def waits(self, one: Whereabouts, other: Whereabouts) -> bool:
        """Whether one of the two, which is under way, waits for a lock of the other, which has stopped or is done."""

    def close(self) -> None:
        """Let the database go."""


class _Observer:
    """A session of our own, to ask with."""

    def __init__(self, url: str) -> None:
        address, _ = driver_url(url)
        self._engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._connection = self._engine.connect()

    def ask(self, statement: str) -> Any:
        """The first row's last column."""
        return self._connection.exec_driver_sql(statement).one()[-1]

    def close(self) -> None:
        """Let the database go."""
        self._connection.close()
        self._engine.dispose()


class OfPostgreSQL(_Observer):
    """It knows exactly who is in whose way."""

    def session(self, connection: Any) -> int:
        """The server's process."""
        return int(connection.info.backend_pid)

    def waits(self, one: Whereabouts, other: Whereabouts) -> bool:
        """Whether the one blocks the other."""
        return bool(self.ask(f"SELECT {other.session} = ANY (pg_blocking_pids({one.session}))"))


class OfMariaDB(_Observer):
    """It says who waits for a lock. The tables that say for whose are renewed only ten times a second."""

    def session(self, connection: Any) -> int:
        """The server's thread."""
        return int(connection.thread_id())

    def waits(self, one: Whereabouts, other: Whereabouts) -> bool:
        """Whether it waits at all: nobody else has any locks in this database."""
        del other
        report: str = self.ask("SHOW ENGINE INNODB STATUS")
        for transaction in _TRANSACTION.split(report)[1:]:
            thread = _THREAD.search(transaction)
            if thread is not None and one.session == int(thread[1]):
                return "\nLOCK WAIT " in transaction
        return False


class OfSQLite:
    """It can't be asked, and need not be: whoever begins while another has begun waits for its end."""

    def __init__(self, url: str) -> None:
        """Take what the others take."""
        del url

    def session(self, connection: Any) -> int:
        """It has no numbers."""
        del connection
        return 0

    def waits(self, one: Whereabouts, other: Whereabouts) -> bool:
        """Whether it begins within the other."""
        return one.doing == BEGIN and other.at not in {None, BEGIN}

    def close(self) -> None:
        """Nothing is held."""
