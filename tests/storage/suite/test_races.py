"""What happens when writers meet, on every store. Barriers bring them together; nothing sleeps.

A store that lets one writer in at a time can't have two at one point. There the barrier breaks after a moment, which
is why bodies wait at it only in their first run, and take a broken one as leave to go on.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from queue import Queue

import pytest

from roost.ledger.world import Delta, Scope, World
from roost.model.inventory import Inventory
from roost.model.names import ProviderUUID, ResourceClass, Trait
from roost.model.provider import Provider
from roost.storage.port import Reader, Store, Transaction
from tests.storage.hand import (
    DISK,
    ORIGIN,
    VCPU,
    Full,
    ask,
    claim,
    consumer_uuid,
    look,
    make,
    mark,
    new_classes,
    new_traits,
    pair_in_different_stripes,
    release,
    state,
    stock,
    take_one,
    uuids,
    write,
)

pytestmark = [pytest.mark.cwe_435, pytest.mark.cwe_691]

A = ResourceClass("CUSTOM_A")


class Refused(Exception):
    """What the bodies here refuse with."""


class Meeting:
    """Brings the first runs of several bodies to one point, where the store lets them."""

    def __init__(self, kind: str, parties: int = 2) -> None:
        self._barrier = threading.Barrier(parties) if kind in {"postgresql", "mariadb"} else None
        self._been = threading.local()

    def here(self) -> None:
        """Wait for the others, once for each thread."""
        if self._barrier is not None and not getattr(self._been, "here", False):
            self._been.here = True
            with suppress(threading.BrokenBarrierError):
                self._barrier.wait(timeout=10)


def together(*tasks: Callable[[], object]) -> list[object]:
    """Run all at once; what each returned or raised, in their order."""
    outcomes: list[object] = [None] * len(tasks)
    start = threading.Barrier(len(tasks))

    def run(place: int, task: Callable[[], object]) -> None:
        start.wait()
        try:
            outcomes[place] = task()
        except Exception as error:  # noqa: BLE001 (whatever it is, the test looks at it)
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=(place, task)) for place, task in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a writer hangs"
    return outcomes


def test_one_of_two_makers_of_a_name_wins_and_the_other_sees_it(store: Store, kind: str) -> None:
    """The loser's body runs again, finds the winner's provider, and refuses as if it had come later."""
    meeting = Meeting(kind)
    seen: Queue[Mapping[str, str]] = Queue()

    def maker(uuid: ProviderUUID) -> Callable[[], str]:
        def body(tx: Transaction) -> str:
            world = tx.read(Scope(providers=frozenset({uuid}), provider_names=frozenset({"host"})))
            meeting.here()
            if "host" in world.bearers:
                seen.put(world.bearers)
                raise Refused
            tx.write(world, Delta(made=(Provider(uuid=uuid, name="host", root=uuid),)))
            return uuid

        return lambda: store.transact(body, ORIGIN)

    outcomes = together(*(maker(uuid) for uuid in pair_in_different_stripes()))
    winners = [each for each in outcomes if isinstance(each, str)]
    assert len(winners) == 1
    assert [type(each) for each in outcomes if each not in winners] == [Refused]
    assert seen.get() == {"host": winners[0]}
    assert [each.uuid for each in ask(store, lambda reader: reader.providers())] == winners


def test_one_of_two_first_claims_of_a_consumer_wins(store: Store, kind: str) -> None:
    """On providers that share no lock; the loser sees the winner's claim, and nothing of its own is left."""
    meeting = Meeting(kind)
    consumer = consumer_uuid(1)

    def claimer(provider: ProviderUUID) -> Callable[[], str]:
        make(store, provider)
        stock(store, provider, {VCPU: Inventory(total=4)})

        def body(tx: Transaction) -> str:
            world = tx.read(Scope(stocks=frozenset({provider}), consumers=frozenset({consumer})))
            meeting.here()
            if consumer in world.consumers:
                raise Refused
            after = state(consumer, {provider: {VCPU: 1}}, project=f"project of {provider}")
            tx.write(world, Delta(consumers={consumer: after}, advances={provider: 1}))
            return provider

        return lambda: store.transact(body, ORIGIN)

    providers = pair_in_different_stripes()
    outcomes = together(*map(claimer, providers))
    (winner,) = (each for each in outcomes if isinstance(each, str))
    assert sum(isinstance(each, Refused) for each in outcomes) == 1
    (held,) = ask(store, lambda reader: reader.consumer_allocations(consumer))
    assert held.provider.uuid == winner
    generations = {each.uuid: each.generation for each in ask(store, lambda reader: reader.providers())}
    assert generations == {uuid: 2 if uuid == winner else 1 for uuid in providers}


