"""What is counted of requests, transactions, claims and searches, from the request to the scrape, in one process."""

import re
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any
from wsgiref.types import WSGIApplication

import msgspec
import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from roost import configuration, main
from roost.ledger.world import Delta, Scope
from roost.mirror.mirror import Mirror
from roost.storage.memory import MemoryStore
from roost.storage.port import LostRace, Store, Transaction, Unavailable
from roost.storage.sql.failures import Clash
from roost.storage.sql.patience import Patience
from roost.storage.sql.store import SQLStore
from roost.storage.wraps.faulty import Fault, FaultyStore
from roost.storage.wraps.observed import ObservedStore
from roost.telemetry import table
from roost.telemetry.meters import Meters
from tests.databases import KINDS, fresh_database
from tests.http.api import HOST, MOMENT, SERVER, Client, claim
from tests.peer.wsgi import call
from tests.storage.conftest import now
from tests.storage.hand import ORIGIN, make, uuids
from tests.telemetry.scraped import Scraped, scraped


class Watched(Client):
    """A client of an application that counts, over a store that gives way once to each writer."""

    def __init__(self, store: Store) -> None:
        self.meters = Meters()
        super().__init__(ObservedStore(store, self.meters), watch=self.meters)

    def scraped(self) -> Scraped:
        """What it has counted."""
        return scraped(self.meters.registry)


@pytest.fixture
def client() -> Watched:
    """A client with one host, whose store gives way once to each writer."""
    books = MemoryStore(clock=lambda: MOMENT)
    watched = Watched(FaultyStore(books, seed=1, rate=1.0, faults=(Fault.LOST_RACE,)))
    watched.host()
    return watched


def test_requests_are_told_by_route(client: Watched) -> None:
    """By template, method, status and the version negotiated; what a client makes up gets no series of its own."""
    client(f"GET /resource_providers/{HOST}", version="1.10")
    client(f"GET /resource_providers/{HOST}", version="1.10")
    client(f"GET /resource_providers/{SERVER}", version="1.10")
    client("GET /nowhere/at/all", version="1.10")
    client("BREW /resource_providers", version="1.10")
    client("GET /resource_providers", version="9.99")
    call(client.app, "GET", "/resource_providers")
    found = client.scraped()

    route = "/resource_providers/{uuid}"
    count = "roost_requests_total"
    assert found(count, method="GET", route=route, status="200", microversion="1.10") == 2
    assert found(count, method="GET", route=route, status="404", microversion="1.10") == 1
    assert found(count, method="GET", route="none", status="404", microversion="1.10") == 1
    assert found(count, method="OTHER", route="/resource_providers", status="405", microversion="1.10") == 1
    assert found(count, method="GET", route="none", status="406", microversion="none") == 1
    assert found(count, method="GET", route="none", status="401", microversion="none") == 1
    assert found("roost_request_seconds_count", method="GET", route=route) == 3
    assert found("roost_requests_in_progress") == 0


def test_retries_are_counted(client: Watched) -> None:
    """A transaction that is run twice is one, and one retry; a claim too, which goes with others."""
    before = client.scraped()
    assert client(f"PUT /allocations/{SERVER}", claim()).status == 204
    after = client.scraped()

    def more(name: str, **labels: str) -> float:
        return after.sum(name, **labels) - before.sum(name, **labels)

    assert more("roost_transactions_total", outcome="done") == 1
    assert more("roost_transactions_total") == 1
    assert more("roost_transaction_retries_total") == 1
    assert more("roost_transaction_seconds_count") == 1
    assert more("roost_claims_per_transaction_bucket", le="1.0") == 1
    assert more("roost_claim_wait_seconds_count") == 1


def test_how_transactions_end(client: Watched) -> None:
    """A refusal is the client's affair, an absent database the operator's."""
    assert client(f"DELETE /resource_providers/{SERVER}").status == 404
    assert client.scraped()("roost_transactions_total", outcome="refused") == 1
    away = Watched(FaultyStore(MemoryStore(clock=now), seed=1, rate=1.0, faults=(Fault.BEFORE_COMMIT,)))
    assert away("POST /resource_providers", {"name": "host"}).status == 503
    found = away.scraped()
    assert found("roost_transactions_total", outcome="unavailable") == 1
    assert found.sum("roost_requests_total", status="503", method="POST") == 1


