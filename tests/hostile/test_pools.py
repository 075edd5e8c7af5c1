"""When all connections to the database are taken, requests queue for one; and when none comes free, they are told."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from roost.storage.sql.engines import PoolOptions
from roost.storage.sql.patience import Patience
from roost.storage.sql.store import SQLStore
from tests.databases import KINDS, fresh_database
from tests.http.api import Client

pytestmark = pytest.mark.cwe_664

SECONDS = 60
QUEUE = 8
READ, WRITE = "GET /traits", "PUT /traits/CUSTOM_QUEUED"
ON_SERVERS = KINDS[1:]
"""An SQLite has one writer at a time, who is waited for without its pool."""


@contextmanager
def taken(how: Callable[[Callable[[Any], None]], None]) -> Iterator[threading.Event]:
    """The store's one connection is in use until the event is set."""
    begun, over = threading.Event(), threading.Event()

    def hold(_books: object) -> None:
        begun.set()
        assert over.wait(SECONDS)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(how, hold)
        assert begun.wait(SECONDS)
        try:
            yield over
        finally:
            over.set()
            holding.result(SECONDS)


@contextmanager
def opened(kind: str, patience: float) -> Iterator[tuple[SQLStore, Client]]:
    """A store that has one connection of each sort, waits so long for it, and a client of it."""
    with fresh_database(kind) as url:
        store = SQLStore(
            url,
            clock=lambda: datetime.now(UTC).replace(tzinfo=None),
            pool=PoolOptions(size=1, overflow=0, timeout=patience),
            patience=Patience(bound=patience),
        )
        store.upgrade()
        client = Client(store)
        assert client(READ).status == 200
        yield store, client
        store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_readers_queue(kind: str) -> None:
    """More readers than connections are all served, one after the other, as soon as there is one."""
    with opened(kind, SECONDS) as (store, client), ThreadPoolExecutor(QUEUE) as pool, taken(store.read) as over:
        waiting = [pool.submit(client, READ) for _ in range(QUEUE)]
        over.set()
        assert [answer.result(SECONDS).status for answer in waiting] == [200] * QUEUE


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_writers_queue(kind: str) -> None:
    """So are writers."""
    with opened(kind, SECONDS) as (store, client), ThreadPoolExecutor(QUEUE) as pool, taken(store.transact) as over:
        waiting = [pool.submit(client, f"{WRITE}_{number}") for number in range(QUEUE)]
        over.set()
        assert [answer.result(SECONDS).status for answer in waiting] == [201] * QUEUE


@pytest.mark.parametrize("kind", KINDS)
def test_readers_are_told(kind: str) -> None:
    """Who waits too long is told when to come again, and nothing else is wrong then."""
    with opened(kind, 0.2) as (store, client):
        with taken(store.read):
            answer = client(READ)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert "send it again" in answer.json()["errors"][0]["detail"]
        assert client(READ).status == 200


@pytest.mark.parametrize("kind", ON_SERVERS)
def test_writers_are_told(kind: str) -> None:
    """So are writers, and nothing was written."""
    with opened(kind, 0.2) as (store, client):
        with taken(store.transact):
            answer = client(WRITE)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert client("GET /traits/CUSTOM_QUEUED").status == 404
        assert client(WRITE).status == 201
