"""Which revisions a database's tables are at. Asks without Alembic, which weighs 10 MB, and changes nothing."""

import sqlalchemy as sa
from sqlalchemy import Connection

PLACEMENTS, OURS = "alembic_version", "roost_alembic_version"
"""The tables in which the revision of Placement's tables and of ours is written."""

NEWEST = {PLACEMENTS: "a082b8bb98d0", OURS: "roost0003"}
"""Where `roost.storage.sql.migrations` brings them."""


def revision(connection: Connection, table: str = PLACEMENTS) -> str | None:
    """The revision that a table tells; None where there is no such table."""
    if not sa.inspect(connection).has_table(table):
        return None
    query = sa.select(sa.column("version_num", sa.String)).select_from(sa.table(table))
    found: str | None = connection.execute(query).scalar()
    return found


def is_newest(connection: Connection) -> bool:
    """Whether there is nothing to upgrade."""
    return all(revision(connection, table) == newest for table, newest in NEWEST.items())
