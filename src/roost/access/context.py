"""Who is asking. A context is made here and nowhere else; a handler can't run without one."""

from typing import Any

from oslo_context.context import RequestContext

_IDENTITY_KEYS = tuple(
    f"HTTP_{name}"
    for name in (
        "X_USER_ID",
        "X_USER",
        "X_USER_NAME",
        "X_USER_DOMAIN_ID",
        "X_USER_DOMAIN_NAME",
        "X_TENANT_ID",
        "X_TENANT",
        "X_TENANT_NAME",
        "X_PROJECT_ID",
        "X_PROJECT_NAME",
        "X_PROJECT_DOMAIN_ID",
        "X_PROJECT_DOMAIN_NAME",
        "X_DOMAIN_ID",
        "X_DOMAIN_NAME",
        "X_ROLE",
        "X_ROLES",
        "X_IS_ADMIN_PROJECT",
        "X_IDENTITY_STATUS",
        "X_SERVICE_ROLES",
        "X_SERVICE_USER_ID",
        "X_SERVICE_CATALOG",
        "OPENSTACK_SYSTEM_SCOPE",
    )
)
"""What only an access strategy may set; from a client it is taken away."""

Environ = dict[str, Any]


class Context:
    """An authenticated caller: for the policy, and for the record of who changed what."""

    __slots__ = ("credentials",)

    def __init__(self, credentials: RequestContext) -> None:
        self.credentials = credentials

    @property
    def user(self) -> str:
        """The user's id, as the strategy knows it."""
        return self.credentials.user_id or ""

    @property
    def project(self) -> str:
        """The project's id, as the strategy knows it; empty where the caller has none."""
        return self.credentials.project_id or ""


def without_identity(environ: Environ) -> Environ:
    """Take away what a client claims to be; returns what was taken, for the strategy to use where it may."""
    return {key: environ.pop(key) for key in _IDENTITY_KEYS if key in environ}


def context_of(environ: Environ, request_id: str) -> Context | None:
    """The caller that a strategy has written into the environment, or None where it wrote none."""
    credentials = RequestContext.from_environ(environ, request_id=request_id, overwrite=False)
    return None if credentials.user_id is None else Context(credentials)
