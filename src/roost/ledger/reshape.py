"""Claims and reshapes, which are one thing: inventories and claims change together, or neither does.

The ladder of refusals, first match wins (docs/explanation/architecture.md shows it to clients):

1. a restocked provider is unknown, or its generation is stale
2. a consumer's generation is stale
3. a claim names an unknown provider
4. a restock, then a claim, names an unknown class
5. a claimed provider has none of the classes that the request claims or gives back
6. amount by amount, in the order given: no inventory of the class; units violated; capacity exceeded
7. an inventory that is to go would still be used
8. a restock reserves more than its total (the peer takes that; last, so that all else is told as the peer tells it)
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from roost.ledger.commands import Inventories, Reclaim, Release, Reshape, Via
from roost.ledger.inventories import has_room, used_without
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.consumer import Claim, Consumer, ConsumerState
from roost.model.names import ConsumerUUID, Generation, ProviderUUID, ResourceClass


class _Entry(NamedTuple):
    """One amount of a claim, in the order in which the client wrote it."""

    consumer: ConsumerUUID
    provider: ProviderUUID
    resource_class: ResourceClass
    amount: int


class _Key(NamedTuple):
    """What usage is counted by."""

    provider: ProviderUUID
    resource_class: ResourceClass


def scope_of_reshape(command: Reshape) -> Scope:
    """All consumers, and the stock of all providers restocked or claimed on."""
    entries = list(_entries(command))
    claimed = {entry.provider for entry in entries}
    restocked = {name for restock in command.restocks.values() for name in restock.inventories}
    return Scope(
        stocks=frozenset(claimed | set(command.restocks)),
        consumers=frozenset(command.reclaims),
        classes=frozenset({entry.resource_class for entry in entries} | restocked),
    )


def reshape(world: World, command: Reshape) -> Delta:
    """Replace inventories and claims, or refuse by the ladder that this module's docstring lists."""
    _refuse_stale_restocks(world, command)
    _refuse_stale_consumers(world, command)
    _refuse_unknown_providers(world, command)
    _refuse_unknown_classes(world, command)
    usage = _usage_of_others(world, command)
    _refuse_unfit(world, command, usage)
    _refuse_stranded(world, command, usage)
    _refuse_overreserved(command)
    # From here nothing can be refused.
    return Delta(
        inventories={uuid: restock.inventories for uuid, restock in command.restocks.items()},
        consumers=dict(_outcomes(world, command)),
        advances=_advances(world, command),
    )


def scope_of_release(command: Release) -> Scope:
    """The consumer and all it holds."""
    return Scope(consumers=frozenset({command.consumer}))


def release(world: World, command: Release) -> Delta:
    """Refuse: it holds nothing. No generation advances (the API's rule)."""
    state = world.consumers.get(command.consumer)
    if state is None or not state.claim:
        raise refusals.NoAllocations(command.consumer)
    # From here nothing can be refused.
    return Delta(consumers={command.consumer: None})


# ------------------------------------------------------------------------------------------------ the ladder


def _refuse_stale_restocks(world: World, command: Reshape) -> None:
    for uuid, restock in command.restocks.items():
        provider = world.providers.get(uuid)
        if provider is None:
            raise refusals.UnknownProviderInReshape(uuid)
        if provider.generation != restock.generation:
            raise refusals.StaleProviderInReshape(uuid, actual=provider.generation, given=restock.generation)


def _refuse_stale_consumers(world: World, command: Reshape) -> None:
    for uuid, reclaim in command.reclaims.items():
        given = reclaim.generation
        if given is UNSET:
            continue
        state = world.consumers.get(uuid)
        actual = None if state is None else state.consumer.generation
        if given == actual:
            continue
        # A record that holds nothing is what the peer leaves of a claim that it refused; here it counts for none.
        if given is None and state is not None and not state.claim:
            continue
        raise refusals.StaleConsumer(actual=actual, given=given)


def _refuse_unknown_providers(world: World, command: Reshape) -> None:
    for entry in _entries(command):
        if entry.provider not in world.providers:
            raise refusals.UnknownProviderInClaim(entry.provider)


def _refuse_unknown_classes(world: World, command: Reshape) -> None:
    for restock in command.restocks.values():
        for name in restock.inventories:
            if name not in world.classes:
                raise refusals.UnknownClassInReshape(name)
    for entry in _entries(command):
        if entry.resource_class not in world.classes:
            raise _unknown_class(command.via, entry)


def _unknown_class(via: Via, entry: _Entry) -> refusals.Refusal:
    if via is Via.ONE_CLAIM:
        return refusals.UnknownClassInClaim(entry.consumer, entry.resource_class)
    if via is Via.MANY_CLAIMS:
        return refusals.UnknownClassInClaims(entry.resource_class)
    return refusals.UnknownClassInReshape(entry.resource_class)


