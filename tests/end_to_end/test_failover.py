"""A PostgreSQL is killed under load and its standby takes over: Roost goes on by itself, and nothing is lost.

By hand, there and back again and again: ROOST_FAILOVER_ROUNDS=10; other dice: ROOST_CRASH_SEED=7.
"""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.end_to_end.api import Api
from tests.end_to_end.crowd import Verdict, acting, judge
from tests.end_to_end.invariants import assert_sound
from tests.end_to_end.servers import Server, serving, wait_until
from tests.end_to_end.standby import Pair, pair
from tests.end_to_end.test_crash import LEAST_SECONDS, LEAST_WRITES, MOST_SECONDS, ROLES, SEED, Crowd

pytestmark = [
    pytest.mark.xdist_group("failover"),
    pytest.mark.postgresql,
    pytest.mark.slow,
    pytest.mark.cwe_435,
    pytest.mark.cwe_703,
]

ROUNDS = int(os.environ.get("ROOST_FAILOVER_ROUNDS", "1"))
SECONDS_TO_GO_ON = 10
"""After the standby has taken over."""
SEARCH = "GET /allocation_candidates?resources=VCPU:1"
READ_ALL = "the mirror read "
"""What a server says of each worker that has read the whole cloud."""
WORKERS = 2
SECONDS_OF_SILENCE = 1
"""Enough for an answer that must not come."""
ASKED = 8
"""Searches, of which each worker gets some."""


def search(api: Api) -> bool:
    """Search as schedulers do. A primary that is away costs time or a 503 that says when to ask again."""
    answer = api(SEARCH)
    assert answer.ok or (answer.status_code == 503 and "retry-after" in answer.headers), answer.text
    return True


def assert_searches_see(api: Api) -> None:
    """Searches propose by what is used now."""
    for _ in range(ASKED):
        summaries = api.succeed(SEARCH)["provider_summaries"]
        assert summaries
        shown = {uuid: summary["resources"]["VCPU"]["used"] for uuid, summary in summaries.items()}
        assert shown == {uuid: api.usages(uuid)["VCPU"] for uuid in shown}


def await_writes(crowd: Crowd, over: Event) -> None:
    """Wait until the crowd's writes are granted again."""
    enough = crowd.writes() + LEAST_WRITES
    wait_until(
        lambda: over.is_set() or crowd.writes() >= enough,
        SECONDS_TO_GO_ON,
        lambda: f"only {crowd.writes()} writes of {enough}",
    )


@pytest.fixture(scope="module")
def databases() -> Iterator[Pair]:
    """A primary; each test gives it a standby, and kills it."""
    with pair() as databases:
        yield databases


@pytest.fixture(scope="module")
def server(databases: Pair) -> Iterator[Server]:
    """One that was given both hosts."""
    with serving(databases.url, workers=WORKERS) as (server,):
        yield server


def test_a_standby_takes_over(databases: Pair, server: Server) -> None:
    """SIGKILL of the primary, and its standby promoted: what was acknowledged is there, and the rest whole or absent.

    The server stays up and goes on within seconds; its mirrors needn't read the cloud again.
    """
    dice = random.Random(SEED)
    api = Api(server.address, ROLES)
    crowd = Crowd(api, frozenset({Verdict.AWAY, Verdict.UNKNOWN}))
    acts = [*(each.act for each in crowd.members), lambda: search(api)]
    assert_searches_see(api)
    read = server.said().count(READ_ALL)
    for _ in range(ROUNDS):
        databases.follow()
        with acting(acts, SEED) as over:
            crowd.wait(over, dice.uniform(LEAST_SECONDS, MOST_SECONDS))
            databases.fail_over()
            await_writes(crowd, over)
        crowd.assert_intact(api)
        assert_searches_see(api)
        assert_sound(databases.primary.url)
    assert server.runs()
    assert "Unexpected exit" not in server.said()
    assert "bug: " not in server.said(), server.said()
    assert server.said().count(READ_ALL) == read, server.said()
    crowd.assert_busy()


def test_nothing_is_acknowledged_that_the_standby_lacks(databases: Pair, server: Server) -> None:
    """A claim waits while the standby can't have it; it is granted, and once, when the standby has taken over."""
    api = Api(server.address)
    databases.follow()
    provider = api.make_provider({"VCPU": 2})
    databases.part()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.claim, provider, {"VCPU": 1})
        with pytest.raises(TimeoutError):
            waiting.result(SECONDS_OF_SILENCE)
        databases.fail_over()
        assert judge(waiting.result(SECONDS_TO_GO_ON)) is Verdict.DONE
    assert api.usages(provider) == {"VCPU": 1}
    assert_searches_see(api)


def test_searches_see_what_a_failover_lost(databases: Pair, server: Server) -> None:
    """A standby that nobody waits for may lack the last commits. They are gone, and no search counts them any more."""
    api = Api(server.address)
    databases.follow(synchronous=False)
    provider = api.make_provider({"VCPU": 2})
    databases.part()
    assert judge(api.claim(provider, {"VCPU": 1})) is Verdict.DONE
    assert_searches_see(api)
    databases.fail_over()
    assert_searches_see(api)
    assert api.usages(provider) == {"VCPU": 0}
    assert_sound(databases.primary.url)
