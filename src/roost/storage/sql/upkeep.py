"""The upkeep of tables on SQL. Works on any revision of Placement's tables, and where Roost's have not been made."""

import sqlalchemy as sa
from sqlalchemy import Connection

from roost.storage.sql import gaps
from roost.storage.sql.doctor.procedure import StandIn
from roost.storage.sql.store import SQLStore

PLACEMENTS_VERSION = "alembic_version"
"""The table in which Placement's revision is written."""

_REVISION = sa.select(sa.column("version_num", sa.String)).select_from(sa.table(PLACEMENTS_VERSION))


def revision(connection: Connection) -> str | None:
    """The revision of Placement's tables; None where there are none."""
    if not sa.inspect(connection).has_table(PLACEMENTS_VERSION):
        return None
    found: str | None = connection.execute(_REVISION).scalar()
    return found


class SQLUpkeep:
    """Implements `roost.storage.upkeep.Upkeep`."""

    def __init__(self, store: SQLStore, stand_in: StandIn) -> None:
        self._store = store
        self._stand_in = stand_in

    def revision(self) -> str | None:
        """Which of Placement's revisions its tables are at."""
        return self._store.look(revision)

    def make(self) -> None:
        """Make or upgrade all tables, and add the standard names that are missing."""
        self._store.upgrade()
        self._store.synchronise()

    def stamp(self, revision: str) -> None:
        """Write down that Placement's tables are as a revision leaves them."""
        self._store.stamp(revision)

    def rootless(self) -> int:
        """How many providers have no root."""
        return self._store.look(gaps.rootless)

    def unrecorded(self) -> int:
        """How many consumers hold allocations and have no record."""
        return self._store.look(gaps.unrecorded)

    def fill_roots(self, most: int) -> int:
        """Give up to so many providers their root."""
        return self._store.alter(lambda connection: gaps.fill_roots(connection, most))

    def fill_consumers(self, most: int) -> int:
        """Make up to so many of the missing records."""
        owner = self._stand_in
        return self._store.alter(lambda connection: gaps.fill_consumers(connection, owner.project, owner.user, most))
