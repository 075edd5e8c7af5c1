"""Requests that change something."""

from __future__ import annotations

from typing import Any

from . import names
from .dice import Dice
from .request import Request


def create_provider(dice: Dice) -> Request:
    """Make one, perhaps below another, perhaps with a UUID that the application is to choose."""
    uuid = dice.one_of(names.PROVIDERS)
    unused = [uuid for uuid in names.PROVIDERS if uuid not in dice.knowledge.stock]
    if unused and dice.chance(0.85):
        uuid = dice.one_of(unused)
    body: dict[str, Any] = {"name": f"host {uuid[-1]}", "uuid": uuid}
    if dice.chance(0.05):
        body["name"] = dice.one_of(["host 1", "", "snow ☃", "x" * 200, "x" * 201])
    if dice.chance(0.08):
        del body["uuid"]
    version = dice.version()
    request = Request("POST", "/resource_providers", version)
    if request.minor >= 14 or dice.chance(0.03):
        parents = [None, *dice.knowledge.providers[:3]]
        body["parent_provider_uuid"] = dice.one_of(parents) if dice.chance(0.97) else names.NOBODY
        if body["parent_provider_uuid"] is None and dice.chance(0.5):
            del body["parent_provider_uuid"]
    return Request("POST", "/resource_providers", version, body)


def change_provider(dice: Dice) -> Request:
    """Rename or move one."""
    uuid = dice.provider()
    version = dice.version()
    body: dict[str, Any] = {"name": f"host {uuid[-1]}" if dice.chance(0.6) else f"new {uuid[-1]}"}
    if dice.chance(0.05):
        body["name"] = "host 1"
    if Request("PUT", "", version).minor >= 14 and dice.chance(0.7):
        body["parent_provider_uuid"] = dice.weighted((4, dice.provider()), (1, None))
    return Request("PUT", f"/resource_providers/{uuid}", version, body)


def delete_provider(dice: Dice) -> Request:
    """Delete one."""
    return Request("DELETE", f"/resource_providers/{dice.provider()}", dice.version())


def inventory(dice: Dice) -> dict[str, Any]:
    """Make a record, with limits that hold back some claims."""
    total = dice.weighted((1, 1), (1, 2), (2, 4), (4, 8), (4, 10), (3, 16), (3, 100))
    record: dict[str, Any] = {"total": total}
    if dice.chance(0.3):
        record["allocation_ratio"] = dice.one_of([1.0, 0.5, 1.5, 2.0, 16.0, 3])
    if dice.chance(0.2):
        record["reserved"] = dice.weighted((8, 0), (8, 1), (2, total), (1, total + 1))
    if dice.chance(0.15):
        record["min_unit"] = dice.one_of([1, 2])
    if dice.chance(0.2):
        record["max_unit"] = dice.one_of([1, 2, 4, total])
    if dice.chance(0.1):
        record["step_size"] = dice.one_of([1, 2])
    return record


def _set_inventories(dice: Dice, least: int = 0) -> dict[str, Any]:
    choices = dice.palette if dice.chance(0.75) else names.CLASSES
    return {name: inventory(dice) for name in dice.some_of(choices, least, 3)}


def put_inventories(dice: Dice, uuid: str | None = None, version: str | None = "") -> Request:
    """Replace all inventories of a provider."""
    uuid = uuid or dice.provider()
    inventories = _set_inventories(dice, 1 if dice.chance(0.95) else 0)
    # Mostly keep what is there, so that what is in use doesn't always forbid it.
    if dice.chance(0.6):
        for name in dice.knowledge.stock.get(uuid, {}):
            inventories.setdefault(name, inventory(dice))
    body = {"resource_provider_generation": dice.generation("provider", uuid), "inventories": inventories}
    version = dice.version() if version == "" else version
    return Request("PUT", f"/resource_providers/{uuid}/inventories", version, body)


def post_inventory(dice: Dice) -> Request:
    """Add one inventory."""
    uuid = dice.provider()
    body = {"resource_class": dice.class_name(), **inventory(dice)}
    if dice.chance(0.5):
        body["resource_provider_generation"] = dice.generation("provider", uuid)
    return Request("POST", f"/resource_providers/{uuid}/inventories", dice.version(), body)


def put_inventory(dice: Dice) -> Request:
    """Change one inventory."""
    uuid = dice.provider_with_stock()
    path = f"/resource_providers/{uuid}/inventories/{dice.class_of(uuid)}"
    body = {"resource_provider_generation": dice.generation("provider", uuid), **inventory(dice)}
    return Request("PUT", path, dice.version(), body)


def delete_inventory(dice: Dice) -> Request:
    """Remove one inventory, or all."""
    uuid = dice.provider_with_stock()
    path = f"/resource_providers/{uuid}/inventories"
    if dice.chance(0.3):
        return Request("DELETE", path, dice.version(5))
    return Request("DELETE", f"{path}/{dice.class_of(uuid)}", dice.version())


def put_aggregates(dice: Dice, uuid: str | None = None, *, aggregates: list[str] | None = None) -> Request:
    """Replace the aggregates of a provider."""
    uuid = uuid or dice.provider()
    version = dice.version(1)
    aggregates = dice.some_of(names.AGGREGATES, 0, 3) if aggregates is None else aggregates
    body: Any = aggregates
    if (Request("PUT", "", version).minor >= 19) != dice.chance(0.02):
        body = {
            "aggregates": aggregates,
            "resource_provider_generation": dice.generation("provider", uuid),
        }
    return Request("PUT", f"/resource_providers/{uuid}/aggregates", version, body)


