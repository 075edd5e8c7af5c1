"""Every allocation has a consumer record from here on. The peer refuses where one is missing; we make it.

Such allocations are older than consumer records; nobody knows any more whose they are, so that they get the owner
that the peer's configuration names by default for this purpose.
"""

import sqlalchemy as sa
from alembic import op

revision = "b5c396305c25"
down_revision = "611cd6dffd7b"

UNKNOWN_OWNER = "00000000-0000-0000-0000-000000000000"

allocations = sa.table("allocations", sa.column("consumer_id", sa.String))
consumers = sa.table(
    "consumers",
    sa.column("uuid", sa.String),
    sa.column("project_id", sa.Integer),
    sa.column("user_id", sa.Integer),
    sa.column("generation", sa.Integer),
)


def upgrade() -> None:
    """Make the records that are missing."""
    connection = op.get_bind()
    known = sa.select(consumers.c.uuid).where(consumers.c.uuid == allocations.c.consumer_id)
    orphans = sa.select(allocations.c.consumer_id).where(~known.exists()).distinct()
    missing = connection.execute(orphans).scalars().all()
    if not missing:
        return
    owner = {f"{name}_id": _owner(connection, f"{name}s") for name in ("project", "user")}
    rows = [{"uuid": uuid, "generation": 0, **owner} for uuid in missing]
    connection.execute(sa.insert(consumers), rows)


def _owner(connection: sa.Connection, name: str) -> int:
    table = sa.table(name, sa.column("id", sa.Integer), sa.column("external_id", sa.String))
    query = sa.select(table.c.id).where(table.c.external_id == UNKNOWN_OWNER)
    found = connection.execute(query).scalar()
    if found is None:
        connection.execute(sa.insert(table).values(external_id=UNKNOWN_OWNER))
        found = connection.execute(query).scalar_one()
    return int(found)
