"""A PostgreSQL is killed under load and its standby takes over: Roost goes on by itself, and nothing is lost.

By hand, there and back again and again: ROOST_FAILOVER_ROUNDS=10; other dice: ROOST_CRASH_SEED=7.
"""

import os
import random
from threading import Event

import pytest

from tests.end_to_end.api import Api
from tests.end_to_end.crowd import Verdict, acting
from tests.end_to_end.invariants import assert_sound
from tests.end_to_end.servers import serving, wait_until
from tests.end_to_end.standby import pair
from tests.end_to_end.test_crash import LEAST_SECONDS, LEAST_WRITES, MOST_SECONDS, ROLES, SEED, Crowd

pytestmark = [pytest.mark.xdist_group("failover"), pytest.mark.postgresql, pytest.mark.slow]

ROUNDS = int(os.environ.get("ROOST_FAILOVER_ROUNDS", "1"))
SECONDS_TO_GO_ON = 10
"""After the standby has taken over."""
SEARCH = "GET /allocation_candidates?resources=VCPU:1"
WORKERS = 2
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


def test_a_standby_takes_over() -> None:
    """SIGKILL of the primary, and its standby promoted: what was acknowledged is there, and the rest whole or absent.

    A server that was given both hosts stays up and goes on within seconds; its mirrors needn't read the cloud again.
    """
    dice = random.Random(SEED)
    with pair() as databases, serving(databases.url, workers=WORKERS) as (server,):
        api = Api(server.address, ROLES)
        crowd = Crowd(api, frozenset({Verdict.AWAY, Verdict.UNKNOWN}))
        acts = [*(each.act for each in crowd.members), lambda: search(api)]
        for _ in range(ROUNDS):
            with acting(acts, SEED) as over:
                crowd.wait(over, dice.uniform(LEAST_SECONDS, MOST_SECONDS))
                databases.primary.kill()
                databases.fail_over()
                await_writes(crowd, over)
            crowd.assert_intact(api)
            assert_searches_see(api)
            assert_sound(databases.primary.url)
            databases.renew()
        assert server.runs()
        assert "Unexpected exit" not in server.said()
        assert "bug: " not in server.said(), server.said()
        assert server.said().count("the mirror read ") == WORKERS, server.said()
    crowd.assert_busy()