def test_two_changes_of_one_consumer_follow_each_other(store: Store, kind: str) -> None:
    """Neither is lost: the second decides on what the first has written."""
    one, other = pair_in_different_stripes()
    consumer = consumer_uuid(1)
    for provider in (one, other):
        make(store, provider)
        stock(store, provider, {VCPU: Inventory(total=400), DISK: Inventory(total=400)})
    claim(store, consumer, {one: {VCPU: 1}, other: {VCPU: 1}})

    def grow(provider: ProviderUUID, name: ResourceClass) -> Callable[[], object]:
        def decide(world: World) -> Delta:
            before = world.consumers[consumer]
            held = {uuid: dict(resources) for uuid, resources in before.claim.items()}
            held[provider][name] = held[provider].get(name, 0) + 1
            after = state(consumer, held, before.consumer.generation + 1)
            return Delta(consumers={consumer: after}, advances={provider: 1})

        scope = Scope(stocks=frozenset({provider}), consumers=frozenset({consumer}))

        def several() -> None:
            for _ in range(10):
                write(store, scope, decide)

        return several

    del kind
    assert together(grow(one, VCPU), grow(other, DISK), grow(other, VCPU)) == [None] * 3
    after = look(store, Scope(consumers=frozenset({consumer}))).consumers[consumer]
    assert after == state(consumer, {one: {VCPU: 11}, other: {VCPU: 11, DISK: 10}}, 31)


@pytest.mark.parametrize("round_", range(5))
def test_the_last_unit_is_granted_once(store: Store, round_: int) -> None:
    """Whoever comes first; the sum of claims never passes the capacity."""
    provider = make(store, next(uuids(round_ + 1)))
    stock(store, provider, {VCPU: Inventory(total=1)})
    takers = [take_one(consumer_uuid(number), provider) for number in range(4)]
    outcomes = together(*(partial(store.transact, body, ORIGIN) for body in takers))
    assert sorted(type(each).__name__ for each in outcomes) == ["Full", "Full", "Full", "NoneType"]
    assert ask(store, lambda reader: reader.usage(provider)) == {VCPU: 1}
    assert any(isinstance(each, Full) for each in outcomes)


def test_claims_on_trees_in_opposite_orders_dont_deadlock(store: Store) -> None:
    """Locks are taken in one order whatever the order of names."""
    one, other = pair_in_different_stripes()
    for provider in (one, other):
        make(store, provider)
        stock(store, provider, {VCPU: Inventory(total=400)})

    def claims(first: int, *providers: ProviderUUID) -> Callable[[], object]:
        def several() -> None:
            for number in range(first, first + 10):
                claim(store, consumer_uuid(number), {provider: {VCPU: 1} for provider in providers})

        return several

    assert together(claims(0, one, other), claims(100, other, one), claims(200, one)) == [None] * 3
    usage = look(store, Scope(stocks=frozenset({one, other}))).usage
    assert usage == {one: {VCPU: 30}, other: {VCPU: 20}}


def test_a_provider_is_not_removed_under_a_claim(store: Store, kind: str) -> None:
    """Either the claim comes first and the removal sees it, or the removal does and the claim finds no provider."""
    provider = make(store, next(uuids()))
    stock(store, provider, {VCPU: Inventory(total=4)})
    consumer = consumer_uuid(1)
    del kind

    def claiming(world: World) -> Delta:
        if provider not in world.providers:
            raise Refused
        return Delta(consumers={consumer: state(consumer, {provider: {VCPU: 1}})}, advances={provider: 1})

    def removing(world: World) -> Delta:
        if world.usage[provider]:
            raise Refused
        return Delta(removed=frozenset({provider}))

    scope = Scope(stocks=frozenset({provider}), consumers=frozenset({consumer}), trees=frozenset({provider}))
    outcomes = together(lambda: write(store, scope, claiming), lambda: write(store, scope, removing))
    assert sum(isinstance(each, Refused) for each in outcomes) == 1
    held = ask(store, lambda reader: reader.consumer_allocations(consumer))
    there = ask(store, lambda reader: reader.provider(provider))
    assert (there is None) == (not held)


