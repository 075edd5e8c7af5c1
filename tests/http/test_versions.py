"""What each microversion brought: one request, answered before it and since."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from roost.http.microversions import history
from roost.http.microversions.history import CHANGES, Change, Since
from tests.http.api import CHILD, HOST, SERVER, Client, claim
from tests.peer.wsgi import Answer

pytestmark = pytest.mark.cwe_697

_PROVIDER = f"/resource_providers/{HOST}"
_CANDIDATES = "GET /allocation_candidates?resources=VCPU:1"
_OWNED = {"project_id": "project", "user_id": "user"}
_LISTED = {"allocations": [{"resource_provider": {"uuid": HOST}, "resources": {"VCPU": 1}}]}
_KEYED = {"allocations": {HOST: {"resources": {"VCPU": 1}}}, **_OWNED}
_AGGREGATE = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"


def cloud() -> Client:
    """A host with VCPU and a trait, a child that also has VCPU, and a server that holds one of the host's."""
    client = Client()
    client.host()
    client.host(CHILD, "child", parent_provider_uuid=HOST)
    client(f"PUT {_PROVIDER}/traits", {"resource_provider_generation": 1, "traits": ["HW_CPU_X86_SSE"]})
    client(f"PUT {_PROVIDER}/aggregates", {"resource_provider_generation": 2, "aggregates": [_AGGREGATE]})
    stock = {"resource_class": "DISK_GB", "total": 100}
    client(f"POST {_PROVIDER}/inventories", stock)
    assert client(f"PUT /allocations/{SERVER}", claim()).status == 204
    return client


@pytest.fixture
def client() -> Client:
    """The cloud of every row, made anew."""
    return cloud()


Look = Callable[[Answer], Any]


def _status(answer: Answer) -> int:
    return answer.status


def _keys(*path: str | int) -> Look:
    """The names in an object somewhere in the answer."""

    def look(answer: Answer) -> list[str]:
        here = answer.json()
        for step in path:
            here = here[step]
        return sorted(here)

    return look


def _links(answer: Answer) -> list[str]:
    return [link["rel"] for link in answer.json()["links"]]


def _has(name: str) -> Look:
    return lambda answer: name in answer.headers


def _requests(answer: Answer) -> int:
    return len(answer.json()["allocation_requests"])


