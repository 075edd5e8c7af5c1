"""The upkeep of tables on SQL. Works on any revision of Placement's tables, and where Roost's have not been made."""

from roost.storage.sql import gaps
from roost.storage.sql.doctor.procedure import StandIn
from roost.storage.sql.revisions import revision
from roost.storage.sql.store import SQLStore


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
