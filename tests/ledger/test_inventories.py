"""Inventories, as tables: what is refused first and in which words, and what is written."""

import pytest

from roost.ledger.commands import (
    AddInventory,
    Command,
    DropInventories,
    DropInventory,
    Inventories,
    SetInventories,
    UpdateInventory,
)
from roost.ledger.inventories import has_room
from roost.ledger.settle import scope
from roost.ledger.world import Delta, Scope, World
from roost.model import refusals
from roost.model.inventory import Inventory
from roost.model.names import Generation, ProviderUUID, ResourceClass
from roost.model.refusals import Refusal
from tests.ledger.deciding import Row, assert_decided, family, table

pytestmark = [pytest.mark.cwe_682, pytest.mark.cwe_691]

HOST, NOWHERE = ProviderUUID("host"), ProviderUUID("nowhere")
VCPU, DISK, VGPU, GOLD, IRON = map(ResourceClass, ("VCPU", "DISK_GB", "VGPU", "CUSTOM_GOLD", "CUSTOM_IRON"))
NOTHING = ResourceClass("CUSTOM_NOTHING")
HELD = {GOLD: Inventory(total=3), DISK: Inventory(total=100), VCPU: Inventory(total=8)}
SOME, ALL, TOO_MUCH = (Inventory(total=4, reserved=reserved) for reserved in (3, 4, 5))
WORLD = World(
    providers=family(("host", None)),
    inventories={HOST: HELD},
    usage={HOST: {GOLD: 1, DISK: 0, VCPU: 2}},
    classes=frozenset({VCPU, DISK, VGPU, GOLD, IRON}),
)


def stocked(inventories: Inventories) -> Delta:
    """The host's inventories are these, and its generation is the next."""
    return Delta(inventories={HOST: inventories}, advances={HOST: 1})


def add(
    name: ResourceClass, inventory: Inventory = SOME, host: ProviderUUID = HOST, *, all_too: bool = True
) -> Command:
    """Add one."""
    return AddInventory(provider=host, resource_class=name, inventory=inventory, reserved_may_be_all=all_too)


def update(
    name: ResourceClass,
    inventory: Inventory = SOME,
    host: ProviderUUID = HOST,
    *,
    generation: int = 5,
    all_too: bool = True,
) -> Command:
    """Replace one."""
    return UpdateInventory(
        provider=host,
        generation=Generation(generation),
        resource_class=name,
        inventory=inventory,
        reserved_may_be_all=all_too,
    )


def set_all(
    inventories: Inventories, host: ProviderUUID = HOST, *, generation: int = 5, all_too: bool = True
) -> Command:
    """Replace all."""
    return SetInventories(
        provider=host, generation=Generation(generation), inventories=inventories, reserved_may_be_all=all_too
    )


def drop(name: ResourceClass, host: ProviderUUID = HOST) -> Command:
    """Remove one."""
    return DropInventory(provider=host, resource_class=name)


def too_much(name: ResourceClass, *, adding: bool, may_equal: bool) -> Refusal:
    """More is reserved than may be."""
    return refusals.ReservedTooMuch(HOST, name, adding=adding, may_equal=may_equal)


@table(
    Row("unknown provider", add(NOTHING, TOO_MUCH, NOWHERE), refusals.UnknownProvider(NOWHERE)),
    Row("reserved above total", add(NOTHING, TOO_MUCH), too_much(NOTHING, adding=True, may_equal=True)),
    Row("all reserved", add(VGPU, ALL, all_too=False), too_much(VGPU, adding=True, may_equal=False)),
    Row("unknown class", add(NOTHING), refusals.UnknownClassToAdd(HOST, NOTHING)),
    Row("there already", add(VCPU), refusals.InventoryExists(HOST, VCPU)),
    Row("beside the others", add(VGPU), stocked({**HELD, VGPU: SOME})),
    Row("all reserved, where that may be", add(VGPU, ALL), stocked({**HELD, VGPU: ALL})),
)
def test_adding_one(command: Command, expected: Delta | Refusal) -> None:
    """An inventory is added where there is none; rung by rung, each row breaks the rules of all rungs below."""
    assert_decided(WORLD, command, expected)


@table(
    Row("unknown provider", update(NOTHING, TOO_MUCH, NOWHERE, generation=4), refusals.UnknownProvider(NOWHERE)),
    Row("an older generation", update(NOTHING, TOO_MUCH, generation=4), refusals.StaleInventories(HOST)),
    Row("a generation to come", update(NOTHING, TOO_MUCH, generation=6), refusals.StaleInventories(HOST)),
    Row("reserved above total", update(NOTHING, TOO_MUCH), too_much(NOTHING, adding=False, may_equal=True)),
    Row("all reserved", update(VCPU, ALL, all_too=False), too_much(VCPU, adding=False, may_equal=False)),
    Row("unknown class", update(NOTHING), refusals.UnknownClass(NOTHING)),
    Row("not there", update(VGPU), refusals.NoInventoryToUpdate(HOST, VGPU)),
    Row("among the others", update(DISK), stocked({GOLD: HELD[GOLD], DISK: SOME, VCPU: HELD[VCPU]})),
    Row("to the same", update(DISK, HELD[DISK]), stocked(HELD)),
    Row("all reserved, where that may be", update(DISK, ALL), stocked({**HELD, DISK: ALL})),
    Row("below what is used", update(VCPU, SOME), stocked({GOLD: HELD[GOLD], DISK: HELD[DISK], VCPU: SOME})),
)
def test_replacing_one(command: Command, expected: Delta | Refusal) -> None:
    """An inventory is replaced where there is one, also by less than is used."""
    assert_decided(WORLD, command, expected)


