"""Every provider has a root from here on. The peer refuses where one is missing; we fill it in from the parents."""

import sqlalchemy as sa
from alembic import op

revision = "611cd6dffd7b"
down_revision = "b4ed3a175331"

providers = sa.table(
    "resource_providers",
    sa.column("id", sa.Integer),
    sa.column("root_provider_id", sa.Integer),
    sa.column("parent_provider_id", sa.Integer),
)


def upgrade() -> None:
    """Give each provider without a root the top of its chain of parents."""
    connection = op.get_bind()
    columns = providers.c
    rootless = connection.execute(sa.select(columns.id).where(columns.root_provider_id.is_(None))).scalars().all()
    if not rootless:
        return
    parents = {
        row.id: row.parent_provider_id for row in connection.execute(sa.select(columns.id, columns.parent_provider_id))
    }
    for provider in rootless:
        root, seen = provider, {provider}
        while (above := parents.get(root)) is not None and above not in seen:
            root = above
            seen.add(root)
        connection.execute(sa.update(providers).where(columns.id == provider).values(root_provider_id=root))
