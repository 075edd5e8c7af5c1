"""Every refusal has its reply, and every reply is reached by a request."""

from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from roost.http import errors, faults
from roost.http.call import Settings
from roost.http.limits import Limits
from roost.model import refusals
from roost.model.refusals import Refusal
from roost.search.query import Strategy
from roost.storage.port import OutcomeUnknown, Unavailable
from tests.http.api import CHILD, HOST, SERVER, Client, claim
from tests.peer.wsgi import call

pytestmark = [pytest.mark.cwe_703, pytest.mark.cwe_707]

NOBODY = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
_PROVIDER = f"/resource_providers/{HOST}"
_STOCK = {"total": 8}

# Each row: the refusal, the request, its body, and what else it needs (a version, headers).
_SIX_GROUPS = "&".join(["group_policy=none", *(f"resources{number}=VCPU:1" for number in range(6))])

ROWS: list[tuple[type[Refusal], str, object, dict[str, str]]] = [
    (faults.Forbidden, "GET /traits", None, {"x_auth_token": "joe"}),
    (faults.NoSuchRoute, "GET /nowhere", None, {}),
    (faults.NoSuchRouteYet, "GET /traits", None, {"version": "1.5"}),
    (faults.NoSuchMethod, "PATCH /traits", None, {}),
    (faults.NoSuchMethodYet, f"DELETE {_PROVIDER}/inventories", None, {"version": "1.4"}),
    (faults.BadVersion, "GET /traits", None, {"version": "one"}),
    (faults.UnknownVersion, "GET /traits", None, {"version": "1.40"}),
    (faults.NotAcceptable, "GET /traits", None, {"accept": "image/png"}),
    (faults.UnsupportedMedia, "POST /resource_providers", {}, {"content_type": "text/plain"}),
    (faults.ContentTypeMissing, "POST /resource_providers", {}, {"content_type": ""}),
    (faults.BadContentLength, "POST /resource_providers", None, {"content_length": "two"}),
    (faults.SearchUnfinished, f"GET /allocation_candidates?{_SIX_GROUPS}", None, {}),
    (faults.LengthMissing, "POST /resource_providers", {"name": "chunks"}, {"transfer_encoding": "chunked"}),
    (faults.LengthMissing, "POST /resource_providers", {"name": "lost"}, {"transfer_encoding": ""}),
    (faults.BodyTooLarge, "POST /resource_providers", b" " * 5000, {}),
    (faults.BodyCutShort, "POST /resource_providers", {"name": "half"}, {"content_length": "4000"}),
    (faults.QueryTooLong, "GET /traits?name=startswith:" + "A" * 61440, None, {"version": "latest"}),
    (faults.HeaderTooLarge, "GET /traits", None, {"x_long": "A" * 65536, "version": "latest"}),
    (faults.HeaderTooLarge, "GET /traits", None, {"content_type": "A" * 65536, "version": "latest"}),
    (faults.HeaderTooLarge, "GET /traits", None, {"content_length": "1" * 65536, "version": "latest"}),
    (faults.TooManyGroups, f"GET /allocation_candidates?{_SIX_GROUPS}&resources6=VCPU:1&resources7=VCPU:1", None, {}),
    (faults.MalformedJSON, "POST /resource_providers", b"{", {}),
    (faults.BadBody, "POST /resource_providers", {}, {}),
    (faults.BadQuery, "GET /resource_providers?size=1", None, {}),
    (faults.BadQueryValue, "GET /resource_providers?resources=VCPU", None, {}),
    (faults.BadGroupValue, "GET /allocation_candidates?resources=VCPU:1&same_subtree=", None, {}),
    (faults.GroupValueMissing, "GET /allocation_candidates", None, {}),
    (faults.RepeatedParameter, "GET /allocation_candidates?root_required=A&root_required=B", None, {}),
    (refusals.UnknownProvider, f"GET /resource_providers/{NOBODY}", None, {}),
    (refusals.UnknownProviderOfInventories, f"GET /resource_providers/{NOBODY}/inventories", None, {}),
    (refusals.UnknownProviderOfUsages, f"GET /resource_providers/{NOBODY}/usages", None, {}),
    (refusals.UnknownProviderOfAllocations, f"GET /resource_providers/{NOBODY}/allocations", None, {}),
    (refusals.UnknownProviderToDelete, f"DELETE /resource_providers/{NOBODY}", None, {}),
    (refusals.ProviderNameTaken, "POST /resource_providers", {"name": "host"}, {}),
    (refusals.ProviderUUIDTaken, "POST /resource_providers", {"name": "other", "uuid": HOST}, {}),
    (refusals.ProviderRenameTaken, f"PUT {_PROVIDER}", {"name": "child"}, {}),
    (refusals.ProviderNameMissing, "POST /resource_providers", {"name": ""}, {}),
    (
        refusals.ProviderItsOwnParent,
        "POST /resource_providers",
        {"name": "n", "uuid": NOBODY, "parent_provider_uuid": NOBODY},
        {},
    ),
    (refusals.UnknownParentOfNew, "POST /resource_providers", {"name": "n", "parent_provider_uuid": NOBODY}, {}),
    (refusals.UnknownParent, f"PUT {_PROVIDER}", {"name": "host", "parent_provider_uuid": NOBODY}, {}),
    (
        refusals.ReparentingNotAllowed,
        f"PUT /resource_providers/{CHILD}",
        {"name": "child", "parent_provider_uuid": SERVER},
        {"version": "1.36"},
    ),
    (
        refusals.UnparentingNotAllowed,
        f"PUT /resource_providers/{CHILD}",
        {"name": "child", "parent_provider_uuid": None},
        {"version": "1.36"},
    ),
    (refusals.TreeLoop, f"PUT {_PROVIDER}", {"name": "host", "parent_provider_uuid": CHILD}, {}),
    (refusals.ProviderHasChildren, f"DELETE {_PROVIDER}", None, {}),
    (refusals.ProviderHasAllocations, f"DELETE /resource_providers/{CHILD}", None, {}),
    (
        refusals.StaleInventories,
        f"PUT {_PROVIDER}/inventories",
        {"resource_provider_generation": 99, "inventories": {}},
        {},
    ),
    (
        refusals.ReservedTooMuch,
        f"POST {_PROVIDER}/inventories",
        {"resource_class": "DISK_GB", "total": 1, "reserved": 2},
        {},
    ),
    (refusals.UnknownClassToAdd, f"POST {_PROVIDER}/inventories", {"resource_class": "CUSTOM_NO", **_STOCK}, {}),
    (
        refusals.UnknownClassToSet,
        f"PUT {_PROVIDER}/inventories",
        {"resource_provider_generation": 1, "inventories": {"CUSTOM_NO": _STOCK}},
        {},
    ),
    (refusals.InventoryExists, f"POST {_PROVIDER}/inventories", {"resource_class": "VCPU", **_STOCK}, {}),
    (
        refusals.NoInventoryToUpdate,
        f"PUT {_PROVIDER}/inventories/DISK_GB",
        {"resource_provider_generation": 1, **_STOCK},
        {},
    ),
    (refusals.NoInventory, f"GET {_PROVIDER}/inventories/DISK_GB", None, {}),
    (refusals.NoInventoryToDelete, f"DELETE {_PROVIDER}/inventories/DISK_GB", None, {}),
    (refusals.UnknownClassToDelete, f"DELETE {_PROVIDER}/inventories/CUSTOM_NO", None, {}),
    (refusals.InventoryInUse, f"DELETE /resource_providers/{CHILD}/inventories/VCPU", None, {}),
    (
        refusals.SetInventoryInUse,
        f"PUT /resource_providers/{CHILD}/inventories",
        {"resource_provider_generation": 2, "inventories": {}},
        {},
    ),
    (refusals.AllInventoriesInUse, f"DELETE /resource_providers/{CHILD}/inventories", None, {}),
    (refusals.StaleProvider, f"PUT {_PROVIDER}/traits", {"resource_provider_generation": 99, "traits": []}, {}),
    (
        refusals.UnknownTraitsToSet,
        f"PUT {_PROVIDER}/traits",
        {"resource_provider_generation": 1, "traits": ["CUSTOM_NO"]},
        {},
    ),
    (refusals.UnknownTrait, "GET /traits/CUSTOM_NO", None, {}),
    (refusals.BadTraitName, "PUT /traits/NOT_CUSTOM", None, {}),
    (refusals.StandardTrait, "DELETE /traits/HW_CPU_X86_SSE", None, {}),
    (refusals.TraitInUse, "DELETE /traits/CUSTOM_WORN", None, {}),
    (refusals.UnknownClass, "GET /resource_classes/CUSTOM_NO", None, {}),
    (refusals.ClassExists, "POST /resource_classes", {"name": "CUSTOM_USED"}, {}),
    (refusals.ClassRenameTaken, "PUT /resource_classes/CUSTOM_FREE", {"name": "CUSTOM_USED"}, {"version": "1.6"}),
    (refusals.StandardClassToDelete, "DELETE /resource_classes/VCPU", None, {}),
    (refusals.StandardClassToRename, "PUT /resource_classes/VCPU", {"name": "CUSTOM_V"}, {"version": "1.6"}),
    (refusals.ClassInUse, "DELETE /resource_classes/CUSTOM_USED", None, {}),
    (refusals.StaleConsumer, f"PUT /allocations/{SERVER}", claim(1, CHILD, 99), {}),
    (refusals.UnknownProviderInClaim, f"PUT /allocations/{NOBODY}", claim(1, NOBODY), {}),
    (
        refusals.UnknownClassInClaim,
        f"PUT /allocations/{NOBODY}",
        claim(allocations={HOST: {"resources": {"CUSTOM_NO": 1}}}),
        {},
    ),
    (
        refusals.UnknownClassInClaims,
        "POST /allocations",
        {NOBODY: claim(allocations={HOST: {"resources": {"CUSTOM_NO": 1}}})},
        {},
    ),
    (
        refusals.NoInventoryToClaim,
        f"PUT /allocations/{NOBODY}",
        claim(allocations={HOST: {"resources": {"DISK_GB": 1}}}),
        {},
    ),
    (refusals.UnitsViolated, f"PUT /allocations/{NOBODY}", claim(7), {}),
    (refusals.CapacityExceeded, f"PUT /allocations/{NOBODY}", claim(8, CHILD), {}),
    (refusals.NoAllocations, f"DELETE /allocations/{NOBODY}", None, {}),
    (refusals.BadConsumerUUID, "PUT /allocations/somebody", claim(), {}),
    (
        refusals.UnknownProviderInReshape,
        "POST /reshaper",
        {"inventories": {NOBODY: {"resource_provider_generation": 0, "inventories": {}}}, "allocations": {}},
        {},
    ),
    (
        refusals.StaleProviderInReshape,
        "POST /reshaper",
        {"inventories": {HOST: {"resource_provider_generation": 99, "inventories": {}}}, "allocations": {}},
        {},
    ),
    (
        refusals.ReservedTooMuchInReshape,
        "POST /reshaper",
        {
            "inventories": {
                CHILD: {"resource_provider_generation": 2, "inventories": {"VCPU": {"total": 1, "reserved": 2}}}
            },
            "allocations": {},
        },
        {},
    ),
    (
        refusals.UnknownClassInReshape,
        "POST /reshaper",
        {
            "inventories": {CHILD: {"resource_provider_generation": 2, "inventories": {"CUSTOM_NO": _STOCK}}},
            "allocations": {},
        },
        {},
    ),
    (refusals.UnknownClassInQuery, "GET /allocation_candidates?resources=CUSTOM_NO:1", None, {}),
    (refusals.UnknownTraitInQuery, "GET /allocation_candidates?resources=VCPU:1&required=CUSTOM_NO", None, {}),
    (refusals.UnknownTraitInProviderQuery, "GET /resource_providers?required=CUSTOM_NO", None, {}),
]


