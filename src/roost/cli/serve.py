"""Granian, as `roost serve` runs it."""

import os
import signal
import socket

import msgspec
from granian import Granian
from granian.constants import Interfaces


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen, and with how many processes."""

    host: str
    port: int
    workers: int


THREADS = 16
"""Threads of a worker. Python runs one at a time; the others wait for the database, or for a slow client."""

WAITING = 128
"""Connections that a worker takes on before it lets the others wait in the system's queue."""

SECONDS_TO_FINISH = 30
"""How long requests in flight may take after a SIGTERM, before a worker is ended by force."""


class CannotListen(Exception):
    """The address can't be listened on."""


def refuse_taken(listener: Listener) -> None:
    """Say so before any worker starts, if somebody else listens there."""
    try:
        socket.create_server((listener.host, listener.port)).close()
    except OSError as error:
        message = f"can't listen on {listener.host}:{listener.port}: {error.strerror}"
        raise CannotListen(message) from None


def serve(listener: Listener) -> None:
    """Serve until a signal ends it. The workers read the configuration themselves, from files and the environment."""
    # A worker that still starts would inherit our handler, which only takes note, and live on when told to end.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    Granian(
        "roost.wsgi:application",
        address=listener.host,
        port=listener.port,
        interface=Interfaces.WSGI,
        workers=listener.workers,
        blocking_threads=THREADS,
        backpressure=WAITING,
        workers_kill_timeout=SECONDS_TO_FINISH,
        respawn_failed_workers=True,
    ).serve()
