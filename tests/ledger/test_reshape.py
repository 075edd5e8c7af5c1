"""Claims and reshapes, as tables: what is refused first, and how far generations advance."""

from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from roost.ledger.commands import Reclaim, Release, Reshape, Restock, Via
from roost.ledger.settle import scope, settle
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.consumer import Claim, Consumer, ConsumerState
from roost.model.inventory import Inventory
from roost.model.names import ConsumerType, ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from roost.model.provider import Provider
from tests.ledger.deciding import Row, assert_decided, table

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


def unstated(claim: Claim, type_: ConsumerType | UnsetType = UNSET) -> Reclaim:
    """A claim that states no generation, as by a contract that knows none."""
    return Reclaim(claim=claim, project=PROJECT, user=USER, type=type_)


def restock(generation: int = 5, **totals: int) -> Restock:
    """Plain inventories."""
    stocks = {ResourceClass(name): Inventory(total=total) for name, total in totals.items()}
    return Restock(generation=Generation(generation), inventories=stocks)


def reshape(claims: dict[ConsumerUUID, Reclaim], restocks: dict[ProviderUUID, Restock] | None = None) -> Reshape:
    """A claim, or a reshape where it restocks something."""
    return Reshape(reclaims=claims, restocks=restocks or {}, via=Via.RESHAPER if restocks else Via.MANY_CLAIMS)


NEW = ConsumerUUID("new")
OVERRESERVED, ALL_RESERVED = Inventory(total=1, reserved=2), Inventory(total=1, reserved=1)


def one(claim: Claim, consumer: ConsumerUUID = ME, via: Via = Via.MANY_CLAIMS) -> Reshape:
    """One consumer's claim."""
    return Reshape(reclaims={consumer: reclaim(claim)}, via=via)


