"""SIGTERM ends the server as an operator wants it: what is in flight is answered, and nothing is left running."""

import contextlib
import json
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPResponse
from typing import Self

import pytest
import requests

from tests.databases import fresh_database
from tests.end_to_end.api import PATIENCE, Api, claim, new_id
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

pytestmark = [pytest.mark.xdist_group("SIGTERM"), pytest.mark.cwe_664]

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


class Claim:
    """A claim of one VCPU, sent in two halves."""

    def __init__(self, server: Server, provider: str) -> None:
        self._body = json.dumps(claim({provider: {"VCPU": 1}})).encode()
        headers = Api(server.address).headers() | {
            "host": "127.0.0.1",
            "content-type": "application/json",
            "content-length": str(len(self._body)),
            "expect": "100-continue",
        }
        lines = [f"PUT /allocations/{new_id()} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._head = "\r\n".join([*lines, "", ""]).encode()
        self._port = server.port

    def __enter__(self) -> Self:
        """Connect."""
        self._socket = socket.create_connection(("127.0.0.1", self._port), SECONDS_TO_END)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def begin(self) -> None:
        """Send the head. The server asks for the body when the handler reads it: from then on, it is in flight."""
        self._socket.sendall(self._head)
        assert self._socket.recv(len(CONTINUE)) == CONTINUE

    def go_on(self) -> None:
        """Send the body."""
        self._socket.sendall(self._body)

    def status(self) -> int:
        """The status of the answer."""
        with HTTPResponse(self._socket, method="PUT") as answer:
            answer.begin()
            return answer.status


@pytest.mark.parametrize(
    "tell",
    [
        pytest.param(Server.terminate, id="SIGTERM"),
        pytest.param(Server.interrupt, id="Ctrl-C"),
    ],
)
def test_requests_in_flight(database: str, tell: Callable[[Server], None]) -> None:
    """Claims of which half the request has come, or that wait for the database, are granted, answered and kept."""
    with serving(database, workers=2) as (server,), ExitStack() as stack:
        provider = Api(server.address).make_provider({"VCPU": 2 * CLAIMS})
        half_sent, waiting = (
            [stack.enter_context(Claim(server, provider)) for _ in range(CLAIMS)] for _ in ("half sent", "waiting")
        )
        for each in half_sent + waiting:
            each.begin()
        # Whoever holds SQLite's one lock makes all other writers wait.
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            for each in waiting:
                each.go_on()
            tell(server)
            wait_until(lambda: "Stopping worker" in server.said(), SECONDS_TO_END, server.said)
            holder.execute("ROLLBACK")
        for each in half_sent:
            each.go_on()
        assert [each.status() for each in half_sent + waiting] == [204] * 2 * CLAIMS
        assert_ends(server)
    with serving(database) as (again,):
        assert Api(again.address).usages(provider) == {"VCPU": 2 * CLAIMS}


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
