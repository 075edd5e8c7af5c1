"""Whatever the order of their statements, two transactions end as if one had come after the other."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

import pytest

from roost.service.writes import carry_out
from roost.storage.port import Origin
from roost.storage.sql.patience import Patience
from roost.storage.sql.remembered import Remembered
from roost.storage.sql.store import SQLStore
from tests.databases import fresh_database
from tests.interleaving.books import Books, Seen
from tests.interleaving.orderings import Path, Search
from tests.interleaving.pairs import PAIRS, Pair
from tests.interleaving.stage import Stage, outcome_of
from tests.interleaving.statements import commute, never
from tests.interleaving.waits import OfMariaDB, OfPostgreSQL, OfSQLite, Waits

pytestmark = pytest.mark.cwe_435

DEPTH = os.environ.get("ROOST_INTERLEAVING", "")
"""See the package's docstring."""

WAITS: dict[str, Callable[[str], Waits]] = {"sqlite": OfSQLite, "postgresql": OfPostgreSQL, "mariadb": OfMariaDB}

# One process plays all pairs of a kind, so that each database is made once.
KINDS = [
    pytest.param("sqlite", marks=pytest.mark.xdist_group("interleaving on sqlite")),
    pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("interleaving on postgresql")]),
    pytest.param("mariadb", marks=[pytest.mark.mariadb, pytest.mark.xdist_group("interleaving on mariadb")]),
]


class Theatre:
    """A database, its books, and the stage."""

    def __init__(self, kind: str, url: str, stack: ExitStack) -> None:
        # Who lost a race begins again at once: it is the search that decides who comes first.
        patience = Patience(bound=60.0, sleep=lambda _: None)
        keeper, *self.stores = (SQLStore(url, clock=lambda: datetime.now(UTC), patience=patience) for _ in range(3))
        waits = WAITS[kind](url)
        stack.callback(waits.close)
        for store in (keeper, *self.stores):
            stack.callback(store.close)
        keeper.upgrade()
        self.books = Books(keeper)
        self.stage = Stage(self.stores, waits)
        self._homes: Mapping[str, str] = {}
        self._owners: Mapping[tuple[str, str], int] = {}

    def lay_out(self, pair: Pair, *, remembers: bool) -> None:
        """Begin with a pair's books; the stores remember its trees and owners, or have only just begun."""
        self.books.lay_out(pair.books)
        providers = self.books.look().providers.values() if remembers else ()
        self._homes = {provider.uuid: provider.root for provider in providers}
        self._owners = self.books.owners() if remembers else {}

    def lay_back(self, *, anew: bool = False) -> None:
        """Make books and stores what they were: what a store has learnt in one ordering must not tell in the next.

        Or stores that begin anew: what they come to is the measure of those that remember.
        """
        self.books.lay_back()
        for store in self.stores:
            remembered = store._remembered = Remembered(lambda: 0.0)  # no second passes in an ordering
            remembered.homes |= {} if anew else self._homes
            remembered.owners |= {} if anew else self._owners


@pytest.fixture(scope="session")
def theatre_of() -> Iterator[Callable[[str], Theatre]]:
    """One for each kind of database, opened when first asked for."""
    opened: dict[str, Theatre] = {}
    with ExitStack() as stack:

        def find(kind: str) -> Theatre:
            if kind not in opened:
                opened[kind] = Theatre(kind, stack.enter_context(fresh_database(kind)), stack)
            return opened[kind]

        yield find


@pytest.fixture(params=KINDS)
def theatre(request: pytest.FixtureRequest, theatre_of: Callable[[str], Theatre]) -> Theatre:
    """Every kind of database."""
    return theatre_of(request.param)


End = tuple[tuple[str, ...], Seen]
"""What each was told, and what the books were then."""


@pytest.mark.parametrize("remembers", [False, True], ids=["new", "remembering"])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_every_ordering_ends_as_one_after_the_other(theatre: Theatre, pair: Pair, *, remembers: bool) -> None:
    """Both are told what they would have been told then, the books are the same, and the feed tells the same of them.

    Both serial orders are met, and the two do get in each other's way: else they would not have been worth the play.
    """
    theatre.lay_out(pair, remembers=remembers)
    tasks = [
        partial(carry_out, store, command, Origin(request_id=f"req-{place}"))
        for place, (store, command) in enumerate(zip(theatre.stores, pair.commands, strict=True), 1)
    ]
    allowed = [_one_after_the_other(theatre, tasks, order) for order in ((0, 1), (1, 0))]
    ends: list[End] = []
    waits = 0
    for path in _search():
        theatre.lay_back()
        outcomes = theatre.stage.play(tasks, path)
        waits += sum(step.waited for step in path.taken)
        try:
            ends.append((outcomes, theatre.books.look()))
            assert ends[-1] in allowed, "neither order explains this end"
        except AssertionError as error:
            error.add_note(_told(path, outcomes))
            raise
    assert [end for end in allowed if end not in ends] == [], "an order of the two was never met"
    assert waits, "neither ever waited for the other"


def _one_after_the_other(theatre: Theatre, tasks: Sequence[Callable[[], object]], order: tuple[int, int]) -> End:
    theatre.lay_back(anew=True)
    told = {who: outcome_of(tasks[who]) for who in order}
    return (told[0], told[1]), theatre.books.look()


def _search() -> Search:
    if DEPTH:
        return Search(never, most_switches=None if DEPTH == "all" else int(DEPTH))
    return Search(commute)


def _told(path: Path, outcomes: Sequence[str]) -> str:
    """The ordering, to be read beside the failure."""
    steps = [f"{step.who + 1}{' waits' if step.waited else ''}: {step.what[:100]}" for step in path.taken]
    return "\n".join([*steps, *(f"{place} was told: {outcome}" for place, outcome in enumerate(outcomes, 1))])
