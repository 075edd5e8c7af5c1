"""A client that is slow, or gone, is nobody's trouble but its own."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.end_to_end.api import Api
from tests.end_to_end.servers import Server

pytestmark = [pytest.mark.xdist_group("one server"), pytest.mark.cwe_664]

SECONDS = 5
SLOW = 8
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD = (
    b"POST /resource_providers HTTP/1.1\r\nhost: 127.0.0.1\r\nx-auth-token: admin\r\n"
    b"content-type: application/json\r\ncontent-length: 100\r\n"
)
HALF = HEAD + b'\r\n{"name":'
ASKED = HEAD + b"expect: 100-continue\r\n\r\n"


def test_half_sent_bodies(server: Server) -> None:
    """While a worker waits for the bodies of several slow clients, it serves the whole requests of others."""
    with ExitStack() as stack:
        for _ in range(SLOW):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SECONDS))
            slow.sendall(ASKED)
            # The server asks for the body when the handler begins to read it.
            assert slow.recv(len(CONTINUE)) == CONTINUE
        assert Api(server.address)("POST /resource_providers", {"name": "while others are slow"}).ok


def test_clients_that_hang_up(server: Server) -> None:
    """Clients that hang up in the middle of a body leave nothing behind, and every thread free."""
    api = Api(server.address)
    before = api.succeed("GET /resource_providers")
    for _ in range(SLOW * 4):
        with socket.create_connection(("127.0.0.1", server.port), SECONDS) as gone:
            gone.sendall(HALF)
    with ThreadPoolExecutor(SLOW) as pool:
        answers = list(pool.map(lambda _: api("GET /resource_providers").json(), range(SLOW * 4)))
    assert all(answer == before for answer in answers)
