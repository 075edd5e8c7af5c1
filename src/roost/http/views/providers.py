"""Resource providers, and what belongs to one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from roost.http.microversions.history import Change, Microversion, Since
from roost.model.inventory import Inventory
from roost.model.names import Generation, ResourceClass
from roost.model.provider import Provider

T = TypeVar("T")

_FIRST = ("inventories", "usages")
_LINKS = Since(
    {
        Change.INITIAL: _FIRST,
        Change.AGGREGATES: (*_FIRST, "aggregates"),
        Change.TRAITS: (*_FIRST, "aggregates", "traits"),
        Change.ALLOCATIONS_LINK: (*_FIRST, "aggregates", "traits", "allocations"),
    }
)


def provider_path(prefix: str, uuid: str) -> str:
    """Where a provider stands."""
    return f"{prefix}/resource_providers/{uuid}"


def provider_view(provider: Provider, prefix: str, version: Microversion) -> dict[str, Any]:
    """One provider."""
    path = provider_path(prefix, provider.uuid)
    links = [{"rel": "self", "href": path}]
    links += [{"rel": name, "href": f"{path}/{name}"} for name in _LINKS.at(version) or ()]
    view: dict[str, Any] = {
        "uuid": provider.uuid,
        "name": provider.name,
        "generation": provider.generation,
        "links": links,
    }
    if version.has(Change.NESTED_PROVIDERS):
        view["parent_provider_uuid"] = provider.parent
        view["root_provider_uuid"] = provider.root
    return view


def providers_view(providers: Iterable[Provider], prefix: str, version: Microversion) -> dict[str, Any]:
    """A list of providers. Each is encoded at once: what a large cloud's views take stays with the process for ever."""
    views = (provider_view(provider, prefix, version) for provider in providers)
    return {"resource_providers": [msgspec.Raw(msgspec.json.encode(view)) for view in views]}


def inventory_view(inventory: Inventory) -> dict[str, Any]:
    """One inventory, defaults filled in."""
    return {
        "total": inventory.total,
        "reserved": inventory.reserved,
        "min_unit": inventory.min_unit,
        "max_unit": inventory.max_unit,
        "step_size": inventory.step_size,
        "allocation_ratio": inventory.allocation_ratio,
    }


def single_inventory_view(inventory: Inventory, generation: Generation) -> dict[str, Any]:
    """One inventory by itself, with its provider's generation."""
    return {**inventory_view(inventory), "resource_provider_generation": generation}


def inventories_view(inventories: Mapping[ResourceClass, Inventory], generation: Generation) -> dict[str, Any]:
    """All inventories of a provider."""
    return {
        "resource_provider_generation": generation,
        "inventories": {name: inventory_view(inventory) for name, inventory in inventories.items()},
    }


def usages_view(usage: Mapping[ResourceClass, int], generation: Generation) -> dict[str, Any]:
    """A provider's usage."""
    return {"resource_provider_generation": generation, "usages": usage}


def aggregates_view(aggregates: Sequence[str], generation: Generation, version: Microversion) -> dict[str, Any]:
    """A provider's aggregates."""
    view: dict[str, Any] = {"aggregates": aggregates}
    if version.has(Change.AGGREGATE_GENERATIONS):
        view["resource_provider_generation"] = generation
    return view


def provider_traits_view(traits: Sequence[str], generation: Generation) -> dict[str, Any]:
    """A provider's traits."""
    return {"traits": traits, "resource_provider_generation": generation}


def newest(times: Iterable[datetime | None], otherwise: T) -> datetime | T:
    """The latest of some times; `otherwise` where there is none."""
    return max((time for time in times if time is not None), default=otherwise)
