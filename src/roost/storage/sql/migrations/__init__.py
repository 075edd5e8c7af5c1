"""Makes or upgrades the tables: Placement's under the peer's revision ids, ours under our own version table.

Two histories live side by side, `placement/` and `own/`, so that the peer finds in `alembic_version` exactly what
it would have written itself, and serves a database that Roost made.
"""

from roost.storage.sql.migrations.upgrade import stamp, upgrade

__all__ = ["stamp", "upgrade"]
