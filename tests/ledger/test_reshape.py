"""Claims and reshapes, as tables: what is refused first, and how far generations advance."""

from typing import Any

import pytest

from roost.ledger.commands import Reclaim, Release, Reshape, Restock, Via
from roost.ledger.settle import scope, settle
from roost.ledger.world import Delta, World
from roost.model import refusals
from roost.model.consumer import Claim, Consumer, ConsumerState
from roost.model.inventory import Inventory
from roost.model.names import ConsumerType, ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.model.provider import Provider

pytestmark = [pytest.mark.cwe_682, pytest.mark.cwe_691]

HOST, CHILD, NOWHERE = map(ProviderUUID, ("host", "child", "nowhere"))
ME, YOU = map(ConsumerUUID, ("me", "you"))
VCPU, DISK, VGPU, NOTHING = map(ResourceClass, ("VCPU", "DISK_GB", "VGPU", "CUSTOM_NOTHING"))
PROJECT, USER = ProjectID("project"), UserID("user")


def world(**more: Any) -> World:
    """A host of 8 VCPU and 100 DISK_GB, in tens, with a bare child. You hold 6 VCPU of it, and I hold 1."""
    found: dict[str, Any] = {
        "providers": {
            HOST: Provider(uuid=HOST, name="host", root=HOST, generation=Generation(5)),
            CHILD: Provider(uuid=CHILD, name="child", root=HOST, parent=HOST),
        },
        "inventories": {
            HOST: {VCPU: Inventory(total=8), DISK: Inventory(total=100, step_size=10, min_unit=10, max_unit=50)},
            CHILD: {},
        },
        "usage": {HOST: {VCPU: 7}, CHILD: {}},
        "consumers": {ME: holding(ME, {HOST: {VCPU: 1}}), YOU: holding(YOU, {HOST: {VCPU: 6}})},
        "classes": frozenset({VCPU, DISK, VGPU}),
    }
    return World(**{**found, **more})


def holding(uuid: ConsumerUUID, claim: Claim) -> ConsumerState:
    """A consumer of generation 3."""
    return ConsumerState(
        consumer=Consumer(uuid=uuid, generation=Generation(3), project=PROJECT, user=USER), claim=claim
    )


def reclaim(claim: Claim, generation: int | None = 3) -> Reclaim:
    """A claim that states a generation."""
    return Reclaim(
        claim=claim, generation=None if generation is None else Generation(generation), project=PROJECT, user=USER
    )


def restock(generation: int = 5, **totals: int) -> Restock:
    """Plain inventories."""
    stocks = {ResourceClass(name): Inventory(total=total) for name, total in totals.items()}
    return Restock(generation=Generation(generation), inventories=stocks)


def reshape(claims: dict[ConsumerUUID, Reclaim], restocks: dict[ProviderUUID, Restock] | None = None) -> Reshape:
    """A claim, or a reshape where it restocks something."""
    return Reshape(reclaims=claims, restocks=restocks or {}, via=Via.RESHAPER if restocks else Via.MANY_CLAIMS)


