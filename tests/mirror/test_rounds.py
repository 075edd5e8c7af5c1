"""Rounds: one works at a time, and who came meanwhile is served, fails with it, or is next."""

import threading
from collections.abc import Callable

import pytest

from roost.mirror import rounds
from roost.mirror.rounds import Rounds

pytestmark = pytest.mark.cwe_691


class Away(Exception):
    """What is shared."""


class Stage:
    """Threads at one set of rounds, and what came of each."""

    def __init__(self) -> None:
        self.rounds = Rounds(Away)
        self.outcomes: dict[str, object] = {}
        self.worked: list[str] = []
        self._threads: list[threading.Thread] = []

    def enter(self, name: str, work: Callable[[], object], served: Callable[[], object] = lambda: None) -> None:
        """Let a thread take a turn; return when it works or waits."""
        waiting = len(self.rounds._waiting)

        def noted() -> object:
            self.worked.append(name)
            return work()

        def take() -> None:
            try:
                self.outcomes[name] = self.rounds.take(noted, served)
            except BaseException as error:  # noqa: BLE001 - it is an outcome
                self.outcomes[name] = error

        thread = threading.Thread(target=take)
        thread.start()
        self._threads.append(thread)
        pause = threading.Event()
        for _ in range(3000):
            if name in self.worked or name in self.outcomes or len(self.rounds._waiting) > waiting:
                return
            pause.wait(0.01)
        pytest.fail(f"{name} neither works nor waits")

    def end(self) -> None:
        """Wait for all."""
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive()


class Held:
    """Work that goes on until it is let go."""

    def __init__(self, result: object = None) -> None:
        self.let_go = threading.Event()
        self.result = result

    def __call__(self) -> object:
        """Wait, and give the result, or raise it."""
        assert self.let_go.wait(timeout=30)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def test_all_who_are_served_work_no_more() -> None:
    """And the first of the others is next, and serves those after it."""
    stage, first, second, done = Stage(), Held("first"), Held("second"), list[str]()

    def after(work: Held, word: str) -> Callable[[], object]:
        def go() -> object:
            result = work()
            done.append(word)
            return result

        return go

    stage.enter("a", after(first, "one"))
    for name in "bcd":
        stage.enter(name, lambda: "never", lambda: "served" if "one" in done else None)
    stage.enter("e", after(second, "two"))
    for name in "fg":
        stage.enter(name, lambda: "never", lambda: "served again" if "two" in done else None)
    first.let_go.set()
    second.let_go.set()
    stage.end()
    assert stage.worked == ["a", "e"]
    served = dict.fromkeys("bcd", "served") | dict.fromkeys("fg", "served again")
    assert stage.outcomes == {"a": "first", "e": "second"} | served


def test_who_is_served_at_once_does_not_wait() -> None:
    """Though another is at work."""
    stage, held = Stage(), Held()
    stage.enter("a", held)
    assert stage.rounds.take(lambda: "worked", lambda: "there") == "there"
    held.let_go.set()
    stage.end()


def test_a_shared_failure_is_everybodys_who_waited() -> None:
    """Each gets an error of its own; who comes later tries for itself."""
    stage, held = Stage(), Held(Away("gone"))
    stage.enter("a", held)
    for name in "bc":
        stage.enter(name, lambda: "never", lambda: "served in vain" if stage.worked == ["x"] else None)
    held.let_go.set()
    stage.end()
    errors = list(stage.outcomes.values())
    assert [str(error) for error in errors] == ["gone"] * 3
    assert len({id(error) for error in errors}) == 3
    assert stage.worked == ["a"]
    assert stage.rounds.take(lambda: "worked", lambda: None) == "worked"


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt()])
def test_any_other_failure_is_ones_own(error: BaseException) -> None:
    """The next has the turn."""
    stage, held = Stage(), Held(error)
    stage.enter("a", held)
    stage.enter("b", lambda: "worked")
    held.let_go.set()
    stage.end()
    assert stage.outcomes == {"a": error, "b": "worked"}


def test_who_was_interrupted_while_waiting_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before it has the turn nor when it was just given it."""
    real = threading.Event.wait

    def enter_interrupted(stage: Stage, name: str, *, patiently: bool) -> None:
        def wait(event: threading.Event, timeout: float | None = None) -> bool:
            if patiently:
                real(event, timeout)
            raise KeyboardInterrupt

        made = rounds._Ticket

        def ticket(served: Callable[[], object]) -> object:
            one = made(served)
            one.woken.wait = wait.__get__(one.woken)  # type: ignore[method-assign] # it is what interrupts
            return one

        monkeypatch.setattr(rounds, "_Ticket", ticket)
        stage.enter(name, lambda: "never")
        monkeypatch.undo()

    for patiently in (False, True):
        stage, held = Stage(), Held("first")
        stage.enter("a", held)
        enter_interrupted(stage, "b", patiently=patiently)
        stage.enter("c", lambda: "worked")
        held.let_go.set()
        stage.end()
        assert isinstance(stage.outcomes["b"], KeyboardInterrupt)
        assert (stage.outcomes["a"], stage.outcomes["c"]) == ("first", "worked")
        assert not stage.rounds._waiting
        assert not stage.rounds._busy
