"""The table of routes: guarded, versioned, and complete in what it refuses."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from falcon.constants import COMBINED_METHODS

from roost.access import noauth2
from roost.http.app import RouteWithoutRule, make_app
from roost.http.call import Call, Reply, Settings, Site, done
from roost.http.microversions.history import Change, Since
from roost.http.operations import Method, Operation
from roost.http.routes import ROUTES
from roost.mirror.mirror import Mirror
from roost.service.claims import ClaimQueue
from roost.storage.memory import MemoryStore
from tests.http.api import HOST, MOMENT, Client, policy
from tests.peer.wsgi import call
from tests.search.drawing import backwards

pytestmark = [pytest.mark.cwe_284, pytest.mark.cwe_693]


def _site() -> Site:
    store = MemoryStore(clock=lambda: MOMENT)
    return Site(store, Mirror(store), ClaimQueue(store), Settings(), lambda: MOMENT, backwards)


def _nothing(_call: Call) -> Reply:
    return done()


@pytest.mark.parametrize("rule", [None, "placement:not:a:rule"])
def test_a_route_without_a_rule_does_not_start(rule: str | None) -> None:
    """An application with a route that nobody guards is never made."""
    routes = {**ROUTES, "/open": {"GET": Method(Since({Change.INITIAL: Operation(_nothing, rule)}))}}

    with pytest.raises(RouteWithoutRule):
        make_app(_site(), noauth2.identify, policy(), routes)


def test_every_route_asks_for_a_caller() -> None:
    """Without a token every route but the root answers 401, whatever the method."""
    client = Client()
    for path, methods in ROUTES.items():
        for method in methods:
            result = call(
                client.app, method, path.format(uuid=HOST, name="X", resource_class="VCPU", consumer_uuid=HOST)
            )

            assert result.status == (200 if path == "/" else 401), (method, path)


def test_other_methods_are_refused_with_those_allowed() -> None:
    """405 names the methods that a route has."""
    client = Client()
    for path, methods in ROUTES.items():
        result = client("PATCH " + path.format(uuid=HOST, name="X", resource_class="VCPU", consumer_uuid=HOST))

        assert (result.status, result.headers["allow"]) == (405, ", ".join(methods)), path


@pytest.mark.parametrize("method", [*COMBINED_METHODS, "FOO", "get", "websocket", "*", "A" * 10_000])
def test_any_method_is_a_method(method: str) -> None:
    """None that a framework keeps for itself goes another way: who asks, where to, and then whether it may."""
    client = Client()

    assert call(client.app, method, "/traits").status == 401
    assert client(f"{method} /nowhere").status == 404
    result = client(f"{method} /traits")

    if method != "GET":
        assert (result.status, result.headers["allow"]) == (405, "GET")
        told = result.json()["errors"][0]["detail"] if method != "HEAD" else f"The method {method[:5000]}"
        assert told.startswith(f"The method {method[:5000]}")


@pytest.mark.parametrize(
    "host,where",
    [
        ("cloud.example:8778", "http://cloud.example:8778"),
        ("placement_api", "http://placement_api"),
        ("[::1]:80", "http://[::1]"),
        ("", "http://judge.test"),
        *(
            (odd, "")
            for odd in ("evil/..//x", 'a"b', "a,b", "a b", "user@host", "a:b", "a:", "::1", "\xe9", "a\n", "a#b")
        ),
    ],
)
def test_a_location_repeats_no_odd_host(host: str, where: str) -> None:
    """What can't be a host isn't repeated to whoever follows the location: it is a path then."""
    result = Client()("POST /resource_classes", {"name": "CUSTOM_A"}, host=host)

    assert (result.status, result.headers["location"]) == (201, f"{where}/resource_classes/CUSTOM_A")


@pytest.mark.parametrize("path", ["/traits/", "/resource_providers//", "/resource_providers/", "/allocations/", "//"])
def test_an_empty_part_of_a_path_leads_nowhere(path: str) -> None:
    """A trailing or doubled slash is another path, and there is none."""
    assert Client()(f"GET {path}").status == 404


def test_a_client_cannot_say_who_it_is() -> None:
    """Identity headers that only an access strategy may set are taken away."""
    result = Client()(
        "GET /traits", x_auth_token="joe", x_user_id="admin", x_role="admin", x_identity_status="Confirmed"
    )

    assert result.status == 403


def test_links_and_locations_carry_the_mount_point() -> None:
    """Under a prefix, paths begin with it."""
    client = Client()

    def mounted(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        mount = {"SCRIPT_NAME": "/placement", "HTTP_HOST": "cloud.example:443", "wsgi.url_scheme": "https"}
        return client.app({**environ, **mount}, start)

    body = b'{"name": "host", "uuid": "%s"}' % HOST.encode()
    headers = {"x-auth-token": "admin", "openstack-api-version": "placement latest", "content-type": "application/json"}
    result = call(mounted, "POST", "/resource_providers", headers=headers, body=body)

    assert result.json()["links"][0]["href"] == f"/placement/resource_providers/{HOST}"
    assert result.headers["location"] == f"https://cloud.example/placement/resource_providers/{HOST}"


@pytest.mark.parametrize(
    "roles,new_defaults,allowed",
    [("admin", False, True), ("admin", True, False), ("service", True, True), ("reader", False, False)],
)
def test_who_may_reshape(roles: str, new_defaults: bool, allowed: bool) -> None:  # noqa: FBT001 - a row of a table
    """The new defaults ask for the role service; the old ones let the administrator in as well."""
    app = make_app(_site(), noauth2.identify, policy(new_defaults=new_defaults))
    client = Client()
    client.app = app

    result = client("POST /reshaper", {}, x_auth_token="someone", x_roles=roles)

    assert result.status == (400 if allowed else 403)
