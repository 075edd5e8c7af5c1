"""`/healthcheck`: oslo.middleware's, with its options and forms, asking the database and the mirror."""

import logging
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from oslo_config import cfg
from oslo_middleware import Healthcheck
from oslo_middleware.healthcheck.pluginbase import HealthcheckResult
from stevedore.extension import Extension

from roost.http.aside import tells_of_a_proxy
from roost.mirror.mirror import Mirror
from roost.service.pulse import Silence
from roost.storage.port import Unavailable

if TYPE_CHECKING:
    from webob import Request, Response

LOG = logging.getLogger(__name__)

PATH = "/healthcheck"
METHODS = ("GET", "HEAD", "OPTIONS")
"""HAProxy's `option httpchk` asks by OPTIONS unless told otherwise, and oslo.middleware answers it like GET."""


class Signs:
    """A backend of oslo.middleware's healthcheck. What it says is for everybody: no URL, no driver's words."""

    def __init__(self, ping: Callable[[], object], mirror: Mirror) -> None:
        """Remember whom to ask.

        Args:
            ping: asks the database for a sign of life, and raises Unavailable or Silence in bounded time.
            mirror: is asked how it fares.

        """
        self._ping = ping
        self._mirror = mirror

    def healthcheck(self, server_port: int) -> HealthcheckResult:
        """Ask both."""
        del server_port
        figures = self._mirror.figures
        when = "never" if figures.in_step is None else f"{figures.in_step:%Y-%m-%d %H:%M:%S} UTC"
        details = f"the mirror has {figures.providers} providers, and was last known to be current: {when}"
        try:
            self._ping()
        except Silence as silence:
            return HealthcheckResult(available=False, reason=f"the database gives {silence}", details=details)
        except Unavailable as away:
            return HealthcheckResult(available=False, reason=str(away), details=details)
        except Exception:  # a bug of ours is no sign of health, and whoever asks must be answered
            LOG.exception("bug: the database's sign of life")
            return HealthcheckResult(available=False, reason="the check failed; the log tells why", details=details)
        if figures.in_step is None:
            return HealthcheckResult(available=False, reason="the mirror has read nothing yet", details=details)
        return HealthcheckResult(available=True, reason="OK", details=details)


class Health(Healthcheck):
    """The callable for the path. Backends that the operator names are asked too, after ours."""

    def __init__(self, app: WSGIApplication, conf: cfg.ConfigOpts, signs: Signs) -> None:
        """Let `app` answer those whom the operator's options shut out."""
        super().__init__(app, conf)
        ours: Extension[Any] = Extension("roost", None, Signs, signs)  # type: ignore[arg-type] # no entry point: we are here
        self._backends.extensions.insert(0, ours)
        self._ignores_proxied: bool = conf.healthcheck.ignore_proxied_requests

    def process_request(self, req: "Request") -> "Response | None":
        """Answer whom the operator's options don't shut out.

        Where oslo.middleware hears a proxy by what some headers say, we do by any name; and an address that is none is
        in no range.
        """
        if self._ignores_proxied and tells_of_a_proxy(req.environ):
            return None
        try:
            ip_address(req.remote_addr or "")
        except ValueError:
            req = type(req)(req.environ | {"REMOTE_ADDR": ""})
        return super().process_request(req)