REFUSED: list[tuple[str, Reshape, type[refusals.Refusal]]] = [
    ("unknown restocked provider", reshape({}, {NOWHERE: restock()}), refusals.UnknownProviderInReshape),
    ("stale restocked provider", reshape({}, {HOST: restock(4, VCPU=8)}), refusals.StaleProviderInReshape),
    ("stale consumer", reshape({ME: reclaim({HOST: {VCPU: 1}}, 2)}), refusals.StaleConsumer),
    ("known consumer as new", reshape({ME: reclaim({HOST: {VCPU: 1}}, None)}), refusals.StaleConsumer),
    ("new consumer as known", reshape({ConsumerUUID("new"): reclaim({HOST: {VCPU: 1}}, 0)}), refusals.StaleConsumer),
    ("unknown provider", reshape({ME: reclaim({NOWHERE: {VCPU: 1}})}), refusals.UnknownProviderInClaim),
    ("unknown class", reshape({ME: reclaim({HOST: {NOTHING: 1}})}), refusals.UnknownClassInClaims),
    ("bare provider", reshape({ME: reclaim({CHILD: {VCPU: 1}})}), refusals.NoInventoryToClaim),
    ("class not held", reshape({ME: reclaim({HOST: {VCPU: 1, VGPU: 1}})}), refusals.NoInventoryToClaim),
    ("below min_unit", reshape({ME: reclaim({HOST: {DISK: 5}})}), refusals.UnitsViolated),
    ("above max_unit", reshape({ME: reclaim({HOST: {DISK: 60}})}), refusals.UnitsViolated),
    ("off step_size", reshape({ME: reclaim({HOST: {DISK: 15}})}), refusals.UnitsViolated),
    ("over capacity", reshape({ME: reclaim({HOST: {VCPU: 3}})}), refusals.CapacityExceeded),
    (
        "over capacity together",
        reshape({ME: reclaim({HOST: {VCPU: 4}}), YOU: reclaim({HOST: {VCPU: 5}})}),
        refusals.CapacityExceeded,
    ),
    ("used class left out", reshape({}, {HOST: restock(DISK_GB=100)}), refusals.SetInventoryInUse),
    (
        "claim on a class that goes",
        reshape({ME: reclaim({HOST: {VCPU: 2}})}, {HOST: restock(DISK_GB=100)}),
        refusals.SetInventoryInUse,
    ),
    (
        "reserved above total",
        reshape({}, {CHILD: Restock(generation=Generation(0), inventories={VGPU: Inventory(total=1, reserved=2)})}),
        refusals.ReservedTooMuchInReshape,
    ),
]


