"""Claims that share a transaction are granted and refused as if they had come one after the other."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.ledger.commands import (
    Command,
    CreateProvider,
    Reclaim,
    Release,
    Reshape,
    Restock,
    SetInventories,
    Via,
)
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.service import claims
from roost.service.claims import LARGEST, WIDEST, ClaimQueue
from roost.service.writes import carry_out
from roost.storage.memory import MemoryStore
from roost.storage.port import Origin, OutcomeUnknown, RacesLost, Reader, Store, Transaction, Unavailable

pytestmark = [pytest.mark.cwe_435, pytest.mark.cwe_691]

T = TypeVar("T")

HOSTS = tuple(ProviderUUID(f"host-{number}") for number in range(3))
HOST = HOSTS[0]
VCPU = ResourceClass("VCPU")
TOTAL = 8
ORIGIN = Origin(request_id="req-0")


class _Picky:
    """A transaction that refuses to write some consumers."""

    def __init__(self, tx: Transaction, unkept: frozenset[ConsumerUUID]) -> None:
        self._tx = tx
        self._unkept = unkept

    def read(self, scope: Scope) -> World:
        """Pass on."""
        return self._tx.read(scope)

    def recount(self, world: World, providers: Collection[ProviderUUID]) -> World:
        """Pass on."""
        return self._tx.recount(world, providers)

    def write(self, world: World, delta: Delta, origins: Mapping[str, Origin] = MappingProxyType({})) -> None:
        """Pass on, or refuse."""
        if self._unkept & delta.consumers.keys():
            raise refusals.Unkeepable
        self._tx.write(world, delta, origins)


class Gated(MemoryStore):
    """A store whose transactions wait at a gate, and are counted."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: datetime.now(UTC))
        self.gate = threading.Event()
        self.gate.set()
        self.runs = 0
        self.failing: Callable[[], None] = lambda: None
        """Runs before each transaction."""
        self.unkept: frozenset[ConsumerUUID] = frozenset()
        """Consumers that the store can't keep."""

    def transact(self, body: Callable[[Transaction], T], origin: Origin = ORIGIN) -> T:
        """Count, wait at the gate, and pass on."""
        self.runs += 1
        assert self.gate.wait(10)
        self.failing()
        return super().transact(lambda tx: body(_Picky(tx, self.unkept)), origin)


@pytest.fixture
def store() -> Gated:
    """Three hosts of eight VCPU."""
    store = Gated()
    furnish(store)
    store.runs = 0
    return store


def furnish(store: Store) -> None:
    """Make the hosts."""
    store.synchronise()
    for host in HOSTS:
        carry_out(store, CreateProvider(uuid=host, name=host), ORIGIN)
        stocked = {VCPU: Inventory(total=TOTAL)}
        carry_out(store, SetInventories(provider=host, generation=Generation(0), inventories=stocked), ORIGIN)


def claim(consumer: str, amount: int = 1, host: ProviderUUID = HOST, generation: int | None = None) -> Reshape:
    """A claim of VCPU; of none, to give back all."""
    reclaim = Reclaim(
        claim={host: {VCPU: amount}} if amount else {},
        generation=None if generation is None else Generation(generation),
        project=ProjectID("works"),
        user=UserID("mallory"),
    )
    return Reshape(reclaims={ConsumerUUID(consumer): reclaim}, via=Via.ONE_CLAIM)


def usage(store: Store, host: ProviderUUID = HOST) -> int:
    """What is used of a host."""
    return store.read(lambda reader: reader.usage(host))[VCPU]


