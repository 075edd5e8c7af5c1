"""What only a Galera cluster needs: the right to change the schema, for one process on one of its nodes at a time.

A named lock is each node's own, and DDL commits, so that no lock of a row would last. A row that everyone may write but
one alone can have been first to is a lease: it is given back at the end, or runs out if its holder died.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import Column, Connection, DateTime, Integer, MetaData, String, Table
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.schema import CreateTable

LEASE_SECONDS = 600
"""After which a holder counts as dead. An upgrade takes seconds, or minutes where old tables are large."""
TAKEN = frozenset({1062, 1205, 1213})
"""Duplicate key, lock wait timeout, and Galera's refusal at commit: another has it, or is taking it."""
PAUSE_SECONDS = 0.2
"""Between two looks at whether the other is done."""

_leases = Table(
    "roost_upgrade",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(32), nullable=False),
    Column("until", DateTime, nullable=False),
)
"""Not among the other tables: it is there before them, and only in a cluster."""

_NOW = sa.func.utc_timestamp()
_MAKE = CreateTable(_leases, if_not_exists=True)
_TAKE = sa.insert(_leases).values(
    id=1,
    holder=sa.bindparam("holder"),
    until=sa.func.timestampadd(sa.literal_column("SECOND"), LEASE_SECONDS, _NOW),
)
_RUN_OUT = sa.delete(_leases).where(_leases.c.until < _NOW)
_GIVE_BACK = sa.delete(_leases).where(_leases.c.holder == sa.bindparam("holder"))


@contextmanager
def lease(connection: Connection, patience_seconds: float) -> Iterator[None]:
    """Have the cluster's schema to oneself.

    Raises:
        TimeoutError: another process had it all the time.

    """
    holder = uuid.uuid4().hex
    connection.execute(_MAKE)
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
    except (IntegrityError, OperationalError) as error:
        connection.rollback()
        if getattr(error.orig, "args", (0,))[0] not in TAKEN:
            raise
        return False
    return True