def test_trees_that_move_into_each_other_make_no_loop(store: Store) -> None:
    """The second move sees the first."""
    one, other = pair_in_different_stripes()
    make(store, one)
    make(store, other)

    def under(child: ProviderUUID, parent: ProviderUUID) -> Callable[[], object]:
        def decide(world: World) -> Delta:
            if world.providers[parent].root == child:
                raise Refused
            return Delta(changed=(Provider(uuid=child, name=child, parent=parent, root=parent),))

        return lambda: write(store, Scope(trees=frozenset({child, parent})), decide)

    outcomes = together(under(one, other), under(other, one))
    assert sum(isinstance(each, Refused) for each in outcomes) == 1
    assert len({each.root for each in ask(store, lambda reader: reader.providers())}) == 1


@pytest.mark.parametrize("round_", range(5))
def test_a_child_made_while_its_parent_moves_has_the_right_root(store: Store, round_: int) -> None:
    """The stripe that was locked is checked once more under the lock."""
    root, target = pair_in_different_stripes(1000 + 100 * round_)
    make(store, root)
    make(store, target)
    child = next(uuids(1))

    def moving(world: World) -> Delta:
        members = [each for each in world.providers.values() if each.root == root]
        return Delta(
            changed=tuple(
                Provider(uuid=each.uuid, name=each.name, parent=each.parent or target, root=target) for each in members
            )
        )

    outcomes = together(
        lambda: write(store, Scope(trees=frozenset({root, target})), moving),
        lambda: make(store, child, parent=root),
    )
    assert not [each for each in outcomes if isinstance(each, Exception)]
    roots = {each.uuid: each.root for each in ask(store, lambda reader: reader.providers())}
    assert roots == dict.fromkeys((root, target, child), target)


def test_names_made_by_several_at_once_get_different_ids(store: Store) -> None:
    """Classes, whose ids we choose, and whatever comes with a first claim."""
    provider = make(store, next(uuids()))
    stock(store, provider, {VCPU: Inventory(total=400)})

    def making(number: int) -> Callable[[], object]:
        def several() -> None:
            for each in range(3):
                new_classes(store, f"CUSTOM_{number}_{each}")
                new_traits(store, f"CUSTOM_{number}_{each}")
                claim(
                    store,
                    consumer_uuid(number),
                    {provider: {VCPU: each + 1}},
                    project=f"project {each}",
                    user=f"user {each}",
                    consumer_type=f"TYPE_{each}",
                )

        return several

    assert together(*map(making, range(4))) == [None] * 4
    made = ask(store, lambda reader: [each.name for each in reader.resource_classes()])
    assert len(made) == len(set(made))
    assert sum(name.startswith("CUSTOM_") for name in made) == 12
    assert len(ask(store, lambda reader: reader.traits(prefix="CUSTOM_"))) == 12


@pytest.mark.parametrize("first", ["using", "retiring"])
def test_a_class_is_not_dropped_while_somebody_begins_to_use_it(store: Store, kind: str, first: str) -> None:
    """No foreign key would see to it."""
    _race_with_retirement(
        store,
        kind,
        first,
        using=(
            Scope(stocks=frozenset({_host(store)}), classes=frozenset({A})),
            lambda world: _needs(
                A in world.classes, Delta(inventories={_HOST: {A: Inventory(total=1)}}, advances={_HOST: 1})
            ),
        ),
        retiring=(
            Scope(retiring_classes=frozenset({A})),
            lambda world: _needs(A in world.classes and A not in world.used_classes, Delta(dropped_classes=(A,))),
        ),
    )
    used = {each.resource_class for each in ask(store, lambda reader: reader.stocks(_HOST))}
    assert used <= {each.name for each in ask(store, lambda reader: reader.resource_classes())}
    assert bool(used) != (not ask(store, lambda reader: reader.resource_classes([A])))


