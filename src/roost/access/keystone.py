"""The strategy for clouds: Keystone vouches for the token, and keystonemiddleware asks it.

The middleware guards a stand-in, not the API: what it hands on to the stand-in is let in, and what it answers itself a
stranger is told word for word. So it is used through nothing but WSGI, and never sees an answer of the API's.
"""

import logging
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any
from wsgiref.types import StartResponse

import webob
from keystoneauth1.exceptions import ClientException
from keystonemiddleware import auth_token
from keystonemiddleware.exceptions import ConfigurationError
from oslo_config import cfg

from roost.access.asking import BoundedClient, Punctual
from roost.access.context import Claimed, Environ, IdentityAway, Stranger
from roost.access.door import BadStrategy
from roost.access.memcached import SECONDS_FOR_MEMCACHED, shared_tokens
from roost.access.tokens import Tokens
from roost.access.waiting import Meanwhile

LOG = logging.getLogger(__name__)

GROUP = "keystone_authtoken"
SECONDS_TO_ANSWER = 10
"""How long a request may wait for Keystone where [keystone_authtoken]http_connect_timeout is not set."""

LONGEST_TOKEN = 4096
"""Characters. Keystone's are of some hundreds; one that its server refuses for its length would look like an outage."""

_SENT = ("HTTP_X_AUTH_TOKEN", "HTTP_X_STORAGE_TOKEN", "HTTP_X_SERVICE_TOKEN")
_TOKENS = "roost.tokens"
_POOL = "memcache_use_advanced_pool"
"""Always on: the other pool has a connection for each thread, and none of the bounds that an operator can set."""
_DOOR = "roost.door"


class _Door:
    """One request before the middleware: whether it was let in, and what was said otherwise."""

    def __init__(self) -> None:
        self.opened = False
        self.challenge = ""

    def start_response(self, _status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Any:  # noqa: ANN401 - WSGI's
        self.challenge = dict(headers).get("WWW-Authenticate", "")


class Keystone:
    """Asks one Keystone. May be used by several threads."""

    def __init__(self, conf: cfg.ConfigOpts, meanwhile: Meanwhile = nullcontext) -> None:
        for group, options in auth_token.list_opts():
            conf.register_opts(options, group)
        conf.set_default("http_connect_timeout", SECONDS_TO_ANSWER, GROUP)
        for name in ("memcache_pool_socket_timeout", "memcache_pool_conn_get_timeout"):
            conf.set_default(name, SECONDS_FOR_MEMCACHED, GROUP)
        if not conf[GROUP].auth_type and not conf[GROUP].auth_section:
            message = f"[{GROUP}]auth_type is not set: name the way to log in to Keystone, `password` for example"
            raise BadStrategy(message)
        ours = {"oslo_config_config": conf, "delay_auth_decision": False, "cache": _TOKENS, _POOL: True}
        try:
            self._middleware = auth_token.AuthProtocol(_let_in, ours)
        except (ClientException, ConfigurationError, OSError) as error:
            message = f"[{GROUP}] can't be used: {error}"
            raise BadStrategy(message) from None
        client = self._middleware._identity_server  # noqa: SLF001 - it alone needs bounds: what is remembered needs none
        self._client = BoundedClient(client, conf[GROUP].http_connect_timeout, meanwhile)
        self._middleware._identity_server = self._client  # noqa: SLF001 - the same
        for scheme in ("http://", "https://"):
            self._middleware._session.mount(scheme, Punctual(self._client.left))  # noqa: SLF001 - the client's
        self._tokens = Tokens()
        self._remember(conf)

    def _remember(self, conf: cfg.ConfigOpts) -> None:
        """Keep what Keystone confirms in this process, and in memcached if the operator names one."""
        made = self._middleware
        made._token_cache.initialize({_TOKENS: self._tokens})  # noqa: SLF001 - by itself it has one memory or the other
        if conf[GROUP].memcached_servers and conf[GROUP].token_cache_time > 0:  # memcached takes 0 for ever
            made._token_cache = shared_tokens(made, self._client.elsewhere)  # noqa: SLF001 - the same

    def identify(self, environ: Environ, _claimed: Claimed) -> Stranger | None:
        """Write whom Keystone knows by the token into the environment."""
        if any(len(environ.get(key, "")) > LONGEST_TOKEN for key in _SENT):
            for key in _SENT:
                environ.pop(key, None)
        environ[_DOOR] = door = _Door()
        self._client.begin()
        try:
            said = b"".join(self._middleware(environ, door.start_response))
        except IdentityAway:
            raise
        except Exception as error:  # whatever it is, a half-configured plugin's bare Exception too: nobody is let in
            foreseen = isinstance(error, ClientException)
            LOG.error("nobody is let in: Keystone can't be asked: %s", error, exc_info=not foreseen)  # noqa: TRY400 - a traceback only of what nobody foresaw
            raise IdentityAway from error
        if door.opened:
            return None
        if not door.challenge:  # it is Keystone that is at fault, not the token
            raise IdentityAway
        return Stranger(door.challenge, said)


def _let_in(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The stand-in behind the middleware."""
    environ[_DOOR].opened = True
    nothing: Iterable[bytes] = webob.Response()(environ, start_response)
    return nothing
