"""The strategy `noauth2`: a token says who, and headers say as what."""

from typing import Any

import pytest

from roost.access.context import Context, Environ, Stranger
from roost.access.door import admit
from roost.access.noauth2 import identify

pytestmark = pytest.mark.cwe_284

ROWS: list[tuple[dict[str, str], tuple[str, str, list[str], str | None]]] = [
    ({"X_AUTH_TOKEN": "joe"}, ("joe", "joe", [], None)),
    ({"X_AUTH_TOKEN": "joe:demo"}, ("joe", "demo", [], None)),
    ({"X_AUTH_TOKEN": "joe:demo", "X_PROJECT_ID": "other"}, ("joe", "other", [], None)),
    ({"X_AUTH_TOKEN": "admin"}, ("admin", "admin", ["admin"], None)),
    ({"X_AUTH_TOKEN": "admin", "X_ROLES": "reader, member"}, ("admin", "admin", ["reader", "member"], None)),
    ({"X_AUTH_TOKEN": "admin", "X_ROLES": ""}, ("admin", "admin", [], None)),
    ({"X_AUTH_TOKEN": "joe", "OPENSTACK_SYSTEM_SCOPE": "all"}, ("joe", "", [], "all")),
    ({"X_AUTH_TOKEN": "joe", "X_USER_ID": "admin", "X_ROLE": "admin"}, ("joe", "joe", [], None)),
]


@pytest.mark.parametrize("headers,expected", ROWS)
def test_who_a_token_names(headers: dict[str, str], expected: Any) -> None:
    """User, project, roles and scope."""
    environ: Environ = {"PATH_INFO": "/traits"} | {f"HTTP_{name}": value for name, value in headers.items()}
    caller = admit(environ, identify)
    assert isinstance(caller, Context)
    known = caller.credentials
    assert (caller.user, caller.project, known.roles, known.system_scope) == expected


def test_without_a_token_nobody_is_named() -> None:
    """Whatever else is claimed."""
    environ: Environ = {"PATH_INFO": "/traits", "HTTP_X_USER_ID": "admin", "HTTP_X_ROLES": "admin"}
    assert admit(environ, identify) == Stranger()
