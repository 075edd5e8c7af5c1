"""Every allocation has a consumer record from here on. The peer refuses where one is missing; we make it.

They get the owner that the peer's configuration names by default for this purpose.
"""

from alembic import op

from roost.model.names import ProjectID, UserID
from roost.storage.sql.gaps import fill_consumers

revision = "b5c396305c25"
down_revision = "611cd6dffd7b"

UNKNOWN_OWNER = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    """Make the records that are missing."""
    fill_consumers(op.get_bind(), ProjectID(UNKNOWN_OWNER), UserID(UNKNOWN_OWNER))
