"""The servers that many tests share, on each kind of database."""

from collections.abc import Iterator

import pytest

from tests.databases import KINDS, fresh_database
from tests.end_to_end.servers import Server, serving

SERVERS = 4
WORKERS = 2


@pytest.fixture(scope="session", params=KINDS)
def fleet(request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """Four servers with two workers each, started at the same moment on one empty database."""
    with fresh_database(request.param) as database, serving(*[database] * SERVERS, workers=WORKERS) as servers:
        yield servers


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server with one worker, on SQLite."""
    with fresh_database("sqlite") as database, serving(database) as (one,):
        yield one
