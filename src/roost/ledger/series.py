"""Claims decided one after the other on one world, as if each had been written before the next was asked for.

Only claims: what else a command may change is not carried over to the next.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from roost.ledger.commands import Command, Release, Reshape
from roost.ledger.settle import scope, settle
from roost.ledger.world import Delta, Scope, World
from roost.model.consumer import Claim, ConsumerState
from roost.model.names import ConsumerUUID, Generation, ProviderUUID
from roost.model.refusals import Refusal


def claimants(command: Command) -> frozenset[ConsumerUUID]:
    """Whose claims a command changes. None's, if it may change anything else."""
    match command:
        case Release():
            return frozenset({command.consumer})
        case Reshape() if not command.restocks:
            return frozenset(command.reclaims)
        case _:
            return frozenset()


def scope_of_all(commands: Iterable[Command]) -> Scope:
    """What must be seen to decide all of them."""
    scopes = [scope(command) for command in commands]
    return Scope(
        **{name: frozenset().union(*(getattr(each, name) for each in scopes)) for name in Scope.__struct_fields__}
    )


def settle_each(world: World, commands: Sequence[Command]) -> list[tuple[World, Delta | Refusal]]:
    """For each claim, the world it was decided on, and what it changes or why it is refused.

    No two may be of the same consumer.
    """
    outcomes: list[tuple[World, Delta | Refusal]] = []
    for command in commands:
        outcome: Delta | Refusal
        try:
            outcome = settle(world, command)
        except Refusal as refusal:
            outcome = refusal
        outcomes.append((world, outcome))
        if isinstance(outcome, Delta):
            world = _after(world, outcome)
    return outcomes


def together(deltas: Iterable[Delta]) -> Delta:
    """What claims of different consumers change in all."""
    consumers: dict[ConsumerUUID, ConsumerState | None] = {}
    advances: dict[ProviderUUID, int] = {}
    for delta in deltas:
        consumers |= delta.consumers
        for uuid, steps in delta.advances.items():
            advances[uuid] = advances.get(uuid, 0) + steps
    return Delta(consumers=consumers, advances=advances)


def _after(world: World, delta: Delta) -> World:
    providers, usage, consumers = dict(world.providers), dict(world.usage), dict(world.consumers)
    for uuid, steps in delta.advances.items():
        provider = providers[uuid]
        providers[uuid] = replace(provider, generation=Generation(provider.generation + steps))
    for consumer, state in delta.consumers.items():
        for sign, side in ((-1, consumers.pop(consumer, None)), (1, state)):
            for provider_uuid, resources in _claim(side).items():
                if provider_uuid not in usage:
                    continue  # given back, and nobody in this series asks what is used there
                used = dict(usage[provider_uuid])
                for name, amount in resources.items():
                    used[name] = used.get(name, 0) + sign * amount
                usage[provider_uuid] = {name: amount for name, amount in used.items() if amount}
        if state is not None:
            consumers[consumer] = state
    return replace(world, providers=providers, usage=usage, consumers=consumers)


def _claim(state: ConsumerState | None) -> Claim:
    return {} if state is None else state.claim
