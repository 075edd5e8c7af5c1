"""A short soak, which `make soak` does at length: what a worker holds does not grow with what it has served."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from bench import soak as program
from bench.soak import SERVER_ERRORS, Held, soak
from tests.databases import KINDS, fresh_database
from tests.end_to_end.servers import Server, serving

pytestmark = pytest.mark.cwe_664

REQUESTS = 3000


@pytest.fixture(params=KINDS)
def one(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of one worker that nobody else asks."""
    with fresh_database(request.param) as database, serving(database) as (server,):
        yield server


def test_nothing_is_kept(one: Server) -> None:
    """Threads, files and connections are what they were a thousand requests ago, and none failed."""
    settled, ended, statuses = soak(one, REQUESTS // 3, REQUESTS)

    assert not [each for each in settled.complaints(ended) if not each.startswith("memory")]
    assert not set(statuses) & set(SERVER_ERRORS), statuses
    assert {200, 204, 400, 404, 409} <= set(statuses)


def test_growth_is_complained_of() -> None:
    """Each thing that grew is named."""
    before = Held(megabytes=100, threads=20, descriptors=30)

    assert before.complaints(before) == []
    assert before.complaints(Held(megabytes=104, threads=36, descriptors=38)) == []
    assert [each.split()[0] for each in before.complaints(Held(106, 37, 39))] == ["memory", "threads", "open"]


@pytest.mark.parametrize("later, fails", [(Held(104, 20, 30), False), (Held(106, 20, 30), True)])
def test_the_program_fails_where_something_grew(later: Held, monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
    """And only there."""
    monkeypatch.setattr(sys, "argv", ["soak"])
    monkeypatch.setattr(program, "fresh_database", lambda _kind: nullcontext(""))
    monkeypatch.setattr(program, "serving", lambda _database, **_how: nullcontext([None]))
    monkeypatch.setattr(program, "soak", lambda *_: (Held(100, 20, 30), later, Counter({200: 1})))

    with pytest.raises(SystemExit) as ended:
        program.main()

    assert (ended.value.code is not None) is fails
