"""Odd texts in every place that takes any, on every kind of database: kept, or refused with nothing done."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from roost.storage.memory import MemoryStore
from roost.storage.port import Store
from roost.storage.sql.store import SQLStore
from tests.databases import KINDS, fresh_database
from tests.http.api import CHILD, HOST, SERVER, Client, claim

pytestmark = [pytest.mark.cwe_697, pytest.mark.cwe_707]

TEXTS = {
    "quotes": "'; DROP TABLE traits; -- \"`",
    "wildcards": "%_\\%s{}%(name)s",
    "spaces": " \t leading and trailing \t ",
    "line ends": "one\r\ntwo\n",
    "control": "bell\x07escape\x1b[31mdelete\x7f",
    "right to left": "\u202eevil\u202c שלום",
    "combining": "e\u0301 is not \u00e9",
    "beyond the basic plane": "\U0001f600",
    "just fits": "x" * 200,
    "markup": "<script>alert(1)</script>&amp;",
}
OLD = "old mariadb"
"""A MariaDB with the character set of old clouds, which lacks what is beyond the basic plane."""


@pytest.fixture(scope="module", params=["memory", *KINDS, pytest.param(OLD, marks=pytest.mark.mariadb)])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store."""
    return str(request.param)


@pytest.fixture(scope="module")
def store(kind: str) -> Iterator[Store]:
    """A store of each kind."""
    if kind == "memory":
        yield MemoryStore(clock=lambda: datetime.now(UTC))
        return
    with fresh_database(*(("mariadb", "utf8mb3") if kind == OLD else (kind,))) as url:
        store = SQLStore(url, clock=lambda: datetime.now(UTC))
        store.upgrade()
        yield store
        store.close()


@pytest.fixture
def keeps(kind: str) -> Callable[[str], bool]:
    """Whether a text can be kept: every text can, but by a database that lacks its letters."""
    return lambda text: kind != OLD or max(text) <= "\uffff"


@pytest.fixture
def client(store: Store) -> Client:
    """A client of a store that holds one host."""
    client = Client(store)
    client(f"DELETE /allocations/{SERVER}")
    for uuid in (CHILD, HOST):
        client(f"DELETE /resource_providers/{uuid}")
    client.host()
    return client


def books(client: Client) -> list[Any]:
    """All that is there."""
    questions = (
        "GET /resource_providers",
        f"GET /resource_providers/{HOST}/inventories",
        f"GET /resource_providers/{HOST}/aggregates",
        f"GET /allocations/{SERVER}",
        "GET /traits",
        "GET /resource_classes",
    )
    return [client(question).body for question in questions]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names_of_providers(client: Client, keeps: Callable[[str], bool], text: str) -> None:
    """A name is found again by itself alone, or was refused."""
    before = books(client)

    made = client("POST /resource_providers", {"name": text, "uuid": CHILD})

    assert made.status == (200 if keeps(text) else 400)
    if made.status == 400:
        assert books(client) == before
        return
    found = client(f"GET /resource_providers?name={quote(text)}").json()["resource_providers"]
    assert [it["name"] for it in found] == [text]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_new_names_of_providers(client: Client, keeps: Callable[[str], bool], text: str) -> None:
    """A rename is whole, or refused."""
    before = books(client)

    renamed = client(f"PUT /resource_providers/{HOST}", {"name": text})

    assert renamed.status == (200 if keeps(text) else 400)
    if renamed.status == 400:
        assert books(client) == before
    else:
        assert client(f"GET /resource_providers/{HOST}").json()["name"] == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("route", ["PUT /allocations/", "POST /allocations", "POST /reshaper"])
def test_projects_and_users(client: Client, keeps: Callable[[str], bool], route: str, text: str) -> None:
    """Who holds a claim is kept, and its usage is found by project and user; or nothing is claimed."""
    before = books(client)
    held = claim(project_id=text, user_id=text)
    stock = {"resource_provider_generation": 1, "inventories": {"VCPU": {"total": 8}}}
    bodies: dict[str, tuple[str, Any]] = {
        "PUT /allocations/": (route + SERVER, held),
        "POST /allocations": (route, {SERVER: held}),
        "POST /reshaper": (route, {"inventories": {HOST: stock}, "allocations": {SERVER: held}}),
    }

    request, body = bodies[route]
    claimed = client(request, body, x_auth_token="other", x_roles="admin,service", x_project_id="p")

    assert claimed.status == (204 if keeps(text) else 400)
    if claimed.status == 400:
        assert books(client) == before
        return
    shown = client(f"GET /allocations/{SERVER}").json()
    assert (shown["project_id"], shown["user_id"]) == (text, text)
    used = client(f"GET /usages?project_id={quote(text)}&user_id={quote(text)}").json()["usages"]
    assert used == {"INSTANCE": {"consumer_count": 1, "VCPU": 1}}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    "route",
    [
        "PUT /traits/{}",
        "GET /traits/{}",
        "DELETE /traits/{}",
        "GET /traits?name=startswith:{}",
        "PUT /resource_classes/{}",
        "GET /resource_classes/{}",
        "DELETE /resource_classes/{}",
        "GET /resource_providers/{}",
        "DELETE /resource_providers/{}",
        "GET /resource_providers/{}/inventories",
        "GET /resource_providers?member_of={}",
        "GET /resource_providers?required={}",
        "GET /resource_providers?resources={}:1",
        "GET /resource_providers?in_tree={}",
        "GET /allocation_candidates?resources={}:1",
        "GET /allocation_candidates?resources=VCPU:1&required={}",
        "GET /allocations/{}",
        "DELETE /allocations/{}",
        "GET /usages?project_id=p&consumer_type={}",
    ],
)
def test_paths_and_queries(client: Client, route: str, text: str) -> None:
    """What names nothing finds nothing and changes nothing; the server is never at fault."""
    before = books(client)

    answer = client(route.format(quote(text, safe="")))

    assert answer.status in (200, 400, 404)
    assert books(client) == before
