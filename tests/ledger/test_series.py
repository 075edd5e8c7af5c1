"""Claims decided one after the other: each on the world that those before it left."""

import pytest
from msgspec.structs import replace

from roost.ledger.commands import Command, EnsureClass, Reclaim, Release, Reshape, Restock, Via
from roost.ledger.series import claimants, scope_of_all, settle_each, together
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.consumer import Claim, Consumer, ConsumerState
from roost.model.inventory import Inventory
from roost.model.names import ConsumerUUID, Generation, ProjectID, ProviderUUID, ResourceClass, UserID
from tests.ledger.deciding import family

pytestmark = [pytest.mark.cwe_435, pytest.mark.cwe_691]

HOST, NEXT, AWAY = map(ProviderUUID, ("host", "next", "away"))
ME, YOU, NEW = map(ConsumerUUID, ("me", "you", "new"))
VCPU, DISK = ResourceClass("VCPU"), ResourceClass("DISK_GB")
PROJECT, USER = ProjectID("project"), UserID("user")


def holding(uuid: ConsumerUUID, claim: Claim, generation: int = 3) -> ConsumerState:
    """A consumer as it is."""
    owner = Consumer(uuid=uuid, generation=Generation(generation), project=PROJECT, user=USER)
    return ConsumerState(consumer=owner, claim=claim)


WORLD = World(
    providers=family(("host", None), ("next", None), ("away", None)),
    inventories={HOST: {VCPU: Inventory(total=8), DISK: Inventory(total=10)}, NEXT: {VCPU: Inventory(total=4)}},
    usage={HOST: {VCPU: 7, DISK: 1}, NEXT: {}},
    consumers={
        ME: holding(ME, {HOST: {VCPU: 1, DISK: 1}}),
        YOU: holding(YOU, {AWAY: {VCPU: 2}, HOST: {VCPU: 6}}),
    },
    classes=frozenset({VCPU, DISK}),
)
"""The stock of `away` is of no interest to anybody here, and so it was not read."""


def claim(claims: dict[ConsumerUUID, Claim], generation: int | None = 3) -> Reshape:
    """What consumers are to hold; they all state this generation."""
    stated = None if generation is None else Generation(generation)
    reclaims = {
        uuid: Reclaim(claim=each, generation=stated, project=PROJECT, user=USER) for uuid, each in claims.items()
    }
    return Reshape(reclaims=reclaims, via=Via.MANY_CLAIMS)


def test_a_claim_is_decided_on_what_those_before_it_left() -> None:
    """Usage, generations and owners; whoever is refused leaves everything as it was."""
    more, fewer = claim({NEW: {HOST: {VCPU: 2}}}, None), claim({YOU: {NEXT: {VCPU: 4}}})
    commands: list[Command] = [more, fewer, Release(consumer=ME), more, claim({NEW: {}}, 1)]

    (before, refused), (still, moved), (emptied, freed), (idle, made), (last, gone) = settle_each(WORLD, commands)

    assert repr(refused) == repr(refusals.CapacityExceeded(HOST, VCPU))
    assert before is still is WORLD
    assert moved == Delta(consumers={YOU: holding(YOU, {NEXT: {VCPU: 4}}, 4)}, advances={NEXT: 1})
    assert emptied == replace(
        WORLD,
        providers={**WORLD.providers, NEXT: replace(WORLD.providers[NEXT], generation=Generation(6))},
        usage={HOST: {VCPU: 1, DISK: 1}, NEXT: {VCPU: 4}},
        consumers={ME: WORLD.consumers[ME], YOU: holding(YOU, {NEXT: {VCPU: 4}}, 4)},
    )
    assert freed == Delta(consumers={ME: None})
    assert idle == replace(emptied, usage={HOST: {}, NEXT: {VCPU: 4}}, consumers={YOU: emptied.consumers[YOU]})
    assert made == Delta(consumers={NEW: holding(NEW, {HOST: {VCPU: 2}}, 1)}, advances={HOST: 1})
    assert last == replace(
        idle,
        providers={**idle.providers, HOST: replace(WORLD.providers[HOST], generation=Generation(6))},
        usage={HOST: {VCPU: 2}, NEXT: {VCPU: 4}},
        consumers={**idle.consumers, NEW: holding(NEW, {HOST: {VCPU: 2}}, 1)},
    )
    assert gone == Delta(consumers={NEW: None}, advances={HOST: 1})


def test_the_world_that_was_given_stays_what_it_was() -> None:
    """It may be decided on again, with what was counted anew."""
    seen = repr(WORLD)
    first, second = (settle_each(WORLD, [Release(consumer=ME), Release(consumer=YOU)]) for _ in range(2))
    assert (repr(first), repr(WORLD)) == (repr(second), seen)


def test_only_refusals_are_outcomes() -> None:
    """A bug, here a provider whose stock was not read, is not told to a client as if it were an answer."""
    with pytest.raises(KeyError):
        settle_each(WORLD, [claim({ME: {AWAY: {VCPU: 1}}})])


def test_deltas_add_up() -> None:
    """Consumers side by side; generations by the sum of their steps."""
    mine, yours = holding(ME, {HOST: {VCPU: 2}}), holding(YOU, {NEXT: {VCPU: 1}})
    deltas = [
        Delta(consumers={ME: mine}, advances={HOST: 1}),
        Delta(consumers={NEW: None}, advances={}),
        Delta(consumers={YOU: yours}, advances={HOST: 1, NEXT: 2}),
    ]
    assert together(deltas) == Delta(consumers={ME: mine, NEW: None, YOU: yours}, advances={HOST: 2, NEXT: 2})
    assert together([]) == Delta()


def test_what_must_be_seen_for_all() -> None:
    """All that each must see."""
    commands: list[Command] = [claim({ME: {HOST: {VCPU: 1}}}), Release(consumer=YOU), claim({NEW: {NEXT: {DISK: 1}}})]
    assert scope_of_all(commands) == Scope(
        stocks=frozenset({HOST, NEXT}), consumers=frozenset({ME, YOU, NEW}), classes=frozenset({VCPU, DISK})
    )
    assert scope_of_all([]) == Scope()


@pytest.mark.parametrize(
    "command,whose",
    [
        (Release(consumer=ME), {ME}),
        (claim({ME: {HOST: {VCPU: 1}}, YOU: {}}), {ME, YOU}),
        (Reshape(reclaims={}, via=Via.MANY_CLAIMS), set()),
        (replace(claim({ME: {}}), restocks={HOST: Restock(generation=Generation(5), inventories={})}), set()),
        (EnsureClass(resource_class=VCPU), set()),
    ],
)
def test_whose_claims_a_command_changes(command: Command, whose: set[ConsumerUUID]) -> None:
    """Nobody's that is known, where it may change anything else."""
    assert claimants(command) == whose


def test_each_is_refused_for_itself() -> None:
    """As if it had come alone; and who was refused doesn't stand in the way of the next."""
    commands: list[Command] = [Release(consumer=NEW), claim({ME: {HOST: {VCPU: 9}}}, 2), claim({ME: {HOST: {VCPU: 9}}})]
    outcomes = [outcome for _, outcome in settle_each(WORLD, commands)]
    assert list(map(repr, outcomes)) == [
        repr(refusals.NoAllocations(NEW)),
        repr(refusals.StaleConsumer(3, 2)),
        repr(refusals.CapacityExceeded(HOST, VCPU)),
    ]
