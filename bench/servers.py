"""Starts Roost and the peer, each on a fresh database of a kind, as their operators would."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import fresh_database, peer_url
from tests.end_to_end.servers import free_port, make_tables, serving, started, wait_for

WORKERS = 2
"""Processes of Roost: one for each core."""
PEER_WORKERS, PEER_THREADS = 4, 4
PEER_SECONDS = 300
"""After which gunicorn ends a worker that is silent."""


@contextmanager
def roost_on(database: str) -> Iterator[str]:
    """The address of a Roost that serves this database, whose tables are made before."""
    make_tables(database)
    # noauth2 knows no services, which alone may reshape under the new defaults.
    old = {"OS_OSLO_POLICY__ENFORCE_NEW_DEFAULTS": "false"}
    with serving(database, workers=WORKERS, forked=False, **old) as (one,):
        yield one.address


@contextmanager
def peer_on(database: str, **more: str) -> Iterator[str]:
    """The address of a peer that serves this database, with more variables for its configuration."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("gunicorn")),
        *("placement.wsgi.api:application", "--bind", f"127.0.0.1:{port}"),
        *("--workers", str(PEER_WORKERS), "--threads", str(PEER_THREADS), "--keep-alive", "60", "--preload"),
        *("--timeout", str(PEER_SECONDS)),
    ]
    variables = {
        "OS_PLACEMENT_DATABASE__CONNECTION": peer_url(database),
        "OS_PLACEMENT_DATABASE__SYNC_ON_STARTUP": "true",
        "OS_API__AUTH_STRATEGY": "noauth2",
        "OS_OSLO_POLICY__ENFORCE_NEW_DEFAULTS": "false",
        **more,
    }
    with started(command, port, variables) as server:
        wait_for(server)
        yield server.address


@contextmanager
def roost(kind: str) -> Iterator[str]:
    """The address of a Roost."""
    with fresh_database(kind) as database, roost_on(database) as address:
        yield address


@contextmanager
def peer(kind: str) -> Iterator[str]:
    """The address of a peer."""
    with fresh_database(kind) as database, peer_on(database) as address:
        yield address


SERVERS = {"roost": roost, "peer": peer}
