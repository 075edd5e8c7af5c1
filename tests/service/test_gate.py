"""The gate that searches pass: a few at a time, in the order in which they came, and nobody for ever."""

import threading
from collections.abc import Callable

import pytest

from roost.service.gate import Gate

pytestmark = [pytest.mark.cwe_664, pytest.mark.cwe_691]


class Visitor:
    """A thread that passes the gate, and stays inside until it is let go."""

    def __init__(self, gate: Gate, entered: list[str], name: str) -> None:
        self._go = threading.Event()
        self._thread = threading.Thread(target=self._visit, args=(gate, entered, name))
        self._thread.start()

    def _visit(self, gate: Gate, entered: list[str], name: str) -> None:
        with gate.turn():
            entered.append(name)
            assert self._go.wait(timeout=30)

    def leave(self) -> None:
        """Leave, and be gone."""
        self._go.set()
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    """Wait for what other threads do."""
    pause = threading.Event()
    for _ in range(3000):
        if true():
            return
        pause.wait(0.01)
    pytest.fail("it does not come about")


def test_a_few_at_a_time_in_the_order_in_which_they_came() -> None:
    """Who leaves lets the next one in, and nobody else."""
    gate, entered = Gate(at_once=2, patience=30), list[str]()
    inside = []
    for number, name in enumerate("abcde"):
        inside.append(Visitor(gate, entered, name))
        until(lambda seen=number: len(entered) + len(gate._waiting) == seen + 1)  # type: ignore[misc] # a default, not a parameter
    assert sorted(entered) == ["a", "b"]
    for number, visitor in enumerate(inside):
        visitor.leave()
        until(lambda seen=number: len(entered) == min(seen + 3, 5))  # type: ignore[misc] # as above
        assert entered[2:] == list("cde")[: number + 1]
    assert (gate._free, len(gate._waiting)) == (2, 0)


def test_patience_has_an_end() -> None:
    """Who has waited for long goes on beside the others, and leaves no turn behind that was not its own."""
    gate, entered = Gate(at_once=1, patience=0.05), list[str]()
    slow = Visitor(gate, entered, "slow")
    until(lambda: entered == ["slow"])
    other = Visitor(gate, entered, "other")
    until(lambda: entered == ["slow", "other"])
    assert (gate._free, len(gate._waiting)) == (0, 0)
    other.leave()
    assert gate._free == 0
    slow.leave()
    assert gate._free == 1


def test_a_turn_that_comes_with_the_end_of_patience_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was given to us while we turned away: it is ours to give on."""
    gate = Gate(at_once=1, patience=0.01)

    class Late:
        """A ticket whose holder hears of its turn when it has given up."""

        def __init__(self) -> None:
            self.given = False

        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is not None:
                gate._leave()  # the one inside leaves just now
            return timeout is None

        def release(self) -> None:
            self.given = True

    with gate.turn():
        monkeypatch.setattr("roost.service.gate.threading", type("Threads", (), {"Lock": Late}))
        assert gate._enter()
        monkeypatch.undo()
        assert (gate._free, len(gate._waiting)) == (0, 0)


def test_an_error_gives_the_turn_back() -> None:
    """As any end does."""
    gate = Gate(at_once=1)
    with pytest.raises(ValueError, match="inside"), gate.turn():
        raise ValueError("inside")
    with gate.turn():
        assert gate._free == 0
    assert gate._free == 1