@table(
    Row("unknown restocked provider", reshape({}, {NOWHERE: restock()}), refusals.UnknownProviderInReshape(NOWHERE)),
    Row(
        "restocked provider of an older generation",
        reshape({}, {CHILD: restock(0), HOST: restock(4, VCPU=8)}),
        refusals.StaleProviderInReshape(HOST, actual=5, given=4),
    ),
    Row(
        "restocked provider of a generation to come",
        reshape({}, {HOST: restock(6, VCPU=8)}),
        refusals.StaleProviderInReshape(HOST, actual=5, given=6),
    ),
    Row("consumer of an older generation", reshape({ME: reclaim({}, 2)}), refusals.StaleConsumer(3, 2)),
    Row("consumer of a generation to come", reshape({ME: reclaim({}, 4)}), refusals.StaleConsumer(3, 4)),
    Row("known consumer as new", reshape({ME: reclaim({HOST: {VCPU: 1}}, None)}), refusals.StaleConsumer(3, None)),
    Row("new consumer as known", reshape({NEW: reclaim({HOST: {VCPU: 1}}, 0)}), refusals.StaleConsumer(None, 0)),
    Row(
        "the second consumer is stale, the first current",
        reshape({ME: reclaim({}), YOU: reclaim({}, 2)}),
        refusals.StaleConsumer(3, 2),
    ),
    Row(
        "the second consumer is stale, the first not asked for",
        reshape({ME: unstated({}), YOU: reclaim({}, 2)}),
        refusals.StaleConsumer(3, 2),
    ),
    Row("unknown provider", one({HOST: {VCPU: 1}, NOWHERE: {VCPU: 1}}), refusals.UnknownProviderInClaim(NOWHERE)),
    Row("unknown class", one({HOST: {VCPU: 1, NOTHING: 1}}), refusals.UnknownClassInClaims(NOTHING)),
    Row(
        "unknown class in a claim",
        one({HOST: {NOTHING: 1}}, via=Via.ONE_CLAIM),
        refusals.UnknownClassInClaim(ME, NOTHING),
    ),
    Row(
        "unknown class in a reshape",
        one({HOST: {NOTHING: 1}}, via=Via.RESHAPER),
        refusals.UnknownClassInReshape(NOTHING),
    ),
    Row(
        "unknown class in a stock, before that in a claim",
        reshape(
            {ME: reclaim({HOST: {ResourceClass("CUSTOM_NEITHER"): 1}})}, {CHILD: restock(0, VCPU=1, CUSTOM_NOTHING=1)}
        ),
        refusals.UnknownClassInReshape(NOTHING),
    ),
    Row("bare provider", one({CHILD: {VCPU: 1}}), refusals.NoInventoryToClaim((CHILD,), (VCPU,))),
    Row(
        "bare provider, before another amount that does not fit",
        one({HOST: {VCPU: 99}, CHILD: {VGPU: 1, VCPU: 1}}),
        refusals.NoInventoryToClaim((CHILD,), (VCPU, VGPU)),
    ),
    Row("class not held", one({HOST: {VCPU: 1, VGPU: 1}}), refusals.NoInventoryToClaim((HOST,), (VGPU,))),
    Row("below min_unit", one({HOST: {DISK: 5}}), refusals.UnitsViolated(HOST, DISK)),
    Row("above max_unit", one({HOST: {DISK: 60}}), refusals.UnitsViolated(HOST, DISK)),
    Row("off step_size", one({HOST: {DISK: 15}}), refusals.UnitsViolated(HOST, DISK)),
    Row("units before capacity", one({HOST: {DISK: 105}}), refusals.UnitsViolated(HOST, DISK)),
    Row("over capacity", one({HOST: {VCPU: 3}}), refusals.CapacityExceeded(HOST, VCPU)),
    Row("over capacity, in the order written", one({HOST: {VCPU: 3, DISK: 5}}), refusals.CapacityExceeded(HOST, VCPU)),
    Row(
        "over capacity together",
        reshape({ME: reclaim({HOST: {VCPU: 4}}), YOU: reclaim({HOST: {VCPU: 5}})}),
        refusals.CapacityExceeded(HOST, VCPU),
    ),
    Row("used class left out", reshape({}, {HOST: restock(DISK_GB=100)}), refusals.SetInventoryInUse(HOST, (VCPU,))),
    Row(
        "used class of the second stock left out",
        reshape({}, {CHILD: restock(0), HOST: restock()}),
        refusals.SetInventoryInUse(HOST, (VCPU,)),
    ),
    Row(
        "claim on a class that goes",
        reshape({ME: reclaim({HOST: {VCPU: 2}})}, {HOST: restock(DISK_GB=100)}),
        refusals.SetInventoryInUse(HOST, (VCPU,)),
    ),
    Row(
        "claim on a class that goes, and another that was not used",
        reshape({ME: reclaim({HOST: {DISK: 10, VCPU: 1}})}, {HOST: restock()}),
        refusals.SetInventoryInUse(HOST, (VCPU, DISK)),
    ),
    Row(
        "reserved above total",
        reshape({}, {CHILD: Restock(generation=Generation(0), inventories={VCPU: ALL_RESERVED, VGPU: OVERRESERVED})}),
        refusals.ReservedTooMuchInReshape(CHILD, VGPU),
    ),
)
def test_refused(command: Reshape, expected: refusals.Refusal) -> None:
    """Each rung of the ladder refuses what it is for, in its own words, and the rungs below it are not asked."""
    assert_decided(world(), command, expected)


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
    (
        "two claims on two providers",
        reshape({ME: reclaim({CHILD: {VCPU: 1}}), YOU: reclaim({HOST: {VCPU: 6}})}, {CHILD: restock(0, VCPU=1)}),
        {CHILD: 3, HOST: 1},
    ),
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


A_TYPE, ANOTHER = ConsumerType("A_TYPE"), ConsumerType("ANOTHER")


@pytest.mark.parametrize(
    "known,stated,left",
    [
        (None, UNSET, None),
        (None, A_TYPE, A_TYPE),
        (A_TYPE, UNSET, A_TYPE),
        (A_TYPE, ANOTHER, ANOTHER),
    ],
)
def test_a_consumer_keeps_the_type_that_a_claim_does_not_state(
    known: ConsumerType | None, stated: ConsumerType | UnsetType, left: ConsumerType | None
) -> None:
    """Its owner is replaced, and its generation is the next."""
    before = Consumer(uuid=ME, generation=Generation(3), project=ProjectID("old"), user=UserID("old"), type=known)
    claim = {HOST: {VCPU: 1}}

    delta = settle(
        world(consumers={ME: ConsumerState(consumer=before, claim=claim)}),
        Reshape(reclaims={ME: unstated(claim, stated)}),
    )

    after = Consumer(uuid=ME, generation=Generation(4), project=PROJECT, user=USER, type=left)
    assert delta.consumers == {ME: ConsumerState(consumer=after, claim=claim)}


