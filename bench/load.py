"""Clients that send as fast as they are answered. Knows HTTP as far as these servers speak it, and nothing of the API.

The clients are threads with a socket each, and parse no more than they must: they share the machine with the servers.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

VERSION = "1.39"
PATIENCE_SECONDS = 120
SUCCESS = range(200, 300)

Make = Callable[[int, int], bytes]
"""The request that a client sends as its n-th."""


def request(method: str, path: str, body: object = None) -> bytes:
    """A whole request, as an administrator."""
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nX-Auth-Token: admin\r\nAccept: application/json\r\n"
        f"OpenStack-API-Version: placement {VERSION}\r\n"
    )
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


class Client:
    """One connection, opened again whenever the server has closed it."""

    def __init__(self, address: str, patience: float = PATIENCE_SECONDS) -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._patience = patience
        self._socket: socket.socket | None = None

    def send(self, message: bytes) -> tuple[int, bytes | bytearray]:
        """Send a request; the status and the body of the answer."""
        try:
            return self._exchange(message)
        except (ConnectionError, EOFError):  # an idle connection that the server had closed
            self.close()
            return self._exchange(message)

    def tell(self, method: str, path: str, body: object = None) -> None:
        """Send one that must succeed."""
        status, content = self.send(request(method, path, body))
        if status not in SUCCESS:
            raise RuntimeError(f"{method} {path}: {status} {content.decode(errors='replace')}")

    def get(self, path: str) -> dict[str, object]:
        """What is at a path."""
        _, content = self.send(request("GET", path))
        found: dict[str, object] = json.loads(content)
        return found

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, message: bytes) -> tuple[int, bytes | bytearray]:
        if self._socket is None:
            self._socket = socket.create_connection(self._where, self._patience)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(message)
        head, _, begun = self._receive_head(self._socket)
        lowered = head.lower()
        status = int(head[9:12])
        body = self._whole(self._socket, begun, _length(lowered))
        if b"connection: close" in lowered:
            self.close()
        return status, body

    def _receive_head(self, connection: socket.socket) -> tuple[bytes, bytes, bytes]:
        received = self._more(connection)
        while b"\r\n\r\n" not in received:
            received += self._more(connection)
        return received.partition(b"\r\n\r\n")

    @staticmethod
    def _whole(connection: socket.socket, begun: bytes, length: int) -> bytes | bytearray:
        if len(begun) >= length:
            return begun
        body = bytearray(length)
        body[: len(begun)] = begun
        rest = memoryview(body)[len(begun) :]
        while rest:  # in place: a long answer must not be copied again for each of its pieces
            if not (received := connection.recv_into(rest)):
                raise EOFError
            rest = rest[received:]
        return body

    @staticmethod
    def _more(connection: socket.socket) -> bytes:
        if not (received := connection.recv(1 << 18)):
            raise EOFError
        return received


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


@contextmanager
def client(address: str, patience: float = PATIENCE_SECONDS) -> Iterator[Client]:
    """One that hangs up at the end."""
    one = Client(address, patience)
    try:
        yield one
    finally:
        one.close()


@dataclass
class Figures:
    """What a crowd saw: seconds for each answer of the status that was wished for, and how many of each status."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Wished-for answers each second."""
        return len(self.took) / self.seconds if self.seconds else 0.0

    def percentile(self, percent: float) -> float:
        """Milliseconds within which this share of them came."""
        if not self.took:
            return float("nan")
        return 1000 * sorted(self.took)[min(len(self.took) - 1, int(len(self.took) * percent / 100))]

    def __str__(self) -> str:
        others = f", {self.others} others" if self.others else ""
        return f"{self.rate:6.0f}/s, p50 {self.percentile(50):6.1f} ms, p99 {self.percentile(99):6.1f} ms{others}"

    @property
    def others(self) -> int:
        """Answers that were not wished for."""
        return self.statuses.total() - len(self.took)


def crowd(address: str, *, clients: int, seconds: float, make: Make, wished: int) -> Figures:
    """Let so many clients send for so long."""
    figures = Figures(seconds=seconds)
    start = threading.Barrier(clients)
    began = time.perf_counter()

    def work(number: int) -> None:
        with client(address) as one:
            start.wait()
            end, sent = time.perf_counter() + seconds, 0
            while (now := time.perf_counter()) < end:
                status, _ = one.send(make(number, sent))
                if status == wished:
                    figures.took.append(time.perf_counter() - now)
                figures.statuses[status] += 1
                sent += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures.seconds = time.perf_counter() - began
    return figures