# Each row: the change, the request, its body, how to look at the answer, what it was before and is since.
ROWS: list[tuple[Change, str, object, Look, Any, Any]] = [
    (Change.AGGREGATES, f"GET {_PROVIDER}/aggregates", None, _status, 404, 200),
    (Change.RESOURCE_CLASSES, "GET /resource_classes", None, _status, 404, 200),
    (Change.PROVIDERS_BY_AGGREGATE, f"GET /resource_providers?member_of={_AGGREGATE}", None, _status, 400, 200),
    (Change.PROVIDERS_BY_RESOURCES, "GET /resource_providers?resources=VCPU:1", None, _status, 400, 200),
    (Change.DELETE_ALL_INVENTORIES, f"DELETE /resource_providers/{CHILD}/inventories", None, _status, 405, 204),
    (Change.TRAITS, "GET /traits", None, _status, 404, 200),
    (Change.RESOURCE_CLASS_ENSURED, "PUT /resource_classes/CUSTOM_NEW", None, _status, 415, 201),
    (Change.ALLOCATION_OWNERS, f"PUT /allocations/{SERVER}", {**_LISTED, **_OWNED}, _status, 400, 204),
    (Change.PROJECT_USAGES, "GET /usages?project_id=project", None, _status, 404, 200),
    (Change.ALLOCATION_CANDIDATES, _CANDIDATES, None, _status, 404, 200),
    (
        Change.ALLOCATIONS_LINK,
        f"GET {_PROVIDER}",
        None,
        _links,
        ["self", "inventories", "usages", "aggregates", "traits"],
        ["self", "inventories", "usages", "aggregates", "traits", "allocations"],
    ),
    (
        Change.ALLOCATIONS_BY_PROVIDER,
        f"GET /allocations/{SERVER}",
        None,
        _keys(),
        ["allocations"],
        ["allocations", "project_id", "user_id"],
    ),
    (Change.CLAIMS_OF_MANY, "POST /allocations", {SERVER: _KEYED}, _status, 404, 204),
    (
        Change.NESTED_PROVIDERS,
        f"GET {_PROVIDER}",
        None,
        _keys(),
        ["generation", "links", "name", "uuid"],
        ["generation", "links", "name", "parent_provider_uuid", "root_provider_uuid", "uuid"],
    ),
    (Change.CACHE_HEADERS, f"GET {_PROVIDER}", None, _has("last-modified"), False, True),
    (Change.CANDIDATE_LIMIT, f"{_CANDIDATES}&limit=1", None, _status, 400, 200),
    (
        Change.CANDIDATE_TRAITS,
        _CANDIDATES,
        None,
        _keys("provider_summaries", HOST),
        ["resources"],
        ["resources", "traits"],
    ),
    (Change.PROVIDERS_BY_TRAIT, "GET /resource_providers?required=HW_CPU_X86_SSE", None, _status, 400, 200),
    (
        Change.AGGREGATE_GENERATIONS,
        f"GET {_PROVIDER}/aggregates",
        None,
        _keys(),
        ["aggregates"],
        ["aggregates", "resource_provider_generation"],
    ),
    (Change.CREATED_PROVIDER_SHOWN, "POST /resource_providers", {"name": "new"}, _status, 201, 200),
    (Change.CANDIDATES_BY_AGGREGATE, f"{_CANDIDATES}&member_of={_AGGREGATE}", None, _status, 400, 200),
    (Change.FORBIDDEN_TRAITS, f"{_CANDIDATES}&required=!HW_CPU_X86_SSE", None, _status, 400, 200),
    (
        Change.ERROR_CODES,
        "GET /resource_providers/none",
        None,
        _keys("errors", 0),
        ["detail", "request_id", "status", "title"],
        ["code", "detail", "request_id", "status", "title"],
    ),
    (
        Change.REPEATED_MEMBER_OF,
        f"GET /resource_providers?member_of={_AGGREGATE}&member_of={_AGGREGATE}",
        None,
        _status,
        400,
        200,
    ),
    (Change.GRANULAR_GROUPS, "GET /allocation_candidates?resources1=VCPU:1", None, _status, 400, 200),
    (
        Change.RESERVED_MAY_BE_ALL,
        f"PUT /resource_providers/{CHILD}/inventories/VCPU",
        {"resource_provider_generation": 1, "total": 1, "reserved": 1},
        _status,
        400,
        200,
    ),
    (
        Change.ALL_CLASSES_SUMMARISED,
        _CANDIDATES,
        None,
        _keys("provider_summaries", HOST, "resources"),
        ["VCPU"],
        ["DISK_GB", "VCPU"],
    ),
    (
        Change.CONSUMER_GENERATIONS,
        f"PUT /allocations/{SERVER}",
        {**_KEYED, "consumer_generation": 1, "allocations": {}},
        _status,
        400,
        204,
    ),
    (
        Change.NESTED_CANDIDATES,
        "GET /allocation_candidates?resources=DISK_GB:1&resources1=VCPU:1",
        None,
        _requests,
        1,
        2,
    ),
    (Change.RESHAPER, "POST /reshaper", {}, _status, 404, 400),
    (Change.CANDIDATES_IN_TREE, f"{_CANDIDATES}&in_tree={CHILD}", None, _status, 400, 200),
    (Change.FORBIDDEN_AGGREGATES, f"{_CANDIDATES}&member_of=!{_AGGREGATE}", None, _status, 400, 200),
    (Change.NAMED_GROUPS, "GET /allocation_candidates?resources_A=VCPU:1", None, _status, 400, 200),
    (
        Change.MAPPINGS,
        _CANDIDATES,
        None,
        _keys("allocation_requests", 0),
        ["allocations"],
        ["allocations", "mappings"],
    ),
    (Change.ROOT_REQUIRED, f"{_CANDIDATES}&root_required=HW_CPU_X86_SSE", None, _status, 400, 200),
    (
        Change.SAME_SUBTREE,
        "GET /allocation_candidates?resources1=VCPU:1&required2=HW_CPU_X86_SSE&same_subtree=1,2&group_policy=none",
        None,
        _status,
        400,
        200,
    ),
    (
        Change.REPARENTING,
        f"PUT /resource_providers/{CHILD}",
        {"name": "child", "parent_provider_uuid": None},
        _status,
        400,
        200,
    ),
    (
        Change.CONSUMER_TYPES,
        "GET /usages?project_id=project",
        None,
        _keys("usages"),
        ["VCPU"],
        ["INSTANCE"],
    ),
    (Change.ANY_TRAITS, f"{_CANDIDATES}&required=in:HW_CPU_X86_SSE,HW_CPU_X86_AVX", None, _status, 400, 200),
]


