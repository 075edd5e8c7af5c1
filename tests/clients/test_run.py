"""What `make clients` does about a test that passes with the peer and not with Roost."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.clients.environments import PEER, ROOST, Environment
from tests.clients.outcomes import Outcomes
from tests.clients.run import is_served
from tests.clients.suites import OSC_PLACEMENT

GOOD, BAD = Outcomes({"t": "success", "u": "failure"}), Outcomes({"t": "failure", "u": "failure"})


class Rehearsed(Environment):
    """One whose runs are told beforehand, and noted."""

    def __init__(self, *told: Outcomes) -> None:
        super().__init__(OSC_PLACEMENT, Path("nowhere"))
        self._told = iter(told)
        self.asked: list[tuple[str, int, tuple[str, ...]]] = []

    def make(self) -> None:
        """Nothing is needed."""

    def run(self, server: str, jobs: int, tests: Iterable[str] = ()) -> Outcomes:
        """The next."""
        self.asked.append((server, jobs, tuple(tests)))
        return next(self._told)


def test_as_good_as_the_peer() -> None:
    """What fails with both is no fault of Roost's."""
    environment = Rehearsed(GOOD, GOOD)

    assert is_served(environment, 2)
    assert environment.asked == [(PEER, 2, ()), (ROOST, 2, ())]


@pytest.mark.parametrize("second, expected", [(Outcomes({"t": "success"}), True), (BAD, False), (Outcomes({}), False)])
def test_a_second_chance(second: Outcomes, *, expected: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """It is run once more, alone; if it fails again, it is named."""
    environment = Rehearsed(GOOD, BAD, second)

    assert is_served(environment, 2) is expected
    assert environment.asked[-1] == (ROOST, 1, ("t",))
    assert ("fails with Roost only: t" in capsys.readouterr().out) is not expected


def test_a_suite_that_did_not_run() -> None:
    """Nothing is known then, and that is no success."""
    assert not is_served(Rehearsed(Outcomes({}), Outcomes({})), 2)
