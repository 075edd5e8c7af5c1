"""Adding, replacing and removing inventories. An inventory that somebody has claims on stays.

An inventory may shrink below its usage: that is the operator's to do, and what the API allows.
"""

from roost.ledger.commands import (
    AddInventory,
    DropInventories,
    DropInventory,
    Inventories,
    SetInventories,
    UpdateInventory,
)
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.inventory import Inventory
from roost.model.names import STANDARD_CLASSES, ProviderUUID, ResourceClass

_PLACES = {name: place for place, name in enumerate(STANDARD_CLASSES)}


def scope_of_one(command: AddInventory | UpdateInventory | DropInventory) -> Scope:
    """The provider's stock, and whether the class exists."""
    return Scope(
        stocks=frozenset({command.provider}),
        classes=frozenset({command.resource_class}),
    )


def scope_of_all(command: SetInventories) -> Scope:
    """The provider's stock, and whether the classes exist."""
    return Scope(stocks=frozenset({command.provider}), classes=frozenset(command.inventories))


def scope_of_none(command: DropInventories) -> Scope:
    """The provider's stock."""
    return Scope(stocks=frozenset({command.provider}))


def add(world: World, command: AddInventory) -> Delta:
    """Refuse: unknown provider; reserved too much; unknown class; a record is there already."""
    uuid, name = command.provider, command.resource_class
    held = _inventories(world, uuid)
    if not has_room(command.inventory, may_be_all=command.reserved_may_be_all):
        raise refusals.ReservedTooMuch(uuid, name, adding=True, may_equal=command.reserved_may_be_all)
    if name not in world.classes:
        raise refusals.UnknownClassToAdd(uuid, name)
    if name in held:
        raise refusals.InventoryExists(uuid, name)
    # From here nothing can be refused.
    return _stock(uuid, {**held, name: command.inventory})


def update(world: World, command: UpdateInventory) -> Delta:
    """Refuse: unknown provider; stale generation; reserved too much; unknown class; no record to replace."""
    uuid, name = command.provider, command.resource_class
    held = _inventories(world, uuid)
    if world.providers[uuid].generation != command.generation:
        raise refusals.StaleInventories(uuid)
    if not has_room(command.inventory, may_be_all=command.reserved_may_be_all):
        raise refusals.ReservedTooMuch(uuid, name, adding=False, may_equal=command.reserved_may_be_all)
    if name not in world.classes:
        raise refusals.UnknownClass(name)
    if name not in held:
        raise refusals.NoInventoryToUpdate(uuid, name)
    # From here nothing can be refused.
    return _stock(uuid, {**held, name: command.inventory})


def set_all(world: World, command: SetInventories) -> Delta:
    """Refuse: unknown provider; stale generation; reserved too much; unknown class; used inventory left out."""
    uuid = command.provider
    held = _inventories(world, uuid)
    if world.providers[uuid].generation != command.generation:
        raise refusals.StaleInventories(uuid)
    for name, inventory in command.inventories.items():
        if not has_room(inventory, may_be_all=command.reserved_may_be_all):
            raise refusals.ReservedTooMuch(uuid, name, adding=False, may_equal=command.reserved_may_be_all)
    for name in command.inventories:
        if name not in world.classes:
            raise refusals.UnknownClassToSet(uuid, name)
    if stranded := used_without(world, uuid, held, command.inventories):
        raise refusals.SetInventoryInUse(uuid, stranded)
    # From here nothing can be refused.
    return _stock(uuid, command.inventories)


def drop(world: World, command: DropInventory) -> Delta:
    """Refuse: unknown provider; unknown class; in use; no record to remove."""
    uuid, name = command.provider, command.resource_class
    held = _inventories(world, uuid)
    if name not in world.classes:
        raise refusals.UnknownClassToDelete(name)
    if world.usage[uuid].get(name):
        raise refusals.InventoryInUse(uuid, name)
    if name not in held:
        raise refusals.NoInventoryToDelete(name)
    # From here nothing can be refused.
    return _stock(uuid, {other: inventory for other, inventory in held.items() if other != name})


def drop_all(world: World, command: DropInventories) -> Delta:
    """Refuse: unknown provider; in use."""
    uuid = command.provider
    held = _inventories(world, uuid)
    if stranded := used_without(world, uuid, held, {}):
        raise refusals.AllInventoriesInUse(uuid, stranded)
    # From here nothing can be refused.
    return _stock(uuid, {})


def has_room(inventory: Inventory, *, may_be_all: bool) -> bool:
    """Whether an inventory leaves something to claim or, where it may reserve all, is at least not negative."""
    return inventory.capacity >= 0 if may_be_all else inventory.capacity > 0


def used_without(world: World, uuid: ProviderUUID, held: Inventories, kept: Inventories) -> tuple[ResourceClass, ...]:
    """The classes that are held and used, and are not kept; standard ones first, in their own order."""
    usage = world.usage[uuid]
    stranded = (name for name in held if name not in kept and usage.get(name))
    return tuple(sorted(stranded, key=lambda name: _PLACES.get(name, len(_PLACES))))


def _inventories(world: World, uuid: ProviderUUID) -> Inventories:
    if uuid not in world.providers:
        raise refusals.UnknownProvider(uuid)
    return world.inventories[uuid]


def _stock(uuid: ProviderUUID, inventories: Inventories) -> Delta:
    """Every write of inventories advances the generation by one, also one that changes nothing (the API's rule)."""
    return Delta(inventories={uuid: inventories}, advances={uuid: 1})