def test_history_has_no_hole() -> None:
    """The changes are numbered from 0 without a gap, and each has its own sentence."""
    assert [change.minor for change in CHANGES] == list(range(len(CHANGES)))
    assert len({change.sentence for change in CHANGES}) == len(CHANGES)


def test_every_change_has_its_row() -> None:
    """Each change but the first is shown by a request of this table."""
    assert [row[0] for row in ROWS] == list(CHANGES[1:])


@pytest.mark.parametrize(
    "change,request_line,body,look,before,since", ROWS, ids=lambda value: getattr(value, "name", "")
)
def test_a_change_shows(change: Change, request_line: str, body: object, look: Look, before: Any, since: Any) -> None:
    """The version before the change answers as it did, and the version of the change answers anew."""
    older = look(cloud()(request_line, body, version=CHANGES[change.minor - 1].number))
    newer = look(cloud()(request_line, body, version=change.number))

    assert (older, newer) == (before, since)


@pytest.mark.parametrize("version", history.NUMBERS)
def test_every_version_is_named_in_the_answer(client: Client, version: str) -> None:
    """The answer says which version it was made at, and that it varies by it."""
    answer = client("GET /resource_providers", version=version)

    assert answer.headers["openstack-api-version"] == f"placement {version}"
    assert answer.headers["vary"] == "openstack-api-version"


@pytest.mark.parametrize(
    "header,number",
    [
        ("", history.NUMBERS[0]),
        ("placement latest", history.NUMBERS[-1]),
        ("compute 2.90", history.NUMBERS[0]),
        ("compute 2.90, placement 1.7", "1.7"),
        ("PLACEMENT 1.7", "1.7"),
    ],
)
def test_the_header_is_read_as_the_guidelines_say(client: Client, header: str, number: str) -> None:
    """Several services may share the header; none for this one means the oldest version."""
    answer = client("GET /", openstack_api_version=header)

    assert answer.headers["openstack-api-version"] == f"placement {number}"


@pytest.mark.parametrize(
    "header,status",
    [
        ("placement 1.40", 406),
        ("placement 2.0", 406),
        ("placement x", 400),
        ("placement \xb2.\xb3", 400),
        ("placement 1.3\xb9", 400),
    ],
)
def test_a_version_that_is_none_is_refused(client: Client, header: str, status: int) -> None:
    """A version that does not exist is told with those that do; one that can't be read is a bad request."""
    answer = client("GET /", openstack_api_version=header)
    (fault,) = answer.json()["errors"]

    assert answer.status == status
    assert ("max_version" in fault) == (status == 406)
    assert "openstack-api-version" not in answer.headers


def test_a_value_begins_and_is_replaced() -> None:
    """Only beginnings are written: before the first there is nothing, and the last goes on."""
    value = Since({Change.TRAITS: "old", Change.RESHAPER: "new"})

    found = [value.at(version) for version in history.ALL]

    assert found == [None] * 6 + ["old"] * 24 + ["new"] * 10
    assert re.fullmatch(r"1\.\d+", Change.RESHAPER.number)
