"""A server, or its database, is killed amid a stream of writes: nothing acknowledged is lost, and nothing is half done.

By hand, more rounds: ROOST_CRASH_ROUNDS=100 for servers, ROOST_CRASH_DATABASE_ROUNDS=20 for databases; other dice:
ROOST_CRASH_SEED=7; and a database that is away for longer than a request waits: ROOST_CRASH_OUTAGE=12.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from threading import Event

import pytest

from tests.databases import KINDS, fresh_database
from tests.end_to_end.api import Api
from tests.end_to_end.crowd import MEGABYTES, SHARE, Claimant, Reshaper, Verdict, acting, amounts, make_pair
from tests.end_to_end.invariants import Books, assert_sound, breaches
from tests.end_to_end.own_databases import own_database
from tests.end_to_end.servers import serving, wait_until

pytestmark = [pytest.mark.xdist_group("crash"), pytest.mark.cwe_664, pytest.mark.cwe_703]

ROUNDS = int(os.environ.get("ROOST_CRASH_ROUNDS", "3"))
DATABASE_ROUNDS = int(os.environ.get("ROOST_CRASH_DATABASE_ROUNDS", "2"))
OUTAGE = float(os.environ.get("ROOST_CRASH_OUTAGE", "0"))
SEED = int(os.environ.get("ROOST_CRASH_SEED", "3"))

LEAST_SECONDS, MOST_SECONDS = 0.3, 0.7
LEAST_WRITES = 30
"""Of a stream before something is killed in it."""
SECONDS_TO_WRITE = 60
CLAIMANTS = 4
RESHAPERS = 2
ROOM = 20
AMPLE = 10**6

ROLES = "admin,service"


class Crowd:
    """Those who write, on providers of their own making."""

    def __init__(self, api: Api, bears: frozenset[Verdict]) -> None:
        memory = {"MEMORY_MB": AMPLE * MEGABYTES}
        self._ample = api.make_provider(memory | {"VCPU": AMPLE})
        tight = [api.make_provider(memory | {"VCPU": ROOM}) for _ in range(3)]
        self._claimants = [
            Claimant([api], random.Random(f"{SEED} claimant {n}"), bears=bears, providers=[*tight, self._ample])
            for n in range(CLAIMANTS)
        ]
        self._reshapers = []
        for number in range(RESHAPERS):
            root, child = make_pair(api)
            dice = random.Random(f"{SEED} reshaper {number}")
            self._reshapers.append(Reshaper([api], dice, bears=bears, root=root, child=child))

    @property
    def members(self) -> Sequence[Claimant | Reshaper]:
        """All of them."""
        return [*self._claimants, *self._reshapers]

    @property
    def tally(self) -> Counter[str]:
        """What all of them did."""
        return sum((each.tally for each in self.members), Counter[str]())

    def writes(self) -> int:
        """How many of their writes were acknowledged; can be asked while they write."""
        kinds = ("claim", "claim anew", "move", "release", "reshape")
        return sum(each.tally[f"{kind}: done"] for each in self.members for kind in kinds)

    def wait(self, over: Event, seconds: float) -> None:
        """Let them write for a time, and until they have written something."""
        enough = self.writes() + LEAST_WRITES
        over.wait(seconds)
        wait_until(
            lambda: over.is_set() or self.writes() >= enough, SECONDS_TO_WRITE, lambda: f"only {self.writes()} writes"
        )

    def assert_intact(self, api: Api) -> None:
        """All that was acknowledged is there; what was in doubt is there as a whole or not at all.

        From now on all speak to this server, for those consumers too that were in doubt.
        """
        for each in self.members:
            each.apis = [api]
        doubtful = {number: each.settle(api) for number, each in enumerate(self.members)}
        wrong = [fault for each in self.members for fault in each.faults(api)]
        books = Books.of(api)
        wrong += breaches(books)
        claimed = {consumer for claims in books.claims.values() for consumer in claims}
        known = {consumer for each in self.members for consumer in each.books}
        wrong += [f"{consumer} holds something, and nobody claimed it" for consumer in claimed - known]
        assert not wrong, f"seed {SEED}: {wrong}"
        for number, consumers in doubtful.items():
            self._claim_again(self.members[number], consumers)

    def _claim_again(self, client: Claimant | Reshaper, consumers: Sequence[str]) -> None:
        for consumer in consumers:
            place, wish = (client.place(), SHARE) if isinstance(client, Reshaper) else (self._ample, amounts(1))
            client.claim_again(consumer, {place: wish})

    def assert_busy(self) -> None:
        """Say what was done, and assert that it was enough to prove something."""
        tally = self.tally
        print(*sorted(tally.items()), sep="\n")  # noqa: T201 - what a long run by hand has done
        assert all(tally[f"{kind}: done"] for kind in ("claim", "claim anew", "move", "release", "reshape")), tally


@pytest.fixture
def pauses() -> random.Random:
    """Dice for how long a stream goes on."""
    return random.Random(SEED)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_is_killed(kind: str, pauses: random.Random) -> None:
    """SIGKILL of all a server's processes loses nothing that was acknowledged, and leaves nothing half done."""
    crowd: Crowd | None = None
    with fresh_database(kind) as database:
        for _ in range(ROUNDS):
            with serving(database, workers=2) as (server,):
                api = Api(server.address, ROLES)
                crowd = crowd or Crowd(api, frozenset({Verdict.UNKNOWN}))
                crowd.assert_intact(api)
                with acting([each.act for each in crowd.members], SEED) as over:
                    crowd.wait(over, pauses.uniform(LEAST_SECONDS, MOST_SECONDS))
                    server.kill()
        with serving(database) as (server,):
            assert crowd is not None
            crowd.assert_intact(Api(server.address, ROLES))
        assert_sound(database)
    crowd.assert_busy()
    assert crowd.tally["doubtful: absent"] + crowd.tally["doubtful: carried out"], "nothing was in flight when it died"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_is_killed(kind: str, pauses: random.Random) -> None:
    """SIGKILL of the database and its restart cost requests time, or a 503 that says when to ask again: nothing else.

    The server stays up, and what it acknowledged before, meanwhile and since is there.
    """
    with own_database(kind) as database, serving(database.url, workers=2) as (server,):
        api = Api(server.address, ROLES)
        crowd = Crowd(api, frozenset({Verdict.AWAY, Verdict.UNKNOWN}))
        for _ in range(DATABASE_ROUNDS):
            with acting([each.act for each in crowd.members], SEED) as over:
                crowd.wait(over, pauses.uniform(LEAST_SECONDS, MOST_SECONDS))
                database.kill()
                time.sleep(OUTAGE)
                database.start()
                over.wait(LEAST_SECONDS)
            crowd.assert_intact(api)
        assert_sound(database.url)
        assert server.runs()
        assert "Unexpected exit" not in server.said()
        assert "bug: " not in server.said(), server.said()
    crowd.assert_busy()
