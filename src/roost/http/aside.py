"""Paths that are no part of the API: another callable answers them, before anybody is asked for a token.

What it doesn't answer, for method, size or a bug, is refused in the API's form.
"""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from roost.http import errors, faults
from roost.http.app import JSON, REQUEST_ID
from roost.http.limits import Limits, refuse_oversize
from roost.model.refusals import Refusal

Sources: TypeAlias = Sequence[IPv4Network | IPv6Network]


class BadSource(ValueError):
    """A text that is to name an address or a network, and doesn't."""


_PROXY = re.compile(
    r"HTTP_(?:"
    r"VIA\Z|CDN_LOOP\Z|MAX_FORWARDS\Z|(?:X_)?FORWARDED|(?:X_)?PROXY_|X_ORIGINAL_|X_ENVOY_|X_AMZN_|X_ARR_|X_AZURE_|CF_"
    r"|(?:\w+_)?(?:CLIENT|REAL|CONNECTING|CLUSTER_CLIENT|REMOTE)_(?:IP|ADDR|PORT)"
    r")"
)
"""By which headers a proxy tells of itself. Their names are enough: Granian empties a value that isn't ASCII, and where
a client spells a name with underscores too, one of the two values is lost."""


def sources_of(texts: Iterable[str]) -> Sources:
    """The networks that an operator named; an address is a network of one.

    Raises:
        BadSource: one of them is none.

    """
    try:
        return [ip_network(text, strict=False) for text in texts]
    except ValueError as error:
        message = f"[roost]metrics_sources: {error}"
        raise BadSource(message) from None


def tells_of_a_proxy(environ: WSGIEnvironment) -> bool:
    """Whether a request has any header by which proxies tell of themselves, whatever it says."""
    return any(_PROXY.match(name) for name in environ)


class Aside:
    """A WSGI wrapper that has one path answered elsewhere."""

    def __init__(
        self,
        app: WSGIApplication,
        path: str,
        inside: WSGIApplication,
        *,
        methods: tuple[str, ...],
        limits: Limits,
        sources: Sources | None = None,
    ) -> None:
        """Wrap.

        Args:
            app: answers all other paths, and this one for whoever isn't let in: as if nothing special were there.
            path: below where the API is mounted.
            inside: answers it.
            methods: that it answers.
            limits: the bounds of a request, as the API has them.
            sources: who is let in; None: everybody.

        """
        self._app = app
        self._path = path
        self._inside = inside
        self._methods = methods
        self._limits = limits
        self._sources = sources

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if environ.get("PATH_INFO") != self._path or not self._lets_in(environ):
            return self._app(environ, start_response)
        try:
            self._refuse_odd(environ)
            return self._inside(environ, start_response)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is answered, and a bug is logged
            return _refused(error, environ, start_response)

    def _refuse_odd(self, environ: WSGIEnvironment) -> None:
        refuse_oversize(environ, self._limits)
        if (method := environ["REQUEST_METHOD"]) not in self._methods:
            raise faults.NoSuchMethod(method=method, allowed=self._methods)

    def _lets_in(self, environ: WSGIEnvironment) -> bool:
        """Whether the client is one of the sources, and speaks for itself.

        Behind a proxy the address is the proxy's, or what a client wrote into a header: it tells nothing.
        """
        if self._sources is None:
            return True
        if tells_of_a_proxy(environ):
            return False
        try:
            address = ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._sources)


def _refused(error: Exception, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if not isinstance(error, Refusal):
        errors.log_bug(environ, error)
    answer = errors.answer(error, None, environ.get(REQUEST_ID, ""))
    body = answer.as_json()
    status = HTTPStatus(answer.status)
    headers = [("content-type", JSON), ("content-length", str(len(body))), *answer.headers.items()]
    start_response(f"{status.value} {status.phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
