"""What is done to a database's tables as such, as values and as a port. Knows no database and no terminal."""

from typing import Protocol


class Upkeep(Protocol):
    """Makes, names and fills in one database's tables. Each step is durable when it returns.

    Any of them raises Unavailable where the database is away.
    """

    def revision(self) -> str | None:
        """Which of Placement's revisions its tables are at; None if they were never made."""

    def make(self) -> None:
        """Make or upgrade all tables, Placement's and Roost's, and add the standard names that are missing."""

    def stamp(self, revision: str) -> None:
        """Write down that Placement's tables are as a revision leaves them, and change nothing else."""

    def rootless(self) -> int:
        """How many providers have no root, as before Stein."""

    def unrecorded(self) -> int:
        """How many consumers hold allocations and have no record, as before Rocky."""

    def fill_roots(self, most: int) -> int:
        """Give up to so many providers their root; how many got one."""

    def fill_consumers(self, most: int) -> int:
        """Make up to so many of the missing records; how many were made."""