def _kinds(root: type[Refusal]) -> Iterator[type[Refusal]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _kinds(kind)


ABSTRACT = {refusals.CannotCreateProvider, refusals.CannotMoveProvider, refusals.InUse}
"""Families: only their members are raised."""


@pytest.fixture
def client() -> Client:
    """A host with a child, a server's claim on the child, and names in use."""
    settings = Settings(
        limits=Limits(largest_body=4096, most_groups=7), strategy=Strategy(steps=5), refuse_unfinished=True
    )
    client = Client(settings=settings)
    client("PUT /resource_classes/CUSTOM_USED")
    client("PUT /resource_classes/CUSTOM_FREE")
    client("PUT /traits/CUSTOM_WORN")
    client("POST /resource_providers", {"name": "host", "uuid": HOST})
    client("POST /resource_providers", {"name": "server", "uuid": SERVER})
    client.host(CHILD, "child", parent_provider_uuid=HOST)
    stocks = {"VCPU": {"total": 8, "max_unit": 6}, "CUSTOM_USED": _STOCK}
    client(f"PUT {_PROVIDER}/inventories", {"resource_provider_generation": 0, "inventories": stocks})
    client(f"PUT /resource_providers/{SERVER}/traits", {"resource_provider_generation": 0, "traits": ["CUSTOM_WORN"]})
    assert client(f"PUT /allocations/{SERVER}", claim(1, CHILD)).status == 204
    return client


def test_every_refusal_has_a_reply() -> None:
    """The table has a row for each class that can be raised, and no other."""
    assert set(errors.REPLIES) == set(_kinds(Refusal)) - ABSTRACT


def test_every_reply_is_reached() -> None:
    """A request stands in the table of this test for each reply; but some need no caller, a database or time."""
    assert {row[0] for row in ROWS} == set(errors.REPLIES) - {
        faults.NoContext,
        faults.BodyTooSlow,
        faults.BodyLost,
        refusals.Unkeepable,
    }


@pytest.mark.parametrize("kind,request_line,body,more", ROWS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_request_draws_its_reply(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Refusal],
    request_line: str,
    body: object,
    more: dict[str, str],
) -> None:
    """It is refused by the class that the row names, in the API's one form, and nothing is changed."""
    raised: list[Exception] = []
    real = errors.answer

    def noting(error: Exception, *args: Any) -> errors.Answer:
        raised.append(error)
        return real(error, *args)

    monkeypatch.setattr(errors, "answer", noting)
    before = client.store.read(lambda reader: (reader.cloud(), reader.traits(), reader.resource_classes()))

    result = client(request_line, body, **more)

    assert [type(error) for error in raised] == [kind]
    (fault,) = result.json()["errors"]
    assert result.headers["content-type"] == "application/json"
    assert result.status == fault["status"] == errors.REPLIES[kind].status
    assert {"status", "title", "detail", "request_id"} <= set(fault)
    if "version" not in more:
        assert fault["code"] == errors.REPLIES[kind].code
    after = client.store.read(lambda reader: (reader.cloud(), reader.traits(), reader.resource_classes()))
    assert after == before


def test_a_request_without_a_token_is_refused(client: Client) -> None:
    """Nobody in particular gets 401 everywhere but at the root."""
    for path, status in (("/traits", 401), ("/nowhere", 401), ("/", 200)):
        result = call(client.app, "GET", path)

        assert result.status == status, path


def test_a_bug_is_shown_bare(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no refusal becomes a 500 that tells nothing but the request's id."""

    def broken(*_args: object) -> None:
        message = "SELECT secret FROM somewhere"
        raise RuntimeError(message)

    monkeypatch.setattr(client.store, "read", broken)

    result = client("GET /traits")

    assert result.status == 500
    assert "secret" not in str(result.body)
    assert result.json()["errors"][0]["request_id"] == result.headers["x-openstack-request-id"]


def test_a_body_that_the_server_lost(client: Client) -> None:
    """Where a client hangs up, uWSGI and mod_wsgi raise: that is the client's fault, and nothing is changed."""

    class Lost:
        def read(self, _size: int) -> bytes:
            raise OSError("error during read(64) on wsgi.input")

    app = client.app

    def losing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, "wsgi.input": Lost()}, start_response)

    client.app = losing
    result = client("POST /resource_providers", {"name": "lost"})

    assert result.status == 400
    assert result.json()["errors"][0]["detail"].split("\n\n")[1].strip() == "The body did not come whole."
    client.app = app
    assert b"lost" not in client("GET /resource_providers").body