@table(
    Row("unknown provider", set_all({NOTHING: TOO_MUCH}, NOWHERE, generation=4), refusals.UnknownProvider(NOWHERE)),
    Row("an older generation", set_all({NOTHING: TOO_MUCH}, generation=4), refusals.StaleInventories(HOST)),
    Row("a generation to come", set_all({NOTHING: TOO_MUCH}, generation=6), refusals.StaleInventories(HOST)),
    Row(
        "reserved above total, the second of two",
        set_all({NOTHING: SOME, VCPU: TOO_MUCH}),
        too_much(VCPU, adding=False, may_equal=True),
    ),
    Row("all reserved", set_all({VCPU: ALL}, all_too=False), too_much(VCPU, adding=False, may_equal=False)),
    Row(
        "unknown class, the second of two",
        set_all({VGPU: SOME, NOTHING: SOME}),
        refusals.UnknownClassToSet(HOST, NOTHING),
    ),
    Row("used ones left out", set_all({VGPU: SOME}), refusals.SetInventoryInUse(HOST, (VCPU, GOLD))),
    Row("one used one left out", set_all({VCPU: SOME}), refusals.SetInventoryInUse(HOST, (GOLD,))),
    Row("an unused one left out", set_all({VCPU: ALL, GOLD: SOME}), stocked({VCPU: ALL, GOLD: SOME})),
    Row("to the same", set_all(HELD), stocked(HELD)),
)
def test_replacing_all(command: Command, expected: Delta | Refusal) -> None:
    """All inventories are replaced together; what is used must be among the new ones."""
    assert_decided(WORLD, command, expected)


@table(
    Row("unknown provider", drop(NOTHING, NOWHERE), refusals.UnknownProvider(NOWHERE)),
    Row("unknown class", drop(NOTHING), refusals.UnknownClassToDelete(NOTHING)),
    Row("in use", drop(VCPU), refusals.InventoryInUse(HOST, VCPU)),
    Row("not there", drop(VGPU), refusals.NoInventoryToDelete(VGPU)),
    Row("unused", drop(DISK), stocked({GOLD: HELD[GOLD], VCPU: HELD[VCPU]})),
)
def test_removing_one(command: Command, expected: Delta | Refusal) -> None:
    """An inventory goes when nobody uses it."""
    assert_decided(WORLD, command, expected)


def test_claims_without_an_inventory_are_in_use_all_the_same() -> None:
    """Damaged books may show them: that they are used is told before that there is nothing to remove."""
    damaged = World(**{**{name: getattr(WORLD, name) for name in WORLD.__struct_fields__}, "usage": {HOST: {VGPU: 1}}})
    assert_decided(damaged, drop(VGPU), refusals.InventoryInUse(HOST, VGPU))


@pytest.mark.parametrize("used", [{}, {DISK: 0}])
def test_removing_all_when_nothing_is_used(used: dict[ResourceClass, int]) -> None:
    """They go together, and a provider without any is left."""
    idle = World(providers=WORLD.providers, inventories=WORLD.inventories, usage={HOST: used})
    assert_decided(idle, DropInventories(provider=HOST), stocked({}))


@table(
    Row("unknown provider", DropInventories(provider=NOWHERE), refusals.UnknownProvider(NOWHERE)),
    Row("in use", DropInventories(provider=HOST), refusals.AllInventoriesInUse(HOST, (VCPU, GOLD))),
)
def test_removing_all(command: Command, expected: Delta | Refusal) -> None:
    """Either all go, or the refusal names those in use, standard ones first."""
    assert_decided(WORLD, command, expected)


def test_the_classes_in_use_are_told_in_their_own_order() -> None:
    """Standard classes in the order of the standard, whatever the order of the inventories; custom ones after them."""
    held = {name: Inventory(total=1) for name in (IRON, VGPU, GOLD, DISK, VCPU)}
    world = World(providers=WORLD.providers, inventories={HOST: held}, usage={HOST: dict.fromkeys(held, 1)})
    told = refusals.AllInventoriesInUse(HOST, (VCPU, DISK, VGPU, IRON, GOLD))
    assert_decided(world, DropInventories(provider=HOST), told)


@pytest.mark.parametrize(
    "total,reserved,ratio,some,all_too",
    [
        (4, 3, 1.0, True, True),
        (4, 4, 1.0, False, True),
        (4, 5, 1.0, False, False),
        (4, 3, 0.5, False, True),  # half a piece is none that could be claimed, and not less than none
        (4, 2, 0.5, True, True),
    ],
)
def test_room(total: int, reserved: int, ratio: float, some: bool, all_too: bool) -> None:  # noqa: FBT001 - a row of a table
    """Room is a whole unit; where all may be reserved, none is enough."""
    inventory = Inventory(total=total, reserved=reserved, allocation_ratio=ratio)
    assert (has_room(inventory, may_be_all=False), has_room(inventory, may_be_all=True)) == (some, all_too)


@pytest.mark.parametrize(
    "command,seen",
    [
        (add(VGPU), Scope(stocks=frozenset({HOST}), classes=frozenset({VGPU}))),
        (update(DISK), Scope(stocks=frozenset({HOST}), classes=frozenset({DISK}))),
        (drop(DISK), Scope(stocks=frozenset({HOST}), classes=frozenset({DISK}))),
        (set_all({VCPU: SOME, VGPU: SOME}), Scope(stocks=frozenset({HOST}), classes=frozenset({VCPU, VGPU}))),
        (DropInventories(provider=HOST), Scope(stocks=frozenset({HOST}))),
    ],
)
def test_what_must_be_seen(command: Command, seen: Scope) -> None:
    """The stock of the provider, and whether the classes exist."""
    assert scope(command) == seen
