"""What the database alone would do: transactions of the rows that a claim writes, through the bare driver.

Each is sent as one packet and asks nothing, so that no server that decides anything can be faster on this database with
a transaction for each claim. (Roost's claims share transactions, and commits are most of what they share.) The clients
are processes, for threads of one would share one processor.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import insert, make_url

from bench.load import Figures
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import STRIPES, resource_providers, roost_totals
from tests.databases import fresh_database

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from bench.claims import Job
    from roost.storage.sql.unit import Unit

PROVIDERS = 200
WARM_UP_SECONDS = 1.0

CLAIM = """
UPDATE roost_stripes SET version = version + 1 WHERE id = %(stripe)s;
UPDATE resource_providers SET generation = generation + 1, updated_at = CURRENT_TIMESTAMP WHERE id = %(provider)s;
UPDATE roost_totals SET generation = generation + 1, used = '{"0":1,"1":512,"2":10}' WHERE provider_id = %(provider)s;
INSERT INTO consumers (uuid, generation, created_at, project_id, user_id)
    VALUES ('%(consumer)s', 1, CURRENT_TIMESTAMP, 1, 1);
INSERT INTO allocations (consumer_id, resource_provider_id, resource_class_id, used, created_at)
    VALUES ('%(consumer)s', %(provider)s, 0, 1, CURRENT_TIMESTAMP),
           ('%(consumer)s', %(provider)s, 1, 512, CURRENT_TIMESTAMP),
           ('%(consumer)s', %(provider)s, 2, 10, CURRENT_TIMESTAMP);
INSERT INTO roost_changes
    SELECT id, version, 0, 'provider', '%(consumer)s', 'usage', 'm', 'req', 'user', 'project', CURRENT_TIMESTAMP
    FROM roost_stripes WHERE id = %(stripe)s
    UNION ALL
    SELECT id, version, 1, 'consumer', '%(consumer)s', 'made', 'm', 'req', 'user', 'project', CURRENT_TIMESTAMP
    FROM roost_stripes WHERE id = %(stripe)s;
COMMIT"""

Send = Callable[[str], object]


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of one with the tables and the providers."""
    with fresh_database(kind) as url:
        store = SQLStore(url, clock=lambda: datetime.now(UTC))
        store.upgrade()

        def fill(unit: Unit) -> None:
            rows = [{"id": n, "uuid": str(uuid.uuid4()), "name": str(n), "generation": 1} for n in range(PROVIDERS)]
            unit.execute(insert(resource_providers), rows)
            totals = [{"provider_id": n, "generation": 1, "used": "{}"} for n in range(PROVIDERS)]
            unit.execute(insert(roost_totals), totals)

        store.mend(fill)
        store.close()
        yield url


def run(url: str, job: Job, seconds: float) -> Figures:
    """Write for so long."""
    start = multiprocessing.Barrier(job.clients)
    with multiprocessing.Pool(job.clients, _begin, (url, start)) as pool:
        parts = pool.starmap(_work, [(number, job.spread, seconds) for number in range(job.clients)], chunksize=1)
    took = [each for part in parts for each in part]
    return Figures(seconds=seconds, took=took, statuses=Counter({0: len(took)}))


_client: dict[str, tuple[Send, str, Barrier]] = {}
"""This process's connection, what begins a transaction on it, and what all wait at."""


def _begin(url: str, start: Barrier) -> None:
    _client["is"] = (*_connect(url), start)


def _connect(url: str) -> tuple[Send, str]:
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        embedded = sqlite3.connect(where.database or "", isolation_level=None, timeout=60)
        embedded.execute("PRAGMA synchronous = FULL")
        return embedded.executescript, "BEGIN IMMEDIATE;"
    if where.get_backend_name() == "postgresql":
        plain = where.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True).execute, "BEGIN;"
    cursor = pymysql.connect(
        host=where.host,
        port=where.port or 3306,
        user=where.username,
        password=where.password or "",
        database=where.database,
        client_flag=CLIENT.MULTI_STATEMENTS,
        init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    ).cursor()

    def send(text: str) -> None:
        cursor.execute(text)
        while cursor.nextset():
            pass

    return send, "BEGIN;"


def _work(number: int, spread: bool, seconds: float) -> list[float]:  # noqa: FBT001 - Pool gives arguments by place
    send, begin, start = _client["is"]
    start.wait()
    begun, sent, took = time.perf_counter(), 0, []
    while (now := time.perf_counter()) < begun + WARM_UP_SECONDS + seconds:
        provider = (number * 7919 + sent) % PROVIDERS if spread else 0
        send(begin + CLAIM % {"stripe": provider % STRIPES, "provider": provider, "consumer": uuid.uuid4()})
        if now > begun + WARM_UP_SECONDS:
            took.append(time.perf_counter() - now)
        sent += 1
    return took
