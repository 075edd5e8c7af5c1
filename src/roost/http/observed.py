"""A station that tells a watcher of each request: what was asked for, how it was answered, how long that took.

It stands around the API and inside the request log. What they found out it reads from the environment afterwards.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from falcon.constants import HTTP_METHODS

from roost.http.app import REQUEST_ID, ROUTE, VERSION

if TYPE_CHECKING:
    from types import TracebackType

    _ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


NONE = "none"
"""The route of a path that leads nowhere, and the version of a request that was refused before it was known."""
OTHER = "OTHER"
"""A method that HTTP doesn't have."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was answered. Nothing in it is of a client's choice beyond what the API has."""

    method: str
    route: str
    """The template, such as `/resource_providers/{uuid}`."""
    status: int
    version: str
    request_id: str
    seconds: float


class Watch(Protocol):
    """Who is told. Called by many threads."""

    def begins(self, method: str, environ: WSGIEnvironment) -> Callable[[Served], None]:
        """Hear that a request has come; give what is to be called when it was answered, in the same thread."""


class Observed:
    """A WSGI wrapper."""

    def __init__(self, app: WSGIApplication, watch: Watch, *, ticks: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._watch = watch
        self._ticks = ticks

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, and tell of it. Sending the answer to the client isn't part of the time."""
        method = environ["REQUEST_METHOD"]
        method = method if method in HTTP_METHODS else OTHER
        begun, status = self._ticks(), 500
        ends = self._watch.begins(method, environ)

        def start(
            line: str,
            headers: list[tuple[str, str]],
            exc_info: "_ExcInfo | None" = None,
        ) -> Any:  # noqa: ANN401 - the server's write function
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, exc_info)

        try:
            return self._app(environ, start)
        finally:
            ends(
                Served(
                    method=method,
                    route=environ.get(ROUTE, NONE),
                    status=status,
                    version=str(environ.get(VERSION, NONE)),
                    request_id=environ.get(REQUEST_ID, ""),
                    seconds=self._ticks() - begun,
                )
            )