def put_provider_traits(dice: Dice, uuid: str | None = None, *, shares: bool = False) -> Request:
    """Replace the traits of a provider."""
    uuid = uuid or dice.provider()
    traits = dice.some_of(names.TRAITS, 0, 3)
    if shares and names.SHARES not in traits:
        traits.append(names.SHARES)
    if dice.chance(0.03):
        traits.append("CUSTOM_UNHEARD")
    body = {"traits": traits, "resource_provider_generation": dice.generation("provider", uuid)}
    return Request("PUT", f"/resource_providers/{uuid}/traits", dice.version(6), body)


def delete_provider_traits(dice: Dice) -> Request:
    """Take all traits from a provider."""
    return Request("DELETE", f"/resource_providers/{dice.provider()}/traits", dice.version(6))


def change_trait(dice: Dice) -> Request:
    """Make a trait, or delete it."""
    name = dice.weighted((9, dice.one_of(names.CUSTOM_TRAITS)), (1, dice.trait()))
    return Request(dice.weighted((3, "PUT"), (1, "DELETE")), f"/traits/{name}", dice.version(6))


def change_class(dice: Dice) -> Request:
    """Make a class, rename it, or delete it."""
    name = dice.weighted((9, dice.one_of(names.CUSTOM_CLASSES)), (1, dice.class_name()))
    version = dice.version(2)
    kind = dice.weighted((4, "PUT"), (2, "POST"), (2, "DELETE"))
    if kind == "POST":
        return Request("POST", "/resource_classes", version, {"name": name})
    body = None
    # Until 1.7 a PUT renames.
    if kind == "PUT" and 2 <= Request("", "", version).minor < 7:
        body = {"name": dice.one_of([*names.CUSTOM_CLASSES, "CUSTOM_UNHEARD"])}
    return Request(kind, f"/resource_classes/{name}", version, body)


def delete_allocations(dice: Dice) -> Request:
    """Let go of what a consumer holds."""
    return Request("DELETE", f"/allocations/{dice.holder()}", dice.version())


def put_allocations(dice: Dice) -> Request:
    """Claim for one consumer."""
    consumer = dice.consumer()
    version = dice.version()
    minor = Request("PUT", "", version).minor
    body = claim(dice, consumer, minor, may_be_empty=minor >= 28)
    if minor < 12:
        body["allocations"] = [
            {"resource_provider": {"uuid": uuid}, "resources": it["resources"]}
            for uuid, it in body["allocations"].items()
        ]
    if minor < 8 and dice.chance(0.98):
        del body["project_id"], body["user_id"]
    return Request("PUT", f"/allocations/{consumer}", version, body)


def post_allocations(dice: Dice) -> Request:
    """Claim for several consumers at once."""
    version = dice.version(13)
    minor = Request("POST", "", version).minor
    body = {uuid: claim(dice, uuid, minor) for uuid in dice.some_of(dice.knowledge.consumers, 1, 3)}
    return Request("POST", "/allocations", version, body)


def reshape(dice: Dice) -> Request:
    """Restock a few providers, and claim for a few consumers, at once."""
    version = dice.version(30)
    minor = Request("POST", "", version).minor
    inventories = {}
    for uuid in dice.some_of(dice.knowledge.providers or [names.NOBODY], 1, 2):
        stock = _set_inventories(dice)
        # A reshape that leaves out what is in use is refused: seldom do that.
        if dice.chance(0.85):
            stock |= {name: inventory(dice) for name in dice.knowledge.stock.get(uuid, {})}
        inventories[uuid] = {
            "resource_provider_generation": dice.generation("provider", uuid),
            "inventories": stock,
        }
    consumers = dice.some_of(dice.knowledge.consumers, 0, 2)
    allocations = {uuid: claim(dice, uuid, max(minor, 28)) for uuid in consumers}
    body = {"inventories": inventories, "allocations": allocations}
    return Request("POST", "/reshaper", version, body)


def claim(dice: Dice, consumer: str, minor: int, *, may_be_empty: bool = True) -> dict[str, Any]:
    """Make what one consumer claims, in the newest form that a microversion takes."""
    allocations: dict[str, Any] = {}
    if not (may_be_empty and dice.chance(0.12)):
        for _ in range(dice.weighted((5, 1), (2, 2))):
            uuid = dice.provider_with_stock()
            resources = {dice.class_of(uuid): amount(dice) for _ in range(dice.weighted((3, 1), (2, 2)))}
            allocations[uuid] = {"resources": resources}
            if minor >= 12 and dice.chance(0.05):
                allocations[uuid]["generation"] = dice.random.randint(0, 5)
    body: dict[str, Any] = {
        "allocations": allocations,
        "project_id": dice.one_of(names.PROJECTS),
        "user_id": dice.one_of(names.USERS),
    }
    if minor >= 28:
        body["consumer_generation"] = dice.generation("consumer", consumer)
    if minor >= 34 and allocations and dice.chance(0.2):
        body["mappings"] = {dice.one_of(["", "1", "_DISK"]): list(allocations)}
    if minor >= 38:
        body["consumer_type"] = dice.one_of(names.CONSUMER_TYPES)
    return body


def amount(dice: Dice) -> int:
    """Choose how much, mostly little."""
    return dice.weighted((20, 1), (15, 2), (4, 3), (4, 4), (2, 8), (1, 100))
