"""What Roost tells beside the API: why a search finds what it finds, and how often a request fits."""

import json
import logging

import pytest

from roost.access import noauth2
from roost.http.app import make_app
from roost.http.call import Settings, Site
from roost.http.microversions.history import ALL, NUMBERS, Change
from roost.mirror.mirror import Mirror
from roost.search.query import Strategy
from roost.service.claims import ClaimQueue
from tests.http.api import CHILD, HOST, MOMENT, Client, claim, policy
from tests.search.drawing import backwards

WHY, FIT, SEARCH = "/roost/candidates/explain", "/roost/candidates/fit", "/allocation_candidates"
OTHER = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
PUBLIC = pytest.mark.parametrize("path", [WHY, FIT])


@pytest.fixture
def client() -> Client:
    """Two hosts, one of them with a child, and a claim on it."""
    client = Client()
    client.host()
    client.host(OTHER, "other", total=3)
    client.host(CHILD, "child", total=2, parent_provider_uuid=HOST)
    assert client(f"PUT /allocations/{OTHER}", claim(3, OTHER)).status == 204
    return client


def test_why(client: Client) -> None:
    """All of it, in JSON."""
    told = client(f"GET {WHY}?resources=VCPU:4&required=HW_CPU_X86_AVX2&root_required=!COMPUTE_NODE")
    assert told.status == 200
    assert told.headers["cache-control"] == "no-cache"
    answer = told.json()
    steps = answer.pop("steps")
    assert steps > 0
    lacks_trait = {"kind": "trait", "name": "HW_CPU_X86_AVX2"}
    assert answer == {
        "fits": False,
        "unfinished": False,
        "providers": 3,
        "trees": 2,
        "root": [{"condition": "root_required", "value": "!COMPUTE_NODE", "providers": 3, "trees": 2}],
        "groups": {
            "": {
                "stages": [
                    {"condition": "resources", "value": "VCPU:4", "providers": 1, "trees": 1},
                    {"condition": "required", "value": "HW_CPU_X86_AVX2", "providers": 0, "trees": 0},
                ],
                "nearest": [
                    {"uuid": HOST, "name": "host", "root_provider_uuid": HOST, "lacks": [lacks_trait]},
                    {
                        "uuid": OTHER,
                        "name": "other",
                        "root_provider_uuid": OTHER,
                        "lacks": [{"kind": "free", "name": "VCPU", "asked": 4, "has": 0}, lacks_trait],
                    },
                ],
                "largest": {"VCPU": None},
            }
        },
        "together": {
            "stages": [
                {"condition": "group", "value": "", "trees": 0},
                {"condition": "together", "value": "", "trees": 0},
            ],
            "nearest": [
                {"uuid": uuid, "name": name, "root_provider_uuid": uuid, "lacks": [{"kind": "group", "name": ""}]}
                for uuid, name in ((HOST, "host"), (OTHER, "other"))
            ],
        },
    }


def test_fit(client: Client) -> None:
    """In all and by root; `limit` bounds the roots."""
    client.host("eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee", "third", total=9)
    answer = client(f"GET {FIT}?resources=VCPU:3&limit=1").json()
    assert answer.pop("steps") > 0
    third = {"uuid": "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee", "name": "third", "count": 3, "exact": True}
    assert answer == {"count": 5, "exact": True, "unfinished": False, "trees": 2, "roots": [third]}
    bound = client(f"GET {FIT}?resources1=VCPU:2&resources2=VCPU:1&group_policy=none").json()
    assert (bound["count"], bound["exact"]) == (6, False)


@PUBLIC
def test_they_are_there_where_the_search_is(client: Client, path: str) -> None:
    """At the same versions, with the same refusal before."""
    for version, number in zip(ALL, NUMBERS, strict=True):
        there = client(f"GET {path}?resources=VCPU:1", version=number)
        search = client(f"GET {SEARCH}?resources=VCPU:1", version=number)
        assert there.status == search.status == (200 if version.has(Change.ALLOCATION_CANDIDATES) else 404)


@PUBLIC
@pytest.mark.parametrize(
    "query",
    ["", "resources=VCPU", "limit=0&resources=VCPU:1", "resources=CUSTOM_NO:1", "resources1=VCPU:1&same_subtree=2"],
)
def test_they_refuse_what_the_search_refuses(client: Client, path: str, query: str) -> None:
    """In the same words, at the newest version and at an old one."""
    for version in ("latest", NUMBERS[Change.CANDIDATE_LIMIT.minor]):
        ours, search = client(f"GET {path}?{query}", version=version), client(f"GET {SEARCH}?{query}", version=version)
        assert search.status == 400
        assert ours.status == 400
        assert [each["detail"] for each in ours.json()["errors"]] == [
            each["detail"] for each in search.json()["errors"]
        ]


@PUBLIC
@pytest.mark.parametrize("role,allowed", [("admin", True), ("service", True), ("reader", False)])
def test_who_may_ask(client: Client, path: str, role: str, allowed: bool) -> None:  # noqa: FBT001 - a row of a table
    """The administrator and services, as for the search, under both sets of defaults."""
    for new_defaults in (False, True):
        site = Site(client.store, Mirror(client.store), ClaimQueue(client.store), Settings(), lambda: MOMENT, backwards)
        client.app = make_app(site, noauth2.identify, policy(new_defaults=new_defaults))
        if role == "service" and not new_defaults:
            continue
        result = client(f"GET {path}?resources=VCPU:1", x_auth_token="someone", x_roles=role)
        assert result.status == (200 if allowed else 403)


@PUBLIC
def test_an_answer_that_is_cut_says_so(path: str) -> None:
    """In the search's header, and in the answer; it is not refused, whatever is configured for searches."""
    client = Client(settings=Settings(strategy=Strategy(steps=0), refuse_unfinished=True))
    client.host()
    cut = client(f"GET {path}?resources=VCPU:1")
    assert (cut.status, cut.headers["roost-search-unfinished"], cut.json()["unfinished"]) == (200, "steps", True)
    assert "roost-search-unfinished" not in Client()(f"GET {path}?resources=VCPU:1").headers


def test_one_line_is_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Of fields that can be read back, and nothing that a client sends begins a line or a field."""
    with caplog.at_level(logging.INFO, logger="roost.http.handlers.candidate_counts"):
        client(f"GET {WHY}?resources=VCPU:4&required=!CUSTOM_A%0A,\u2028fits=true")
        client(f"GET {WHY}?resources=VCPU:4&limit=1")
        client(f"GET {FIT}?resources=VCPU:4")
    (record,) = [each for each in caplog.records if each.name.endswith("candidate_counts")]
    line = record.getMessage()
    assert line.isprintable()
    head, _, fields = line.partition(" request_id=")
    assert head == "candidates explained"
    told = dict(word.split("=", 1) for word in f"request_id={fields}".split(" "))
    assert json.loads(told["query"]) == "resources=VCPU:4&limit=1"
    assert json.loads(told["groups"]) == json.loads(told["group_providers"]) == {"": [1]}
    assert json.loads(told["largest"]) == {"": {"VCPU": 8}}
    assert json.loads(told["nearest"]) == {"": [OTHER]}
    assert (told["fits"], told["providers"], told["trees"], told["together"]) == ("true", "3", "2", "[1,1]")
