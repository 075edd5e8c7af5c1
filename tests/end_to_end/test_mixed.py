"""All kinds of writes at once, through two servers, with readers among them: no promise is broken, and none is lost.

By hand for longer, or with other dice: ROOST_MIXED_SECONDS=60 ROOST_MIXED_SEED=7.
"""

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.databases import KINDS, fresh_database
from tests.end_to_end.api import Api
from tests.end_to_end.crowd import Claimant, Client, Reshaper, Verdict, acting, make_pair, note
from tests.end_to_end.invariants import Books, assert_sound, breaches
from tests.end_to_end.neighbours import AMPLE, ROOM, Operator, Squatter, stock
from tests.end_to_end.servers import serving, wait_until
from tests.end_to_end.watching import Reader

pytestmark = [pytest.mark.xdist_group("mixed"), pytest.mark.cwe_435]

SECONDS = float(os.environ.get("ROOST_MIXED_SECONDS", "5"))
MOST_SECONDS = 60
"""After that, until every kind of write has succeeded once."""
SEED = int(os.environ.get("ROOST_MIXED_SEED", "3"))

READS_BACK = 0.2
ROLES = "admin,service"
WRITES = ["claim", "claim anew", "move", "release", "share", "reshape", "squat", "leave"]
WRITES += ["restock", "reparent", "mark", "join"]


@dataclass
class Cast:
    """Everybody who acts, and what they act on."""

    apis: Sequence[Api]
    pool: list[str] = field(default_factory=list)
    """Providers that grow and shrink."""
    ample: list[str] = field(default_factory=list)
    """Providers that have room for all."""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    racks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the providers."""
        maker = self.apis[0]
        room = {name: entry["total"] for name, entry in stock(ROOM).items()}
        self.pool = [maker.make_provider(room) for _ in range(2)]
        self.ample = [maker.make_provider(room | {"VCPU": AMPLE}) for _ in range(2)]
        self.pairs = [make_pair(maker) for _ in range(2)]
        self.racks = [maker.make_provider({}) for _ in range(2)]

    def clients(self) -> list[Claimant | Reshaper | Squatter | Operator]:
        """Those who write."""
        trees = [*self.pool, *self.roots()]
        operator = Operator(self.apis, _dice("operator"), pool=self.pool, roots=trees, racks=self.racks)
        return [
            *(Claimant(self.apis, _dice(f"crowd {n}"), READS_BACK, providers=self.pool) for n in range(4)),
            Claimant(self.apis, _dice("content"), READS_BACK, providers=self.ample, refusals=frozenset()),
            *(self.reshaper(*pair) for pair in self.pairs),
            Squatter(self.apis, _dice("squatter"), pairs=self.pairs),
            operator,
        ]

    def reshaper(self, root: str, child: str) -> Reshaper:
        """One who moves inventory with all claims on it, the squatters' too."""
        fair = frozenset({Verdict.STALE})
        dice = _dice(f"reshaper {self.roots().index(root)}")
        reshaper = Reshaper(self.apis, dice, READS_BACK, root=root, child=child, refusals=fair)
        reshaper.begin()
        return reshaper

    def reader(self, name: str, sharers: Sequence[Client]) -> Reader:
        """One who reads."""
        most = dict.fromkeys(self.pool, ROOM) | dict.fromkeys(self.ample, AMPLE)
        providers = [*self.pool, *self.ample, *self.racks, *(uuid for pair in self.pairs for uuid in pair)]
        books = [client.books for client in sharers]
        return Reader(self.apis, _dice(name), providers, most, dict(self.pairs), books)

    def roots(self) -> list[str]:
        """The roots of those trees that are reshaped."""
        return [root for root, _ in self.pairs]


def _dice(name: str) -> random.Random:
    return random.Random(f"{SEED} {name}")


def _missing(clients: Sequence[Client]) -> list[str]:
    """Kinds of writes that none of them has succeeded with yet."""
    return [kind for kind in WRITES if not any(client.tally[f"{kind}: done"] for client in clients)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_mixed_load(kind: str) -> None:
    """While all writes go on, no reader sees half of one; afterwards the state is what was last acknowledged.

    A claim is refused only for want of room, and another write only if a generation that it stated was stale. No
    generation goes back.
    """
    with fresh_database(kind) as database, serving(database, database, workers=2) as servers:
        cast = Cast([Api(server.address, ROLES) for server in servers])
        clients = cast.clients()
        sharers = [each for each in clients if isinstance(each, Reshaper | Squatter)]
        readers = [cast.reader(f"reader {n}", sharers) for n in range(2)]
        with acting([each.act for each in (*clients, *readers)], SEED) as over:
            over.wait(SECONDS)
            wait_until(lambda: over.is_set() or not _missing(clients), MOST_SECONDS, lambda: f"{_missing(clients)}")
        books = Books.of(cast.apis[0])
        wrong = [fault for client in clients for fault in client.faults(cast.apis[1])]
        assert_sound(database)

    tally = sum((each.tally for each in (*clients, *readers)), Counter[str]())
    print(*sorted(tally.items()), sep="\n")  # noqa: T201 - what a long run by hand has done
    assert not wrong, f"seed {SEED}: {wrong}"
    assert not (found := breaches(books, shrunk=cast.pool)), f"seed {SEED}: {found}"
    assert all(books.usages[uuid]["VCPU"] <= ROOM for uuid in cast.pool), books.usages
    assert {consumer for claims in books.claims.values() for consumer in claims} == {
        consumer for client in clients for consumer in client.books
    }
    for each in (*clients, *readers):
        for uuid, provider in books.providers.items():
            note(each.seen, uuid, provider["generation"])
