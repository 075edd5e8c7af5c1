"""The description itself: valid, whole, of the version that was asked for, and written once."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from roost.access import noauth2, rules
from roost.http.app import make_app
from roost.http.call import Settings, Site
from roost.http.handlers import openapi
from roost.http.microversions import history
from roost.http.microversions.history import Change, Microversion, Since
from roost.http.openapi import document as documents
from roost.http.openapi.forms import FORMS
from roost.http.operations import Method, Operation
from roost.http.routes import ROUTES
from roost.mirror.mirror import Mirror
from roost.service.claims import ClaimQueue
from tests.http.api import MOMENT, Client, policy
from tests.openapi.conforming import document
from tests.peer.wsgi import call
from tests.search.drawing import backwards

PATH = "/roost/openapi.json"
REPEATED = {
    "member_of": Change.REPEATED_MEMBER_OF,
    "required": Change.ANY_TRAITS,
}


@pytest.mark.parametrize("version", history.ALL, ids=str)
def test_valid(version: Microversion) -> None:
    """In every version it is OpenAPI 3.1, and no operation has the name of another."""
    told = document(str(version))
    names = [operation["operationId"] for path in told["paths"].values() for operation in path.values()]

    OpenAPIV31SpecValidator(told).validate()

    assert told["info"]["version"] == str(version)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("version", history.ALL, ids=str)
def test_whole(version: Microversion) -> None:
    """It tells of the operations that are served, and of no others."""
    served = {
        f"{name} {path}"
        for path, methods in ROUTES.items()
        for name, method in methods.items()
        if method.operations.at(version) is not None
    }

    paths = document(str(version))["paths"]
    assert served == {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def test_forms_and_rules_are_of_routes() -> None:
    """Each operation has its forms, and each but version discovery a rule that says what it is for; no more."""
    operations = {f"{name} {path}" for path, methods in ROUTES.items() for name in methods}
    ruled = {f"{pair['method']} {pair['path']}" for rule in rules.documented() for pair in rule.operations}

    assert FORMS.keys() == operations
    assert ruled == operations - {"GET /"}


@pytest.mark.parametrize(
    "header,query,described",
    [
        ({}, "", history.OLDEST),
        ({"openstack-api-version": "placement 1.20"}, "", history.named("1.20")),
        ({"openstack-api-version": "placement latest"}, "", history.NEWEST),
        ({"openstack-api-version": "placement 1.20"}, "?microversion=1.7", history.named("1.7")),
        ({}, "?microversion=latest", history.NEWEST),
    ],
)
def test_which_version(header: dict[str, str], query: str, described: Microversion) -> None:
    """The version of the request, unless it asks for the description of another; it is spoken to in its own."""
    answer = call(Client().app, "GET", PATH + query, headers={"x-auth-token": "someone", **header})

    assert answer.status == 200
    assert answer.json() == document(str(described))
    asked = {"placement latest": f"placement {history.NEWEST}"}
    spoken = header.get("openstack-api-version", f"placement {history.OLDEST}")
    assert answer.headers["openstack-api-version"] == asked.get(spoken, spoken)


@pytest.mark.parametrize("query", ["microversion=1.40", "microversion=", "microversion=newest", "version=1.1"])
def test_no_such_version(query: str) -> None:
    """A version that doesn't exist has no description."""
    answer = Client()(f"GET {PATH}?{query}")

    assert answer.status == 400
    assert "Invalid query string parameters" in answer.json()["errors"][0]["detail"]


def test_under_a_prefix() -> None:
    """Where the API is mounted, its paths begin."""
    client = Client()

    def mounted(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return client.app({**environ, "SCRIPT_NAME": "/placement"}, start)

    told = call(mounted, "GET", PATH, headers={"x-auth-token": "admin"}).json()

    assert told["servers"] == [{"url": "/placement"}]


def test_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A description is made for the first that asks; who asks again is sent the same bytes."""
    made: list[str] = []

    def describe(routes: Any, version: Microversion, mount: str) -> documents.Document:
        made.append(str(version))
        return documents.describe(routes, version, mount)

    monkeypatch.setattr(openapi, "describe", describe)
    client = Client()
    operation = Operation(openapi.showing(lambda: ROUTES), "roost:openapi:show")
    routes = {PATH: {"GET": Method(Since({Change.INITIAL: operation}))}}
    store = client.store
    site = Site(store, Mirror(store), ClaimQueue(store), Settings(), now=lambda: MOMENT, draw=backwards)
    client.app = make_app(site, noauth2.identify, policy(), routes)

    first, again, other = (client(f"GET {PATH}", version=version).body for version in ("1.3", "1.3", "1.4"))

    assert first == again != other
    assert made == ["1.3", "1.4"]


@pytest.mark.parametrize("name", REPEATED)
def test_what_may_be_repeated(name: str) -> None:
    """A parameter is a list from the version on in which all that is sent of it counts."""
    for version in filter(lambda version: version.has(Change.PROVIDERS_BY_TRAIT), history.ALL):
        told = document(str(version))["paths"]["/resource_providers"]["get"]["parameters"]
        (parameter,) = (it for it in told if it.get("name") == name)

        assert (parameter["schema"]["type"] == "array") == version.has(REPEATED[name])
