"""Memcacheds for tests: a real one, and one in this process that hangs, is slow, or holds nonsense. Knows no tokens."""

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

import pytest

from tests.end_to_end.servers import Server, free_port, started, wait_until

LONG = 300.0
"""Seconds; longer than any test waits."""


@dataclass(frozen=True)
class Memory:
    """A memcached that runs."""

    server: Server

    @property
    def place(self) -> str:
        """As `memcached_servers` has it."""
        return f"127.0.0.1:{self.server.port}"

    def say(self, command: str, end: bytes = b"END\r\n") -> bytes:
        """What it answers to a command."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as connection:
            connection.sendall(command.encode() + b"\r\n")
            said = b""
            while not said.endswith(end):
                more = connection.recv(65536)
                assert more, f"{command}: {said!r}"
                said += more
        return said

    def counts(self) -> tuple[int, int, int]:
        """What was found, what wasn't, and what was put there, since it began."""
        words = self.say("stats").decode().split()
        found, missed, put = (int(words[words.index(name) + 1]) for name in ("get_hits", "get_misses", "cmd_set"))
        return found, missed, put

    def holds(self) -> dict[str, bytes]:
        """All keys, and their values."""
        found = {}
        for line in self.say("lru_crawler metadump all").decode().splitlines()[:-1]:
            key = unquote(line.split()[0].removeprefix("key="))
            found[key] = self.say(f"get {key}").partition(b"\r\n")[2].removesuffix(b"\r\nEND\r\n")
        return found

    def put(self, key: str, value: bytes) -> None:
        """Have it hold something else."""
        assert self.say(f"set {key} 0 300 {len(value)}\r\n{value.decode()}", end=b"STORED\r\n") == b"STORED\r\n"


@contextmanager
def running_memcached(port: int | None = None) -> Iterator[Memory]:
    """Start one, and end it; skips where there is none to start."""
    program = shutil.which("memcached")
    if program is None:
        pytest.skip("no memcached; to have it: apt-get install memcached")
    port = port or free_port()
    command = (program, "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "1")

    def answers() -> bool:
        with contextlib.suppress(ConnectionRefusedError):
            return memory.say("version", end=b"\r\n").startswith(b"VERSION")
        return False

    with started(command, port) as server:
        memory = Memory(server)
        wait_until(answers, 10, lambda: f"memcached does not answer: {server.said()}")
        yield memory


class Strange:
    """A memcached in this process: it finds whatever is asked for to be the same thing."""

    def __init__(self, value: bytes | None = None, flags: int = 0) -> None:
        """`value` is None for one that finds nothing."""
        self.seconds = 0.0
        """How long each answer takes."""
        self.asked: list[bytes] = []
        """The first word of each command."""
        self._found = b"" if value is None else b"VALUE %%b %d %d\r\n%b\r\n" % (flags, len(value), value)
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def end(self) -> None:
        """Take no more connections, and keep nobody waiting."""
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def listen(self) -> None:
        """Take connections."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as commands, contextlib.suppress(OSError):
            for command in commands:
                verb, key, *numbers = command.split()
                if verb == b"set":
                    commands.read(int(numbers[-1]) + 2)
                self.asked.append(verb)
                self._ended.wait(self.seconds)
                answer = b"STORED\r\n" if verb == b"set" else (self._found and self._found % key) + b"END\r\n"
                connection.sendall(answer)


@contextmanager
def strange_memcached(value: bytes | None = None, flags: int = 0) -> Iterator[Strange]:
    """One that runs."""
    one = Strange(value, flags)
    thread = threading.Thread(target=one.listen)
    thread.start()
    try:
        yield one
    finally:
        one.end()
        thread.join()
