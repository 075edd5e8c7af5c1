"""The strategy for development: any token is taken for its word.

`x-auth-token: USER[:PROJECT]`, `x-project-id: PROJECT` over that (without both, the project is named like the user),
`x-roles: R1,R2` (without it, the user `admin` has the role admin and nobody else any), `openstack-system-scope: all`.
It proves nothing: serve it on loopback only.
"""

from roost.access.context import Claimed, Environ, Stranger


def identify(environ: Environ, claimed: Claimed) -> Stranger | None:
    """Write who the token names into the environment; without a token, nobody."""
    token = environ.get("HTTP_X_AUTH_TOKEN")
    if token is None:
        return Stranger()
    user, _, project = token.partition(":")
    environ["HTTP_X_USER_ID"] = user
    environ["HTTP_X_ROLES"] = claimed.get("HTTP_X_ROLES", "admin" if user == "admin" else "")
    if scope := claimed.get("HTTP_OPENSTACK_SYSTEM_SCOPE"):
        environ["HTTP_OPENSTACK_SYSTEM_SCOPE"] = scope
    else:
        environ["HTTP_X_PROJECT_ID"] = claimed.get("HTTP_X_PROJECT_ID") or project or user
    return None
