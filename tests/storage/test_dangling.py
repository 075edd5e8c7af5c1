"""Rows that name what doesn't exist keep nobody from being served, at the start, after a change and after a claim."""

from collections.abc import Callable
from typing import Any

import pytest

from roost.mirror.mirror import Mirror
from roost.storage.sql.store import SQLStore
from tests.databases import fresh_database
from tests.http.api import Client
from tests.mirror.seeing import fresh, seen
from tests.peer.differential.compare import ordered
from tests.storage.conftest import now
from tests.storage.damages import AGGREGATE, DAMAGES, HOST, OTHER, POOL, Damage, fill, id_of, unguarded
from tests.storage.hand import VCPU, claim, group, mark
from tests.storage.peer import Request, ask_peer

pytestmark = pytest.mark.cwe_703

DANGLING = {
    damage.check: damage
    for damage in DAMAGES
    if damage.check
    in {"allocations' classes", "inventories' resource classes", "traits' traits", "memberships' aggregates"}
}


READS: list[Request] = [
    ("GET", path, None)
    for path in (
        "/allocation_candidates?resources=VCPU:1",
        "/allocation_candidates?resources=VCPU:1,DISK_GB:5",
        f"/allocation_candidates?resources=VCPU:1&member_of=!{AGGREGATE}",
        "/resource_providers?resources=VCPU:1",
        f"/resource_providers/{HOST}/aggregates",
        f"/resource_providers/{HOST}/usages",
    )
]


def answers(store: SQLStore) -> list[tuple[int, Any]]:
    """What a server that starts now tells."""
    client = Client(store)
    told = [client(f"{method} {path}") for method, path, *_ in READS]
    return [(answer.status, ordered(answer.json())) for answer in told]


def break_books(url: str, *statements: str) -> None:
    """Do what the database forbids."""
    with unguarded(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("damage", DANGLING.values(), ids=DANGLING)
def test_such_a_row_changes_no_answer(
    sql: SQLStore, database: str, url_of: Callable[[str], str], damage: Damage
) -> None:
    """It is as if it weren't there, for a server that starts and for one that reads the provider again."""
    fill(sql)
    mirror = Mirror(sql)
    mirror.load()
    sound = answers(sql)
    break_books(url_of(database), damage.statement)

    assert answers(sql) == sound

    mark(sql, HOST, "HW_CPU_X86_AVX")
    assert seen(mirror.snapshot()) == seen(Mirror(sql).snapshot()) == seen(sql.read(fresh))
    claim(sql, OTHER, {HOST: {VCPU: 3}})
    assert seen(mirror.snapshot()) == seen(Mirror(sql).snapshot())
    (host,) = sql.read(lambda reader: reader.states([HOST]))
    assert host.usage[VCPU] == 7
    assert mirror.figures.rebuilds == 1


@pytest.mark.parametrize("check", ["allocations' classes", "memberships' aggregates"])
def test_the_peer_answers_the_same(check: str) -> None:
    """Also where providers share through an aggregate that doesn't exist: the peer compares rows, not names.

    Where a trait or the class of an inventory is missing, the peer refuses every answer that would tell it.
    """
    with fresh_database("sqlite") as url:
        store = SQLStore(url, clock=now)
        store.upgrade()
        store.synchronise()
        fill(store)
        mark(store, POOL, "MISC_SHARES_VIA_AGGREGATE")
        for uuid in (HOST, POOL):
            group(store, uuid)
        join = DANGLING["memberships' aggregates"].statement
        break_books(url, DANGLING[check].statement, join.replace(id_of(HOST), id_of(POOL)))
        peers = [(status, ordered(body)) for status, body in ask_peer(url, READS)]
        ours = answers(store)
        store.close()
    assert ours == peers
    assert {status for status, _ in ours} == {200}
    assert len(ours[1][1]["allocation_requests"]) == (check == "memberships' aggregates")