@pytest.mark.parametrize("first", ["using", "retiring"])
def test_a_trait_is_not_dropped_while_somebody_begins_to_bear_it(store: Store, kind: str, first: str) -> None:
    """A foreign key sees to it, and its complaint is a lost race."""
    trait = Trait(A)
    _race_with_retirement(
        store,
        kind,
        first,
        using=(
            Scope(traits_of=frozenset({_host(store)}), traits=frozenset({trait})),
            lambda world: _needs(
                trait in world.traits, Delta(traits_of={_HOST: frozenset({trait})}, advances={_HOST: 1})
            ),
        ),
        retiring=(
            Scope(retiring_traits=frozenset({trait})),
            lambda world: _needs(
                trait in world.traits and trait not in world.used_traits, Delta(dropped_traits=(trait,))
            ),
        ),
    )
    borne = ask(store, lambda reader: reader.provider_traits(_HOST))
    assert bool(borne) == bool(ask(store, lambda reader: reader.traits(names=[trait])))


_HOST = ProviderUUID(next(uuids(77)))


def _host(store: Store) -> ProviderUUID:
    make(store, _HOST)
    new_classes(store, A)
    new_traits(store, A)
    return _HOST


def _needs(condition: bool, delta: Delta) -> Delta:  # noqa: FBT001 (it is what the function is about)
    if not condition:
        raise Refused
    return delta


def _race_with_retirement(
    store: Store,
    kind: str,
    first: str,
    using: tuple[Scope, Callable[[World], Delta]],
    retiring: tuple[Scope, Callable[[World], Delta]],
) -> None:
    """Let one read, and start the other before the first writes. Where both can be open, they truly overlap."""
    ahead, behind = (using, retiring) if first == "using" else (retiring, using)
    has_read, overlaps = threading.Event(), kind in {"postgresql", "mariadb"}

    def leading() -> object:
        def body(tx: Transaction) -> None:
            scope, decide = ahead
            world = tx.read(scope)
            has_read.set()
            tx.write(world, decide(world))

        return store.transact(body, ORIGIN)

    def following() -> object:
        if overlaps:
            assert has_read.wait(timeout=10)
        scope, decide = behind
        return write(store, scope, decide)

    outcomes = together(leading, following)
    failures = [each for each in outcomes if isinstance(each, Exception)]
    assert [type(each) for each in failures] == [Refused]


@contextmanager
def writing_between(store: Store, change: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Give a function that lets `change` happen in another thread and returns when it is committed."""
    del store
    threads: list[threading.Thread] = []

    def happen() -> None:
        thread = threading.Thread(target=change)
        thread.start()
        thread.join(timeout=30)
        threads.append(thread)

    yield happen
    assert threads
    assert not any(thread.is_alive() for thread in threads)


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    """Its second answer fits its first, whatever was committed between them; a new reader sees all of it."""
    provider = make(store, next(uuids()))
    stock(store, provider, {VCPU: Inventory(total=4)})
    consumer = consumer_uuid(1)
    claim(store, consumer, {provider: {VCPU: 1}})

    def change() -> None:
        claim(store, consumer, {provider: {VCPU: 3}})
        make(store, next(uuids(2)))
        new_traits(store, "CUSTOM_NEW")
        mark(store, provider, "CUSTOM_NEW")

    with writing_between(store, change) as happen:

        def body(reader: Reader) -> tuple[list[int], int, dict[ResourceClass, int], int, int, Mapping[int, int]]:
            used = [each.used for each in reader.consumer_allocations(consumer)]
            before = reader.versions()
            happen()
            assert reader.versions() == before
            held = [state.usage.get(VCPU, 0) for state in reader.cloud()]
            assert held == used
            return (
                used,
                len(reader.providers()),
                reader.usage(provider),
                len(reader.provider_traits(provider)),
                len(reader.traits(prefix="CUSTOM_")),
                before,
            )

        used, providers, usage, borne, traits, before = store.read(body)
    assert (used, providers, usage, borne, traits) == ([1], 1, {VCPU: 1}, 0, 0)
    assert ask(store, lambda reader: reader.usage(provider)) == {VCPU: 3}
    assert len(ask(store, lambda reader: reader.providers())) == 2
    assert ask(store, lambda reader: reader.versions()) != before
    release(store, consumer)