def test_claims_that_go_together() -> None:
    """Each has waited for itself."""
    meters = Meters()
    meters.claims_go([0.0015, 0.003, 0.7])
    found = scraped(meters.registry)
    assert found("roost_claims_per_transaction_bucket", le="2.0") == 0
    assert found("roost_claims_per_transaction_bucket", le="4.0") == 1
    assert found("roost_claim_wait_seconds_count") == 3
    assert found("roost_claim_wait_seconds_bucket", le="0.004") == 2


def test_searches(client: Watched) -> None:
    """Their steps, what they asked the store, and what the mirror did for them."""
    client("GET /allocation_candidates?resources=VCPU:1")
    client("GET /allocation_candidates?resources=VCPU:1")
    found = client.scraped()
    assert found("roost_search_steps_count") == 2
    assert found.sum("roost_search_steps_sum") >= 2
    assert found("roost_searches_unfinished_total", bound="steps") == 0
    assert found("roost_read_seconds_count", kind="glance") == 2
    assert found("roost_mirror_refresh_seconds_count", kind="rebuild") == 1
    assert found("roost_mirror_in_step_timestamp_seconds") is not None
    client.meters.searched(500_000, "steps")
    assert client.scraped()("roost_searches_unfinished_total", bound="steps") == 1


def test_the_mirror_when_the_store_is_away() -> None:
    """It fails, and says so."""
    meters = Meters()
    faulty = FaultyStore(MemoryStore(clock=now), seed=1, reading_rate=1.0)
    with pytest.raises(Unavailable):
        Mirror(faulty, watch=meters).together(lambda reader: reader.versions())
    mirror = Mirror(ObservedStore(faulty, meters), watch=meters)
    with pytest.raises(Unavailable):
        mirror._catch_up(None, lambda _: None)
    assert scraped(meters.registry)("roost_mirror_failures_total") == 1


def test_what_has_not_happened_is_zero() -> None:
    """So that the first time counts as an increase."""
    found = scraped(Meters().registry)
    for cause in ("race", "clash", "away"):
        assert found("roost_store_setbacks_total", cause=cause) == 0
    for outcome in ("done", "refused", "unavailable", "failed"):
        assert found("roost_transactions_total", outcome=outcome) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_setbacks_and_locks_on_every_database(kind: str) -> None:
    """Each attempt that lost is counted by its cause, each that got its locks with the time that took."""
    meters = Meters()
    with fresh_database(kind) as url:
        sql = SQLStore(url, clock=now, watch=meters)
        sql.upgrade()
        store = ObservedStore(sql, meters)
        losses: Iterator[Exception] = iter([LostRace(), Clash()])

        def body(tx: Transaction) -> None:
            tx.write(tx.read(Scope()), Delta())
            for loss in losses:
                raise loss

        store.transact(body, ORIGIN)
        make(store, next(uuids()))
        sql.close()
    found = scraped(meters.registry)
    assert [found("roost_store_setbacks_total", cause=cause) for cause in ("race", "clash", "away")] == [1, 1, 0]
    assert found("roost_transaction_retries_total") == 2
    assert found("roost_transactions_total", outcome="done") == 2
    assert found("roost_lock_seconds_count") == 4


def test_a_lock_that_is_waited_for() -> None:
    """The time of waiting for another writer is the lock's."""
    meters = Meters()
    with fresh_database("sqlite") as url:
        store = SQLStore(url, clock=now, watch=meters)
        store.upgrade()
        holding, leave = Event(), Event()

        def hold(tx: Transaction) -> None:
            tx.read(Scope())
            holding.set()
            leave.wait(10)

        first = Thread(target=lambda: store.transact(hold, ORIGIN))
        second = Thread(target=lambda: store.transact(lambda tx: tx.read(Scope()), ORIGIN))
        first.start()
        holding.wait(10)
        second.start()
        second.join(0.2)
        leave.set()
        first.join()
        second.join()
        store.close()
    found = scraped(meters.registry)
    assert found("roost_lock_seconds_count") == 2
    assert (found("roost_lock_seconds_sum") or 0) > 0.15


def test_a_database_that_is_away() -> None:
    """Counted each time that it isn't found, also by who only reads."""
    meters = Meters()
    store = SQLStore("postgresql://roost@127.0.0.1:1/roost", clock=now, watch=meters, patience=Patience(bound=0.01))
    with pytest.raises(Unavailable):
        store.read(lambda reader: reader.versions())
    assert scraped(meters.registry).sum("roost_store_setbacks_total", cause="away") >= 1


def test_the_table_is_what_is_told(client: Watched) -> None:
    """Every metric of the table that processes count is scraped, with its labels, and none beside."""
    client("GET /allocation_candidates?resources=VCPU:1")
    told = {
        family.name: {label for sample in family.samples for label in sample.labels} - {"le"}
        for family in client.meters.registry.collect()
    }
    assert told == {metric.name.removesuffix("_total"): set(metric.labels) for metric in table.COUNTED}


