"""SIGTERM ends the server as an operator wants it: what is in flight is answered, and nothing is left running."""

import contextlib
import subprocess
from collections.abc import Iterator

import pytest
import requests

from tests.databases import fresh_database
from tests.end_to_end.api import PATIENCE
from tests.end_to_end.servers import (
    SECONDS_TO_END,
    SECONDS_TO_START,
    Server,
    free_port,
    roost,
    serving,
    started,
    wait_until,
)

pytestmark = pytest.mark.xdist_group("SIGTERM")

CLAIMS = 6
"""Of each kind; a worker has threads for all of both."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture
def database() -> Iterator[str]:
    """An empty SQLite file's URL."""
    with fresh_database("sqlite") as url:
        yield url


def assert_ends(server: Server) -> None:
    """The process ends in seconds with status 0, and leaves no process behind."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.process.wait(SECONDS_TO_END)
    assert server.process.returncode == 0, server.said()
    assert not server.runs()


def test_connections_kept_open(database: str) -> None:
    """Clients that keep their connections open, and ask nothing, don't keep the server from ending."""
    with serving(database, workers=2) as (server,), requests.Session() as one, requests.Session() as other:
        for session in (one, other):
            assert session.get(server.address, timeout=PATIENCE).ok
        server.terminate()
        assert_ends(server)


def test_while_workers_start(database: str) -> None:
    """A server that is told to end while its workers still start ends at once too."""
    command = [roost(), "serve", "--port", str(port := free_port()), "--workers", "4", "--database", database]
    with started([*command, "--auth", "noauth2"], port) as server:
        wait_until(lambda: "Spawning worker-4" in server.said(), SECONDS_TO_START, server.said)
        server.terminate()
        assert_ends(server)
