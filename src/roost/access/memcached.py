"""What all processes remember of tokens, in memcached, behind what this one remembers itself. Asks no Keystone.

It stands where keystonemiddleware has its cache of tokens, and is made of two of those. memcached may be away, slow, or
full of what nobody understands: then a token isn't remembered there, and no more than that.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, Protocol

from roost.access.context import Environ
from roost.access.door import BadStrategy
from roost.access.waiting import Meanwhile

LOG = logging.getLogger(__name__)

Told = dict[str, Any]
"""What Keystone tells of a token."""

SECONDS_FOR_MEMCACHED = 1
"""How long it is waited for where [keystone_authtoken]memcache_pool_socket_timeout is not set, and for a connection to
it where memcache_pool_conn_get_timeout isn't. It answers within milliseconds, or something is wrong with it."""


class Cache(Protocol):
    """The middleware's, as far as it is used here."""

    def get(self, token: str) -> Any:  # noqa: ANN401 - JSON of whoever wrote it
        """What is remembered of a token, if anything is."""

    def set(self, token: str, data: Told) -> None:
        """Remember it for the time that is configured."""


class SharedTokens:
    """Both memories. What Keystone said just now goes to both, so that both forget it at the same time."""

    def __init__(self, here: Cache, there: Cache, meanwhile: Meanwhile) -> None:
        """`here` is this process's, `there` memcached's. Who waits for that is inside of `meanwhile`."""
        self._here = here
        self._there = there
        self._meanwhile = meanwhile

    def initialize(self, _environ: Environ) -> None:
        """Do nothing: both have begun. The middleware asks for it at each request."""

    def get(self, token: str) -> Told | None:
        """What is remembered of a token, if anything is."""
        found = self._here.get(token) or self._ask(partial(self._there.get, token))
        return found if isinstance(found, dict) else None

    def set(self, token: str, told: Told) -> None:
        """Remember it, in this process even if it can be nowhere else."""
        self._here.set(token, told)
        self._ask(partial(self._there.set, token, told))

    def _ask(self, question: Callable[[], object]) -> object:
        try:
            with self._meanwhile():
                return question()
        except Exception as error:  # noqa: BLE001 - whatever is wrong there, Keystone knows the token
            LOG.warning("a token can't be remembered in memcached, or looked up there: %r", error)
            return None


def shared_tokens(middleware: Any, meanwhile: Meanwhile) -> SharedTokens:  # noqa: ANN401 - untyped
    """What stands where the middleware has its cache: that, and another of its own in memcached. Connects to none yet.

    Raises:
        BadStrategy: an address makes no sense, or a library is missing that the configuration asks for.

    """
    there = middleware._token_cache_factory()  # noqa: SLF001 - by itself it has one memory or the other
    try:
        there.initialize({})
        pool = there._cache_pool  # noqa: SLF001 - the same
        pool._pool._arguments["unpickler"] = _refuse  # noqa: SLF001 - only bytes are ever put there; a pickle can run code
        with pool.reserve():  # makes a client, which reads the addresses
            return SharedTokens(middleware._token_cache, there, meanwhile)  # noqa: SLF001 - the same
    except (ImportError, ValueError) as error:
        message = f"memcached can't be used as [keystone_authtoken] has it: {error}"
        raise BadStrategy(message) from None


def _refuse(*_pickle: object) -> NoReturn:
    raise ValueError("memcached holds what none of us put there")