@pytest.mark.parametrize("stated,left", [(UNSET, None), (A_TYPE, A_TYPE)])
def test_a_new_consumer_begins_at_generation_1(stated: ConsumerType | UnsetType, left: ConsumerType | None) -> None:
    """It is made of what its first claim says."""
    claim = {HOST: {VCPU: 1}}

    delta = settle(world(), Reshape(reclaims={NEW: unstated(claim, stated)}))

    made = Consumer(uuid=NEW, generation=Generation(1), project=PROJECT, user=USER, type=left)
    assert delta == Delta(consumers={NEW: ConsumerState(consumer=made, claim=claim)}, advances={HOST: 1})


def test_a_reshape_says_all_that_changes() -> None:
    """New stocks, moved claims, a consumer that goes, and how far each provider advances."""
    stocks = {HOST: restock(5, DISK_GB=100), CHILD: restock(0, VCPU=8)}

    delta = settle(world(), reshape({ME: reclaim({}), YOU: reclaim({CHILD: {VCPU: 6}})}, stocks))

    you = Consumer(uuid=YOU, generation=Generation(4), project=PROJECT, user=USER)
    assert delta == Delta(
        inventories={HOST: {DISK: Inventory(total=100)}, CHILD: {VCPU: Inventory(total=8)}},
        consumers={ME: None, YOU: ConsumerState(consumer=you, claim={CHILD: {VCPU: 6}})},
        advances={HOST: 3, CHILD: 3},
    )


def test_nothing_is_made_for_nothing() -> None:
    """An empty claim of a consumer that does not exist leaves none behind."""
    assert settle(world(), reshape({ConsumerUUID("new"): reclaim({}, None)})) == Delta()


def test_a_record_that_holds_nothing_counts_for_none() -> None:
    """What the peer leaves behind of a claim that it refused can be claimed as new."""
    orphan = world(consumers={ME: holding(ME, {}), YOU: holding(YOU, {HOST: {VCPU: 6}})})
    as_new = reclaim({HOST: {VCPU: 1}}, None)

    delta = settle(orphan, reshape({ME: as_new}))

    assert delta.consumers[ME] is not None
    assert_decided(orphan, reshape({ME: as_new, YOU: reclaim({}, 2)}), refusals.StaleConsumer(3, 2))


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
    orphan = world(consumers={YOU: holding(YOU, {})})
    assert_decided(world(), Release(consumer=ME), Delta(consumers={ME: None}))
    assert_decided(world(), Release(consumer=NEW), refusals.NoAllocations(NEW))
    assert_decided(orphan, Release(consumer=YOU), refusals.NoAllocations(YOU))


@pytest.mark.parametrize("amount,fits", [(1, True), (2, False)])
def test_what_nobody_used_is_counted_from_nothing(amount: int, fits: bool) -> None:  # noqa: FBT001 - a row of a table
    """A class without claims has no usage in the books; the first unit beyond the capacity is refused."""
    unused = world(inventories={HOST: {VGPU: Inventory(total=1)}, CHILD: {}}, usage={HOST: {}, CHILD: {}}, consumers={})
    made = Consumer(uuid=NEW, generation=Generation(1), project=PROJECT, user=USER)
    claim = {HOST: {VGPU: amount}}
    granted = Delta(consumers={NEW: ConsumerState(consumer=made, claim=claim)}, advances={HOST: 1})
    command = Reshape(reclaims={NEW: unstated(claim)})
    assert_decided(unused, command, granted if fits else refusals.CapacityExceeded(HOST, VGPU))


def test_an_inventory_without_room_and_usage_grants_nothing() -> None:
    """The exception for over-full inventories is for those that somebody uses."""
    full = world(inventories={HOST: {VGPU: ALL_RESERVED}, CHILD: {}}, usage={HOST: {}, CHILD: {}}, consumers={})
    command = Reshape(reclaims={NEW: unstated({HOST: {VGPU: 1}})})
    assert_decided(full, command, refusals.CapacityExceeded(HOST, VGPU))


def test_the_scope_names_all_that_is_decided_on() -> None:
    """A reshape sees the stock of all providers that it names, its consumers, and its classes."""
    seen = scope(reshape({ME: reclaim({HOST: {VCPU: 1}})}, {CHILD: restock(0, VGPU=1)}))

    assert seen == Scope(stocks=frozenset({HOST, CHILD}), consumers=frozenset({ME}), classes=frozenset({VCPU, VGPU}))


def test_the_scope_of_a_release_is_its_consumer() -> None:
    """And so all it holds."""
    assert scope(Release(consumer=ME)) == Scope(consumers=frozenset({ME}))
