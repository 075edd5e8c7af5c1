"""The door fails closed: no claim of a client's survives it, and behind it nothing runs for somebody unknown."""

from wsgiref.types import WSGIApplication

import pytest
from keystonemiddleware.auth_token._request import _AuthTokenRequest
from oslo_context import context as oslo_context
from oslo_context.context import RequestContext

from roost.access.context import Claimed, Context, Environ, IdentityAway, Stranger, without_identity
from roost.access.door import OPEN_PATHS, Strategy, admit
from roost.access.noauth2 import identify
from roost.http.app import make_app
from roost.http.call import Call, Reply, Settings, Site, done
from roost.http.microversions.history import NEWEST, Change, Since
from roost.http.operations import Method
from roost.http.routes import ROUTES
from roost.mirror.mirror import Mirror
from roost.service.claims import ClaimQueue
from roost.storage.memory import MemoryStore
from tests.access.asking import served
from tests.http.api import HOST, MOMENT, policy
from tests.peer.wsgi import call
from tests.search.drawing import backwards

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_693]

KEPT = {"HTTP_X_AUTH_TOKEN", "HTTP_X_STORAGE_TOKEN", "HTTP_X_SERVICE_TOKEN"}
"""What a client is meant to send: a token proves itself."""

PRODUCED = {"openstack.request_id", "openstack.global_request_id"}
"""What no header becomes; the request log writes them."""


FOR_EVERYBODY_KNOWN = {"/roost/openapi.json"}
"""What is shown to whoever has a token, without a role."""


def owned() -> set[str]:
    """Every key by which the libraries in use tell who is asking, by their own lists."""
    request = _AuthTokenRequest({})
    sent = {f"HTTP_{name.upper().replace('-', '_')}" for name in request._all_auth_headers()}
    read = {key for keys in oslo_context._ENVIRON_HEADERS.values() for key in keys}
    more = {"HTTP_X_ROLES", "HTTP_X_ROLE", "HTTP_X_SERVICE_ROLES", "HTTP_X_IS_ADMIN_PROJECT"}
    return sent | read | more | {request._TOKEN_AUTH, request._TOKEN_INFO}


def nobody(_environ: Environ, _claimed: Claimed) -> Stranger | None:
    """A strategy that writes nothing, and says nothing either."""
    return None


def away(_environ: Environ, _claimed: Claimed) -> Stranger | None:
    """A strategy that can't tell."""
    raise IdentityAway


def broken(_environ: Environ, _claimed: Claimed) -> Stranger | None:
    """A strategy with a bug."""
    raise ZeroDivisionError


def test_what_says_who_is_asking_is_taken_away() -> None:
    """All that the middleware and the context know, so that a new header of theirs is noticed here."""
    environ: Environ = dict.fromkeys(owned() | {"HTTP_ACCEPT", "REQUEST_METHOD"}, "admin")

    claimed = without_identity(environ)

    assert set(environ) == KEPT | PRODUCED | {"HTTP_ACCEPT", "REQUEST_METHOD"}
    assert set(claimed) == owned() - KEPT - PRODUCED


def test_only_the_door_makes_a_context() -> None:
    """A handler's caller can't be made up by a handler, or by a test."""
    with pytest.raises(TypeError, match=r"^only roost\.access makes a context, of what a strategy has written$"):
        Context(RequestContext(user_id="admin", roles=["admin"], overwrite=False))


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
def test_an_open_path_believes_nobody(path: str) -> None:
    """Nobody is asked there, and what a client says of itself is gone all the same."""
    environ: Environ = {"PATH_INFO": path, "HTTP_X_ROLES": "admin", "HTTP_X_AUTH_TOKEN": "admin"}

    assert admit(environ, broken) is None
    assert "HTTP_X_ROLES" not in environ


def test_a_request_without_a_path_is_for_the_root() -> None:
    """WSGI lets a server leave an empty path out."""
    assert admit({}, broken) is None


def test_a_caller_is_known_to_its_own_request_only() -> None:
    """Nothing of it stays with the thread, which serves others after it."""
    caller = admit({"PATH_INFO": "/traits", "HTTP_X_AUTH_TOKEN": "joe"}, identify)

    assert isinstance(caller, Context)
    assert caller.user == "joe"
    assert oslo_context.get_current() is not caller.credentials


