"""Who is asking. A context is made here and nowhere else; a handler can't run without one."""

import re
from dataclasses import dataclass
from typing import Any

from oslo_context.context import RequestContext

Environ = dict[str, Any]
Claimed = dict[str, Any]
"""What a client says of itself in headers that only a strategy may set."""

_IDENTITY = re.compile(
    r"HTTP_X_(?:SERVICE_(?!TOKEN\Z).*|(?:USER|PROJECT|TENANT|DOMAIN)(?:_.*)?|ROLES?|IS_ADMIN_PROJECT|IDENTITY_STATUS)\Z"
    r"|HTTP_OPENSTACK_SYSTEM_SCOPE\Z"
    r"|keystone\."
)
"""What says who is asking, in an environment. Servers write dashes and underscores of a header's name alike."""

_SEAL = object()
"""Shown by those who may make a context."""


class Context:
    """An authenticated caller: for the policy, and for the record of who changed what."""

    __slots__ = ("credentials",)

    def __init__(self, credentials: RequestContext, seal: object = None) -> None:
        if seal is not _SEAL:
            raise TypeError("only roost.access makes a context, of what a strategy has written")
        self.credentials = credentials

    @property
    def user(self) -> str:
        """The user's id, as the strategy knows it."""
        return self.credentials.user_id or ""

    @property
    def project(self) -> str:
        """The project's id, as the strategy knows it; empty where the caller has none."""
        return self.credentials.project_id or ""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A caller whom nobody vouches for."""

    challenge: str = ""
    """How it may become known: the value of WWW-Authenticate, where the strategy has one."""
    words: bytes = b""
    """What it is told, as JSON; the API's own words where there are none."""


class IdentityAway(Exception):
    """Who could say who is asking can't be reached, or can't be used as configured. Nobody is let in meanwhile."""


def without_identity(environ: Environ) -> Claimed:
    """Take away what a client claims to be; returns what was taken, for the strategy to use where it may."""
    return {key: environ.pop(key) for key in [*environ] if _IDENTITY.match(key)}


def context_of(environ: Environ) -> Context | None:
    """The caller that a strategy has written into the environment, or None where it wrote none."""
    credentials = RequestContext.from_environ(environ, overwrite=False)
    return None if credentials.user_id is None else Context(credentials, _SEAL)
