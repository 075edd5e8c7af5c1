"""How many requests are worked on at once, and how long a client may take to send a body. Knows nothing of the API.

A server with a thread for each request lets as many clients hold it as it has threads, by sending half a body. So
`roost serve` has a thread for each connection, and of these only some have their turn at a time. A request that waits
for its body gives its turn away meanwhile, and is refused when the client takes too long. So does one that waits for
whoever vouches for its caller: `roost.main` says so to `roost.access`.

The wait can be ended because another thread reads: the server's own read has no end but the client's. That thread is
freed when the server ends the connection, and WSGI has one way to ask for that: an answer that is shorter than its
content-length says.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from roost.http import faults

if TYPE_CHECKING:
    from types import TracebackType

    _ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

SECONDS_TO_BE_SENT = 0.1
"""How long after the whole of an answer the connection is ended; it is sent meanwhile."""

AT_ONCE = 16
"""Requests of a worker that have their turn. Python runs one at a time; the others wait for the database."""


class Source(Protocol):
    """A body, as the server offers it."""

    def read(self, size: int, /) -> bytes:
        """Wait for so many bytes, or for the end."""


class Turnstile(threading.Semaphore):
    """Lets so many threads through at a time. Inside of it one has its turn, and inside of `aside` somebody else."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        super().__init__(at_once)

    def aside(self) -> "_Aside":
        """Give one's turn away for a while."""
        return _Aside(self)


class _Aside:
    """A turnstile the other way round."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile

    def __enter__(self) -> None:
        self._turnstile.release()

    def __exit__(self, *_error: object) -> None:
        self._turnstile.acquire()


class Turns:
    """A WSGI wrapper."""

    def __init__(self, app: WSGIApplication, seconds: int, turnstile: Turnstile) -> None:
        """`seconds` is how long a client may take to send a body."""
        self._app = app
        self._seconds = seconds
        self._turnstile = turnstile
        self._readers = _Readers()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request when it is its turn."""
        body = environ["wsgi.input"] = _Input(environ["wsgi.input"], self.wait_for)

        def start(status: str, headers: list[tuple[str, str]], exc_info: "_ExcInfo | None" = None) -> Any:  # noqa: ANN401 - the server's write function
            return start_response(status, _one_more(headers) if body.is_late else headers, exc_info)

        with self._turnstile:
            answer = self._app(environ, start)
        return _cut(answer) if body.is_late else answer

    def wait_for(self, source: Source, size: int) -> bytes | None:
        """Read a body while others have their turn; None if it does not come in time."""
        with self._turnstile.aside():
            return self._readers.read(source, size, self._seconds)


def _one_more(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Announce a byte that will never come."""
    return [(name, str(int(value) + 1) if name.lower() == "content-length" else value) for name, value in headers]


def _cut(answer: Iterable[bytes]) -> Iterator[bytes]:
    """Send the whole answer, and end before the byte that was announced too."""
    yield from answer
    time.sleep(SECONDS_TO_BE_SENT)


class _Input:
    """A body whose reader waits no longer than it should. Only what Roost asks of a body."""

    def __init__(self, source: Source, wait_for: Callable[[Source, int], bytes | None]) -> None:
        self._source = source
        self._wait_for = wait_for
        self.is_late = False

    def read(self, size: int) -> bytes:
        """Read so many bytes, or up to the end.

        Raises:
            BodyTooSlow: they did not come in time.

        """
        if (data := self._wait_for(self._source, size)) is None:
            self.is_late = True
            raise faults.BodyTooSlow
        return data


class _Errand:
    """One read that somebody waits for."""

    __slots__ = ("_ready", "_size", "_source", "data")

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._ready = threading.Lock()
        self._ready.acquire()
        self.data: bytes | None = None

    def run(self) -> None:
        self.data = self._source.read(self._size)

    def tell(self) -> None:
        self._ready.release()

    def wait(self, seconds: float) -> bytes | None:
        self._ready.acquire(timeout=seconds)
        return self.data


class _Readers:
    """Threads that read for others: as many as have ever read at the same time."""

    def __init__(self) -> None:
        self._errands: SimpleQueue[_Errand] = SimpleQueue()
        self._idle = threading.Semaphore(0)

    def read(self, source: Source, size: int, seconds: float) -> bytes | None:
        """The bytes, or None if they did not come in time."""
        errand = _Errand(source, size)
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._serve, name="reader", daemon=True).start()
        self._errands.put(errand)
        return errand.wait(seconds)

    def _serve(self) -> None:
        while True:
            errand = self._errands.get()
            errand.run()
            self._idle.release()
            errand.tell()
