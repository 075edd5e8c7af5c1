"""Databases as old releases of Placement left them: made by the judge's own migrations, at one of its revisions."""

import sqlalchemy as sa

from tests.databases import peer_url
from tests.end_to_end.servers import environment
from tests.operator.dumps import run
from tests.storage.peer import PEER

REVISIONS = ("b4ed3a175331", "611cd6dffd7b", "b5c396305c25", "422ece571366", "a082b8bb98d0")
"""Train to today, in their order."""

_MAKE = """
import sys
from oslo_config import cfg
from placement import conf, db_api
from placement.db.sqlalchemy import migration
config = cfg.ConfigOpts()
conf.register_opts(config)
config([], project="placement", default_config_files=[])
db_api.configure(config)
migration.upgrade(sys.argv[1])
"""

_PROVIDERS = sa.table(
    "resource_providers",
    *map(sa.column, ("id", "uuid", "name", "generation", "root_provider_id", "parent_provider_id")),
)
_ALLOCATIONS = sa.table(
    "allocations", *map(sa.column, ("resource_provider_id", "consumer_id", "resource_class_id", "used"))
)

CONSUMERS = [f"00000000-0000-0000-0001-{number:012}" for number in range(7)]


def make(url: str, revision: str) -> None:
    """Make the judge's tables as they were at a revision."""
    named = environment(OS_PLACEMENT_DATABASE__CONNECTION=peer_url(url))
    PEER.run(_MAKE, ["-c", revision], named).check_returncode()


def leave_gaps(url: str) -> None:
    """Five providers without roots, and seven consumers that hold something and have no record."""
    hosts = [
        {"id": number, "uuid": f"00000000-0000-0000-0000-{number:012}", "name": f"host{number}", "generation": 0}
        for number in range(1, 6)
    ]
    held = [
        {"resource_provider_id": 1, "consumer_id": consumer, "resource_class_id": kind, "used": 1}
        for consumer in CONSUMERS
        for kind in (0, 1)
    ]
    run(url, sa.insert(_PROVIDERS).values(hosts), sa.insert(_ALLOCATIONS).values(held))