def test_a_store_that_is_away_is_told_with_a_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 says when to come again."""

    def away(*_args: object) -> None:
        raise Unavailable

    monkeypatch.setattr(client.store, "read", away)

    result = client("GET /traits")

    assert (result.status, result.headers["retry-after"]) == (503, "1")


def test_an_unknown_outcome_is_told_as_one(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who might have been served is told to look, and not to come again at once."""

    def doubtful(*_args: object) -> None:
        raise OutcomeUnknown

    monkeypatch.setattr(client.store, "transact", doubtful)

    result = client("PUT /traits/CUSTOM_X")

    assert (result.status, "retry-after" in result.headers) == (503, False)
    assert "may have been carried out" in result.json()["errors"][0]["detail"]


@pytest.mark.parametrize("depth", [30, 100, 400, 700, 2000])
def test_deep_bodies_are_refused(client: Client, depth: int) -> None:
    """However deep a body is, it is refused as a bad request."""
    body = b'{"name": ' + b"[" * depth + b"]" * depth + b"}"

    assert client("POST /resource_providers", body).status in (400, 413)


@pytest.mark.parametrize(
    "request_line,headers,status",
    [
        ("GET /allocation_candidates?resources=VCPU:1&limit=9223372036854775808", {}, 200),
        ("GET /allocation_candidates?resources=VCPU:1&limit=" + "9" * 5000, {}, 200),
        ("GET /traits", {"content_length": "9" * 5000}, 400),
        ("DELETE /traits/A%00", {}, 404),
        ("GET /traits?name=startswith:" + "_" * 30_000, {}, 200),
        ("FOO /traits", {}, 405),
    ],
)
def test_numbers_and_names_beyond_all_bounds(
    client: Client, request_line: str, headers: dict[str, str], status: int
) -> None:
    """What is larger or longer than anything real is answered like anything else."""
    result = client(request_line, **headers)

    assert result.status == status
    assert result.headers.get("allow") == ("GET" if status == 405 else None)