def _refuse_unfit(world: World, command: Reshape, usage: Counter[_Key]) -> None:
    """Add the new claims to `usage`, one amount at a time, and refuse the first that does not fit.

    An amount over capacity passes if the usage of its provider and class does not rise by the whole request so far:
    an over-full inventory may be emptied step by step.
    """
    entries = list(_entries(command))
    stocks = {entry.provider: _interim(world, command, entry.provider) for entry in entries}
    classes = tuple(dict.fromkeys(_claimed_or_cleared(world, command)))
    if bare := tuple(uuid for uuid, stock in stocks.items() if not any(name in stock for name in classes)):
        raise refusals.NoInventoryToClaim(bare, classes)
    for _, provider, name, amount in entries:
        inventory = stocks[provider].get(name)
        if inventory is None:
            raise refusals.NoInventoryToClaim((provider,), (name,))
        if not inventory.portions(amount):
            raise refusals.UnitsViolated(provider, name)
        key = _Key(provider, name)
        usage[key] += amount
        before = world.usage[provider].get(name, 0)
        if not inventory.holds(usage[key]) and usage[key] > before:
            raise refusals.CapacityExceeded(provider, name)


def _refuse_stranded(world: World, command: Reshape, usage: Counter[_Key]) -> None:
    for uuid, restock in command.restocks.items():
        after = {name: usage[_Key(uuid, name)] for name in _interim(world, command, uuid)}
        settled = World(usage={uuid: after})
        if stranded := used_without(settled, uuid, _interim(world, command, uuid), restock.inventories):
            raise refusals.SetInventoryInUse(uuid, stranded)


def _refuse_overreserved(command: Reshape) -> None:
    for uuid, restock in command.restocks.items():
        for name, inventory in restock.inventories.items():
            if not has_room(inventory, may_be_all=True):
                raise refusals.ReservedTooMuchInReshape(uuid, name)


# -------------------------------------------------------------------------------------------------- the parts


def _entries(command: Reshape) -> Iterator[_Entry]:
    for consumer, reclaim in command.reclaims.items():
        for provider, resources in reclaim.claim.items():
            for name, amount in resources.items():
                yield _Entry(consumer, provider, name, amount)


def _claimed_or_cleared(world: World, command: Reshape) -> Iterator[ResourceClass]:
    """The classes of every claim: of one that is cleared, the classes that it gives back (the API's rule)."""
    for consumer, reclaim in command.reclaims.items():
        for resources in (reclaim.claim or _held(world, consumer)).values():
            yield from resources


def _interim(world: World, command: Reshape, uuid: ProviderUUID) -> Inventories:
    """What may be claimed on: the new inventories and, under them, the old ones.

    So a claim on an inventory that is to go is judged as one, and then refused because the inventory is in use.
    """
    old = world.inventories[uuid]
    restock = command.restocks.get(uuid)
    return old if restock is None else {**old, **restock.inventories}


def _usage_of_others(world: World, command: Reshape) -> Counter[_Key]:
    """The usage that stays when the request's consumers give back all that they hold."""
    usage = Counter(
        {_Key(uuid, name): used for uuid, by_class in world.usage.items() for name, used in by_class.items()}
    )
    for uuid in command.reclaims:
        for provider, resources in _held(world, uuid).items():
            for name, amount in resources.items():
                usage[_Key(provider, name)] -= amount
    return usage


def _held(world: World, uuid: ConsumerUUID) -> Claim:
    state = world.consumers.get(uuid)
    return {} if state is None else state.claim


def _advances(world: World, command: Reshape) -> dict[ProviderUUID, int]:
    """How far each provider's generation advances; clients count on these amounts (docs/decisions/0004).

    A restock counts twice, or once if it leaves nothing; a claim that names a provider, or an empty one that clears
    it, counts once. A provider that a claim merely moves away from does not advance.
    """
    advances = Counter({uuid: 2 if restock.inventories else 1 for uuid, restock in command.restocks.items()})
    touched = set[ProviderUUID]()
    for uuid, reclaim in command.reclaims.items():
        touched |= set(reclaim.claim or _held(world, uuid))
    advances.update(touched)
    return dict(advances)


def _outcomes(world: World, command: Reshape) -> Iterator[tuple[ConsumerUUID, ConsumerState | None]]:
    """Each consumer as it will be; one that is left with nothing goes, and one that never had anything isn't made."""
    for uuid, reclaim in command.reclaims.items():
        state = world.consumers.get(uuid)
        if reclaim.claim:
            consumer = _owner(uuid, reclaim, None if state is None else state.consumer)
            yield uuid, ConsumerState(consumer=consumer, claim=reclaim.claim)
        elif state is not None:
            yield uuid, None


def _owner(uuid: ConsumerUUID, reclaim: Reclaim, known: Consumer | None) -> Consumer:
    stated = None if reclaim.type is UNSET else reclaim.type
    if known is None:
        return Consumer(
            uuid=uuid,
            generation=Generation(1),
            project=reclaim.project,
            user=reclaim.user,
            type=stated,
        )
    return msgspec.structs.replace(
        known,
        generation=Generation(known.generation + 1),
        project=reclaim.project,
        user=reclaim.user,
        type=stated or known.type,
    )
