"""Clients of a store that fails: who is told that it is away finds all of their change or nothing, and asks again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from roost.ledger.commands import Command, CreateProvider, Reclaim, Release, Reshape, SetInventories, Via
from roost.model import refusals
from roost.model.consumer import Claim
from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.service.claims import ClaimQueue
from roost.service.writes import carry_out
from roost.storage.port import OutcomeUnknown, Store, Unavailable
from roost.storage.sql.patience import Patience
from roost.storage.sql.store import SQLStore
from roost.storage.wraps.faulty import Fault, FaultyStore
from tests.storage.hand import DISK, ORIGIN, VCPU, consumer_uuid, uuids
from tests.storage.test_failures import lose, refusal

pytestmark = pytest.mark.cwe_703

HOSTS = tuple(map(ProviderUUID, (uuid for uuid, _ in zip(uuids(), range(3), strict=False))))
TOTAL = 6
REQUESTS = 12
CLIENTS = 8
SEED = 8

Ask = Callable[[Command], object]


class Held(msgspec.Struct, frozen=True):
    """What a consumer holds."""

    generation: Generation | None = None
    claim: Claim = {}


def held(store: Store, consumer: ConsumerUUID) -> Held:
    """What a consumer holds, as it could ask itself."""
    claim: dict[ProviderUUID, dict[ResourceClass, int]] = {}
    allocations = store.read(lambda reader: reader.consumer_allocations(consumer))
    for it in allocations:
        claim.setdefault(it.provider.uuid, {})[it.resource_class] = it.used
    return Held(allocations[0].consumer.generation if allocations else None, claim)


class Client:
    """One consumer, which claims, moves and gives back as its dice say, and believes only what it was told or saw."""

    def __init__(self, store: Store, ask: Ask, number: int) -> None:
        self._store = store
        self._ask = ask
        self._dice = Random(SEED + number)
        self._consumer = consumer_uuid(number)
        self._known = Held()
        self.found: list[str] = []
        """What was found each time that the store was said to be away."""
        self.granted = 0

    def live(self) -> None:
        """Ask for one thing after the other, and for each until an answer is had."""
        for _ in range(REQUESTS):
            wanted = self._wish()
            after = Held(_next(self._known) if wanted else None, wanted)
            self._insist(self._command(wanted), after)
            assert held(self._store, self._consumer) == self._known

    def _wish(self) -> Claim:
        """An amount of both classes of one or two hosts, or nothing where something is held."""
        if self._known.claim and self._dice.random() < 0.3:
            return {}
        hosts = self._dice.sample(HOSTS, self._dice.choice((1, 2)))
        return {host: {VCPU: self._dice.randint(1, 2), DISK: 1} for host in hosts}

    def _command(self, wanted: Claim) -> Command:
        if not wanted:
            return Release(consumer=self._consumer)
        reclaim = Reclaim(
            claim=wanted, generation=self._known.generation, project=ProjectID("works"), user=UserID("mallory")
        )
        return Reshape(reclaims={self._consumer: reclaim}, via=Via.ONE_CLAIM)

    def _insist(self, command: Command, after: Held) -> None:
        """Some look at what came of it before they ask again, and some learn it from the refusal."""
        looks, told_away = self._dice.random() < 0.5, False
        while True:
            try:
                self._ask(command)
            except Unavailable:
                told_away = True
                found = held(self._store, self._consumer)
                assert found in (self._known, after), "neither all of it nor nothing"
                self.found.append("all" if found == after else "nothing")
                if found == self._known or not looks:
                    continue
            except refusals.CapacityExceeded:
                return
            except (refusals.StaleConsumer, refusals.NoAllocations):
                assert told_away, "refused for its own change, of which it had been told"
                assert held(self._store, self._consumer) == after, "refused, though nothing had been done"
            self._known = after
            self.granted += 1
            return


def _next(known: Held) -> Generation:
    return Generation(1 if known.generation is None else known.generation + 1)


def furnish(store: Store) -> None:
    """Make the hosts."""
    for host in HOSTS:
        carry_out(store, CreateProvider(uuid=host, name=host), ORIGIN)
        stocked = {VCPU: Inventory(total=TOTAL), DISK: Inventory(total=TOTAL)}
        carry_out(store, SetInventories(provider=host, generation=Generation(0), inventories=stocked), ORIGIN)


def assert_sound(store: Store) -> None:
    """No host is over capacity, and what is used is what is held."""
    sums: dict[tuple[ProviderUUID, ResourceClass], int] = {}
    for number in range(CLIENTS):
        for host, resources in held(store, consumer_uuid(number)).claim.items():
            for name, used in resources.items():
                sums[host, name] = sums.get((host, name), 0) + used
    for host in HOSTS:
        usage = store.read(lambda reader, host=host: reader.usage(host))  # type: ignore[misc]  # a default has no type
        assert usage == {name: sums.get((host, name), 0) for name in (VCPU, DISK)}
        assert max(usage.values()) <= TOTAL


def test_a_client_finds_all_of_its_change_or_nothing(store: Store) -> None:
    """What the fault was decides which; after a lost race nothing has to be asked again."""
    furnish(store)
    faulty = FaultyStore(store, seed=SEED, rate=0.5)
    clients = [Client(store, lambda command: carry_out(faulty, command, ORIGIN), number) for number in range(CLIENTS)]

    for client in clients:
        client.live()

    found = [each for client in clients for each in client.found]
    assert 0 < found.count("nothing") <= faulty.raised.count(Fault.BEFORE_COMMIT)
    assert 0 < found.count("all") <= faulty.raised.count(Fault.AFTER_COMMIT)
    assert Fault.LOST_RACE in faulty.raised
    assert sum(client.granted for client in clients) > CLIENTS
    assert_sound(store)


def test_so_does_each_of_those_that_share_a_transaction(store: Store) -> None:
    """One fault is told to all of them, and each asks again for itself."""
    furnish(store)
    faulty = FaultyStore(store, seed=SEED, rate=0.5)
    queue = ClaimQueue(faulty)
    clients = [Client(store, lambda command: queue.carry_out(command, ORIGIN), number) for number in range(CLIENTS)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        for living in [pool.submit(client.live) for client in clients]:
            living.result(60)

    # The first transaction finds empty hosts, and its reply is lost; whoever comes with which later one is chance.
    assert faulty.raised[0] is Fault.AFTER_COMMIT
    assert set(faulty.raised[:REQUESTS]) == {None, *Fault}
    assert {each for client in clients for each in client.found} == {"all", "nothing"}
    assert_sound(store)


@pytest.mark.parametrize("applied", [False, True], ids=["commit lost", "reply lost"])
def test_who_is_left_in_doubt_finds_out(sql: SQLStore, monkeypatch: pytest.MonkeyPatch, *, applied: bool) -> None:
    """The database goes away as it commits, and stays away: the client is told so, and finds all or nothing later."""
    furnish(sql)
    sql._patience = Patience(bound=0.3)
    engine, away, told = sql._engines.write, list[bool](), list[type]()
    commit = engine.dialect.do_commit

    def failing(connection: Any) -> None:
        monkeypatch.setattr(engine.dialect, "do_commit", commit)
        if applied:
            commit(connection)
        away.append(True)
        engine.dispose()
        lose(sql, connection)

    def refuse(*_: Any) -> None:
        if away:
            raise refusal(engine.dialect.name)

    def ask(command: Command) -> None:
        try:
            carry_out(sql, command, ORIGIN)
        except Unavailable as error:
            told.append(type(error))
            away.clear()
            raise

    client = Client(sql, ask, 1)
    monkeypatch.setattr(engine.dialect, "do_commit", failing)
    event.listen(engine, "do_connect", refuse)
    client.live()

    assert told == [OutcomeUnknown]
    assert client.found == ["all" if applied else "nothing"]
    assert_sound(sql)
