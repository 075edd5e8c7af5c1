"""Asks Roost, or the peer, in this process, as each kind of caller: one request, one answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from tests.access.identity import Identity
from tests.access.table import Row
from tests.databases import fresh_database
from tests.peer import application
from tests.peer.wsgi import Answer, call

NOTHING = "5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a"
"""Of no provider and no consumer."""

CALLERS = (
    *("admin", "service", "manager", "member", "reader", "foreign_reader"),
    *("domain_admin", "system_admin", "unscoped", "expired+service", "reader+service"),
    *("nobody", "garbage", "expired", "revoked", "admin+garbage"),
)
"""Each a token's name, or two: a user's, and the one of a service that speaks for it."""


def headers_of(caller: str, identity: Identity) -> dict[str, str]:
    """The tokens that a caller of this kind sends."""
    tokens = {**identity.tokens, "garbage": "garbage"}
    user, _, service = caller.partition("+")
    sent = {} if user == "nobody" else {"x-auth-token": tokens[user]}
    return sent | ({"x-service-token": tokens[service]} if service else {})


def ask(app: WSGIApplication, row: Row, caller: Mapping[str, str], identity: Identity) -> Answer:
    """Send a row's request. A body, where there is one, is of the wrong form, so that nothing is changed."""
    headers = {**caller, "accept": "application/json", "openstack-api-version": f"placement {row.version}"}
    body = None
    if row.method in {"PUT", "POST"}:
        headers["content-type"], body = "application/json", b"[]"
    path = row.path.format(home=identity.home, elsewhere=identity.elsewhere, uuid=NOTHING)
    return call(app, row.method, path, headers=headers, body=body)


@contextmanager
def served(judged: str, settings: application.Overrides, *, new_defaults: bool = False) -> Iterator[WSGIApplication]:
    """Roost or the peer, on an empty database."""
    with fresh_database("sqlite") as database:
        application.sync(database, judged=judged)
        app = application.start(database, enforce_new_defaults=new_defaults, overrides=settings, judged=judged)
        try:
            yield app
        finally:
            application.stop(app, judged=judged)
