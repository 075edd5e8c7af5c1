"""/resource_providers/{uuid}/inventories and /resource_providers/{uuid}/inventories/{resource_class}."""

from roost.http.bodies import schemas, shapes
from roost.http.bodies.decode import BodyOf
from roost.http.call import Call, Reply, done, shown
from roost.http.handlers.provider import body_for
from roost.http.microversions.history import Change, Since
from roost.http.views.providers import inventories_view, newest, provider_path, single_inventory_view
from roost.ledger.commands import AddInventory, DropInventories, DropInventory, SetInventories, UpdateInventory
from roost.model import refusals
from roost.model.inventory import Inventory
from roost.model.names import Generation, ProviderUUID, ResourceClass
from roost.service import reads
from roost.service.writes import carry_out

ADD: Since[BodyOf[shapes.AddInventory]] = Since({Change.INITIAL: BodyOf(shapes.AddInventory, schemas.ADD_INVENTORY)})
UPDATE: Since[BodyOf[shapes.UpdateInventory]] = Since(
    {Change.INITIAL: BodyOf(shapes.UpdateInventory, schemas.UPDATE_INVENTORY)}
)
SET: Since[BodyOf[shapes.SetInventories]] = Since(
    {Change.INITIAL: BodyOf(shapes.SetInventories, schemas.SET_INVENTORIES)}
)


def list_all(call: Call) -> Reply:
    """GET …/inventories."""
    found = reads.inventories_of(call.site.store, call.path["uuid"])
    return shown(
        inventories_view({stock.resource_class: stock.inventory for stock in found.stocks}, found.provider.generation),
        # Nothing was ever modified where there is nothing (the API's way).
        modified=newest((stock.modified for stock in found.stocks), None),
        cached=True,
    )


def show(call: Call) -> Reply:
    """GET …/inventories/{resource_class}."""
    uuid, name = call.path["uuid"], call.path["resource_class"]
    found = reads.inventories_of(call.site.store, uuid)
    for stock in found.stocks:
        if stock.resource_class == name:
            return shown(
                single_inventory_view(stock.inventory, found.provider.generation),
                modified=stock.modified or call.site.now(),
            )
    raise refusals.NoInventory(uuid, name)


def add(call: Call) -> Reply:
    """POST …/inventories."""
    uuid = ProviderUUID(call.path["uuid"])
    body = body_for(call, uuid, ADD)
    command = AddInventory(
        provider=uuid,
        resource_class=ResourceClass(body.resource_class),
        inventory=inventory_of(body),
        reserved_may_be_all=call.version.has(Change.RESERVED_MAY_BE_ALL),
    )
    change = carry_out(call.site.store, command, call.origin)
    return shown(
        single_inventory_view(command.inventory, change.world.generation(uuid, change.delta)),
        modified=call.site.now(),
        location=f"{provider_path(call.prefix, uuid)}/inventories/{body.resource_class}",
        status=201,
    )


def update(call: Call) -> Reply:
    """PUT …/inventories/{resource_class}."""
    uuid = ProviderUUID(call.path["uuid"])
    body = body_for(call, uuid, UPDATE)
    command = UpdateInventory(
        provider=uuid,
        generation=Generation(body.resource_provider_generation),
        resource_class=ResourceClass(call.path["resource_class"]),
        inventory=inventory_of(body),
        reserved_may_be_all=call.version.has(Change.RESERVED_MAY_BE_ALL),
    )
    change = carry_out(call.site.store, command, call.origin)
    return shown(
        single_inventory_view(command.inventory, change.world.generation(uuid, change.delta)),
        modified=call.site.now(),
    )


def set_all(call: Call) -> Reply:
    """PUT …/inventories."""
    uuid = ProviderUUID(call.path["uuid"])
    body = body_for(call, uuid, SET)
    command = SetInventories(
        provider=uuid,
        generation=Generation(body.resource_provider_generation),
        inventories=inventories_of(body),
        reserved_may_be_all=call.version.has(Change.RESERVED_MAY_BE_ALL),
    )
    change = carry_out(call.site.store, command, call.origin)
    return shown(
        inventories_view(command.inventories, change.world.generation(uuid, change.delta)),
        modified=call.site.now() if command.inventories else None,
        cached=True,
    )


def delete(call: Call) -> Reply:
    """DELETE …/inventories/{resource_class}."""
    command = DropInventory(
        provider=ProviderUUID(call.path["uuid"]), resource_class=ResourceClass(call.path["resource_class"])
    )
    carry_out(call.site.store, command, call.origin)
    return done()


def delete_all(call: Call) -> Reply:
    """DELETE …/inventories."""
    carry_out(call.site.store, DropInventories(provider=ProviderUUID(call.path["uuid"])), call.origin)
    return done()


def inventories_of(body: shapes.SetInventories) -> dict[ResourceClass, Inventory]:
    """The inventories in a body, by class."""
    return {ResourceClass(name): inventory_of(record) for name, record in body.inventories.items()}


def inventory_of(record: shapes.Record) -> Inventory:
    """The inventory in a body."""
    return Inventory(
        total=record.total,
        reserved=record.reserved,
        min_unit=record.min_unit,
        max_unit=record.max_unit,
        step_size=record.step_size,
        allocation_ratio=record.allocation_ratio,
    )
