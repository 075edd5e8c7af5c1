"""Starts Python programs without the second that their imports take: each is forked from a process that has done them.

All else is a program's own, as if it had been started by itself: arguments, environment, streams, session, and the end
of its interpreter. What tests say of the very start, they say of programs that are started as usual.

It knows no program: what to import and what to run is said by who asks. This file is also what the process runs that
the others are forked from; hence it imports nothing of ours.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

LONGEST = 1 << 17
"""Bytes of a message: a program's text, arguments and environment."""
STREAMS = 3
NUMBER = struct.Struct("i")
"""What comes back: the process's id, and later its status."""


class Child:
    """A program that runs: as much of a `subprocess.Popen` as its users want."""

    def __init__(self, ended: int) -> None:
        self._ended = ended
        self.pid = self._number()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its status, once it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its status, when it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self.returncode = self._number()
            os.close(self._ended)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _number(self) -> int:
        (number,) = NUMBER.unpack(os.read(self._ended, NUMBER.size))
        return int(number)


class Nursery:
    """Forks programs of the Python that runs us. Options and variables are Python's, modules are imported for all."""

    def __init__(
        self, *modules: str, options: Sequence[str] = (), variables: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._modules = modules
        self._options = tuple(options)
        self._variables = variables
        self._door: socket.socket | None = None

    def start(
        self,
        program: str,
        arguments: Sequence[str],
        streams: Sequence[IO[bytes]],
        env: Mapping[str, str],
        folder: Path | None = None,
    ) -> Child:
        """Start a program's text, in a session of its own; streams are its input, output and errors."""
        told, tells = os.pipe()
        message = json.dumps([program, list(arguments), dict(env), str(folder or Path.cwd())])
        socket.send_fds(self._opened(), [message.encode()], [*(stream.fileno() for stream in streams), tells])
        os.close(tells)
        return Child(told)

    def run(
        self, program: str, arguments: Sequence[str], env: Mapping[str, str], given: str = "", seconds: float = 300
    ) -> "subprocess.CompletedProcess[str]":
        """Start one, and wait for its end."""
        with (
            tempfile.TemporaryFile() as asked,
            tempfile.TemporaryFile() as said,
            tempfile.TemporaryFile() as errors,
        ):
            asked.write(given.encode())
            asked.seek(0)
            child = self.start(program, arguments, (asked, said, errors), env)
            try:
                status = child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                raise
            return subprocess.CompletedProcess(arguments, status, _text(said), _text(errors))

    def _opened(self) -> socket.socket:
        """The way to the process that forks, which is started when first asked for."""
        if self._door is None:
            self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            parent = subprocess.Popen(
                [sys.executable, "-P", *self._options, __file__, str(theirs.fileno()), *self._modules],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **self._variables},
                start_new_session=True,
            )
            theirs.close()
            atexit.register(_close, self._door, parent)
        return self._door


def _close(door: socket.socket, parent: "subprocess.Popen[bytes]") -> None:
    door.close()
    parent.wait()


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


def _born(door: socket.socket) -> tuple[bytes, list[int]]:
    """Fork whenever a message comes; returns in the children only."""
    seeing: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(door, LONGEST, STREAMS + 1)
        # Who has seen to a child's end is waited for, so that the time of all counts as ours.
        seeing = {each for each in seeing if os.waitpid(each, os.WNOHANG if message else 0)[0] == 0}
        if not message:
            os._exit(0)
        if (one := os.fork()) == 0:
            door.close()
            if (child := os.fork()) == 0:
                os.setsid()
                os.write(descriptors[-1], NUMBER.pack(os.getpid()))
                return message, descriptors
            _see_to_its_end(child, descriptors)
        seeing.add(one)
        for each in descriptors:
            os.close(each)


def _see_to_its_end(child: int, descriptors: Sequence[int]) -> None:
    *streams, tells = descriptors
    for each in streams:
        os.close(each)
    with contextlib.suppress(BrokenPipeError):  # nobody waits any more
        os.write(tells, NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    os._exit(0)


def _become(message: bytes, descriptors: Sequence[int]) -> str:
    """Be the program that was asked for; its text."""
    program, sys.argv, env, folder = json.loads(message)
    os.chdir(folder)
    for number, each in enumerate(descriptors):
        if number < STREAMS:
            os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(env)
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())
    return str(program)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.freeze()  # what all share stays shared
    exec(_become(*_born(socket.socket(fileno=int(sys.argv[1])))), {"__name__": "__main__"})  # noqa: S102 - the text that a test gave
