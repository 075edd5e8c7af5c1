"""What databases of old releases lack: the roots of providers, and the records of consumers. Fills it in.

Knows the tables as they have been since Train, so that it may run before any migration.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from roost.model.names import ProjectID, UserID

_providers = sa.table(
    "resource_providers",
    sa.column("id", sa.Integer),
    sa.column("root_provider_id", sa.Integer),
    sa.column("parent_provider_id", sa.Integer),
)
_allocations = sa.table("allocations", sa.column("consumer_id", sa.String))
_consumers = sa.table(
    "consumers",
    sa.column("uuid", sa.String),
    sa.column("project_id", sa.Integer),
    sa.column("user_id", sa.Integer),
    sa.column("generation", sa.Integer),
)

_ROOTLESS = sa.select(_providers.c.id).where(_providers.c.root_provider_id.is_(None)).order_by(_providers.c.id)
_UNRECORDED = (
    sa.select(_allocations.c.consumer_id)
    .where(~sa.select(_consumers.c.uuid).where(_consumers.c.uuid == _allocations.c.consumer_id).exists())
    .distinct()
    .order_by(_allocations.c.consumer_id)
)


def rootless(connection: Connection) -> int:
    """How many providers have no root."""
    return connection.execute(sa.select(sa.func.count()).select_from(_ROOTLESS.subquery())).scalar_one()


def unrecorded(connection: Connection) -> int:
    """How many consumers hold allocations and have no record."""
    return connection.execute(sa.select(sa.func.count()).select_from(_UNRECORDED.subquery())).scalar_one()


def fill_roots(connection: Connection, limit: int | None = None) -> int:
    """Give providers without a root the top of their chain of parents; how many."""
    lacking = connection.execute(_ROOTLESS.limit(limit)).scalars().all()
    if not lacking:
        return 0
    columns = _providers.c
    parents = {
        row.id: row.parent_provider_id for row in connection.execute(sa.select(columns.id, columns.parent_provider_id))
    }
    for provider in lacking:
        root, seen = provider, {provider}
        while (above := parents.get(root)) is not None and above not in seen:
            root = above
            seen.add(root)
        connection.execute(sa.update(_providers).where(columns.id == provider).values(root_provider_id=root))
    return len(lacking)


def fill_consumers(connection: Connection, project: ProjectID, user: UserID, limit: int | None = None) -> int:
    """Make the records that allocations lack, for this owner; how many.

    Such allocations are older than consumer records. Nobody knows any more whose they are, or since when.
    """
    missing = connection.execute(_UNRECORDED.limit(limit)).scalars().all()
    if not missing:
        return 0
    owner = {"project_id": _owner(connection, "projects", project), "user_id": _owner(connection, "users", user)}
    connection.execute(sa.insert(_consumers), [{"uuid": uuid, "generation": 0, **owner} for uuid in missing])
    return len(missing)


def _owner(connection: Connection, name: str, external: str) -> int:
    table = sa.table(name, sa.column("id", sa.Integer), sa.column("external_id", sa.String))
    query = sa.select(table.c.id).where(table.c.external_id == external)
    found = connection.execute(query).scalar()
    if found is None:
        connection.execute(sa.insert(table).values(external_id=external))
        found = connection.execute(query).scalar_one()
    return int(found)
