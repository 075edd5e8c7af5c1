"""The outermost station: gives each request its id, each answer what browsers need, and the log a line for each.

Knows nothing of the API, nor of what stands beside it.
"""

import logging
import re
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_context.context import RequestContext
from oslo_middleware.request_id import ENV_REQUEST_ID, HTTP_RESP_HEADER_REQUEST_ID

from roost.http.app import REQUEST_ID
from roost.http.loglines import as_field

if TYPE_CHECKING:
    from types import TracebackType

    _ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

LOG = logging.getLogger(__name__)

_LATIN_1 = 0xFF

_REQUEST_ID = HTTP_RESP_HEADER_REQUEST_ID.lower()

_GUESS_NOTHING = ("x-content-type-options", "nosniff")
"""Tells browsers to take the answer for what it says it is."""

_ID = re.compile(r"req-[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}\Z")


class RequestLog:
    """A WSGI wrapper."""

    def __init__(self, app: WSGIApplication, quiet: Container[str] = ()) -> None:
        """`quiet` are paths that machines ask for every few seconds: what goes well there is told at DEBUG only."""
        self._app = app
        self._quiet = quiet

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, and log how it was answered."""
        _mend_path(environ)
        context = RequestContext(global_request_id=_global_id(environ), overwrite=True)
        environ[REQUEST_ID] = environ[ENV_REQUEST_ID] = context.request_id

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: "_ExcInfo | None" = None,
        ) -> Any:  # noqa: ANN401 - the server's write function
            self._log(environ, status, headers)
            return start_response(status, [*headers, _GUESS_NOTHING, (_REQUEST_ID, context.request_id)], exc_info)

        return self._app(environ, start)

    def _log(self, environ: WSGIEnvironment, status: str, headers: list[tuple[str, str]]) -> None:
        """One line, in which nothing that a client sent can begin another."""
        is_quiet = environ.get("PATH_INFO") in self._quiet and status.startswith("2")
        level = logging.DEBUG if is_quiet else logging.INFO
        if not LOG.isEnabledFor(level):
            return
        length = next((value for name, value in headers if name.lower() == "content-length"), "-")
        LOG.log(
            level,
            '%s "%s %s" status: %s len: %s microversion: %s',
            as_field(environ.get("REMOTE_ADDR", "-")).replace(" ", r"\x20"),
            as_field(environ["REQUEST_METHOD"]),
            as_field(_uri(environ)),
            status.partition(" ")[0],
            length,
            environ.get("roost.version", "-"),
        )


def _mend_path(environ: WSGIEnvironment) -> None:
    """Write the path as WSGI wants it: its bytes as latin-1. Servers do; interceptors of test suites may not."""
    path: str = environ.get("PATH_INFO", "")
    if not path.isascii() and any(ord(character) > _LATIN_1 for character in path):
        environ["PATH_INFO"] = path.encode("utf-8", "surrogatepass").decode("latin-1")


def _global_id(environ: WSGIEnvironment) -> str | None:
    """The id under which other services know the request, if the client sent one of the right form."""
    sent: str = environ.get("HTTP_X_OPENSTACK_REQUEST_ID", "")
    return sent if _ID.match(sent) else None


def _uri(environ: WSGIEnvironment) -> str:
    query = environ.get("QUERY_STRING")
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return f"{path}?{query}" if query else path
