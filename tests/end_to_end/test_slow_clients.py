"""A client that is slow, or gone, is nobody's trouble but its own."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.end_to_end.api import Api
from tests.end_to_end.servers import Server, serving, wait_until

pytestmark = [pytest.mark.xdist_group("one server"), pytest.mark.cwe_664]

SECONDS = 5
SLOW = 8
MANY = 64
PATIENCE = 2
"""Seconds that a client may take, for the server that many hold."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD = (
    b"POST /resource_providers HTTP/1.1\r\nhost: 127.0.0.1\r\nx-auth-token: admin\r\n"
    b"content-type: application/json\r\ncontent-length: 100\r\n"
)
HALF = HEAD + b'\r\n{"name":'
TRICKLE = HEAD + b"\r\n"
LATE = b"HTTP/1.1 408 Request Timeout"
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


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one worker, which soon loses patience."""
    database: Path = tmp_path_factory.mktemp("held") / "roost.db"
    seconds = str(PATIENCE)
    with serving(f"sqlite:///{database}", OS_ROOST__SECONDS_FOR_BODY=seconds, OS_ROOST__SECONDS_FOR_HEADER=seconds) as (
        server,
    ):
        yield server


def test_many_slow_clients(held: Server) -> None:
    """Many half bodies and half headers keep nobody waiting, and all of them are ended; nothing is left of them."""
    api = Api(held.address)
    descriptors = _descriptors(held)
    with ThreadPoolExecutor(MANY * 2) as pool, ExitStack() as stack:
        slow = [stack.enter_context(_begun(held, half)) for half in [HALF, HEAD, TRICKLE] for _ in range(MANY)]

        began = time.monotonic()
        assert api("POST /resource_providers", {"name": "while many are slow"}).ok
        assert api.succeed("GET /resource_providers")["resource_providers"]
        assert time.monotonic() - began < SECONDS

        trickling = pool.submit(_trickle, slow[-MANY:])
        ends = list(pool.map(_end_of, slow))
        trickling.result(SECONDS * 4)
    assert [end.partition(b"\r\n")[0] for end in ends] == [LATE] * MANY + [b""] * MANY + [LATE] * MANY
    assert all(b'"title":"Request Timeout"' in end for end in ends if end)
    names = [it["name"] for it in api.succeed("GET /resource_providers")["resource_providers"]]
    assert names == ["while many are slow"]
    wait_until(lambda: _descriptors(held) <= descriptors, SECONDS, lambda: f"{_descriptors(held)} are open")


def _begun(server: Server, half: bytes) -> socket.socket:
    slow = socket.create_connection(("127.0.0.1", server.port), PATIENCE + SECONDS)
    slow.sendall(half)
    return slow


def _trickle(slow: list[socket.socket]) -> None:
    """Send a byte of each body again and again, until the server has had enough."""
    while slow:
        time.sleep(PATIENCE / 10)
        slow = [client for client in slow if _sends(client)]


def _sends(client: socket.socket) -> bool:
    try:
        return client.send(b" ") == 1
    except OSError:
        return False


def _end_of(slow: socket.socket) -> bytes:
    """All that the server says until it hangs up."""
    said = b""
    try:
        while more := slow.recv(65536):
            said += more
    except ConnectionResetError:
        pass  # it hung up while we were sending
    return said


def _descriptors(server: Server) -> int:
    """How many files and sockets its worker has open."""
    (worker,) = server.workers()
    return len(list(Path(f"/proc/{worker}/fd").iterdir()))
