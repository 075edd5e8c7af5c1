"""The search itself, on a database small enough to be played in memory: what it leaves out comes to nothing new."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.interleaving.orderings import Commute, Search
from tests.interleaving.statements import COMMIT, commute, is_plain_read, never, tables_of

pytestmark = pytest.mark.cwe_435

TABLES = ("projects", "users", "roost_totals")
"""Not bound to each other by foreign keys."""


class Step(NamedTuple):
    """A statement on one row of one table."""

    table: str
    writes: bool

    @property
    def text(self) -> str:
        """The statement."""
        return f"{'UPDATE' if self.writes else 'SELECT id FROM'} {self.table}"


Program: TypeAlias = Sequence[Step]


class Small:
    """Two transactions: writes lock to the end, reads see what is committed, who closes a ring of waits begins anew."""

    def __init__(self, programs: tuple[Program, Program]) -> None:
        self._programs = programs
        self._committed = dict.fromkeys(TABLES, "")
        self._locks: dict[str, int] = {}
        self._places = [0, 0]
        self._logs: list[list[str]] = [[], []]
        self._waiting: int | None = None

    def ready(self) -> Mapping[int, str]:
        """What each that doesn't wait does next."""
        free = (who for who in (0, 1) if who != self._waiting)
        return {who: self._text(who) for who in free if self._places[who] <= self._last(who)}

    def go(self, who: int) -> bool:
        """One step; whether it has to wait."""
        if self._places[who] == self._last(who):
            self._committed |= {table: "".join(self._logs[who]) for table, owner in self._locks.items() if owner == who}
            self._places[who] += 1
            self._let_go(who)
            return False
        step = self._programs[who][self._places[who]]
        if step.writes and self._locks.setdefault(step.table, who) != who:
            if self._waiting is None:
                self._waiting = who
                return True
            self._places[who], self._logs[who] = 0, [f"again{who}"]
            self._let_go(who)
            return False
        self._logs[who].append(f"{who}{step.table}({self._committed[step.table]})")
        self._places[who] += 1
        return False

    def end(self) -> str:
        """All that can be told apart."""
        return f"{self._committed} {self._logs}"

    def _last(self, who: int) -> int:
        return len(self._programs[who])

    def _text(self, who: int) -> str:
        place = self._places[who]
        return COMMIT if place == self._last(who) else self._programs[who][place].text

    def _let_go(self, who: int) -> None:
        self._locks = {table: owner for table, owner in self._locks.items() if owner != who}
        if self._waiting is not None:
            woken, self._waiting = self._waiting, None
            self.go(woken)


def ends(programs: tuple[Program, Program], rule: Commute) -> tuple[set[str], int]:
    """Every end that a search comes to, and how many paths it took."""
    found, paths = set[str](), 0
    for path in Search(rule):
        small = Small(programs)
        while ready := small.ready():
            who = path.choose(ready)
            path.came(who, waited=small.go(who))
        found.add(small.end())
        paths += 1
    return found, paths


PROGRAM = st.lists(st.builds(Step, st.sampled_from(TABLES), st.booleans()), min_size=1, max_size=4)


@given(PROGRAM, PROGRAM)
def test_what_is_left_out_comes_to_nothing_new(one: Program, other: Program) -> None:
    """The ends are those of all orderings, deadlocks and who is taken by them included."""
    every, paths = ends((one, other), never)
    found, fewer = ends((one, other), commute)

    assert found == every
    assert fewer <= paths


def test_little_is_played_of_what_commutes() -> None:
    """Of 252 orderings of eight writes and two commits, ten differ by when one commits."""
    mine, yours = [Step("users", writes=True)] * 4, [Step("projects", writes=True)] * 4

    assert ends((mine, yours), never)[1] == 252
    assert ends((mine, yours), commute)[1] <= 10


@pytest.mark.parametrize("switches, paths", [(0, 2), (1, 4)])
def test_switches_can_be_bounded(switches: int, paths: int) -> None:
    """Two of one statement and a commit each: without a switch, two; with one, it may be after the first step."""
    search = Search(never, most_switches=switches)
    played = 0
    for path in search:
        small = Small(([Step("users", writes=False)], [Step("projects", writes=False)]))
        while ready := small.ready():
            who = path.choose(ready)
            path.came(who, waited=small.go(who))
        played += 1

    assert played == paths


@pytest.mark.parametrize(
    "one, other, expected",
    [
        ("SELECT id FROM users", "UPDATE users SET x", True),
        ("SELECT id FROM users FOR UPDATE", "UPDATE users SET x", False),
        ("SELECT id FROM users FOR SHARE", "UPDATE users SET x", False),
        ("SELECT id FROM users", COMMIT, False),
        ("UPDATE users SET x", "UPDATE projects SET x", True),
        ("INSERT INTO consumers (uuid)", "DELETE FROM consumer_types", False),
        (
            "WITH locked AS (SELECT id FROM roost_stripes FOR UPDATE) UPDATE roost_stripes",
            "UPDATE roost_stripes",
            False,
        ),
        ("BEGIN IMMEDIATE", "UPDATE users SET x", False),
    ],
)
def test_which_statements_commute(one: str, other: str, expected: bool) -> None:  # noqa: FBT001 - a row of the table
    """A plain read with all but an end; two that lock, if their tables and the tables bound to them are others."""
    assert commute(one, other) is expected
    assert commute(other, one) is expected


def test_what_is_read_of_a_statement() -> None:
    """Its tables, with those that foreign keys bind to them, and whether it locks."""
    assert tables_of("INSERT INTO consumers (uuid) VALUES (1)") == {"consumers", "consumer_types"}
    assert is_plain_read("SELECT id FROM users")
    assert not is_plain_read("WITH locked AS (SELECT id FROM users FOR UPDATE) UPDATE users SET x")
