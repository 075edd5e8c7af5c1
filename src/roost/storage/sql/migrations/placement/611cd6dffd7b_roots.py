"""Every provider has a root from here on. The peer refuses where one is missing; we fill it in from the parents."""

from alembic import op

from roost.storage.sql.gaps import fill_roots

revision = "611cd6dffd7b"
down_revision = "b4ed3a175331"


def upgrade() -> None:
    """Give each provider without a root the top of its chain of parents."""
    fill_roots(op.get_bind())