@pytest.mark.parametrize("path", ["/traits", "//", "/./", "/healthcheck/", "/healthcheck/x", "/?", " /", "/\0"])
def test_every_other_path_asks(path: str) -> None:
    """Also one that is nearly open."""
    assert isinstance(admit({"PATH_INFO": path, "HTTP_X_USER_ID": "admin"}, nobody), Stranger)


@pytest.fixture
def ran() -> list[str]:
    """The handlers that ran."""
    return []


def recording(ran: list[str], strategy: Strategy) -> WSGIApplication:
    """Every route, guarded as it is, with handlers that only note that they ran."""

    def handler(call: Call) -> Reply:
        ran.append(call.environ["PATH_INFO"])
        return done()

    def noted(method: Method) -> Method:
        operation = method.operations.at(NEWEST)
        assert operation is not None
        return Method(Since({Change.INITIAL: operation._replace(handler=handler, target=None)}))

    store = MemoryStore(clock=lambda: MOMENT)
    site = Site(store, Mirror(store), ClaimQueue(store), Settings(), lambda: MOMENT, backwards)
    routes = {path: {name: noted(method) for name, method in methods.items()} for path, methods in ROUTES.items()}
    return make_app(site, strategy, policy(), routes)


@pytest.mark.parametrize(
    "strategy,status,version",
    [(nobody, 401, "1.39"), (away, 503, "1.39"), (broken, 500, "1.39"), (identify, 403, "1.39"), (nobody, 401, "9.9")],
)
def test_no_handler_runs_for_somebody_unknown(ran: list[str], strategy: Strategy, status: int, version: str) -> None:
    """Whatever a strategy does, and whatever a client says of itself; but for what is open, or for everybody known."""
    app = recording(ran, strategy)
    sent = {name.removeprefix("HTTP_").replace("_", "-"): "admin" for name in owned() if name.startswith("HTTP_")}
    sent |= {"x-auth-token": "joe", "x-roles": "", "openstack-api-version": f"placement {version}"}
    sent |= {"openstack-system-scope": "", "content-type": "application/json"}
    for path, methods in ROUTES.items():
        for method in methods:
            place = path.format(uuid=HOST, name="X", resource_class="VCPU", consumer_uuid=HOST)
            answer = call(app, method, place, headers=sent, body=b"{}" if method in {"PUT", "POST"} else None)
            free = path in OPEN_PATHS or (strategy is identify and path in FOR_EVERYBODY_KNOWN)
            assert free or answer.status == status, (method, path)
    assert OPEN_PATHS.union(FOR_EVERYBODY_KNOWN if strategy is identify else ()).issuperset(ran)


def test_every_handler_runs_for_an_administrator(ran: list[str]) -> None:
    """So that the test above is not about handlers that never run."""
    app = recording(ran, identify)
    sent = {"x-auth-token": "a", "x-roles": "admin,service", "openstack-api-version": "placement 1.39"}
    for path, methods in ROUTES.items():
        for method in methods:
            place = path.format(uuid=HOST, name="X", resource_class="VCPU", consumer_uuid=HOST)
            call(app, method, place, headers={**sent, "content-type": "application/json"}, body=b"{}")
    assert len(ran) == sum(map(len, ROUTES.values()))


FORWARDED = [
    {"x-forwarded-proto": "https", "x-forwarded-host": "cloud.example", "x-forwarded-prefix": "/placement"},
    {"forwarded": "proto=https;host=cloud.example", "x-forwarded-prefix": "/placement"},
]


@pytest.mark.parametrize("sent", FORWARDED, ids=["X-Forwarded", "Forwarded"])
@pytest.mark.parametrize("told", [False, True])
def test_a_proxys_headers_are_believed_only_when_told_so(sent: dict[str, str], told: bool) -> None:  # noqa: FBT001 - a row of a table
    """Without enable_proxy_headers_parsing any client could write them."""
    headers = {"x-auth-token": "admin", "content-type": "application/json", **sent}
    with served("roost", {("oslo_middleware", "enable_proxy_headers_parsing"): told}) as app:
        made = call(app, "POST", "/resource_providers", headers=headers, body=b'{"name": "a"}')
    assert made.headers["location"].startswith("https://cloud.example/placement/" if told else "http://judge.test/res")
