"""Granian, as `roost serve` runs it."""

import contextlib
import ctypes
import os
import signal
import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path

import msgspec


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen, with how many processes, and with which certificate and key if by TLS."""

    host: str
    port: int
    workers: int
    seconds_for_header: int
    """How long a client may take to send a header."""
    certfile: Path | None = None
    keyfile: Path | None = None

    @property
    def address(self) -> str:
        """Its URL; an IPv6 address stands in brackets."""
        scheme = "http" if self.certfile is None else "https"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


CONNECTIONS = 256
"""Connections that a worker takes on before it lets the others wait in the system's queue. Each may have a thread; how
many of these do anything but wait for a client, `roost.http.turns` says."""

COUNTS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which the workers add up what /metrics tells."""

M_ARENA_MAX = -8
"""The number of this setting in GNU's malloc.h."""
HEAPS = 2
"""After a storm of 32 clients on 10,000 hosts a worker is 16 MB smaller with them."""

GRANIAN_HEAPS_VARIABLE = "_RJEM_MALLOC_CONF"
"""Granian's Rust has an allocator of its own, jemalloc, which is told by this variable when it is loaded."""
GRANIAN_HEAPS = f"narenas:{HEAPS},dirty_decay_ms:500"
"""It copies each answer. Without these, what 32 answers of 1 MB at once took stays with the process: 8 MB more."""

SECONDS_TO_FINISH = 30
"""How long requests in flight may take after a SIGTERM, before a worker is ended by force."""


_ENDING = {signal.SIGTERM, signal.SIGINT}
"""The signals that end a server."""

SECONDS_TO_BE_READY = 0.3
"""How long after its handler is in place a worker may still miss a signal."""


class CannotListen(Exception):
    """The address can't be listened on."""


def refuse_taken(listener: Listener) -> None:
    """Say so before any worker starts, if somebody else listens there."""
    try:
        family, *_, address = socket.getaddrinfo(listener.host, listener.port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        message = f"can't listen on {listener.host}:{listener.port}: {error.strerror}"
        raise CannotListen(message) from None


def refuse_bad_certificate(listener: Listener) -> None:
    """Say so before any worker starts, if there is no serving by this certificate and key."""
    if listener.certfile is None and listener.keyfile is None:
        return
    if listener.certfile is None or listener.keyfile is None:
        raise CannotListen("TLS needs both: give --certfile and --keyfile")
    try:
        # No password: a worker couldn't ask for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(listener.certfile, listener.keyfile, password="")
    except OSError as error:  # an ssl.SSLError too
        message = f"can't serve by TLS with {listener.certfile} and {listener.keyfile}: {error}"
        raise CannotListen(message) from None


def _hold_signals() -> None:
    """Let the signals that end us wait. A forked child inherits this, but not what is waiting."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def _release_signals() -> None:
    """Hear them again."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _hear_signals_once() -> None:
    """In a worker: let a thread wait for the one signal that counts.

    Granian forks with its own handlers in place, and a worker sets others when it is nearly ready. A signal before that
    is lost, a second one stops what the first has begun, and a Ctrl-C in a terminal is two: its SIGINT reaches all
    processes, and then the main one sends SIGTERM. So a worker hears no SIGINT, and one SIGTERM, when it is ready. It
    is born with both blocked (`_hold_signals`), so that none is lost between the fork and this.
    """
    inherited = signal.getsignal(signal.SIGTERM)

    def wait() -> None:
        signal.sigwait({signal.SIGTERM})
        handler = signal.getsignal(signal.SIGTERM)
        if handler == inherited or not callable(handler):
            os._exit(0)  # it has served nothing yet
        time.sleep(SECONDS_TO_BE_READY)
        handler(signal.SIGTERM, None)

    threading.Thread(target=wait, name="signals", daemon=True).start()


def share_heaps() -> None:
    """Let the threads of a worker allocate from few heaps, where the C library is GNU's; before Granian is loaded.

    It would give up to eight for each processor, and what a burst of searches left in each is not given back. Whoever
    started us may have settled it.
    """
    os.environ.setdefault(GRANIAN_HEAPS_VARIABLE, GRANIAN_HEAPS)
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def serve(listener: Listener) -> None:
    """Serve until a signal ends it. The workers read the configuration themselves, from files and the environment."""
    os.register_at_fork(before=_hold_signals, after_in_parent=_release_signals, after_in_child=_hear_signals_once)
    share_heaps()
    with tempfile.TemporaryDirectory(prefix="roost-metrics-") as folder:
        os.environ.setdefault(COUNTS_VARIABLE, folder)
        _serve(listener)


def _serve(listener: Listener) -> None:
    from granian import Granian, constants, http, log  # noqa: PLC0415 - not before `share_heaps`

    server = Granian(
        "roost.main:served_from_environment",
        factory=True,
        address=listener.host,
        port=listener.port,
        interface=constants.Interfaces.WSGI,
        websockets=False,
        workers=listener.workers,
        # Of HTTP/2 one connection could ask for any number of threads.
        http=constants.HTTPModes.http1,
        http1_settings=http.HTTP1Settings(header_read_timeout=listener.seconds_for_header * 1000),
        blocking_threads=CONNECTIONS,
        backpressure=CONNECTIONS,
        workers_kill_timeout=SECONDS_TO_FINISH,
        respawn_failed_workers=True,
        ssl_cert=listener.certfile,
        ssl_key=listener.keyfile,
        ssl_protocol_min=constants.SSLProtocols.tls12,
    )
    # It would warn of more threads than processors; but most of ours wait for a client, as `CONNECTIONS` says.
    log.logger.addFilter(lambda record: "Python threads" not in record.getMessage())
    server.serve()
