"""What stands between keystonemiddleware and its client of Keystone, so that each question has its bounds.

The client's own bounds are for each connection and each try, of which one question may need several, and its login is
one at a time behind a lock. So it is asked in a waiting room, and not by everybody while Keystone is away; and what it
still tries for a request that has given up ends soon.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Protocol

import requests
from keystoneauth1.exceptions import ConnectFailure, ConnectTimeout, DiscoveryFailure, SSLError
from keystoneauth1.session import TCPKeepAliveAdapter
from keystonemiddleware.auth_token import InvalidToken, ServiceError

from roost.access.context import IdentityAway
from roost.access.outage import Outage
from roost.access.waiting import Meanwhile, NoWord, WaitingRoom

LOG = logging.getLogger(__name__)

AT_ONCE = 16
"""Questions that one process asks at a time."""

_UNREACHED = (ConnectFailure, ConnectTimeout, DiscoveryFailure, SSLError)
"""No word of Keystone's own, as its refusals and errors are."""


class Client(Protocol):
    """The middleware's client of Keystone, as far as the middleware uses it."""

    www_authenticate_uri: str

    def verify_token(self, token: str, *, allow_expired: bool = ...) -> dict[str, Any]:
        """What Keystone tells of a token."""

    def invalidate(self) -> object:
        """Log in anew before the next question."""


class _Request(threading.local):
    """The request that this thread works for."""

    begun = 0.0


class BoundedClient:
    """A client that gives up. May be used by several threads."""

    def __init__(
        self,
        client: Client,
        seconds: float,
        meanwhile: Meanwhile = nullcontext,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is how long a request may wait for Keystone, for all its questions together."""
        self._client = client
        self._seconds = seconds
        self._meanwhile = meanwhile
        self._ticks = ticks
        self._room = WaitingRoom(AT_ONCE, meanwhile, ticks=ticks)
        self._outage = Outage(ticks=ticks)
        self._request = _Request()

    def begin(self) -> None:
        """Hear that this thread begins with another request."""
        self._request.begun = self._ticks()

    def left(self) -> float:
        """How long the request may still wait for which this thread works."""
        return self._request.begun + self._seconds - self._ticks()

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Let others go on while the request waits for somebody else, and don't count that to its time."""
        begun = self._ticks()
        try:
            with self._meanwhile():
                yield
        finally:
            self._request.begun += self._ticks() - begun

    @property
    def www_authenticate_uri(self) -> str:
        """Where strangers are sent, if the operator doesn't say. Keystone isn't asked."""
        return self._client.www_authenticate_uri

    def invalidate(self) -> object:
        """Log in anew before the next question."""
        return self._client.invalidate()

    def verify_token(self, token: str, *, allow_expired: bool = False) -> dict[str, Any]:
        """What Keystone tells of a token.

        Raises:
            IdentityAway: there is no answer in time, or none to be expected.
            Exception: what the client raises.

        """
        self._outage.enter()
        since = self._request.begun
        question = partial(self._ask, since, token, allow_expired=allow_expired)
        try:
            return self._room.ask(question, self.left())
        except NoWord:
            LOG.warning("nobody is let in: Keystone told nothing of a token within %g s", self._seconds)
            self._outage.silent(since)
            raise IdentityAway from None

    def _ask(self, since: float, token: str, *, allow_expired: bool) -> dict[str, Any]:
        """Ask, and take note of how that went, also where nobody waits for it any more."""
        self._request.begun = since  # in a thread of the room's
        try:
            told = self._client.verify_token(token, allow_expired=allow_expired)
        except _UNREACHED:
            self._outage.silent(since)
            raise
        except (InvalidToken, ServiceError):
            self._outage.answered()
            raise
        self._outage.answered()
        return told


class Punctual(TCPKeepAliveAdapter):
    """The transport of a client whose tries end with the time of the request."""

    def __init__(self, left: Callable[[], float]) -> None:
        super().__init__()
        self._left = left

    def send(self, request: requests.PreparedRequest, *, timeout: float, **options: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401 - as keystoneauth calls it
        """Try once, if there is time."""
        left = self._left()
        if left <= 0:
            raise requests.RequestException("the time of the request is over")
        return super().send(request, timeout=min(timeout, left), **options)