def test_an_endless_negative_ratio_is_refused(client: Client) -> None:
    """A ratio that makes a capacity of minus infinity leaves nothing to claim."""
    stock = {"resource_class": "DISK_GB", "total": 2**31 - 1, "allocation_ratio": -1e308}

    assert client(f"POST {_PROVIDER}/inventories", stock).status == 400


def test_one_consumer_in_two_spellings_is_refused(client: Client) -> None:
    """A body that names one consumer twice can't be carried out as it says."""
    result = client("POST /allocations", {NOBODY: claim(1), NOBODY.upper(): claim(2)})

    assert result.status == 400


def test_a_long_detail_is_cut() -> None:
    """A large bad body does not draw a large error."""
    client = Client()
    client.host()
    traits = [f"CUSTOM_{number}" for number in range(2000)]

    result = client(f"PUT {_PROVIDER}/traits", {"resource_provider_generation": 1, "traits": traits})

    detail = result.json()["errors"][0]["detail"]
    assert result.status == 400
    assert detail.endswith(" [cut]")
    assert len(detail) == errors.LONGEST_DETAIL + len(" [cut]")


def test_a_reader_of_html_gets_html(client: Client) -> None:
    """A client that takes HTML and no JSON sees the same error as a page, with nothing of its own unescaped."""
    result = client("GET /traits/<script>", accept="text/html")

    assert result.status == 404
    assert result.headers["content-type"].startswith("text/html")
    assert "<script>" not in str(result.body)
