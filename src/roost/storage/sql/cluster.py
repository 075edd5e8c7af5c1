"""What only a Galera cluster needs: the right to change the schema, for one process on one of its nodes at a time.

A named lock is each node's own, and DDL commits, so that no lock of a row would last. A row that everyone may write but
one alone can have been first to is a lease: it is given back at the end, or runs out if its holder died.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

LEASE_SECONDS = 120
"""After which a holder counts as dead. An upgrade takes seconds."""
PAUSE_SECONDS = 0.2

_TABLE = (
    "CREATE TABLE IF NOT EXISTS roost_upgrade"
    " (id INT PRIMARY KEY, holder VARCHAR(32) NOT NULL, until DATETIME NOT NULL) ENGINE=InnoDB"
)
_UNTIL = f"UTC_TIMESTAMP() + INTERVAL {LEASE_SECONDS} SECOND"
_TAKE = sa.text(f"INSERT INTO roost_upgrade (id, holder, until) VALUES (1, :holder, {_UNTIL})")  # noqa: S608 - ours
_RUN_OUT = sa.text("DELETE FROM roost_upgrade WHERE until < UTC_TIMESTAMP()")
_GIVE_BACK = sa.text("DELETE FROM roost_upgrade WHERE holder = :holder")


def is_member(connection: Connection) -> bool:
    """Whether the server is a node of a cluster."""
    rows = connection.exec_driver_sql("SHOW VARIABLES LIKE 'wsrep_on'").all()
    return any(str(row[1]).upper() == "ON" for row in rows)


@contextmanager
def lease(connection: Connection, patience_seconds: float) -> Iterator[None]:
    """Have the cluster's schema to oneself.

    Raises:
        TimeoutError: another process had it all the time.

    """
    holder = uuid.uuid4().hex
    connection.exec_driver_sql(_TABLE)
    connection.commit()
    give_up = time.monotonic() + patience_seconds
    while not _taken(connection, holder):
        if time.monotonic() > give_up:
            raise TimeoutError("another process has been upgrading the database for too long")
        time.sleep(PAUSE_SECONDS)
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(_GIVE_BACK, {"holder": holder})
        connection.commit()


def _taken(connection: Connection, holder: str) -> bool:
    """The commit decides: of two nodes that insert the row at once, one is refused there."""
    try:
        connection.execute(_RUN_OUT)
        connection.execute(_TAKE, {"holder": holder})
        connection.commit()
    except (IntegrityError, OperationalError):
        connection.rollback()
        return False
    return True