def test_names_follow_the_customs_of_prometheus() -> None:
    """Counters end in _total, times in seconds, sizes in bytes; each name and meaning is told once."""
    for metric in table.METRICS:
        assert re.fullmatch(r"roost_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.name.endswith("_seconds") == (metric.unit in {"seconds", "unix time"})
        assert metric.name.endswith("_bytes") == (metric.unit == "bytes")
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert metric.meaning.endswith(".")
    assert len({metric.name for metric in table.METRICS}) == len(table.METRICS)


@pytest.fixture
def app() -> Iterator[WSGIApplication]:
    """A whole server, as it is started, on SQLite."""
    conf = configuration.load((), files=())
    with fresh_database("sqlite") as url:
        conf.set_override("connection", url, group="placement_database")
        conf.set_override("sync_on_startup", True, group="placement_database")  # noqa: FBT003 - oslo.config's
        conf.set_override("auth_strategy", "noauth2", group="api")
        yield main.make_application(conf)


HEADERS = {"x-auth-token": "admin", "openstack-api-version": "placement latest"}
SEARCH = "/allocation_candidates?resources=VCPU:1"


def test_counting_asks_the_database_nothing(app: WSGIApplication) -> None:
    """A search costs no statement but its glance, which goes past SQLAlchemy; a scrape none either."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    call(app, "GET", SEARCH, headers=HEADERS)
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        for path in (SEARCH, "/metrics"):
            assert call(app, "GET", path, headers=HEADERS).status == 200
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert sent == []


def test_a_server_tells_of_everything(app: WSGIApplication) -> None:
    """Whoever has something to tell is heard: store, database, queue, mirror, search."""
    made = msgspec.json.encode({"name": "host", "uuid": HOST})
    body = HEADERS | {"content-type": "application/json"}
    assert call(app, "POST", "/resource_providers", headers=body, body=made).status == 200
    stocked = msgspec.json.encode({"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8}}})
    path = f"/resource_providers/{HOST}/inventories"
    assert call(app, "PUT", path, headers=body, body=stocked).status == 200
    claimed = msgspec.json.encode(claim())
    assert call(app, "PUT", f"/allocations/{SERVER}", headers=body, body=claimed).status == 204
    assert call(app, "GET", SEARCH, headers=HEADERS).status == 200
    found = Scraped(call(app, "GET", "/metrics").body.decode())
    assert found("roost_transactions_total", outcome="done") == 3
    assert found("roost_lock_seconds_count") == 3
    assert found("roost_claim_wait_seconds_count") == found("roost_claim_wait_seconds_bucket", le="10.0") == 1
    assert found("roost_mirror_refresh_seconds_count", kind="rebuild") == 1
    assert found("roost_search_steps_count") == 1
    assert found(
        "roost_requests_total", method="GET", route="/allocation_candidates", status="200", microversion="1.39"
    )
    assert found("roost_inventory_used", resource_class="VCPU") == 1


def test_what_a_request_costs(client: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: how many numbers a search, and a claim, move."""
    moved: list[str] = []
    values: list[Any] = []
    for registered in list(client.meters.registry._collector_to_names):
        values += _values(registered)
    kinds = {type(value) for value in values}
    for kind in kinds:
        for verb in ("inc", "set"):
            original = getattr(kind, verb)

            def counted(self: Any, *args: Any, original: Any = original) -> None:
                moved.append(type(self).__name__)
                original(self, *args)

            monkeypatch.setattr(kind, verb, counted)
    client("GET /allocation_candidates?resources=VCPU:1")
    moved.clear()
    client("GET /allocation_candidates?resources=VCPU:1")
    assert len(moved) <= 11
    moved.clear()
    assert client(f"PUT /allocations/{SERVER}", claim()).status == 204
    assert len(moved) <= 13


def _values(metric: Any) -> list[Any]:
    parts = [metric, *getattr(metric, "_metrics", {}).values()]
    return [
        value
        for part in parts
        for value in (getattr(part, "_value", None), getattr(part, "_sum", None), *getattr(part, "_buckets", ()))
        if value is not None
    ]


def test_one_registry_for_each() -> None:
    """Two applications in one process don't count together."""
    assert isinstance(Meters().registry, CollectorRegistry)
    one, other = Meters(), Meters()
    one.searched(1, None)
    assert scraped(other.registry)("roost_search_steps_count") == 0
