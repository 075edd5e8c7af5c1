"""Starts real servers as processes, waits until they answer, and ends them. Knows nothing of the API but `GET /`."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
import requests

from tests.nursery import Child, Nursery

SECONDS_TO_START = 60
SECONDS_TO_END = 10
PAUSE = 0.05
"""Between two looks at something that is waited for."""
LISTENING = "0A"
"""The state of a socket that listens, as the system writes it."""

_NURSERY = Nursery("roost.main", "granian", "alembic.command", "psycopg", "pymysql")
_ROOST = "import sys; from roost.main import run; sys.exit(run())"
"""What the installed script does."""


@dataclass(frozen=True)
class Server:
    """A process that serves, the leader of its own process group."""

    address: str
    process: "subprocess.Popen[bytes] | Child"
    log: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    def said(self) -> str:
        """All that it wrote."""
        return self.log.read_text(errors="replace")

    def workers(self) -> set[int]:
        """The ids of its worker processes."""
        return {int(pid) for pid in re.findall(r"Spawning worker-\d+ with PID: (\d+)", self.said())}

    def terminate(self) -> None:
        """Ask it to end, as an operator or an init system does."""
        self.process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Ask all its processes to end, as Ctrl-C in a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End all its processes at once, in the middle of whatever they do."""
        workers = self.workers()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS_TO_END)
        wait_until(lambda: not any(map(lives, workers)), SECONDS_TO_END, lambda: f"{workers} outlive SIGKILL")

    def runs(self) -> bool:
        """Whether any process of it, worker or main, is left."""
        self.process.poll()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 0)
            return True
        return False


def program(name: str) -> str | None:
    """Where a program is: beside this Python, or else on the PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def roost() -> str:
    """The command under test."""
    return str(Path(sys.executable).with_name("roost"))


def run_roost(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command under test to its end."""
    return _NURSERY.run(_ROOST, [roost(), *words], environment(**variables))


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what configures Roost, and what is given."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "ROOST_"))} | more


def lives(pid: int) -> bool:
    """Whether there is such a process, and it isn't dead and only waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def listeners(port: int) -> int:
    """How many sockets listen on a port of this host; as many as anybody could want where the system doesn't tell."""
    try:
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    except FileNotFoundError:
        return sys.maxsize
    return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == LISTENING for line in lines)


def wait_until(true: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Look again and again, and fail when the time is over."""
    give_up = time.monotonic() + seconds
    while not true():
        if time.monotonic() > give_up:
            pytest.fail(otherwise())
        time.sleep(PAUSE)


def make_tables(database: str) -> None:
    """What an operator does before the first start, if they don't leave it to the server."""
    run_roost("db", "sync", "--database", database).check_returncode()


def _forked(command: Sequence[str], output: IO[bytes], folder: Path, env: Mapping[str, str]) -> Child:
    with Path(os.devnull).open("rb") as nothing:
        return _NURSERY.start(_ROOST, command, (nothing, output, output), env, folder)


def _executed(
    command: Sequence[str], output: IO[bytes], folder: Path, env: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    nothing = subprocess.DEVNULL
    return subprocess.Popen(
        command, stdin=nothing, stdout=output, stderr=output, cwd=folder, env=env, start_new_session=True
    )


@contextmanager
def started(
    command: Sequence[str], port: int, variables: Mapping[str, str] | None = None, *, forked: bool = False
) -> Iterator[Server]:
    """A process that is to serve on a port; it may not answer yet. Whatever is left of it at the end is killed.

    It is forked from one that has imported Roost, if that is the command and a start is nothing that a test tells of.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            start = _forked if forked else _executed
            process = start(command, output, Path(folder), environment(**(variables or {})))
        server = Server(f"http://127.0.0.1:{port}", process, log)
        try:
            yield server
        finally:
            _end(server)


def _end(server: Server) -> None:
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.process.wait(SECONDS_TO_END)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait(SECONDS_TO_END)


def wait_for(server: Server, path: str = "/") -> None:
    """Wait until it answers without being asked who we are."""

    def answers() -> bool:
        if server.process.poll() is not None:
            pytest.fail(f"the server ended with status {server.process.returncode}:\n{server.said()}")
        try:
            return requests.get(f"{server.address}{path}", timeout=SECONDS_TO_START).ok
        except requests.ConnectionError:
            return False

    wait_until(answers, SECONDS_TO_START, lambda: f"the server does not answer:\n{server.said()}")


@contextmanager
def serving(
    *databases: str,
    options: Sequence[str] = ("--auth", "noauth2"),
    workers: int = 1,
    forked: bool = True,
    **variables: str,
) -> Iterator[list[Server]]:
    """What `roost serve` starts, all at once: one for each database, or one whose options name it.

    Each worker listens for itself, when it has read its cloud. A client that came earlier would be the first worker's
    for as long as it keeps its connection, and so would all of them; hence no one is let in before all are ready.
    """
    given: list[tuple[str, ...]] = [("--database", database) for database in databases] or [()]
    with ExitStack() as stack:
        servers = []
        for where in given:
            port = free_port()
            listen = ("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers))
            command = (roost(), "serve", *listen, *where, *options)
            servers.append(stack.enter_context(started(command, port, variables, forked=forked)))
        for server in servers:
            wait_for(server)
            _wait_for_workers(server, workers)
        yield servers


def _wait_for_workers(server: Server, count: int) -> None:
    def ready() -> bool:
        return listeners(server.port) >= count

    wait_until(ready, SECONDS_TO_START, lambda: f"not all workers listen:\n{server.said()}")
