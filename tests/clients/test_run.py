"""What `make clients` does about a test that passes with the peer and not with Roost."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.clients.environments import BOUNDED, PEER, ROOST, Environment
from tests.clients.outcomes import Outcomes
from tests.clients.run import is_served
from tests.clients.suites import OSC_PLACEMENT

GOOD, BAD = Outcomes({"t": "success", "u": "failure"}), Outcomes({"t": "failure", "u": "failure"})


class Rehearsed(Environment):
    """One whose runs are told beforehand, and noted."""

    def __init__(self, *told: Outcomes) -> None:
        super().__init__(OSC_PLACEMENT, Path("nowhere"))
        self._told = iter(told)
        self.asked: list[tuple[str, int, tuple[str, ...], int]] = []

    def make(self) -> None:
        """Nothing is needed."""

    def run(self, server: str, jobs: int, tests: Iterable[str] = (), every: int = 1) -> Outcomes:
        """The next."""
        self.asked.append((server, jobs, tuple(tests), every))
        return next(self._told)


def test_as_good_as_the_peer() -> None:
    """What fails with both is no fault of Roost's."""
    environment = Rehearsed(GOOD, GOOD)

    assert is_served(environment, 2)
    assert environment.asked == [(PEER, 2, (), 1), (ROOST, 2, (), 1)]


@pytest.mark.parametrize("second, expected", [(Outcomes({"t": "success"}), True), (BAD, False), (Outcomes({}), False)])
def test_a_second_chance(second: Outcomes, *, expected: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """It is run once more, alone; if it fails again, it is named."""
    environment = Rehearsed(GOOD, BAD, second)

    assert is_served(environment, 2) is expected
    assert environment.asked[-1] == (ROOST, 1, ("t",), 1)
    assert ("fails with Roost only: t" in capsys.readouterr().out) is not expected


def test_a_part_of_a_suite() -> None:
    """Both are run with the same part."""
    environment = Rehearsed(GOOD, GOOD)

    assert is_served(environment, 2, every=4)
    assert environment.asked == [(PEER, 2, (), 4), (ROOST, 2, (), 4)]


def test_a_test_that_can_not_be_ended_gently() -> None:
    """Its process ends soon after the test's bound, and says what it was at; one that did end keeps its process."""
    begun = "import signal, sitecustomize; sitecustomize.GRACE_SECONDS = 0; signal.signal(signal.SIGALRM, print); "
    endless = begun + "signal.alarm(1); [signal.pause() for _ in iter(int, 1)]"
    ended = begun + "signal.alarm(1); signal.alarm(0); signal.sigtimedwait([signal.SIGUSR1], 1.5)"
    variables = {"PYTHONPATH": str(BOUNDED)}

    first, second = (
        subprocess.run([sys.executable, "-c", text], env=variables, capture_output=True, timeout=30, check=False)
        for text in (endless, ended)
    )

    assert first.returncode == 1
    assert b"most recent call first" in first.stderr
    assert second.returncode == 0


def test_a_suite_that_did_not_run() -> None:
    """Nothing is known then, and that is no success."""
    assert not is_served(Rehearsed(Outcomes({}), Outcomes({})), 2)
