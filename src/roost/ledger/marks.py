"""What marks a provider: its traits and its aggregates."""

from roost.ledger.commands import SetAggregates, SetTraits
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.names import Generation, ProviderUUID


def scope_of_traits(command: SetTraits) -> Scope:
    """The traits it has, and whether the new ones exist."""
    return Scope(traits_of=frozenset({command.provider}), traits=frozenset(command.traits))


def set_traits(world: World, command: SetTraits) -> Delta:
    """Refuse: unknown provider; stale generation; unknown traits. The same traits again change nothing."""
    uuid = command.provider
    _refuse_stale(world, uuid, command.generation)
    if unknown := tuple(trait for trait in dict.fromkeys(command.traits) if trait not in world.traits):
        raise refusals.UnknownTraitsToSet(unknown)
    # From here nothing can be refused.
    traits = frozenset(command.traits)
    if traits == world.traits_of[uuid]:
        return Delta()
    return Delta(traits_of={uuid: traits}, advances={uuid: 1})


def scope_of_aggregates(command: SetAggregates) -> Scope:
    """The aggregates it is in. Those it joins need not exist: an aggregate is made by joining it."""
    return Scope(aggregates_of=frozenset({command.provider}))


def set_aggregates(world: World, command: SetAggregates) -> Delta:
    """Refuse: unknown provider; stale generation. The generation advances if one was stated, even for no change."""
    uuid = command.provider
    _refuse_stale(world, uuid, command.generation)
    # From here nothing can be refused.
    advances = {} if command.generation is None else {uuid: 1}
    return Delta(aggregates_of={uuid: frozenset(command.aggregates)}, advances=advances)


def _refuse_stale(world: World, uuid: ProviderUUID, generation: Generation | None) -> None:
    provider = world.providers.get(uuid)
    if provider is None:
        raise refusals.UnknownProvider(uuid)
    if generation is not None and provider.generation != generation:
        raise refusals.StaleProvider(uuid)