class Crowd:
    """Claims by threads of their own, sent in order while the first is held up."""

    def __init__(self, store: Gated) -> None:
        self._store = store
        self.queue = ClaimQueue(store)

    def __call__(self, *commands: Command) -> list[Exception | None]:
        """Send all; what came of each."""
        self._store.gate.clear()
        with ThreadPoolExecutor(len(commands) + 1) as pool:
            first = pool.submit(self.queue.carry_out, claim("first", 1, HOSTS[2]), ORIGIN)
            self._wait_for(lambda: self._store.runs == 1)
            sent: list[Future[None]] = []
            for number, command in enumerate(commands, 1):
                sent.append(pool.submit(self.queue.carry_out, command, Origin(request_id=f"req-{number}")))
                self._wait_for(lambda: len(self.queue._waiting) >= len(sent))
            self._store.gate.set()
            first.result(10)
            return [each.exception(10) for each in sent]  # type: ignore[misc]  # no BaseException is raised

    @staticmethod
    def _wait_for(true: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 10
        while not true():
            assert time.monotonic() < give_up
            time.sleep(0.001)


def test_a_claim_that_comes_alone_is_carried_out_at_once(store: Gated) -> None:
    """By its own thread, in a transaction of its own."""
    queue = ClaimQueue(store)

    queue.carry_out(claim("one"), ORIGIN)
    queue.carry_out(claim("two"), ORIGIN)

    assert (store.runs, usage(store)) == (2, 2)


def test_those_that_wait_share_a_transaction(store: Gated) -> None:
    """The first is under way; the others take the next together."""
    assert Crowd(store)(*(claim(str(number)) for number in range(5))) == [None] * 5
    assert (store.runs, usage(store)) == (2, 5)


def test_those_who_come_again_go_together(store: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that claim one after the other come to share all transactions, and don't stay two crowds."""
    monkeypatch.setattr(claims, "GATHER_SECONDS", 0.5)
    store.failing = lambda: time.sleep(0.05)  # a transaction takes its time, or there would be no company
    queue, clients, turns = ClaimQueue(store), 6, 10

    def work(number: int) -> None:
        for turn in range(turns):
            queue.carry_out(claim(f"{number}-{turn}", 0), ORIGIN)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, range(clients)))

    assert turns <= store.runs <= turns + clients