@pytest.mark.parametrize("command,kind", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(command: Reshape, kind: type[refusals.Refusal]) -> None:
    """Each rung of the ladder refuses what it is for, and the rungs below it are not asked."""
    with pytest.raises(kind):
        settle(world(), command)


def test_the_first_rung_that_fails_is_told() -> None:
    """A request that breaks every rule is refused by the first; mended, by the next."""
    stale, unknown, unfit = {HOST: {VCPU: 9}}, {NOWHERE: {VCPU: 1}}, {HOST: {VCPU: 9}}
    rungs = [
        ({ME: reclaim(stale, 2)}, {HOST: restock(4)}, refusals.StaleProviderInReshape),
        ({ME: reclaim(stale, 2)}, {HOST: restock()}, refusals.StaleConsumer),
        ({ME: reclaim(unknown)}, {HOST: restock(CUSTOM_NOTHING=1)}, refusals.UnknownProviderInClaim),
        ({ME: reclaim(unfit)}, {HOST: restock(CUSTOM_NOTHING=1)}, refusals.UnknownClassInReshape),
        ({ME: reclaim(unfit)}, {HOST: restock()}, refusals.CapacityExceeded),
        ({ME: reclaim({})}, {HOST: restock()}, refusals.SetInventoryInUse),
    ]
    for claims, restocks, kind in rungs:
        with pytest.raises(kind):
            settle(world(), reshape(claims, restocks))


ADVANCES: list[tuple[str, Reshape, dict[ProviderUUID, int]]] = [
    ("a claim", reshape({ME: reclaim({HOST: {VCPU: 2}})}), {HOST: 1}),
    (
        "two claims on one provider",
        reshape({ME: reclaim({HOST: {VCPU: 1}}), YOU: reclaim({HOST: {VCPU: 6}})}),
        {HOST: 1},
    ),
    ("giving all back", reshape({ME: reclaim({})}), {HOST: 1}),
    ("a new stock", reshape({}, {CHILD: restock(0, VGPU=4)}), {CHILD: 2}),
    ("an empty stock", reshape({}, {CHILD: restock(0)}), {CHILD: 1}),
    (
        "moving a claim to a new stock",
        reshape({ME: reclaim({CHILD: {VCPU: 1}})}, {CHILD: restock(0, VCPU=4)}),
        {CHILD: 3},
    ),
    (
        "moving all of a class to a child",
        reshape(
            {ME: reclaim({CHILD: {VCPU: 1}}), YOU: reclaim({CHILD: {VCPU: 6}})},
            {HOST: restock(5, DISK_GB=100), CHILD: restock(0, VCPU=8)},
        ),
        {HOST: 2, CHILD: 3},
    ),
]


@pytest.mark.parametrize("command,advances", [row[1:] for row in ADVANCES], ids=[row[0] for row in ADVANCES])
def test_generations_advance_by_the_apis_amounts(command: Reshape, advances: dict[ProviderUUID, int]) -> None:
    """Clients count on how far a provider's generation goes; who loses a moving claim does not advance."""
    assert settle(world(), command).advances == advances


def test_a_consumer_is_written_whole() -> None:
    """A claim keeps the type that it does not state, replaces the owner, and advances the generation by one."""
    known = ConsumerState(
        consumer=Consumer(
            uuid=ME, generation=Generation(3), project=ProjectID("old"), user=UserID("old"), type=ConsumerType("T")
        ),
        claim={HOST: {VCPU: 1}},
    )

    delta = settle(world(consumers={ME: known}), reshape({ME: reclaim({HOST: {VCPU: 1}})}))

    state = delta.consumers[ME]
    assert state is not None
    assert (state.consumer.generation, state.consumer.project, state.consumer.type) == (4, "project", "T")


def test_nothing_is_made_for_nothing() -> None:
    """An empty claim of a consumer that does not exist leaves none behind."""
    assert settle(world(), reshape({ConsumerUUID("new"): reclaim({}, None)})) == Delta()


def test_a_record_that_holds_nothing_counts_for_none() -> None:
    """What the peer leaves behind of a claim that it refused can be claimed as new."""
    orphan = world(consumers={ME: holding(ME, {})})

    delta = settle(orphan, reshape({ME: reclaim({HOST: {VCPU: 1}}, None)}))

    assert delta.consumers[ME] is not None


@pytest.mark.parametrize("amount,fits", [(6, True), (5, True), (7, False)])
def test_an_overfull_inventory_may_be_emptied(amount: int, fits: bool) -> None:  # noqa: FBT001 - a row of a table
    """Over capacity, a claim passes as long as usage does not rise."""
    shrunk = world(inventories={HOST: {VCPU: Inventory(total=4)}, CHILD: {}})
    command = reshape({YOU: reclaim({HOST: {VCPU: amount}})})

    if fits:
        assert settle(shrunk, command).advances == {HOST: 1}
    else:
        with pytest.raises(refusals.CapacityExceeded):
            settle(shrunk, command)


def test_what_is_given_back_counts_among_the_classes_of_a_bare_provider() -> None:
    """The refusal names the classes of all that the request touches, as the API does."""
    command = reshape({YOU: reclaim({}), ME: reclaim({CHILD: {VGPU: 1}})})

    with pytest.raises(refusals.NoInventoryToClaim) as refused:
        settle(world(), command)

    assert (refused.value.uuids, refused.value.resource_classes) == ((CHILD,), (VCPU, VGPU))


def test_a_release_advances_nothing() -> None:
    """Deleting allocations changes no generation, and there must be something to delete."""
    assert settle(world(), Release(consumer=ME)) == Delta(consumers={ME: None})
    with pytest.raises(refusals.NoAllocations):
        settle(world(), Release(consumer=ConsumerUUID("new")))


def test_the_scope_names_all_that_is_decided_on() -> None:
    """A reshape sees the stock of all providers that it names, its consumers, and its classes."""
    seen = scope(reshape({ME: reclaim({HOST: {VCPU: 1}})}, {CHILD: restock(0, VGPU=1)}))

    assert seen.stocks == {HOST, CHILD}
    assert seen.consumers == {ME}
    assert seen.classes == {VCPU, VGPU}
