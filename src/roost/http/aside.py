"""Paths that are no part of the API: another callable answers them, before anybody is asked for a token."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Sources: TypeAlias = Sequence[IPv4Network | IPv6Network]


class BadSource(ValueError):
    """A text that is to name an address or a network, and doesn't."""


_PROXIES = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
"""Headers by which proxies tell of themselves."""


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


class Aside:
    """A WSGI wrapper that has one path answered elsewhere."""

    def __init__(
        self, app: WSGIApplication, path: str, inside: WSGIApplication, sources: Sources | None = None
    ) -> None:
        """Wrap.

        Args:
            app: answers all other paths, and this one for whoever isn't let in: as if nothing special were there.
            path: below where the API is mounted.
            inside: answers it.
            sources: who is let in; None: everybody.

        """
        self._app = app
        self._path = path
        self._inside = inside
        self._sources = sources

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        ours = environ.get("PATH_INFO") == self._path and self._lets_in(environ)
        return (self._inside if ours else self._app)(environ, start_response)

    def _lets_in(self, environ: WSGIEnvironment) -> bool:
        """Whether the client is one of the sources, and speaks for itself.

        Behind a proxy the address is the proxy's, or what a client wrote into a header: it tells nothing.
        """
        if self._sources is None:
            return True
        if any(environ.get(name) for name in _PROXIES):
            return False
        try:
            address = ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._sources)