def test_nobody_waits_for_company_longer_than_a_transaction_takes(
    store: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who were here may not come again."""
    monkeypatch.setattr(claims, "GATHER_SECONDS", 60)
    monkeypatch.setattr(claims, "RECENT_SECONDS", 60)
    crowd = Crowd(store)
    crowd(*(claim(str(number), 0) for number in range(5)))
    begun = time.monotonic()

    crowd.queue.carry_out(claim("left alone"), ORIGIN)

    assert time.monotonic() - begun < 30


def test_no_more_are_granted_than_fit(store: Gated) -> None:
    """The first that asked get it; each other is refused for itself."""
    outcomes = Crowd(store)(*(claim(str(number), 3) for number in range(4)), claim("small", 2))

    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        type(None),
        refusals.CapacityExceeded,
        refusals.CapacityExceeded,
        type(None),
    ]
    assert (store.runs, usage(store)) == (2, TOTAL)


def test_what_is_given_back_can_be_had_by_the_next(store: Gated) -> None:
    """Within one transaction."""
    ClaimQueue(store).carry_out(claim("full", TOTAL), ORIGIN)
    store.runs = 0

    outcomes = Crowd(store)(claim("early"), Release(consumer=ConsumerUUID("full")), claim("late", TOTAL))

    assert [type(outcome) for outcome in outcomes] == [refusals.CapacityExceeded, type(None), type(None)]
    assert (store.runs, usage(store)) == (2, TOTAL)


def test_claims_of_one_consumer_keep_their_order(store: Gated) -> None:
    """Each sees the one before it, so they take a transaction each."""
    outcomes = Crowd(store)(claim("one", 1), claim("one", 2, generation=1), claim("two"), claim("one", 3, generation=2))

    assert outcomes == [None] * 4
    assert (store.runs, usage(store)) == (4, 4)


def test_each_change_is_recorded_with_who_asked_for_it(store: Gated) -> None:
    """A consumer's with its own request, a provider's with the last."""
    Crowd(store)(claim("one"), claim("two"), claim("three", TOTAL, HOSTS[1]))

    changes = store.read(lambda reader: reader.changes({0: 0}))
    asked = {change.uuid: change.origin.request_id for change in changes}
    assert {name: asked[name] for name in ("one", "two", "three", HOSTS[0], HOSTS[1])} == {
        "one": "req-1",
        "two": "req-2",
        "three": "req-3",
        HOSTS[0]: "req-2",
        HOSTS[1]: "req-3",
    }


def test_one_that_fails_fails_alone(store: Gated) -> None:
    """A value that the store can't keep, or a bug, is not the others' concern."""
    store.unkept = frozenset({ConsumerUUID("odd")})

    outcomes = Crowd(store)(claim("one"), claim("odd"), claim("two"))

    assert [type(outcome) for outcome in outcomes] == [type(None), refusals.Unkeepable, type(None)]
    assert usage(store) == 2


@pytest.mark.parametrize("kind", [Unavailable, OutcomeUnknown])
def test_a_store_that_is_away_is_away_for_all(store: Gated, kind: type[Unavailable]) -> None:
    """Nobody is told that it was granted."""

    def fail() -> None:
        if store.runs > 1:
            raise kind("away")

    store.failing = fail

    outcomes = Crowd(store)(claim("one"), claim("two"))

    assert [(type(outcome), str(outcome)) for outcome in outcomes] == [(kind, "away")] * 2


def test_a_lost_race_is_not_shared(store: Gated) -> None:
    """The claim whose fault it may be must not cost the others their answer: each tries for itself."""
    fails = iter([False, True, False, False, False])

    def fail() -> None:
        if next(fails):
            raise RacesLost("again and again")

    store.failing = fail

    assert Crowd(store)(claim("one"), claim("two"), claim("three")) == [None] * 3
    assert (store.runs, usage(store)) == (5, 3)


def test_a_claim_alone_fails_at_once(store: Gated) -> None:
    """There is no fault of another's to part from: it is not tried again."""

    def fail() -> None:
        raise RacesLost("again and again")

    store.failing = fail

    with pytest.raises(RacesLost):
        ClaimQueue(store).carry_out(claim("one"), ORIGIN)
    assert store.runs == 1


def test_who_is_interrupted_leaves_the_others_to_go_on(store: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it gathers, takes or leads: another leads next, and its own claim isn't carried out after it has left."""
    queue = ClaimQueue(store)
    for method in ("_gather", "_take", "_carry_out_all"):
        with monkeypatch.context() as patch:
            patch.setattr(queue, method, interrupted)
            with pytest.raises(KeyboardInterrupt):
                queue.carry_out(claim("gone"), ORIGIN)

    queue.carry_out(claim("next"), ORIGIN)

    assert (usage(store), queue._waiting, queue._busy) == (1, [], False)


def interrupted(*_: object) -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def test_wide_and_other_commands_go_by_themselves(store: Gated) -> None:
    """A claim of many consumers, and whatever restocks, has a transaction of its own and waits for no one."""
    wide = Reshape(
        reclaims={
            uuid: reclaim for number in range(WIDEST + 1) for uuid, reclaim in claim(str(number), 0).reclaims.items()
        },
        via=Via.MANY_CLAIMS,
    )
    stocked = Restock(generation=Generation(1), inventories={VCPU: Inventory(total=TOTAL)})
    restocking = Reshape(reclaims=claim("one").reclaims, restocks={HOST: stocked})
    queue = ClaimQueue(store)

    for command in (wide, restocking, Reshape(reclaims={}, via=Via.MANY_CLAIMS)):
        queue.carry_out(command, ORIGIN)

    assert store.runs == 3


def test_a_transaction_takes_no_more_than_its_share(store: Gated) -> None:
    """The rest goes with the next."""
    assert Crowd(store)(*(claim(str(number), 0) for number in range(LARGEST + 1))) == [None] * (LARGEST + 1)
    assert store.runs == 3


ROW = st.tuples(
    st.integers(0, 15),
    st.sampled_from(HOSTS[:2]),
    st.sampled_from((0, 2, 3, 4)),
    st.sampled_from((None, None, 1)),
    st.sampled_from((False, False, False, True)),
)


@given(
    before=st.lists(ROW, max_size=6),
    after=st.lists(ROW, min_size=4, max_size=12, unique_by=lambda row: row[0]),  # one of each consumer, so they share
)
def test_together_is_as_if_one_after_the_other(before: list[Any], after: list[Any]) -> None:
    """The same are granted, the same refused for the same reason, and the same is left."""
    plain, shared = Gated(), Gated()
    for store in (plain, shared):
        furnish(store)
        for command in commands(before):
            _outcome(store, command)
        store.runs = 0
    several = commands(after)
    first = claim("first", 1, HOSTS[2])

    expected = [_outcome(plain, command) for command in (first, *several)][1:]
    found = [type(outcome) for outcome in Crowd(shared)(*several)]

    assert found == expected
    assert plain.read(_everything) == shared.read(_everything)


def commands(rows: Any) -> list[Command]:
    """Claims and releases from what was drawn."""
    return [
        Release(consumer=ConsumerUUID(str(number)))
        if release
        else claim(str(number), amount, host, None if generation is None else generation)
        for number, host, amount, generation, release in rows
    ]


def _outcome(store: Store, command: Command) -> type:
    try:
        carry_out(store, command, ORIGIN)
    except refusals.Refusal as refusal:
        return type(refusal)
    return type(None)


def _everything(reader: Reader) -> list[Any]:
    generations = [(provider.uuid, provider.generation) for provider in reader.providers()]
    held = [
        (it.provider.uuid, it.consumer.uuid, it.consumer.generation, it.resource_class, it.used)
        for host in HOSTS
        for it in reader.provider_allocations(host)
    ]
    return [generations, sorted(held)]
