"""How long a client may take for its body, and who waits meanwhile: judged with bodies that come when the test says."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from typing import Any

import pytest

from roost.http.turns import Turns, Turnstile
from tests.http.api import Client

pytestmark = pytest.mark.cwe_664

TURNS = 2
SECONDS = 60
BODY = b'{"name": "late"}'


class Slow:
    """A body that comes when it is let go; from then on it is there."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def read(self, size: int) -> bytes:
        """Wait."""
        self.asked.set()
        assert self.let_go.wait(SECONDS)
        return BODY[:size]


class Caller:
    """Sends requests through turns, each from a thread of its own."""

    def __init__(self, seconds: int) -> None:
        self.client = Client()
        self._plain = self.client.app
        self._turns = Turns(self._enter, seconds=seconds, turnstile=Turnstile(TURNS))
        self._entered: Callable[[], Any] = lambda: None
        self.pool = ThreadPoolExecutor(16)

    def _enter(self, environ: Any, start_response: Any) -> Any:
        self._entered()
        return self._plain(environ, start_response)

    def while_inside(self, entered: Callable[[], Any]) -> None:
        """What happens to each request that has its turn."""
        self._entered = entered

    def send(self, source: Slow | None) -> "Future[Any]":
        """Post a provider whose body comes from the source; without one, ask for the traits."""
        client = copy(self.client)
        client.app = lambda environ, start: self._turns(
            environ | ({} if source is None else {"wsgi.input": source}), start
        )
        if source is None:
            return self.pool.submit(client, "GET /traits")
        return self.pool.submit(client, "POST /resource_providers", BODY)


@pytest.fixture
def slow() -> Iterator[list[Slow]]:
    """Bodies that are let go at the end, whatever happens."""
    bodies = [Slow() for _ in range(TURNS * 3)]
    yield bodies
    for body in bodies:
        body.let_go.set()


def test_who_waits_for_a_body_takes_no_turn(slow: list[Slow]) -> None:
    """More clients than there are turns send half a body each; another is served, and then they are."""
    caller = Caller(SECONDS)
    waiting = [caller.send(body) for body in slow]
    assert all(body.asked.wait(SECONDS) for body in slow)

    assert caller.send(None).result(SECONDS).status == 200

    slow[0].let_go.set()
    assert waiting[0].result(SECONDS).status == 200
    for body in slow[1:]:
        body.let_go.set()
    assert [answer.result(SECONDS).status for answer in waiting[1:]] == [409] * (len(slow) - 1)


def test_a_body_that_does_not_come_is_refused(slow: list[Slow]) -> None:
    """After its time the request is refused, and nothing was changed; the turns are whole again."""
    caller = Caller(seconds=1)

    refused = [caller.send(body).result(SECONDS) for body in slow]

    assert {answer.status for answer in refused} == {408}
    assert all("did not come in time" in answer.json()["errors"][0]["detail"] for answer in refused)
    assert caller.send(None).result(SECONDS).status == 200
    assert caller.client("GET /resource_providers").json() == {"resource_providers": []}


def test_no_more_have_their_turn_than_may() -> None:
    """Requests without a body wait for their turn, and no more are inside at once."""
    caller = Caller(SECONDS)
    inside, full, on = threading.Semaphore(TURNS), threading.Barrier(TURNS + 1), threading.Event()
    too_many: list[bool] = []

    def enter() -> None:
        too_many.append(not inside.acquire(blocking=False))
        if not on.is_set():
            full.wait(SECONDS)
            on.wait(SECONDS)
        inside.release()

    caller.while_inside(enter)
    answers = [caller.send(None) for _ in range(TURNS * 4)]
    full.wait(SECONDS)
    on.set()

    assert [answer.result(SECONDS).status for answer in answers] == [200] * len(answers)
    assert not any(too_many)


def test_readers_are_used_again(slow: list[Slow]) -> None:
    """One body after the other takes one thread."""
    caller = Caller(SECONDS)
    for body in slow:
        body.let_go.set()
        caller.send(body).result(SECONDS)

    readers = caller._turns._readers
    assert readers._idle.acquire(timeout=SECONDS)
    assert not readers._idle.acquire(blocking=False)
