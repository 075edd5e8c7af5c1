"""The waiting room: so many places, so many questions at a time, so long; and never in anybody's turn."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from roost.access.waiting import SECONDS_BETWEEN_LINES, Crowded, NoWord, WaitingRoom
from roost.http.turns import Turnstile
from tests.end_to_end.servers import wait_until

pytestmark = [pytest.mark.cwe_664, pytest.mark.cwe_703]

PATIENCE = 60
MOMENT = 0.05


class Oracle:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.let_go = threading.Event()

    def __call__(self) -> str:
        """Answer."""
        self.asked.release()
        assert self.let_go.wait(PATIENCE)
        return "yes"


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    """One who is let go at the end, whatever happens."""
    one = Oracle()
    yield one
    one.let_go.set()


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_what_is_answered_or_raised_comes_back() -> None:
    """From another thread; and the room is as empty as before."""
    room = WaitingRoom(1, most=1)
    here = threading.get_ident()

    def wrong() -> None:
        raise ZeroDivisionError

    for _ in range(3):
        assert room.ask(threading.get_ident) != here
        with pytest.raises(ZeroDivisionError):
            room.ask(wrong)


def test_who_waits_too_long_is_told(oracle: Oracle) -> None:
    """Where the question hangs, and where it wasn't its turn; the hand stays with the question that hangs."""
    room = WaitingRoom(1)
    with pytest.raises(NoWord):
        room.ask(oracle, MOMENT)
    with pytest.raises(Crowded):
        room.ask(lambda: "too", MOMENT)
    with pytest.raises(Crowded):
        room.ask(lambda: "too", -1.0)
    oracle.let_go.set()
    assert room.ask(lambda: "too", PATIENCE) == "too"


def test_who_finds_no_place_is_told_at_once(
    oracle: Oracle, crowd: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log is, once in a while."""
    now = [0.0]
    room = WaitingRoom(1, most=2, ticks=lambda: now[-1])
    waiting = [crowd.submit(room.ask, oracle, PATIENCE) for _ in range(2)]
    wait_until(lambda: room._places._value == 0, PATIENCE, lambda: "they don't wait")
    for moment, lines in [(0.0, 1), (1.0, 1), (SECONDS_BETWEEN_LINES, 2), (SECONDS_BETWEEN_LINES + 1, 2)]:
        now.append(moment)
        with pytest.raises(Crowded):
            room.ask(oracle)
        assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == lines
    oracle.let_go.set()
    assert [answer.result(PATIENCE) for answer in waiting] == ["yes", "yes"]
    assert room.ask(oracle) == "yes"


def test_so_many_are_asked_at_a_time(oracle: Oracle, crowd: ThreadPoolExecutor) -> None:
    """The others when one of them is answered."""
    room = WaitingRoom(2)
    waiting = [crowd.submit(room.ask, oracle) for _ in range(4)]
    assert [oracle.asked.acquire(timeout=PATIENCE) for _ in range(2)] == [True, True]
    assert not oracle.asked.acquire(timeout=MOMENT)
    oracle.let_go.set()
    assert [answer.result(PATIENCE) for answer in waiting] == ["yes"] * 4


def test_who_waits_has_given_its_turn_away(oracle: Oracle, crowd: ThreadPoolExecutor) -> None:
    """And has it again when it goes on, however it went."""
    turnstile = Turnstile(1)
    room = WaitingRoom(1, turnstile.aside)

    def in_turn(work: Callable[[], str]) -> str:
        with turnstile:
            return work()

    waiting: Future[str] = crowd.submit(in_turn, lambda: room.ask(oracle))
    assert oracle.asked.acquire(timeout=PATIENCE)
    assert crowd.submit(in_turn, lambda: "served").result(PATIENCE) == "served"
    late = crowd.submit(in_turn, lambda: room.ask(oracle, MOMENT))
    assert isinstance(late.exception(PATIENCE), Crowded)
    oracle.let_go.set()
    assert waiting.result(PATIENCE) == "yes"
    assert turnstile._value == 1


def test_meanwhile_is_entered_by_those_who_wait_only() -> None:
    """Who is refused at once never gave its turn away."""
    entered: list[str] = []

    @contextmanager
    def meanwhile() -> Iterator[None]:
        entered.append("in")
        yield
        entered.append("out")

    with pytest.raises(Crowded):
        WaitingRoom(1, meanwhile, most=0).ask(lambda: "never")
    assert entered == []
    assert WaitingRoom(1, meanwhile).ask(lambda: list(entered)) == ["in"]
    assert entered == ["in", "out"]


def test_a_system_without_threads_takes_no_hand_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks is refused, and the next one is asked when there are threads again."""
    room = WaitingRoom(1)

    def none(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none)
        with pytest.raises(Crowded):
            room.ask(lambda: "never", PATIENCE)
    assert room.ask(lambda: "yes", PATIENCE) == "yes"
