"""What something else than Roost wrote is told, and what Roost wrote isn't, whatever became of it since."""

import time
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from roost.model.names import ProjectID, UserID
from roost.storage.soundness import Grade
from roost.storage.sql.doctor.examiner import Doctor
from roost.storage.sql.doctor.procedure import StandIn
from roost.storage.sql.store import SQLStore
from roost.storage.sql.tables import allocations, consumers, inventories, resource_providers, roost_changes
from tests.databases import fresh_database
from tests.storage.conftest import now
from tests.storage.damages import CHILD, HOST, OTHER, POOL, SERVER, fill
from tests.storage.hand import DISK, claim
from tests.storage.peer import Request, ask_peer
from tests.storage.test_adoption import FILLING, NEW, PLAIN, _claim
from tests.storage.test_adoption import POOL as PEERS_POOL
from tests.storage.test_adoption import ROOT as PEERS_ROOT

NOBODY = StandIn(project=ProjectID("nobody"), user=UserID("nobody"))


def told(store: SQLStore) -> list[str]:
    """The notes on foreign writes."""
    examiner = Doctor(store, NOBODY)
    return [finding.text for each in examiner.examine() for finding in each.findings if each.check.grade is Grade.NOTE]


def soon() -> datetime:
    """A time after all that Roost wrote so far, as something else may write it."""
    return now().replace(tzinfo=None, microsecond=0) + timedelta(seconds=5)


@pytest.fixture
def books(sql: SQLStore) -> SQLStore:
    """Real content."""
    fill(sql)
    return sql


def run(store: SQLStore, statement: sa.Executable) -> None:
    """Write past Roost."""
    with store._engines.write.begin() as connection:
        connection.execute(statement)


def test_rows_of_another_time_are_told(books: SQLStore) -> None:
    """By kind, with their number, the last time, and some of the uuids."""
    at = soon()
    assert told(books) == []
    run(books, sa.update(resource_providers).where(resource_providers.c.uuid == CHILD).values(updated_at=at))
    run(books, sa.update(consumers).where(consumers.c.uuid == OTHER).values(updated_at=at))
    run(books, sa.update(inventories).values(updated_at=at))
    run(books, sa.update(allocations).where(allocations.c.consumer_id == SERVER).values(created_at=at))
    provider, inventory, consumer, allocation = told(books)
    assert provider.startswith("1 provider was written by something else than Roost after ")
    assert f"the last at {at:%Y-%m-%d %H:%M:%S} UTC; Roost's own last change is of " in provider
    assert provider.endswith(f": provider {CHILD}")
    assert inventory.startswith("4 inventories were written")
    assert consumer.endswith(f": consumer {OTHER}")
    assert allocation.startswith("3 allocations were written")
    assert allocation.endswith(f": consumer {SERVER}")


def test_what_is_gone_without_a_record_is_guessed_at(books: SQLStore) -> None:
    """The record tells no removal, but clocks may differ, so that it is called a guess."""
    run(books, sa.update(roost_changes).where(roost_changes.c.uuid == OTHER).values(at=soon()))
    run(books, sa.delete(allocations).where(allocations.c.consumer_id == OTHER))
    run(books, sa.delete(consumers).where(consumers.c.uuid == OTHER))
    (text,) = told(books)
    assert text.startswith("1 consumer that Roost wrote is gone, and no removal is recorded after ")
    assert text.endswith(f"a guess: something else removed it: consumer {OTHER}")


def test_what_the_record_forgot_is_not_judged(books: SQLStore) -> None:
    """After a removal of old changes it reaches back less far; what Roost writes afterwards is known again."""
    list(books.forget_changes(soon()))
    assert told(books) == []
    claim(books, SERVER, {POOL: {DISK: 7}})
    assert told(books) == []
    at = soon()
    run(books, sa.update(resource_providers).where(resource_providers.c.uuid == HOST).values(updated_at=at))
    assert [text.rpartition(": ")[2] for text in told(books)] == [f"provider {HOST}"]


def test_an_unused_database_says_that_nothing_can_be_told(sql: SQLStore) -> None:
    """Rather than that all is well."""
    (text,) = told(sql)
    assert "can't be told" in text


A_SECOND = 1.1
"""MariaDB keeps times by the second."""

BACK_AGAIN: list[Request] = [
    (
        "PUT",
        f"/resource_providers/{PEERS_POOL}/traits",
        {"resource_provider_generation": 5, "traits": ["HW_CPU_X86_AVX"]},
    ),
    ("PUT", f"/allocations/{PLAIN}", _claim({PEERS_ROOT: {"VCPU": 2}}, consumer_generation=1, user_id="trent")),
    ("DELETE", f"/allocations/{NEW}", None),
]


@pytest.mark.peer
def test_the_peer_is_noticed_when_it_comes_back(database: str) -> None:
    """What it wrote before Roost came is no foreign write, but what it wrote afterwards; nor is any of it wrong."""
    with fresh_database(database) as url, ExitStack() as stack:
        ask_peer(url, FILLING)
        store = SQLStore(url, clock=now)
        stack.callback(store.close)
        store.upgrade()
        store.synchronise()
        for amount in (4, 5):
            claim(store, NEW, {PEERS_POOL: {DISK: amount}}, project="new", consumer_type="MIGRATION")
            time.sleep(A_SECOND)
        assert [each.check.name for each in Doctor(store, NOBODY).examine() if each.findings] == []

        assert [status for status, _ in ask_peer(url, BACK_AGAIN)] == [200, 204, 204]
        assert [text.rpartition(": ")[2] for text in told(store)] == [
            f"provider {PEERS_ROOT}, provider {PEERS_POOL}",
            f"consumer {PLAIN}",
            f"consumer {PLAIN}",
            f"consumer {NEW}",
        ]
