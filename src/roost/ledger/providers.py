"""Making, moving, renaming and removing providers. Keeps each tree one tree: one root, no cycle."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from roost.ledger.commands import CreateProvider, DeleteProvider, UpdateProvider
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.names import ProviderUUID
from roost.model.provider import Provider


def scope_of_creation(command: CreateProvider) -> Scope:
    """The uuid and the name may be taken; the parent must be there."""
    parent = {command.parent} if command.parent is not None else set()
    return Scope(
        providers=frozenset({command.uuid} | parent),
        provider_names=frozenset({command.name}),
    )


def create(world: World, command: CreateProvider) -> Delta:
    """Refuse: no name, itself as parent, unknown parent, name taken, uuid taken."""
    named = (command.name, command.uuid)
    if not command.name:
        raise refusals.ProviderNameMissing(*named)
    if command.parent == command.uuid:
        raise refusals.ProviderItsOwnParent(*named)
    if command.parent is not None and command.parent not in world.providers:
        raise refusals.UnknownParentOfNew(*named)
    if command.name in world.bearers:
        raise refusals.ProviderNameTaken(command.name)
    if command.uuid in world.providers:
        raise refusals.ProviderUUIDTaken(command.uuid)
    # From here nothing can be refused.
    root = command.uuid if command.parent is None else world.providers[command.parent].root
    return Delta(made=(Provider(uuid=command.uuid, name=command.name, parent=command.parent, root=root),))


def scope_of_update(command: UpdateProvider) -> Scope:
    """Both trees whole: the one it stands in, for what moves along, and the one it goes to."""
    parent = {command.parent} if isinstance(command.parent, str) else set()
    return Scope(
        trees=frozenset({command.uuid} | parent),
        provider_names=frozenset({command.name}),
    )


def update(world: World, command: UpdateProvider) -> Delta:
    """Refuse: unknown; unknown parent, a move that is not allowed, a loop; name taken."""
    provider = world.providers.get(command.uuid)
    if provider is None:
        raise refusals.UnknownProvider(command.uuid)
    parent = provider.parent if command.parent is UNSET else command.parent
    family = list(_subtree(world, provider.uuid))
    _refuse_move(world, provider, parent, family, may_reparent=command.may_reparent)
    if world.bearers.get(command.name, command.uuid) != command.uuid:
        raise refusals.ProviderRenameTaken(command.name)
    # From here nothing can be refused.
    root = provider.uuid if parent is None else world.providers[parent].root
    moved = msgspec.structs.replace(provider, name=command.name, parent=parent, root=root)
    followers = (msgspec.structs.replace(world.providers[uuid], root=root) for uuid in family if uuid != command.uuid)
    if root == provider.root:
        return Delta(changed=(moved,))
    return Delta(changed=(moved, *followers))


def _refuse_move(
    world: World,
    provider: Provider,
    parent: ProviderUUID | None,
    family: list[ProviderUUID],
    *,
    may_reparent: bool,
) -> None:
    """A root may always get a parent; a child may change or lose its own only where the contract allows it."""
    if parent is None:
        if provider.parent is not None and not may_reparent:
            raise refusals.UnparentingNotAllowed(provider.uuid)
        return
    if parent not in world.providers:
        raise refusals.UnknownParent(provider.uuid)
    if provider.parent not in (None, parent) and not may_reparent:
        raise refusals.ReparentingNotAllowed(provider.uuid)
    if parent in family:
        raise refusals.TreeLoop(provider.uuid)


def _subtree(world: World, top: ProviderUUID) -> Iterator[ProviderUUID]:
    """A provider and all below it, by what the world shows of its tree. Each once: a damaged tree may be a loop."""
    children: dict[ProviderUUID | None, list[ProviderUUID]] = {}
    for provider in world.providers.values():
        children.setdefault(provider.parent, []).append(provider.uuid)
    waiting, seen = [top], set[ProviderUUID]()
    while waiting:
        uuid = waiting.pop()
        if uuid not in seen:
            seen.add(uuid)
            yield uuid
            waiting += children.get(uuid, [])


def scope_of_deletion(command: DeleteProvider) -> Scope:
    """Its tree shows its children, its usage the claims on it."""
    return Scope(trees=frozenset({command.uuid}), stocks=frozenset({command.uuid}))


def delete(world: World, command: DeleteProvider) -> Delta:
    """Refuse: unknown; has children; has allocations."""
    if command.uuid not in world.providers:
        raise refusals.UnknownProviderToDelete(command.uuid)
    if any(provider.parent == command.uuid for provider in world.providers.values()):
        raise refusals.ProviderHasChildren(command.uuid)
    if world.usage[command.uuid]:
        raise refusals.ProviderHasAllocations(command.uuid)
    # From here nothing can be refused.
    return Delta(removed=frozenset({command.uuid}))
